"""Numbers without gaps: each series is one row, locked by whoever takes the next number until its transaction ends.

Tax law of most countries asks for consecutive numbers (EU: directive 2006/112/EC, article 226 (2)). A transaction
that rolls back gives its number back, since the row goes back with it; others wait for it meanwhile, so take the
number as late as possible.
"""

import re
from datetime import date

from sqlalchemy import text

from portal.errors import invalid
from portal.models.session import TenantSession

SHORTEST = 4
_PLACES = re.compile(r"\{(\w*)\}")
_KNOWN = frozenset({"year", "month", "counter"})
# Fits where numbers are stored, with room for a year, a month and a counter of nine digits.
_LONGEST_REST = 20
_REST = re.compile(r"[A-Za-z0-9/._ -]*")
_NEXT = text(
    """
    INSERT INTO number_series (tenant_id, name, value) VALUES (:tenant_id, :name, 1)
    ON CONFLICT (name, tenant_id) DO UPDATE SET value = number_series.value + 1
    RETURNING value
    """
)


def next_in_series(session: TenantSession, kind: str, number_format: str, *, day: date) -> str:
    """The next number of a kind of document ("invoice", "quote", …), written in the tenant's format.

    Counts anew with each year or month that the format names, so that no number can come twice.
    """
    values = {"tenant_id": session.tenant_id, "name": series_name(kind, number_format, day)}
    counter = session.connection().execute(_NEXT, values).scalar_one()
    return format_number(number_format, counter, day)


def series_name(kind: str, number_format: str, day: date) -> str:
    """Which row counts: one for ever, one a year or one a month."""
    named = set(_PLACES.findall(number_format))
    if "year" not in named:
        return kind
    return f"{kind}:{day:%Y-%m}" if "month" in named else f"{kind}:{day:%Y}"


def format_number(number_format: str, counter: int, day: date) -> str:
    """`INV-{year}-{counter}` filled in: INV-2026-0042."""
    return number_format.format(year=f"{day:%Y}", month=f"{day:%m}", counter=f"{counter:0{SHORTEST}d}")


def check_number_format(field: str, number_format: str) -> str:
    """The format without outer space; Invalid where it names no counter, other places, or odd characters."""
    tidy = " ".join(number_format.split())
    places = _PLACES.findall(tidy)
    rest = _PLACES.sub("", tidy)
    known = places.count("counter") == 1 and set(places) <= _KNOWN and len(set(places)) == len(places)
    if not known or ("month" in places and "year" not in places):
        raise invalid(field, "number_format_invalid")
    if not _REST.fullmatch(rest) or len(rest) > _LONGEST_REST:
        raise invalid(field, "number_format_invalid")
    return tidy
