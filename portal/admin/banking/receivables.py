"""The receivables board: who owes what for how long, what failed, and what comes next."""

from typing import Any
from uuid import UUID

from flask import Response, current_app, request
from flask.typing import ResponseReturnValue

from portal.admin.banking.tabs import money_tabs
from portal.admin.base import ServiceView, route
from portal.admin.billing.reading import read_id
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.banking import presenters
from portal.blueprints.localisation import gettext
from portal.lib.csv_export import MEDIA_TYPE, csv_chunks
from portal.lib.money import EXPONENTS, Money
from portal.lib.wording.banking import BUCKETS
from portal.models.session import TenantSessions
from portal.services.billing.customers import find_customer
from portal.services.billing.open_items import OpenInvoice, ReceivablesFilter, begin_export, read_customer, read_export
from portal.services.billing.receivables import read_board

# More would make the page larger than a page may be; the file has all.
SHOWN = 25
COLUMNS = (
    "number",
    "customer",
    "customer_number",
    "status",
    "issued_on",
    "due_on",
    "days_late",
    "age",
    "currency",
    "total",
    "outstanding",
    "last_failure",
    "next_step",
    "next_step_at",
    "id",
)


class ReceivablesView(ServiceView):
    """The board, one customer's open invoices, and all of them as a file."""

    policy = Permission.BILLING_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """Totals by currency and customers by what they owe late; everything about it is in the address."""
        wanted, words, unknown = self._wanted()
        board = read_board(http.session(), wanted, actor=http.actor(), now=http.now(), shown=SHOWN)
        return self.render(
            "admin/banking/receivables.html",
            tab_items=money_tabs("receivables"),
            totals=[presenters.ageing_view(one) for one in board.totals],
            customers=[presenters.customer_view(one) for one in board.customers],
            more=SHOWN if board.more else 0,
            failed=[presenters.failed_view(one) for one in board.failed],
            q=words,
            unknown=unknown,
            currency=wanted.currency or "",
            customer_id=wanted.customer_id,
            currencies=sorted({(one.currency, one.currency) for one in board.totals}),
            bucket_heads=_bucket_heads(),
        )

    @route("/<uuid:customer_id>")
    def customer(self, customer_id: UUID) -> ResponseReturnValue:
        """A customer's open invoices, the oldest first."""
        currency = self._currency()
        company, rows = read_customer(
            http.session(), customer_id, currency=currency, actor=http.actor(), now=http.now()
        )
        return self.render(
            "admin/banking/customer.html",
            company=company,
            currency=currency or "",
            rows=[presenters.open_view(row) for row in rows],
        )

    @route("/export")
    def export(self) -> ResponseReturnValue:
        """The open invoices as CSV; its rows are read by transactions of their own, after the note is stored."""
        actor = http.actor()
        wanted, _, _ = self._wanted()
        today = begin_export(http.session(), wanted, actor=actor, now=http.now())
        http.commit()
        sessions = TenantSessions(current_app.extensions["portal_engine"])
        pages = read_export(sessions, wanted, today, actor=actor)
        answer = Response(csv_chunks(COLUMNS, (map(_cells, page) for page in pages)), content_type=MEDIA_TYPE)
        answer.headers["Content-Disposition"] = f'attachment; filename="receivables-{today:%Y-%m-%d}.csv"'
        return answer

    def _wanted(self) -> tuple[ReceivablesFilter, str, bool]:
        """The filter of the address, what was typed for a customer, and whether nobody is called so."""
        words = request.args.get("q", "").strip()[:100]
        customer_id = read_id(request.args.get("customer_id"))
        found = find_customer(http.session(), words, actor=http.actor()) if words and not customer_id else None
        unknown = bool(words) and found is None and customer_id is None
        return ReceivablesFilter(found.id if found else customer_id, self._currency()), words, unknown

    @staticmethod
    def _currency() -> str | None:
        typed = request.args.get("currency", "").upper()
        return typed if typed in EXPONENTS else None


def _bucket_heads() -> list[dict[str, str]]:
    """The ages as columns; on a phone only the sum and what is late of it fit."""
    return [{"label": gettext(label), "align": "end", "hide": "phone"} for label in BUCKETS.values()]


def _cells(row: OpenInvoice) -> tuple[Any, ...]:
    return (
        row.number,
        row.company_name,
        row.customer_number,
        row.status.value,
        row.issued_on.isoformat(),
        row.due_on.isoformat() if row.due_on else "",
        max(0, row.days_late),
        row.bucket,
        row.currency,
        str(Money(row.total, row.currency).decimal),
        str(Money(row.outstanding, row.currency).decimal),
        row.failure,
        row.next_kind,
        row.next_at.isoformat() if row.next_at else "",
        row.id,
    )
