"""The pages of an account put together: each module adds its views to the blueprint when it is imported."""

from portal.blueprints.accounts import (  # noqa: F401 - imported for what they add
    address_pages,
    avatars,
    email_pages,
    key_pages,
    keyboard_pages,
    password_pages,
    phone_pages,
    profile_pages,
    session_pages,
    tabs,
)
from portal.blueprints.accounts.routes import access, account

__all__ = ["access", "account"]
