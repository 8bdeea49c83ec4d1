"""Macros: prepared answers with field changes; shared by the team, somebody's own, or for customers (H2.14)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, or_, select

from portal.authz import Actor, Permission, require
from portal.errors import Invalid, NotFound, invalid
from portal.events import audit
from portal.models import Macro
from portal.models.session import TenantSession
from portal.services.tenants.config_versions import get_version, keep_version
from portal.services.tickets.macro_form import CUSTOMER, NAME_LENGTH, STAFF, MacroForm, check_macro

RECORD = "macro"
MOST = 500


def visible_macros(actor: Actor) -> ColumnElement[bool]:
    """Shared ones, and the actor's own."""
    return or_(Macro.owner_id.is_(None), Macro.owner_id == actor.user_id)


def list_macros(
    session: TenantSession,
    *,
    actor: Actor,
    audience: str | None = None,
    search: str = "",
    include_inactive: bool = True,
    limit: int = MOST,
    offset: int = 0,
) -> list[Macro]:
    """Macros that the actor may see, in their order; `search` looks at the name."""
    require(actor, Permission.SLA_READ)
    query = select(Macro).where(visible_macros(actor))
    if audience is not None:
        query = query.where(Macro.audience == audience)
    if not include_inactive:
        query = query.where(Macro.active)
    if words := " ".join(search.split()):
        query = query.where(Macro.name.icontains(words, autoescape=True))
    ordered = query.order_by(Macro.audience.desc(), Macro.position, func.lower(Macro.name), Macro.id)
    return list(session.scalars(ordered.limit(limit).offset(offset)))


def get_macro(session: TenantSession, macro_id: UUID, *, actor: Actor, lock: bool = False) -> Macro:
    """A macro that the actor may see; somebody else's own is not found."""
    require(actor, Permission.SLA_READ)
    query = select(Macro).where(Macro.id == macro_id, visible_macros(actor))
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound(RECORD)
    return found


def may_edit(macro: Macro, actor: Actor) -> bool:
    """Shared ones belong to who sets the desk up, others to their owner."""
    if macro.owner_id is None:
        return actor.may(Permission.SLA_CONFIGURE)
    return macro.owner_id == actor.user_id


def save_macro(
    session: TenantSession,
    macro_id: UUID | None,
    *,
    form: MacroForm,
    locales: Sequence[str],
    actor: Actor,
    now: datetime,
) -> Macro:
    """Create (id None) or change a macro; each saving is a version. `locales` begins with the tenant's own.

    Whom it is for and whose it is stay as they were made. Raises Forbidden, NotFound, and Invalid with the line and
    column of every placeholder that does not exist.
    """
    macro = get_macro(session, macro_id, actor=actor, lock=True) if macro_id else None
    if macro is not None:
        form = replace(form, audience=macro.audience, shared=macro.owner_id is None)
    _require_right(form, actor)
    if form.audience not in (STAFF, CUSTOMER) or (form.audience == CUSTOMER and not form.shared):
        raise invalid("audience", "unknown_choice")
    if macro is not None and form.version not in (None, macro.version):
        raise invalid("name", "changed_meanwhile")
    checked = check_macro(session, form, locales=locales)
    owner = None if form.shared else actor.user_id
    _refuse_taken(session, checked.name, form.audience, owner, macro_id)
    before = state_of(macro) if macro else None
    if macro is None:
        macro = _new(session, form.audience, owner)
        session.add(macro)
    else:
        macro.version += 1
    macro.name, macro.texts, macro.actions = checked.name, checked.texts, checked.actions
    macro.categories, macro.active = checked.categories, form.active
    _record(session, macro, before, actor=actor, now=now)
    return macro


def switch_macro(session: TenantSession, macro_id: UUID, *, active: bool, actor: Actor, now: datetime) -> Macro:
    """Offer a macro or offer it no more; the same again changes nothing. Raises Forbidden and NotFound."""
    macro = get_macro(session, macro_id, actor=actor, lock=True)
    _require_right_to(macro, actor)
    if macro.active is not active:
        before = state_of(macro)
        macro.active = active
        macro.version += 1
        _record(session, macro, before, actor=actor, now=now)
    return macro


def duplicate_macro(session: TenantSession, macro_id: UUID, *, actor: Actor, now: datetime) -> Macro:
    """A copy with a name of its own: shared where the actor may share, else the actor's own.

    Raises Forbidden, NotFound and Invalid (`audience`) where a copy for customers is not the actor's to make.
    """
    found = get_macro(session, macro_id, actor=actor)
    shared = found.owner_id is None and actor.may(Permission.SLA_CONFIGURE)
    if found.audience == CUSTOMER:
        require(actor, Permission.SLA_CONFIGURE)
    elif not shared:
        require(actor, Permission.DESK_REPLY)
    owner = None if shared else actor.user_id
    copy = _new(session, found.audience, owner)
    copy.name = _free_name(session, found.name, found.audience, owner)
    copy.texts, copy.actions = dict(found.texts), dict(found.actions)
    copy.categories, copy.active = list(found.categories), found.active
    session.add(copy)
    _record(session, copy, None, actor=actor, now=now)
    return copy


def restore_macro(
    session: TenantSession, macro_id: UUID, *, version: int, locales: Sequence[str], actor: Actor, now: datetime
) -> Macro:
    """Save an earlier state as the newest one, checked as of now. Raises Forbidden, NotFound and Invalid."""
    macro = get_macro(session, macro_id, actor=actor)
    _require_right_to(macro, actor)
    data = get_version(session, RECORD, macro_id, version).data
    texts = {locale: text for locale, text in data["texts"].items() if locale in locales}
    form = MacroForm(data["name"], texts, data["actions"], data["categories"], active=data["active"])
    return save_macro(session, macro_id, form=form, locales=locales, actor=actor, now=now)


def state_of(macro: Macro) -> dict[str, Any]:
    """What a version keeps."""
    return {
        "name": macro.name,
        "texts": dict(macro.texts),
        "actions": dict(macro.actions),
        "categories": list(macro.categories),
        "active": macro.active,
    }


def _record(
    session: TenantSession, macro: Macro, before: dict[str, Any] | None, *, actor: Actor, now: datetime
) -> None:
    after = state_of(macro)
    keep_version(session, RECORD, macro.id, version=macro.version, data=after, actor=actor, now=now)
    audit(
        session,
        "macro.saved",
        RECORD,
        macro.id,
        actor=actor,
        now=now,
        before=before,
        after=after | {"version": macro.version, "audience": macro.audience, "shared": macro.owner_id is None},
    )


def _new(session: TenantSession, audience: str, owner: UUID | None) -> Macro:
    return Macro(
        id=uuid4(), tenant_id=session.tenant_id, audience=audience, owner_id=owner, position=0, used=0, version=1
    )


def _require_right(form: MacroForm, actor: Actor) -> None:
    require(actor, Permission.SLA_CONFIGURE if form.shared else Permission.DESK_REPLY)


def _require_right_to(macro: Macro, actor: Actor) -> None:
    require(actor, Permission.SLA_CONFIGURE if macro.owner_id is None else Permission.DESK_REPLY)


def _names(session: TenantSession, audience: str, owner: UUID | None, but: UUID | None = None) -> set[str]:
    rows = session.execute(
        select(Macro.id, Macro.name).where(Macro.audience == audience, Macro.owner_id.is_not_distinct_from(owner))
    )
    return {name.casefold() for id_, name in rows if id_ != but}


def _refuse_taken(session: TenantSession, name: str, audience: str, owner: UUID | None, but: UUID | None) -> None:
    names = _names(session, audience, owner, but)
    if name.casefold() in names:
        raise invalid("name", "name_taken")
    if but is None and len(names) >= MOST:
        raise Invalid(*invalid("name", "too_many", limit=MOST).errors)


def _free_name(session: TenantSession, name: str, audience: str, owner: UUID | None) -> str:
    taken = _names(session, audience, owner)
    number, free = 2, name
    while free.casefold() in taken:
        free, number = f"{name[: NAME_LENGTH - 5]} ({number})", number + 1
    return free
