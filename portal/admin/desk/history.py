"""The versions of what a tenant sets up: who changed what when, and the way back."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue

from portal.admin.base import route
from portal.admin.editing import EditableModelView
from portal.admin.sla.forms import valid_uuid
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, gettext
from portal.blueprints.policies import permission
from portal.errors import Invalid, NotFound
from portal.models import ConfigVersion
from portal.services.tenants.config_versions import list_versions

Facts = Sequence[tuple[str, str]]


class KeptModelView(EditableModelView):
    """Records whose every saving is a version; `kept_as` names them in `config_versions`."""

    kept_as: ClassVar[str]

    @abstractmethod
    def name_of(self, record: Any) -> str:
        """What the record is called."""

    @abstractmethod
    def facts_of(self, form: Mapping[str, Any]) -> Facts:
        """What a version said: (label, text) of each of its parts, always in the same order."""

    @abstractmethod
    def restore(self, record_id: UUID, version: int) -> Any:
        """Have a service save an earlier version as the newest; raises Invalid where that is not possible now."""

    @route("/versions/")
    def versions_view(self) -> ResponseReturnValue:
        """What the record was before, and the way back."""
        record = self.get_one(request.args.get("id"))
        record_id = self.get_pk_value(record)
        found = list_versions(http.session(), self.kept_as, record_id)
        return self.render(
            "admin/desk/history.html",
            heading=self.name_of(record),
            record_id=record_id,
            record_url=url_for(f"{self.endpoint}.edit_view", id=record_id),
            up_label=self.name,
            up_url=url_for(f"{self.endpoint}.index_view"),
            restore_url=url_for(f"{self.endpoint}.restore_view"),
            versions=version_rows(found, self.facts_of),
        )

    @route("/restore/", methods=("POST",))
    @permission(Permission.SLA_CONFIGURE)
    def restore_view(self) -> ResponseReturnValue:
        """Go back to a version."""
        wanted, number = valid_uuid(request.form.get("id")), wanted_version()
        if wanted is None:
            raise NotFound("version")
        try:
            self.restore(wanted, number)
        except Invalid:
            http.session().rollback()
            flash(gettext("This version refers to something that is gone; nothing was changed."), "err")
            return http.see_other(f"{self.endpoint}.versions_view", id=wanted)
        http.commit()
        flash(gettext("Version %(number)s is in force again", number=number), "ok")
        return http.see_other(f"{self.endpoint}.versions_view", id=wanted)


def version_rows(
    versions: Sequence[ConfigVersion], facts_of: Callable[[Mapping[str, Any]], Facts]
) -> list[dict[str, Any]]:
    """For `admin/desk/history.html`: newest first, each with how it differs from the one before it."""
    rows = []
    for place, one in enumerate(versions):
        before = versions[place + 1].data["form"] if place + 1 < len(versions) else None
        rows.append(
            {
                "number": one.version,
                "at": one.saved_at,
                "by": one.saved_by_name,
                "current": place == 0,
                "changes": _changes(facts_of, before, one.data["form"]),
            }
        )
    return rows


def wanted_version() -> int:
    """The version that a button of the page names; NotFound for what is no number."""
    number = request.form.get("version", "")
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise NotFound("version")
    return int(number)


def _changes(
    facts_of: Callable[[Mapping[str, Any]], Facts], before: Mapping[str, Any] | None, form: Mapping[str, Any]
) -> list[dict[str, str | None]]:
    after = dict(facts_of(form))
    if before is None:
        return [{"label": label, "old": None, "new": text} for label, text in after.items() if text]
    old = dict(facts_of(before))
    return [
        {"label": label, "old": old.get(label, ""), "new": after.get(label, "")}
        for label in dict.fromkeys((*after, *old))
        if old.get(label, "") != after.get(label, "")
    ]


def named_facts(label: str, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """A fact for each language that has a name."""
    return [(f"{label} ({locale})", name) for locale, name in sorted(names.items())]


def state_text(active: bool) -> str:
    """Whether something is in use."""
    return str(gettext("In use") if active else gettext("Off"))


def yes_or_no(value: bool) -> str:
    """A decision in words."""
    return str(gettext("Yes") if value else gettext("No"))


def shown_name(names: Mapping[str, str], otherwise: str) -> str:
    """A name in the reader's language, else in the tenant's."""
    return names.get(current_locale()) or names.get(http.tenant().locale) or otherwise
