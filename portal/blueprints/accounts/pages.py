"""The pages of an account put together: each module adds its views to the blueprint when it is imported."""

from portal.blueprints.accounts import (
    address_pages,
    avatars,
    email_pages,
    key_pages,
    password_pages,
    phone_pages,
    profile_pages,
    session_pages,
    tabs,
)
from portal.blueprints.accounts.routes import access, account

PAGES = (
    address_pages,
    avatars,
    email_pages,
    key_pages,
    password_pages,
    phone_pages,
    profile_pages,
    session_pages,
    tabs,
)
__all__ = ["PAGES", "access", "account"]
