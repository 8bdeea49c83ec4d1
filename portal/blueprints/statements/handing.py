"""The forms and files of statements, for both doors."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from flask import Response
from werkzeug.exceptions import ServiceUnavailable

from portal.blueprints import http
from portal.blueprints.files.receiving import place
from portal.blueprints.localisation import current_locale
from portal.errors import NotFound, invalid
from portal.integrations.storage import FileGone, StorageUnavailable
from portal.models import Statement, StatementFormat, StatementKind
from portal.services.statements.files import CONTENT_TYPES
from portal.services.statements.requesting import StatementRequest, begin_download, request_statement
from portal.services.statements.words import file_name


def read_request(form: Mapping[str, str], company_id: UUID | None) -> StatementRequest:
    """What was typed; Invalid for what is no date, year or format."""
    annual = form.get("kind") == StatementKind.ANNUAL.value
    return StatementRequest(
        format=_format(form.get("format", "")),
        kind=StatementKind.ANNUAL if annual else StatementKind.PERIOD,
        start=None if annual else _day(form, "start"),
        end=None if annual else _day(form, "end"),
        year=_year(form.get("year", "")) if annual else None,
        company_id=company_id,
        attach=form.get("attach") == "1",
    )


def ask_for(wanted: StatementRequest) -> Statement:
    """Write the wish down, in the reader's language."""
    return request_statement(http.session(), wanted, locale=current_locale(), actor=http.actor(), now=http.now())


def send_statement(statement_id: UUID) -> Response:
    """The file as a download; NotFound, Conflict while it is being made."""
    found = begin_download(http.session(), statement_id, actor=http.actor(), now=http.now())
    key, name, kind, size = found.storage_key or "", file_name(found), CONTENT_TYPES[found.format], found.size
    http.commit()
    try:
        pieces = place().storage.read(key)
    except FileGone:
        raise NotFound("statement") from None
    except StorageUnavailable as error:
        raise ServiceUnavailable(retry_after=5) from error
    answer = Response(pieces, content_type=kind)
    if size is not None:
        answer.content_length = size
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _format(text: str) -> StatementFormat:
    try:
        return StatementFormat(text)
    except ValueError:
        raise invalid("format", "unknown_choice") from None


def _day(form: Mapping[str, str], name: str) -> date | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise invalid(name, "date_invalid") from None


def _year(text: str) -> int | None:
    digits = text.strip()
    if not digits:
        return None
    if not (digits.isascii() and digits.isdecimal() and len(digits) == 4):
        raise invalid("year", "year_invalid")
    return int(digits)
