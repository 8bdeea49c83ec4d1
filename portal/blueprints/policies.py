"""Every endpoint declares who may use it; what declares nothing stops the start-up."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask

from portal.authz import Permission

View = TypeVar("View", bound=Callable[..., Any])
PUBLIC = "public"
SIGNED_IN = "signed_in"


def permission(needed: Permission) -> Callable[[View], View]:
    """The endpoint is for people whose roles grant `needed`."""

    def mark(view: View) -> View:
        view.portal_policy = needed  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """The endpoint is for everybody who reaches the tenant's host."""
    view.portal_policy = PUBLIC  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """The endpoint is for everybody signed in, whatever the role (sign-out, for one)."""
    view.portal_policy = SIGNED_IN  # type: ignore[attr-defined]
    return view


def while_enrolling(view: View) -> View:
    """The endpoint stays open to people who have to set up a second factor first (AUTH-16); policies hold as ever."""
    view.portal_while_enrolling = True  # type: ignore[attr-defined]
    return view


def is_open_while_enrolling(app: Flask, endpoint: str) -> bool:
    """Whether somebody who owes a second factor reaches the endpoint."""
    return bool(_declared(app, endpoint, "portal_while_enrolling"))


def policy_of(app: Flask, endpoint: str) -> Permission | str | None:
    """The declared policy of an endpoint, None where there is none."""
    declared: Permission | str | None = _declared(app, endpoint, "portal_policy")
    return declared


def _declared(app: Flask, endpoint: str, name: str) -> Any:
    """What a view or anything it wraps declares under a name; None where nothing does."""
    view: Any = app.view_functions[endpoint]
    while view is not None:
        declared = getattr(view, name, None)
        if declared is not None:
            return declared
        view = getattr(view, "__wrapped__", None)
    return None


def require_policies(app: Flask) -> None:
    """Refuse to start while a route has no declared policy."""
    missing = sorted({rule.endpoint for rule in app.url_map.iter_rules() if policy_of(app, rule.endpoint) is None})
    if missing:
        raise RuntimeError(f"No access policy is declared for: {', '.join(missing)}")
