"""A keep-alive client that measures the time to the whole answer, and wrk for eight at once."""

import http.client
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

Call = Callable[[], tuple[int, bytes, dict[str, str]]]
Form = Mapping[str, str | list[str]]
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_SEEN = re.compile(r'name="seen" value="([^"]*)"')


@dataclass
class Client:
    """One connection with a cookie jar of the simplest kind."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    connection: http.client.HTTPConnection | None = None

    def send(
        self, method: str, path: str, form: Form | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        """One request; the connection is kept. A list in `form` repeats its field."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **(headers or {})}
        body = None
        if form is not None:
            body = urlencode(form, doseq=True)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.split(";")[0]
        return answer.status, content, dict(answer.getheaders())

    def sign_in(self, path: str, identifier: str, password: str) -> None:
        """Sign in at a door; that changes the token of forms, as everything else that was there before."""
        _, page, _ = self.send("GET", path)
        form = {"csrf_token": token_of(page), "identifier": identifier, "password": password}
        status, body, _ = self.send("POST", path, form)
        if status != 303:
            raise RuntimeError(f"signing in at {path} gave {status}: {body[:300]!r}")


def token_of(page: bytes) -> str:
    """The CSRF token of a page."""
    found = _TOKEN.search(page.decode())
    if not found:
        raise RuntimeError("the page has no csrf_token")
    return found[1]


def seen_of(page: bytes) -> str:
    """What the writer of an answer has seen, as a ticket's page of staff says it; empty before any message."""
    found = _SEEN.search(page.decode())
    return found[1] if found else ""


def paired_ms(calls: tuple[Call, Call], seconds: float, expect: tuple[int, int]) -> tuple[list[float], list[float]]:
    """Milliseconds of two calls that take turns for about `seconds`, at most 200 times; the first three do not count.

    Turn by turn, since what else runs on the machine changes within seconds and must meet both alike.
    """
    taken: tuple[list[float], list[float]] = ([], [])
    until = time.perf_counter() + seconds
    turns = 0
    while turns < 6 or (time.perf_counter() < until and turns < 203):
        turns += 1
        for call, wanted, times in zip(calls, expect, taken, strict=True):
            began = time.perf_counter()
            status, body, _ = call()
            if turns > 3:
                times.append((time.perf_counter() - began) * 1000)
            if status != wanted:
                raise RuntimeError(f"expected {wanted}, got {status}: {body[:300]!r}")
    return taken


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the sorted values lie."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


@dataclass(frozen=True)
class Load:
    """What eight clients ask for over and over: the paths in turn; `form` makes it a POST of these fields.

    `key` names the field that is another UUID in each request, as a form's own key is.
    """

    paths: tuple[str, ...]
    cookies: dict[str, str]
    form: dict[str, str] | None = None
    key: str = ""

    def script(self) -> str:
        """The load as wrk's Lua; anything but an answer below 400 is counted by wrk itself."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        kind = "POST" if self.form is not None else "GET"
        return _SCRIPT % {
            "method": kind,
            "cookie": _lua(cookie),
            "body": _lua(urlencode(self.form or {})),
            "key": _lua(self.key),
            "paths": ", ".join(_lua(path) for path in self.paths),
        }


_SCRIPT = """
local paths, turn, key = {%(paths)s}, 0, %(key)s
wrk.method = "%(method)s"
wrk.headers["Cookie"] = %(cookie)s
if wrk.method == "POST" then wrk.headers["Content-Type"] = "application/x-www-form-urlencoded" end
math.randomseed(os.time())

local function uuid()
    return (string.gsub("xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx", "x", function()
        return string.format("%%x", math.random(0, 15))
    end))
end

function request()
    turn = turn + 1
    local body = wrk.method == "POST" and %(body)s or nil
    if key ~= "" then body = body .. "&" .. key .. "=" .. uuid() end
    return wrk.format(nil, paths[turn %% #paths + 1], nil, body)
end
"""


def _lua(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def throughput(port: int, load: Load, seconds: int) -> float | None:
    """Requests a second of eight clients by wrk, None where wrk is not installed; RuntimeError for refused ones."""
    wrk = shutil.which("wrk")
    if wrk is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "load.lua"
        script.write_text(load.script())
        words = [wrk, "-t1", "-c8", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}"]
        output = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    # wrk counts what is neither 2xx nor 3xx.
    if "Non-2xx" in output:
        raise RuntimeError(output)
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    return float(found[1]) if found else None


def middle(values: list[float]) -> float:
    """The median."""
    return statistics.median(values)
