"""A macro in a few words: its name, and what it changes."""

from collections.abc import Mapping
from typing import Any

from portal.blueprints.localisation import gettext
from portal.blueprints.tickets.labels import own_for_staff
from portal.lib.wording.tickets import PRIORITY, STATUS_FOR_STAFF
from portal.services.tickets.macro_form import ME, NOBODY
from portal.services.tickets.macro_use import MacroPreview


def macro_chip(found: MacroPreview) -> dict[str, Any]:
    """What stands above the answer while a macro goes with it."""
    return {
        "id": found.macro.id,
        "name": found.macro.name,
        "text": found.text,
        "changes": change_texts(found.actions),
    }


def change_texts(actions: Mapping[str, Any], people: Mapping[str, str] | None = None) -> list[str]:
    """What a macro changes, one short phrase each; `people` are names by id."""
    texts: list[str] = []
    own = actions.get("custom_status")
    if own:
        texts.append(gettext("Status: %(value)s", value=own_for_staff(str(own)) or own))
    elif "status" in actions:
        texts.append(gettext("Status: %(value)s", value=gettext(STATUS_FOR_STAFF[actions["status"]])))
    if "priority" in actions:
        texts.append(gettext("Priority: %(value)s", value=gettext(PRIORITY[actions["priority"]])))
    if "assignee" in actions:
        texts.append(gettext("Assignee: %(value)s", value=_who(str(actions["assignee"]), people or {})))
    if actions.get("add_tags"):
        texts.append(gettext("Tags: %(value)s", value=", ".join(actions["add_tags"])))
    return texts


def _who(chosen: str, people: Mapping[str, str]) -> str:
    if chosen == ME:
        return str(gettext("whoever uses it"))
    return str(gettext("Nobody")) if chosen == NOBODY else people.get(chosen, str(gettext("one of the team")))
