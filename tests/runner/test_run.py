"""The real runner, PostgreSQL and Temporal around stand-ins for the product's own programs."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from runner.layout import ROOT
from runner.ports import is_free
from tests.runner.fakes import NAMES, Copy, wait_for

pytestmark = pytest.mark.temporal
Start = Callable[..., Copy]


def owner_url(copy: Copy) -> str:
    return (copy.data / "run" / "database.url").read_text().strip()


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query).fetchall()[0][0]


def test_it_tells_where_everything_is_and_hands_it_to_the_children(start_copy: Start) -> None:
    copy = start_copy().await_running()
    for text in (
        f"http://127.0.0.1:{copy.port}/",
        "/admin/",
        "ana@acme.example",
        "portico-demo",
        str(copy.data / "mail"),
    ):
        assert text in copy.output()
    environ = copy.environ()
    users = {
        name: environ[f"PORTAL_{name}DATABASE_URL"].split("//")[1].split(":")[0] for name in ("", "OWNER_", "RELAY_")
    }
    assert users == {"": "portal_app", "OWNER_": "portal_owner", "RELAY_": "portal_relay"}
    assert environ["PORTAL_TEMPORAL_ADDRESS"].startswith("127.0.0.1:")
    assert (environ["PORTAL_TEMPORAL_NAMESPACE"], environ["PORTAL_ENV"]) == ("portico", "development")
    assert (copy.data / "setup-calls").read_text() == "--app wsgi portal setup\n"
    assert ask(owner_url(copy), "SELECT current_user || current_database()") == "portal_ownerportal"
    assert stat.S_IMODE((copy.data / "run" / "database.url").stat().st_mode) == 0o600


def test_every_child_comes_back_when_it_is_killed_and_the_data_is_there(start_copy: Start) -> None:
    copy = start_copy().await_running()
    before, url = copy.environ(), owner_url(copy)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
    for name in NAMES:
        pid = copy.pid(name)
        os.kill(pid, signal.SIGKILL)
        copy.await_other(name, pid)

    def answers() -> bool:
        try:
            return ask(url, "SELECT n FROM kept") == 42
        except psycopg.OperationalError:
            return False

    wait_for(answers, 10, copy.output)
    port = int(before["PORTAL_TEMPORAL_ADDRESS"].rpartition(":")[2])
    wait_for(lambda: not is_free(port), 10, copy.output)
    wait_for(lambda: not is_free(copy.port), 10, copy.output)
    assert copy.output().count("was ended by SIGKILL: started again") == len(NAMES)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_of_it_and_the_next_start_finds_its_addresses(start_copy: Start, number: int) -> None:
    copy = start_copy().await_running()
    environ = copy.environ()
    assert copy.stop(number) == 0
    assert copy.alive() == set()
    assert list((copy.data / "run").glob("*.pid")) == []
    assert not Path(environ["PORTAL_DATABASE_URL"].rpartition("host=")[2]).exists()
    again = start_copy().await_running()
    for name in ("PORTAL_DATABASE_URL", "PORTAL_TEMPORAL_ADDRESS", "PORTAL_SECRET_KEY"):
        assert again.environ()[name] == environ[name]
    assert again.stop() == 0


def test_a_killed_runner_leaves_nothing_and_the_next_one_starts(start_copy: Start) -> None:
    copy = start_copy().await_running()
    copy.stop(signal.SIGKILL)
    wait_for(lambda: not copy.alive(), 10, lambda: str(copy.alive()))
    assert start_copy().await_running().stop() == 0


def test_two_copies_run_side_by_side_and_a_third_on_their_data_is_told(start_copy: Start) -> None:
    one, two = start_copy("one"), start_copy("two")
    one.await_running()
    two.await_running()
    assert one.environ()["PORTAL_TEMPORAL_ADDRESS"] != two.environ()["PORTAL_TEMPORAL_ADDRESS"]
    third = start_copy("one")
    assert third.process.wait(30) == 1
    assert f"Portico already runs on {one.data} (pid {one.process.pid}" in third.output()
    assert one.stop() == two.stop() == 0
    assert one.alive() | two.alive() == set()


def test_a_taken_port_is_told_before_anything_starts(start_copy: Start) -> None:
    one = start_copy("one").await_running()
    two = start_copy("two", PORT=str(one.port))
    assert two.process.wait(30) == 1
    assert two.output().strip().startswith(f"Port {one.port} on 127.0.0.1 is taken: choose another one")
    assert not (two.data / "postgres").exists()


def test_servers_of_ones_own_are_used_and_none_is_started(start_copy: Start) -> None:
    one = start_copy("one").await_running()
    url, address = owner_url(one), one.environ()["PORTAL_TEMPORAL_ADDRESS"]
    two = start_copy("two", PORTAL_DATABASE_URL=url, PORTAL_TEMPORAL_ADDRESS=address).await_running()
    environ = two.environ()
    assert (environ["PORTAL_DATABASE_URL"], environ["PORTAL_TEMPORAL_ADDRESS"]) == (url, address)
    assert "PORTAL_OWNER_DATABASE_URL" not in environ
    assert owner_url(two) == url
    assert sorted(path.stem for path in (two.data / "run").glob("*.pid")) == ["stripe", "web", "worker"]


def test_the_stand_in_for_stripe_runs_beside_it_and_keeps_its_address(start_copy: Start) -> None:
    copy = start_copy().await_running()
    environ = copy.environ()
    address = (copy.data / "run" / "stripe.url").read_text().strip()
    assert environ["STRIPE_SECRET_KEY"].startswith("sk_test_standin")
    assert environ["STRIPE_API_BASE"] == address

    def told() -> dict[str, str] | None:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
                return dict(json.load(answer))
        except OSError:
            return None

    first = told()
    assert first
    assert first["webhook_url"] == f"http://127.0.0.1:{copy.port}/webhooks/stripe"
    assert first["secret"] == environ["STRIPE_WEBHOOK_SECRET"]
    assert Path(first["state"]).is_relative_to(copy.data)
    pid = copy.pid("stripe")
    os.kill(pid, signal.SIGKILL)
    copy.await_other("stripe", pid)
    wait_for(lambda: told() == first, 15, copy.output)


@pytest.mark.parametrize(
    "given", [{"STRIPE_SECRET_KEY": "sk_test_of_ones_own"}, {"PORTAL_ENV": "production", "PORTAL_SECRET_KEY": "x" * 40}]
)
def test_with_a_key_of_ones_own_and_in_production_there_is_no_stand_in(
    start_copy: Start, given: dict[str, str]
) -> None:
    copy = start_copy(**given).await_running()
    assert not (copy.data / "run" / "stripe.pid").exists()
    assert not (copy.data / "run" / "stripe.url").exists()
    assert "STRIPE_API_BASE" not in copy.environ()
    assert copy.environ().get("STRIPE_SECRET_KEY") == given.get("STRIPE_SECRET_KEY")


def test_make_hands_its_signal_on_and_its_death_ends_everything(checkout: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", checkout / "Makefile")
    for number in (signal.SIGTERM, signal.SIGKILL):
        copy = Copy(checkout, tmp_path / "var", words=["make", "run", f"PYTHON={sys.executable}"]).await_running()
        copy.process.send_signal(number)
        copy.process.wait(30)
        wait_for(lambda copy=copy: not copy.alive(), 15, lambda copy=copy: str(copy.alive()))


def test_nothing_listens_beyond_the_loopback_interface(start_copy: Start) -> None:
    copy = start_copy().await_running()
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                listening.add((fields[9], fields[1].partition(":")[0]))
    inodes = dict(listening)
    for pid in copy.seen:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            address = inodes.get(descriptor.readlink().name.removeprefix("socket:[").removesuffix("]"))
            assert address in (None, "0100007F"), (pid, address)
    assert "0100007F" in inodes.values()


def test_an_old_python_is_told_in_one_sentence() -> None:
    script = "import sys; sys.version_info = (3, 8, 2); import runpy; runpy.run_module('runner', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Portico needs Python 3.11 or newer and this is 3.8: name a newer one")
