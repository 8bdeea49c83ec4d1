"""What a browser says of itself, in words for people: it names itself as it likes, so this proves nothing."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from ua_parser import parse

LENGTH = 255
_BROWSERS = {"Mobile Safari": "Safari", "Mobile Safari UI/WKWebView": "Safari", "Samsung Internet": "Samsung Internet"}
_SYSTEMS = {"Mac OS X": "macOS", "Chrome OS": "ChromeOS"}
_COMPUTERS = frozenset({"Windows", "macOS", "Linux", "Ubuntu", "Fedora", "Debian", "ChromeOS", "FreeBSD", "OpenBSD"})


class DeviceKind(StrEnum):
    """What somebody holds in the hand, as far as it can be told."""

    COMPUTER = "computer"
    PHONE = "phone"
    TABLET = "tablet"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class UserAgentDescription:
    """Names of browser and system without versions, empty where unknown."""

    browser: str
    system: str
    kind: DeviceKind

    @property
    def text(self) -> str:
        """`Firefox · Linux`; empty where nothing is known."""
        return " · ".join(name for name in (self.browser, self.system) if name)


@lru_cache(maxsize=1024)
def describe(user_agent: str) -> UserAgentDescription:
    """The description of a User-Agent header; of a long one the beginning counts."""
    found = parse(user_agent[:LENGTH].encode("utf-8", "replace").decode())
    browser = found.user_agent.family if found.user_agent else ""
    for suffix in (" Mobile", " Mobile WebView"):
        browser = browser.removesuffix(suffix)
    system = found.os.family if found.os else ""
    system = _SYSTEMS.get(system, system)
    model = found.device.family if found.device else ""
    return UserAgentDescription(_BROWSERS.get(browser, browser), system, _kind(system, model, user_agent[:LENGTH]))


def _kind(system: str, model: str, user_agent: str) -> DeviceKind:
    if system in _COMPUTERS:
        return DeviceKind.COMPUTER
    if "iPad" in model or (system == "Android" and "Mobile" not in user_agent):
        return DeviceKind.TABLET
    if system in ("iOS", "Android", "Windows Phone"):
        return DeviceKind.PHONE
    return DeviceKind.UNKNOWN
