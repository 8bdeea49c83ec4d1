"""Where an address on the network roughly is, by a database on this machine; nobody outside is asked."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import maxminddb
import structlog

log = structlog.get_logger()


class Reach(StrEnum):
    """How much is known of an address."""

    UNKNOWN = "unknown"
    OWN_NETWORK = "own_network"
    PLACE = "place"


@dataclass(frozen=True)
class Place:
    """A town (by language) and a country (ISO 3166-1 alpha-2); both may be missing."""

    reach: Reach = Reach.UNKNOWN
    country: str = ""
    towns: Mapping[str, str] = field(default_factory=dict)

    def town_in(self, locale: str) -> str:
        """The town's name in a language, else in English, else in any."""
        return self.towns.get(locale) or self.towns.get("en") or next(iter(self.towns.values()), "")


class Places:
    """Looks addresses up in a MaxMind database (GeoLite2-City or its like); without one every place is unknown."""

    def __init__(self, database: Path | None) -> None:
        self._reader: maxminddb.Reader | None = None
        if database is None:
            return
        try:
            self._reader = maxminddb.open_database(database)
        except (OSError, maxminddb.InvalidDatabaseError) as error:
            log.warning("geoip_database_unreadable", error=type(error).__name__)

    def find(self, ip: str) -> Place:
        """The place of an address; addresses of private networks are told apart."""
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return Place()
        if address.is_private or address.is_loopback or address.is_link_local:
            return Place(Reach.OWN_NETWORK)
        if self._reader is None:
            return Place()
        try:
            found = self._reader.get(address)
        except (ValueError, maxminddb.InvalidDatabaseError):
            return Place()
        return _place(found) if isinstance(found, dict) else Place()


def _place(found: dict[str, Any]) -> Place:
    country = found.get("country") or found.get("registered_country")
    city = found.get("city")
    code = country.get("iso_code") if isinstance(country, dict) else None
    names = city.get("names") if isinstance(city, dict) else None
    towns = {str(key): str(value) for key, value in names.items()} if isinstance(names, dict) else {}
    if not isinstance(code, str) and not towns:
        return Place()
    return Place(Reach.PLACE, code if isinstance(code, str) else "", towns)
