"""Addresses that leave the site (in mails), built from what is stored, never from a request's headers."""

from urllib.parse import urlsplit
from uuid import UUID

LOCAL_HOSTS = frozenset({"", "127.0.0.1", "localhost"})


def site_address(base_url: str, primary_host: str) -> str:
    """Where a tenant is reached: `base_url` for local hosts, else its own host with scheme and port of `base_url`."""
    if primary_host in LOCAL_HOSTS:
        return base_url.rstrip("/")
    base = urlsplit(base_url)
    port = f":{base.port}" if base.port else ""
    return f"{base.scheme}://{primary_host}{port}"


def ticket_path(ticket_id: UUID, *, staff: bool) -> str:
    """A ticket's page at either door."""
    return f"/admin/tickets/{ticket_id}" if staff else f"/portal/tickets/{ticket_id}"


def rating_path(token: str) -> str:
    """Where a ticket is rated by the link of a mail."""
    return f"/portal/rate/{token}"


def mail_preferences_path(*, staff: bool) -> str:
    """Where somebody chooses which mails to get."""
    return "/admin/preferences" if staff else "/portal/account/notifications"


def join_path(token: str, *, staff: bool) -> str:
    """Where an invitation is taken up."""
    return f"{'/admin' if staff else '/portal'}/join/{token}"


def verify_path(code: str) -> str:
    """Where anybody checks a sealed document."""
    return f"/verify/{code}"


def contract_path(contract_id: UUID, *, staff: bool) -> str:
    """A contract's page at either door."""
    return f"/admin/contracts/{contract_id}" if staff else f"/portal/contracts/{contract_id}"
