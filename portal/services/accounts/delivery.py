"""What a service needs to send somebody a one-time secret."""

from dataclasses import dataclass

from portal.lib.phones import home_region
from portal.lib.vault import Vault
from portal.services.tenants.directory import TenantProfile


@dataclass(frozen=True)
class Delivery:
    """The vault that makes secrets, the tenant that sends, and the address links begin with."""

    vault: Vault
    tenant: TenantProfile
    base_url: str

    @property
    def region(self) -> str | None:
        """Where phone numbers without a country code belong."""
        return home_region(self.tenant.support_phone, self.tenant.timezone)
