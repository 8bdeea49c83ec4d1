"""What views hand to services that send something."""

from portal.blueprints import http
from portal.services.accounts.delivery import Delivery


def delivery() -> Delivery:
    """The vault, the tenant of the request's host, and the address links begin with."""
    return Delivery(http.vault(), http.tenant(), http.settings().base_url)
