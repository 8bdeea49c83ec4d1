"""Looking TXT records up at a name server of this machine."""

import socket
import threading
from collections.abc import Callable, Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from portal.config import ConfigurationError, Settings
from portal.integrations.dns import DnsTxtLookup, LookupFailed

Answer = Callable[[dns.message.Message], dns.message.Message | None]
TEXTS = {
    "_portico.one.example.": ['"portico-verification=1"'],
    "_portico.two.example.": ['"v=spf1 -all"', '"portico-" "verification" "=2"'],
    "_portico.odd.example.": ['"\\255\\254"'],
}


def answer_rightly(query: dns.message.Message) -> dns.message.Message:
    """What an authority would say."""
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.RA
    name = query.question[0].name.to_text()
    if name in TEXTS:
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *TEXTS[name]))
    elif name != "_portico.empty.example.":
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer


def refuse(query: dns.message.Message) -> dns.message.Message:
    answer = dns.message.make_response(query)
    answer.set_rcode(dns.rcode.SERVFAIL)
    return answer


class NameServer:
    """Answers over UDP on a free port."""

    def __init__(self) -> None:
        self.answer: Answer = answer_rightly
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            wire, sender = self._socket.recvfrom(4096)
            if not wire:
                return
            query = dns.message.from_wire(wire)
            self.asked.append(query.question[0].name.to_text())
            if (answer := self.answer(query)) is not None:
                self._socket.sendto(answer.to_wire(), sender)

    def stop(self) -> None:
        host, _, port = self.address.rpartition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", (host, int(port)))
        self._thread.join(10)
        self._socket.close()


@pytest.fixture
def server() -> Iterator[NameServer]:
    running = NameServer()
    yield running
    running.stop()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("_portico.one.example", ["portico-verification=1"]),
        ("_portico.two.example", ["v=spf1 -all", "portico-verification=2"]),
        ("_portico.odd.example", ["\ufffd\ufffd"]),
        ("_portico.empty.example", []),
        ("_portico.nowhere.example", []),
    ],
)
def test_records(server, name, expected):
    assert sorted(DnsTxtLookup(server.address).find(name)) == sorted(expected)


def test_the_name_is_whole(server):
    """No search list of the machine may find the record elsewhere."""
    DnsTxtLookup(server.address).find("_portico.nowhere.example")
    assert server.asked == ["_portico.nowhere.example."]


@pytest.mark.parametrize("name", ["_portico." + "a" * 64 + ".example", "_portico." + "a." * 130 + "example", "a..b"])
def test_names_that_cannot_be(server, name):
    assert DnsTxtLookup(server.address).find(name) == []
    assert server.asked == []


@pytest.mark.parametrize("answer", [refuse, lambda query: None], ids=["broken", "silent"])
def test_no_answer_is_no_finding(server, answer):
    server.answer = answer
    with pytest.raises(LookupFailed):
        DnsTxtLookup(server.address, lifetime=0.5).find("_portico.one.example")


def test_a_machine_without_name_servers(monkeypatch):
    from dns.resolver import NoResolverConfiguration, Resolver

    def fail(*_: object, **__: object) -> None:
        raise NoResolverConfiguration

    monkeypatch.setattr(Resolver, "__init__", fail)
    lookup = DnsTxtLookup()
    with pytest.raises(LookupFailed):
        lookup.find("_portico.one.example")


@pytest.fixture
def configured(monkeypatch):
    """Everything that has to be set."""
    monkeypatch.setenv("PORTAL_SECRET_KEY", "x" * 40)
    monkeypatch.setenv("PORTAL_DATABASE_URL", "postgresql://x@localhost/x")


@pytest.mark.parametrize("value", ["127.0.0.1:5353", "[::1]:53"])
def test_the_server_is_a_setting(configured, monkeypatch, value):
    monkeypatch.setenv("PORTAL_DNS_SERVER", value)
    assert Settings.from_env().dns_server == value


@pytest.mark.parametrize("value", ["127.0.0.1", "dns.example:53", ":53", "127.0.0.1:x", "127.0.0.1:99999", "[::1]"])
def test_a_server_that_is_none_stops_the_start(configured, monkeypatch, value):
    monkeypatch.setenv("PORTAL_DNS_SERVER", value)
    with pytest.raises(ConfigurationError, match="PORTAL_DNS_SERVER"):
        Settings.from_env()
