"""Gets Temporal's time-skipping test server, which lets months of a workflow pass in milliseconds."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from runner.errors import SetupError
from runner.layout import cache_home
from runner.temporal.binary import Say, alone, quiet
from runner.temporal.downloads import download, scratch

VERSION = "1.32.1"
NO_WAY = (
    "Temporal's time-skipping test server could not be had: allow the SDK to download it, or install Java and Maven "
    "(on Debian: apt-get install default-jre-headless maven), or set PORTAL_TEMPORAL_TEST_SERVER to the program."
)
# Started by the SDK as if it were the downloaded program.
SCRIPT = """#!/bin/sh
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$(dirname "$0")/jars/*" io.temporal.testserver.TestServer "$@"
"""
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>portico</groupId><artifactId>test-server</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>io.temporal</groupId><artifactId>temporal-test-server</artifactId><version>{VERSION}</version></dependency>
  </dependencies>
</project>
"""


def find_test_server(
    environ: Mapping[str, str] = os.environ, *, python: str | Path = sys.executable, say: Say = quiet
) -> Path:
    """A program for `WorkflowEnvironment.start_time_skipping(test_server_existing_path=…)`.

    `PORTAL_TEMPORAL_TEST_SERVER`, else the cache, else the SDK's download, else the jars through Maven;
    SetupError names the ways when none works.
    """
    given = environ.get("PORTAL_TEMPORAL_TEST_SERVER")
    if given:
        if not os.access(given, os.X_OK):
            raise SetupError(f"PORTAL_TEMPORAL_TEST_SERVER names {given}, which is no program.")
        return Path(given)
    folder = cache_home(environ) / f"temporal-test-server-{VERSION}"
    with alone(folder):
        return _cached(folder, environ) or _fetched(folder, environ, python) or _assembled(folder, environ, say)


def _has_java(environ: Mapping[str, str]) -> bool:
    java = shutil.which("java", path=environ.get("PATH"))
    # On some systems a java is there that only says that it is not there.
    return java is not None and subprocess.run([java, "-version"], capture_output=True, check=False).returncode == 0


def _cached(folder: Path, environ: Mapping[str, str]) -> Path | None:
    downloaded, script = folder / "temporal-test-server", folder / "temporal-test-server.sh"
    if os.access(downloaded, os.X_OK):
        return downloaded
    return script if os.access(script, os.X_OK) and (folder / "jars").is_dir() and _has_java(environ) else None


def _fetched(folder: Path, environ: Mapping[str, str], python: str | Path) -> Path | None:
    target = folder / "temporal-test-server"
    return download("start_time_skipping", f"v{VERSION}", target, python=python, environ=environ)


def _assembled(folder: Path, environ: Mapping[str, str], say: Say) -> Path:
    maven = shutil.which("mvn", path=environ.get("PATH"))
    if not maven or not _has_java(environ):
        raise SetupError(NO_WAY)
    say("Fetching Temporal's time-skipping test server through Maven: once for this machine.")
    with scratch(folder / "jars") as workplace:
        jars = workplace / "jars"
        (workplace / "pom.xml").write_text(POM, encoding="utf-8")
        words = [maven, "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        done = subprocess.run(words, cwd=workplace, env=dict(environ), capture_output=True, text=True, check=False)
        if done.returncode:
            raise SetupError(f"{NO_WAY} Maven said: {done.stdout.strip()[-500:]}")
        shutil.rmtree(folder / "jars", ignore_errors=True)
        jars.rename(folder / "jars")
    script = folder / "temporal-test-server.sh"
    script.write_text(SCRIPT, encoding="utf-8")
    script.chmod(0o755)
    return script
