"""The dashboard's registry: each domain adds its parts and its quick actions; role and feature decide who sees them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from portal.authz import Permission
from portal.blueprints import http

Load = Callable[[], dict[str, Any]]
Area = Literal["top", "main", "side"]


@dataclass(frozen=True)
class Widget:
    """A part of the page: `load` gives its template's names, and nothing to leave it out.

    `top` parts take the whole width, below them `main` and `side` share it. `needs_you` among the names
    counts what waits for the reader.
    """

    key: str
    order: int
    area: Area
    permission: Permission
    feature: str
    template: str
    load: Load


@dataclass(frozen=True)
class QuickAction:
    """A button in the page's head; `label` is translated when it is shown."""

    key: str
    order: int
    permission: Permission
    feature: str
    label: str
    icon: str
    endpoint: str


@dataclass(frozen=True)
class Part:
    """A widget that is shown, with what it shows."""

    key: str
    area: Area
    template: str
    values: dict[str, Any]


_WIDGETS: dict[str, Widget] = {}
_ACTIONS: dict[str, QuickAction] = {}


def widget(
    key: str, *, order: int, area: Area, permission: Permission, feature: str, template: str
) -> Callable[[Load], Load]:
    """Register a part of the dashboard; `order` is its place within the area."""

    def register(load: Load) -> Load:
        _WIDGETS[key] = Widget(key, order, area, permission, feature, template, load)
        return load

    return register


def add_quick_action(action: QuickAction) -> None:
    """Register a button."""
    _ACTIONS[action.key] = action


def visible_parts() -> list[Part]:
    """Each part that this person sees, in order."""
    shown = []
    for found in sorted(_WIDGETS.values(), key=lambda item: item.order):
        if _may_see(found.permission, found.feature):
            values = found.load()
            if values:
                shown.append(Part(found.key, found.area, found.template, values))
    return shown


def visible_actions() -> list[QuickAction]:
    """Each quick action that this person may take, in order."""
    return [
        action
        for action in sorted(_ACTIONS.values(), key=lambda item: item.order)
        if _may_see(action.permission, action.feature)
    ]


def _may_see(permission: Permission, feature: str) -> bool:
    return http.actor().may(permission) and http.tenant().has_feature(feature)
