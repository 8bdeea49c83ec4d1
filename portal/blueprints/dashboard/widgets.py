"""The dashboard's parts: each domain adds its own; a part shows where role and feature allow it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from portal.authz import Permission
from portal.blueprints import http

Load = Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class Widget:
    """`load` gives the template's names; None of them leaves the part out."""

    key: str
    order: int
    permission: Permission
    feature: str
    template: str
    load: Load


_WIDGETS: dict[str, Widget] = {}


def widget(key: str, *, order: int, permission: Permission, feature: str, template: str) -> Callable[[Load], Load]:
    """Register a part of the dashboard; `order` is its place from the top."""

    def register(load: Load) -> Load:
        _WIDGETS[key] = Widget(key, order, permission, feature, template, load)
        return load

    return register


def visible_widgets() -> list[tuple[str, dict[str, Any]]]:
    """Template and names of each part that this person sees, from the top."""
    actor, tenant = http.actor(), http.tenant()
    shown = []
    for part in sorted(_WIDGETS.values(), key=lambda part: part.order):
        if actor.may(part.permission) and tenant.has_feature(part.feature):
            values = part.load()
            if values:
                shown.append((part.template, values))
    return shown
