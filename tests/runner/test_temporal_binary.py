import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.errors import SetupError
from runner.temporal import find_server
from runner.temporal.binary import VERSION, answers, cached_path, clean_environ

Write = Callable[..., Path]
# Stands for `go install`: leaves a program where GOBIN says, and a line for every call.
GO = """
echo "$@" >> "$(dirname "$0")/calls"
sleep 0.3
printf '#!/bin/sh\\necho built\\n' > "$GOBIN/temporal"
chmod +x "$GOBIN/temporal"
"""
NO_SDK = "/bin/false"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A machine without anything but the shell's own tools."""
    return {"PATH": f"{tmp_path / 'bin'}{os.pathsep}/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_the_program_on_path_comes_first(environ: dict[str, str], program: Write) -> None:
    on_path = program("bin/temporal")
    program(f"cache/portico/temporal-{VERSION}/temporal")
    assert find_server(environ, python=NO_SDK) == on_path


def test_one_that_does_not_answer_is_passed_by_for_the_cache(environ: dict[str, str], program: Write) -> None:
    program("bin/temporal", "exit 1")
    cached = program(f"cache/portico/temporal-{VERSION}/temporal")
    assert find_server(environ, python=NO_SDK) == cached == cached_path(environ)


def test_then_what_the_sdk_downloads_is_kept(environ: dict[str, str], program: Write) -> None:
    # Called as `python -c SCRIPT kind version folder`.
    fetch = 'printf "#!/bin/sh\\n" > "$5/temporal-sdk-x"; chmod +x "$5/temporal-sdk-x"; echo "$3 $4" > "$0.said"'
    sdk = program("sdk", fetch)
    assert find_server(environ, python=sdk) == cached_path(environ)
    assert Path(f"{sdk}.said").read_text() == f"start_local v{VERSION}\n"
    assert sorted(path.name for path in cached_path(environ).parent.iterdir()) == [".lock", "temporal"]


def test_then_go_builds_it_once_for_two_callers_and_says_so_before(
    environ: dict[str, str], program: Write, tmp_path: Path
) -> None:
    program("bin/go", GO)
    said: list[str] = []
    callers = [
        threading.Thread(target=find_server, args=(environ,), kwargs={"python": NO_SDK, "say": said.append})
        for _ in range(2)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(20)
    assert answers(cached_path(environ), environ)
    calls = (tmp_path / "bin" / "calls").read_text().splitlines()
    assert calls == [f"install -trimpath -ldflags=-s -w github.com/temporalio/cli/cmd/temporal@v{VERSION}"]
    assert said == [f"Building the Temporal server {VERSION} with Go: once for this machine, about three minutes."]


def test_a_build_that_fails_leaves_nothing_and_says_why(environ: dict[str, str], program: Write) -> None:
    program("bin/go", "echo 'no such module' >&2; exit 1")
    with pytest.raises(SetupError, match="Go said: no such module"):
        find_server(environ, python=NO_SDK)
    assert not cached_path(environ).exists()


def test_no_way_names_the_ways(environ: dict[str, str], tmp_path: Path) -> None:
    environ["PATH"] = str(tmp_path)
    with pytest.raises(SetupError) as caught:
        find_server(environ, python=NO_SDK)
    for way in ("on PATH", "PORTAL_TEMPORAL_ADDRESS", "download", "install Go"):
        assert way in str(caught.value)


def test_the_download_is_really_asked_for_and_its_refusal_is_no_error(environ: dict[str, str], tmp_path: Path) -> None:
    environ |= {"PATH": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:9"}
    with pytest.raises(SetupError, match="No Temporal server could be had"):
        find_server(environ, python=sys.executable)


def test_variables_of_the_temporal_program_do_not_turn_our_calls_elsewhere() -> None:
    assert clean_environ({"TEMPORAL_ADDRESS": "elsewhere:1", "PATH": "/bin"}) == {"PATH": "/bin"}
