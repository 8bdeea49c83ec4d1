import pytest

from portal.lib.user_agents import DeviceKind, describe

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("header", "text", "kind"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/126.0.0.0 Safari/537.36", "Chrome · Windows", "computer"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/17.5 Safari/605.1.15", "Safari · macOS", "computer"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox · Linux", "computer"),
        (f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36", "Chrome · Android", "phone"),
        (f"Mozilla/5.0 (Linux; Android 13; SM-X200) {WEBKIT} Chrome/126.0.0.0 Safari/537.36", "Chrome · Android", "tablet"),
        (f"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) {WEBKIT} Version/17.5 Mobile/15E148 Safari/604.1", "Safari · iOS", "tablet"),
        ("curl/8.5.0", "curl", "unknown"),
        ("", "", "unknown"),
        ("<script>alert(1)</script>" * 400, "", "unknown"),
        ("\x00\ud800", "", "unknown"),
    ],
)  # fmt: skip
def test_devices_in_words(header, text, kind):
    found = describe(header)
    assert (found.text, found.kind) == (text, DeviceKind(kind))
