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
    """The system's name servers, or the one that is named as `address:port`."""

    def __init__(self, server: str | None = None) -> None:
        self._resolver = Resolver(configure=server is None)
        if server is not None:
            host, _, port = server.rpartition(":")
            self._resolver.nameservers = [host]
            self._resolver.port = int(port)

    def find(self, name: str) -> list[str]:
        """The records' texts, each put together from its strings (RFC 7208 §3.3)."""
        try:
            answer = self._resolver.resolve(name, "TXT", lifetime=LIFETIME_SECONDS)
        except (NXDOMAIN, NoAnswer, EmptyLabel, LabelTooLong, NameTooLong):
            return []
        except (DNSException, OSError) as error:
            raise LookupFailed(type(error).__name__) from error
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
