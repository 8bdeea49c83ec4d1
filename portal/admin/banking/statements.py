"""Statements: read at once where they are CAMT.053, else once somebody has said what the columns mean."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.billing.reading import read_whole, refusals
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.blueprints.uploads import takes_file
from portal.errors import Invalid
from portal.integrations.camt import LARGEST_FILE
from portal.lib.bank_csv import CsvMapping
from portal.lib.wording.banking import AMOUNT_FORMATS, COLUMNS, DATE_FORMATS
from portal.models import BankStatement
from portal.services.banking.importing import discard_statement, import_statement, preview_table, read_table
from portal.services.banking.queries import list_statements

SHOWN = 50
_WORDS = ("account", "currency", "date_format", "amount_format")


class BankStatementsView(ServiceView):
    """The statements that were read, the form for another, and the meaning of a table's columns."""

    policy = Permission.BILLING_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """What was read, and the form."""
        return self._list()

    def _list(self, errors: Mapping[str, list[str]] | None = None) -> str:
        statements = list_statements(http.session(), actor=http.actor(), limit=SHOWN)
        return self.render("admin/banking/statements.html", statements=statements, errors=errors or {})

    @route("/import", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    @takes_file(LARGEST_FILE)
    def take(self) -> ResponseReturnValue:
        """Read a file; one too large is read no further than it may be."""
        sent = request.files.get("file")
        content = sent.stream.read(LARGEST_FILE + 1) if sent and sent.filename else b""
        name = (sent.filename or "") if sent else ""
        try:
            found = import_statement(http.session(), content, name, actor=http.actor(), now=http.now())
            http.commit()
        except Invalid as error:
            http.session().rollback()
            return self._list(refusals(error)), 422
        if found.finished_at is None:
            return http.see_other("bank_statements.table", statement_id=found.id)
        return self._read(found)

    @route("/<uuid:statement_id>", methods=("GET", "POST"))
    @permission(Permission.BILLING_MANAGE)
    def table(self, statement_id: UUID) -> ResponseReturnValue:
        """What the columns of a table mean."""
        statement, rows, guessed = preview_table(http.session(), statement_id, actor=http.actor())
        if request.method != "POST":
            return self._mapping_page(statement, rows, guessed, {})
        wanted = _typed_mapping()
        try:
            found = read_table(http.session(), statement_id, wanted, actor=http.actor(), now=http.now())
            http.commit()
        except Invalid as error:
            http.session().rollback()
            statement, rows, _ = preview_table(http.session(), statement_id, actor=http.actor())
            return self._mapping_page(statement, rows, wanted, refusals(error)), 422
        return self._read(found)

    @route("/<uuid:statement_id>/discard", methods=("POST",))
    @permission(Permission.BILLING_MANAGE)
    def discard(self, statement_id: UUID) -> ResponseReturnValue:
        """Forget a table that nobody wants to read."""
        discard_statement(http.session(), statement_id, actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("File discarded"), "ok")
        return http.see_other("bank_statements.index")

    def _mapping_page(
        self, statement: BankStatement, rows: list[list[str]], mapping: CsvMapping, errors: Mapping[str, list[str]]
    ) -> str:
        heads = rows[0] if mapping.has_header else [""] * len(rows[0])
        choices = [("", gettext("None"))] + [
            (str(place), f"{place + 1} · {head[:40]}" if head else str(place + 1)) for place, head in enumerate(heads)
        ]
        return self.render(
            "admin/banking/table.html",
            statement=statement,
            rows=[[cell[:60] for cell in row[:20]] for row in rows],
            columns=[(name, gettext(label)) for name, label in COLUMNS.items()],
            choices=choices,
            mapping=mapping.plain(),
            date_formats=[(key, gettext(label)) for key, label in DATE_FORMATS.items()],
            amount_formats=[(key, gettext(label)) for key, label in AMOUNT_FORMATS.items()],
            errors=errors,
            form_errors_list=[(name, text) for name, texts in errors.items() for text in texts],
        )

    @staticmethod
    def _read(found: BankStatement) -> ResponseReturnValue:
        text = gettext(
            "%(added)s transfers are new, %(known)s were there already, %(passed)s other entries were passed over",
            added=found.added,
            known=found.known,
            passed=found.passed_over,
        )
        flash(text, "ok")
        return http.see_other("bank_transfers.index")


def _typed_mapping() -> CsvMapping:
    columns: dict[str, Any] = {name: read_whole(request.form.get(name, "")) for name in COLUMNS}
    words: dict[str, Any] = {name: request.form.get(name, "").strip()[:100] for name in _WORDS}
    words["currency"] = words["currency"].upper()
    return CsvMapping(has_header="has_header" in request.form, **words, **columns)
