"""A payment history as a file: whatever its reader sees of what the list shows, written while it is sent (BIL-12)."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from flask import Response, current_app, stream_with_context

from portal.blueprints import http
from portal.blueprints.localisation import current_locale, format_day, format_moment, gettext
from portal.blueprints.payments.presenters import present_payment
from portal.integrations.pdf import typeset
from portal.lib.colour import solid_accent
from portal.lib.csv_export import MEDIA_TYPE, csv_chunks
from portal.lib.money import Money
from portal.models.session import TenantSessions
from portal.services.payments.exporting import begin_export, read_export
from portal.services.payments.queries import PaymentFilter, PaymentRow

FORMATS = ("pdf", "csv")
PDF = "application/pdf"
# A document is set as a whole, so it has an end; CSV has none.
PDF_ROWS = 1_000


def send_payments(form: str, wanted: PaymentFilter, filters: Mapping[str, str]) -> Response:
    """The reader's payments as `pdf` or `csv`; `filters` say in words what narrows the list."""
    actor, now = http.actor(), http.now()
    begin_export(http.session(), form=form, narrowed=bool(filters), actor=actor, now=now)
    http.commit()
    sessions = TenantSessions(current_app.extensions["portal_engine"])
    pages = read_export(sessions, wanted, actor=actor)
    if form == "pdf":
        answer = Response(_document(pages, filters), content_type=PDF)
    else:
        rows = ([_cells(row) for row in page] for page in pages)
        answer = Response(stream_with_context(csv_chunks(_headers(), rows)), content_type=MEDIA_TYPE)
    answer.headers["Content-Disposition"] = f'attachment; filename="payments-{now:%Y-%m-%d}.{form}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _headers() -> list[str]:
    return [
        gettext("Payment"),
        gettext("Date"),
        gettext("Invoice"),
        gettext("Service"),
        gettext("Method"),
        gettext("State"),
        gettext("Amount"),
        gettext("Refunded"),
        gettext("Currency"),
    ]


def _cells(row: PaymentRow) -> list[Any]:
    payment, shown = row.payment, present_payment(row)
    return [
        payment.number,
        payment.created_at.date().isoformat(),
        ", ".join(one.number for one in row.invoices),
        shown["service"],
        shown["method"],
        shown["badge"]["label"],
        Money(payment.amount, payment.currency).decimal,
        Money(payment.refunded, payment.currency).decimal,
        payment.currency,
    ]


def _document(pages: Iterator[Sequence[PaymentRow]], filters: Mapping[str, str]) -> bytes:
    tenant, now = http.tenant(), http.now()
    rows = list(islice(chain.from_iterable(pages), PDF_ROWS + 1))
    facts: list[list[str]] = [[gettext("As of"), format_moment(now)], *([name, text] for name, text in filters.items())]
    headers = _headers()
    data: dict[str, Any] = {
        "title": gettext("Payments"),
        "facts": facts,
        "headers": [headers[0], headers[3], headers[1], headers[4], headers[5], headers[6]],
        "rows": [_printed(row) for row in rows[:PDF_ROWS]],
        "empty": gettext("No payment fits what you are looking for."),
        "note": gettext("Only the newest %(count)s payments are shown.", count=PDF_ROWS)
        if len(rows) > PDF_ROWS
        else "",
    }
    accent = solid_accent(tenant.brand.get("accent"))
    return typeset("tickets.typ", data, locale=current_locale(), tenant=tenant.name, accent=accent, now=now)


def _printed(row: PaymentRow) -> list[str]:
    shown = present_payment(row)
    service = shown["service"] or ", ".join(one["number"] for one in shown["invoices"])
    day = format_day(row.payment.created_at.date())
    return [shown["number"], service, day, shown["method"], shown["badge"]["label"], shown["amount"]]
