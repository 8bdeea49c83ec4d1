import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from runner.errors import SetupError
from runner.postgres import Cluster, TemporaryServer, disguise, start_temporary
from runner.postgres.cluster import SOCKET_NAME, socket_folder
from runner.postgres.disguise import Disguise
from runner.processes import start_child, started_at
from tests.runner.fakes import wait_for


@pytest.fixture(scope="module")
def server() -> Iterator[TemporaryServer]:
    with start_temporary() as running:
        running.create_database("portal")
        yield running


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        return connection.execute(query).fetchall()


def test_the_four_roles_pass_no_row_level_security_by(server: TemporaryServer) -> None:
    rows = ask(
        server.superuser_url(),
        "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname LIKE 'portal\\_%' "
        "AND NOT (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication) ORDER BY 1",
    )
    assert rows == [("portal_app", True), ("portal_owner", True), ("portal_relay", True), ("portal_search", False)]


def test_each_role_reaches_the_database_and_only_the_owner_may_change_it(server: TemporaryServer) -> None:
    for url, name in ((server.app_url, "portal_app"), (server.relay_url, "portal_relay")):
        assert ask(url("portal"), "SELECT current_user") == [(name,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(url("portal"), "CREATE TABLE mine (id int)")
    assert ask(server.owner_url("portal"), "SELECT current_user") == [("portal_owner",)]


def test_the_owner_may_hand_a_function_to_the_search_role(server: TemporaryServer) -> None:
    with psycopg.connect(server.owner_url("portal").replace("+psycopg", "")) as connection:
        connection.execute("GRANT CREATE ON SCHEMA public TO portal_search")
        connection.execute("CREATE FUNCTION found() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        connection.execute("ALTER FUNCTION found() OWNER TO portal_search")


def test_a_copy_of_a_database_has_its_extensions(server: TemporaryServer) -> None:
    server.create_database("copy", template="portal")
    rows = ask(server.app_url("copy"), "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1")
    assert [name for (name,) in rows] == ["btree_gist", "citext", "pg_trgm", "unaccent"]
    server.drop_database("copy")


def test_letters_of_every_script_count_as_letters(server: TemporaryServer) -> None:
    url = server.app_url("portal")
    assert ask(url, "SELECT cardinality(show_trgm('تذكرة')) > 3, 'ÉCOLE' ILIKE 'école'") == [(True, True)]
    assert ask(url, "SELECT to_tsvector('french', 'l’école') @@ to_tsquery('french', 'école')") == [(True,)]


def test_nothing_listens_on_a_port(server: TemporaryServer) -> None:
    assert ask(server.superuser_url(), "SHOW listen_addresses") == [("",)]
    assert stat.S_IMODE(server.cluster.sockets.stat().st_mode) == 0o700


def test_the_address_for_psql_works_there(server: TemporaryServer) -> None:
    url = server.cluster.url("portal_owner", "portal", scheme="postgresql")
    words = [server.cluster.programs.path("psql"), "-XAtc", "SELECT 'reached'", url]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "reached\n"


def test_the_server_is_the_process_itself_and_leaves_nothing() -> None:
    with start_temporary() as running:
        assert int((running.cluster.data / "postmaster.pid").read_text().split()[0]) == running.pid
        folder = running.cluster.data.parent
    assert started_at(running.pid) is None
    assert not folder.exists()
    assert not running.cluster.sockets.exists()


def test_nobody_steps_in_for_root_where_user_namespaces_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disguise, "UNSHARE", ("false",))
    seen_as = disguise.NOBODY if os.geteuid() == 0 else os.geteuid()
    with start_temporary() as running:
        assert Path(f"/proc/{running.pid}").stat().st_uid == seen_as
        assert ask(running.superuser_url(), "SELECT 1") == [(1,)]


def test_one_sentence_where_no_disguise_works(server: TemporaryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disguise, "UNSHARE", ("false",))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(SetupError, match=r"^PostgreSQL does not run as root, .* or set PORTAL_DATABASE_URL\.$"):
        disguise.choose_disguise(server.cluster.programs, Path("/nowhere"))


def test_a_long_path_moves_the_socket_to_a_short_private_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    chosen = socket_folder(deep, Disguise())
    try:
        assert len(str(chosen / SOCKET_NAME)) <= 107
        assert stat.S_IMODE(chosen.stat().st_mode) == 0o700
        assert socket_folder(deep, Disguise()) == chosen
        chosen.chmod(0o755)
        with pytest.raises(SetupError, match="is not private to you"):
            socket_folder(deep, Disguise())
    finally:
        chosen.rmdir()


@pytest.fixture
def stopped(tmp_path: Path) -> Cluster:
    (tmp_path / "run").mkdir()
    return Cluster.open(tmp_path / "postgres", tmp_path / "run", settings=("fsync=off",))


def serve_once(cluster: Cluster, query: str) -> list[tuple[object, ...]]:
    """Start the cluster, ask as the owner, and kill it without a goodbye."""
    cluster.clear_stale_locks()
    keywords = cluster.disguise.keywords()
    log = cluster.data.parent / "log"
    process = start_child(cluster.command(), log=log, environ={}, orphan_signal=signal.SIGKILL, **keywords)
    try:
        wait_for(cluster.is_ready, 20, log.read_text)
        cluster.prepare()
        return ask(cluster.url("portal_owner"), query)
    finally:
        process.kill()
        process.wait()


def test_a_killed_server_starts_again_also_when_its_number_is_another_programs(stopped: Cluster) -> None:
    assert serve_once(stopped, "SELECT 1") == [(1,)]
    with subprocess.Popen(["sleep", "60"]) as stranger:
        for lock in (stopped.data / "postmaster.pid", stopped.sockets / f"{SOCKET_NAME}.lock"):
            lines = lock.read_text().splitlines()
            lock.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert serve_once(stopped, "SELECT 2") == [(2,)]
        stranger.kill()


def test_lost_passwords_are_replaced(stopped: Cluster, tmp_path: Path) -> None:
    assert serve_once(stopped, "SELECT 1") == [(1,)]
    (tmp_path / "run" / "postgres.json").unlink()
    again = Cluster.open(tmp_path / "postgres", tmp_path / "run")
    assert again.passwords != stopped.passwords
    assert serve_once(again, "SELECT 2") == [(2,)]


def test_a_cut_off_start_leaves_no_half_a_cluster(tmp_path: Path, stopped: Cluster) -> None:
    leftover = tmp_path / "other.new"
    leftover.mkdir()
    (leftover / "PG_VERSION").write_text("18\n")
    Cluster.open(tmp_path / "other", tmp_path / "run")
    assert (tmp_path / "other" / "global" / "pg_control").exists()
    assert not leftover.exists()
