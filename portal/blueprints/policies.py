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


def policy_of(app: Flask, endpoint: str) -> Permission | str | None:
    """The declared policy of an endpoint, None where there is none."""
    view = app.view_functions[endpoint]
    while view is not None:
        declared: Permission | str | None = getattr(view, "portal_policy", None)
        if declared is not None:
            return declared
        view = getattr(view, "__wrapped__", None)  # type: ignore[assignment]
    return None


def require_policies(app: Flask) -> None:
    """Refuse to start while a route has no declared policy."""
    missing = sorted({rule.endpoint for rule in app.url_map.iter_rules() if policy_of(app, rule.endpoint) is None})
    if missing:
        raise RuntimeError(f"No access policy is declared for: {', '.join(missing)}")
