"""The audit log: who did what to which record, newest first, and the same as a file."""

import json
from collections.abc import Iterator, Sequence

from flask import Response, current_app, request
from flask.typing import ResponseReturnValue

from portal.admin.audit.filters import filter_chips, given_filters, page_url, read_filter
from portal.admin.audit.presenters import entry_row
from portal.admin.base import ServiceView, route
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import fresh_proof
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.lib.csv_export import MEDIA_TYPE, csv_chunks
from portal.lib.wording.audit import ACTIONS, RECORDS
from portal.models import AuditEntry
from portal.models.session import TenantSessions
from portal.services.audit.exporting import begin_export, read_export
from portal.services.audit.queries import list_entries

COLUMNS = (
    "time",
    "by",
    "kind",
    "action",
    "action_code",
    "record_type",
    "record_id",
    "address",
    "request_id",
    "before",
    "after",
    "number",
)


class AuditView(ServiceView):
    """The trail with its filters."""

    policy = Permission.AUDIT_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """A page of the trail."""
        given = given_filters()
        page = list_entries(http.session(), read_filter(given, request.args.get("cursor")), actor=http.actor())
        kept = {name: value for name, value in given.items() if value}
        return self.render(
            "admin/audit.html",
            entries=[entry_row(entry) for entry in page.items],
            given=given,
            chips=filter_chips(kept),
            actions=[("", gettext("Any")), *((key, gettext(label)) for key, label in ACTIONS.items())],
            records=[("", gettext("Any")), *((key, gettext(label)) for key, label in RECORDS.items())],
            earlier=page_url(kept, page.previous_cursor) if page.previous_cursor else None,
            later=page_url(kept, page.next_cursor) if page.next_cursor else None,
            denials=page_url(kept | {"denials": "1"}),
            download=page_url(kept, endpoint="audit.download"),
        )

    @route("/download")
    @permission(Permission.AUDIT_EXPORT)
    @fresh_proof
    def download(self) -> ResponseReturnValue:
        """What the filters find, as CSV; written while it is sent, however much it is."""
        wanted, tenant_id = read_filter(given_filters()), http.tenant().id
        up_to = begin_export(http.session(), wanted, actor=http.actor(), now=http.now())
        http.commit()
        sessions = TenantSessions(current_app.extensions["portal_engine"])
        # In the reader's language, which is not known any more while the file is sent.
        words = {code: gettext(label) for code, label in ACTIONS.items()}
        pages = (_csv_rows(page, words) for page in read_export(sessions, tenant_id, wanted, up_to=up_to))
        answer = Response(csv_chunks(COLUMNS, pages), content_type=MEDIA_TYPE)
        answer.headers["Content-Disposition"] = f'attachment; filename="audit-{http.now():%Y-%m-%d}.csv"'
        return answer


def _csv_rows(entries: Sequence[AuditEntry], words: dict[str, str]) -> Iterator[Sequence[object]]:
    for entry in entries:
        yield (
            entry.at.isoformat(),
            entry.actor_name,
            entry.actor_kind,
            words.get(entry.action, entry.action),
            entry.action,
            entry.record_type,
            entry.record_id,
            entry.ip,
            entry.request_id,
            _json(entry.before),
            _json(entry.after),
            entry.seq,
        )


def _json(values: dict[str, object]) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True) if values else ""
