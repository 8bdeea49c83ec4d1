import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runner import temporal
from runner.errors import SetupError
from runner.temporal.binary import clean_environ
from runner.temporal.server import NAMESPACE
from runner.temporal.time_skipping import VERSION, find_test_server

NO_SDK = "/bin/false"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"PATH": str(tmp_path / "bin"), "XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.mark.temporal
def test_the_server_for_tests_has_its_namespace_at_once_and_is_gone_afterwards() -> None:
    program, environ = str(temporal.find_server()), clean_environ(os.environ)

    def ask(address: str, *words: str) -> "subprocess.CompletedProcess[str]":
        given = [program, *words, "-n", NAMESPACE, "--address", address]
        return subprocess.run(given, env=environ, capture_output=True, text=True, check=False)

    with temporal.start_dev_server() as address:
        assert address.startswith("127.0.0.1:")
        assert ask(address, "workflow", "list").returncode == 0
        assert "720h0m0s" in ask(address, "operator", "namespace", "describe").stdout
    assert ask(address, "workflow", "list").returncode != 0


def test_the_given_time_skipping_server_comes_first(environ: dict[str, str], program: Callable[..., Path]) -> None:
    given = program("mine")
    assert find_test_server(environ | {"PORTAL_TEMPORAL_TEST_SERVER": str(given)}, python=NO_SDK) == given
    with pytest.raises(SetupError, match="names /nowhere, which is no program"):
        find_test_server(environ | {"PORTAL_TEMPORAL_TEST_SERVER": "/nowhere"}, python=NO_SDK)


def test_the_cached_jars_need_a_java_that_runs(environ: dict[str, str], program: Callable[..., Path]) -> None:
    cached = program(f"cache/portico/temporal-test-server-{VERSION}/temporal-test-server.sh")
    (cached.parent / "jars").mkdir()
    with pytest.raises(SetupError, match="install Java and Maven"):
        find_test_server(environ, python=NO_SDK)
    program("bin/java")
    assert find_test_server(environ, python=NO_SDK) == cached


def test_maven_assembles_it_once_and_a_cut_off_fetch_is_no_result(
    environ: dict[str, str], program: Callable[..., Path], tmp_path: Path
) -> None:
    program("bin/java")
    environ["PATH"] += ":/usr/bin:/bin"
    program("bin/mvn", "echo unreachable; exit 1")
    with pytest.raises(SetupError, match="Maven said: unreachable"):
        find_test_server(environ, python=NO_SDK)
    program("bin/mvn", 'for word; do case $word in -DoutputDirectory=*) mkdir "${word#*=}";; esac; done')
    said: list[str] = []
    found = find_test_server(environ, python=NO_SDK, say=said.append)
    assert os.access(found, os.X_OK)
    assert (found.parent / "jars").is_dir()
    assert len(said) == 1
    program("bin/mvn", "exit 1")
    assert find_test_server(environ, python=NO_SDK) == found
