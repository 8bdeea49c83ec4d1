"""The tabs over the pages of an account: what the product has, and the person may open."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import current_app, request

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.routes import account
from portal.blueprints.localisation import gettext
from portal.lib.wording import N_


@dataclass(frozen=True)
class Tab:
    """A page of the contract (§3) by its path."""

    label: str
    path: str
    needed: Permission


TABS = (
    Tab(N_("Profile"), "/portal/account/profile", Permission.PROFILE_EDIT),
    Tab(N_("Security"), "/portal/account/security", Permission.PROFILE_EDIT),
    Tab(N_("Password"), "/portal/account/password", Permission.PROFILE_EDIT),
    Tab(N_("Sessions"), "/portal/account/sessions", Permission.PROFILE_EDIT),
    Tab(N_("Mails"), "/portal/account/notifications", Permission.PREFERENCES_EDIT),
    Tab(N_("Keyboard"), "/portal/keyboard", Permission.PREFERENCES_EDIT),
    Tab(N_("API keys"), "/portal/account/api-keys", Permission.API_KEYS_MANAGE),
    Tab(N_("Company"), "/portal/account/company", Permission.COMPANY_MANAGE),
)


@account.app_template_global()
def account_tabs() -> list[dict[str, Any]]:
    """What `templates/accounts/_tabs.html` shows; the current one is the page itself or one below it."""
    actor = http.actor()
    here = request.path
    return [
        {
            "label": gettext(tab.label),
            "url": tab.path,
            "current": here == tab.path or here.startswith(f"{tab.path}/"),
        }
        for tab in TABS
        if actor.may(tab.needed) and tab.path in _pages()
    ]


@lru_cache(maxsize=1)
def _paths(rules: int) -> frozenset[str]:
    return frozenset(rule.rule for rule in current_app.url_map.iter_rules())


def _pages() -> frozenset[str]:
    """Every address without an id in it; counted anew only when a rule is added."""
    return _paths(len(current_app.url_map._rules))
