"""Looking TXT records up, with an answer within seconds or none."""

from typing import Protocol

from dns.exception import DNSException
from dns.name import EmptyLabel, LabelTooLong, NameTooLong
from dns.resolver import NXDOMAIN, NoAnswer, Resolver

LIFETIME_SECONDS = 5.0


class LookupFailed(Exception):
    """The name servers did not answer; nothing is known, neither that a record exists nor that it does not."""


class TxtLookup(Protocol):
    """Finds the TXT records of a name; raises LookupFailed."""

    def find(self, name: str) -> list[str]:
        """The records' texts, empty where there are none."""
        ...


class DnsTxtLookup:
    """The system's name servers, or the one that is named as `address:port` (`[address]:port` for IPv6)."""

    def __init__(self, server: str | None = None, *, lifetime: float = LIFETIME_SECONDS) -> None:
        self._server = server
        self._lifetime = lifetime

    def find(self, name: str) -> list[str]:
        """The records' texts, each put together from its strings (RFC 7208 §3.3)."""
        try:
            # The names are whole: no search list of the machine is tried after them.
            answer = self._resolver().resolve(name, "TXT", lifetime=self._lifetime, search=False)
        except (NXDOMAIN, NoAnswer, EmptyLabel, LabelTooLong, NameTooLong):
            return []
        except (DNSException, OSError) as error:
            raise LookupFailed(type(error).__name__) from error
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]

    def _resolver(self) -> Resolver:
        """Made for each look: a machine whose configuration changes, or has none yet, is no reason to restart."""
        if self._server is None:
            return Resolver()
        host, _, port = self._server.rpartition(":")
        resolver = Resolver(configure=False)
        resolver.nameservers = [host.strip("[]")]
        resolver.port = int(port)
        return resolver
