"""`portal audit verify`: counts and 0 where all is well, the exact row and 1 where it is not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from portal.lib.clock import utcnow
from portal.models.session import build_engine, normalise_url
from portal.services.audit.anchors import AnchorFolder
from portal.services.audit.sealing import SealingRounds
from portal.services.audit.witnessing import Witnessing
from portal.services.tickets.opening import NewTicket, create_ticket
from tests.conftest import CHEAP, settings_for
from tests.world import World, build_world


@pytest.fixture
def place(database: Any, new_database: Any, tmp_path: Path) -> Iterator[Any]:
    """An installation of its own with a few audited things in it, sealed."""
    from portal.app import create_app

    name = new_database("audit_command")
    settings = settings_for(database, name, tmp_path)
    world = build_world(create_engine(settings.owner_database_url, poolclass=NullPool), CHEAP, now=datetime.now(UTC))
    app = create_app(settings)
    engine = build_engine(settings.database_url, pool_size=2)
    for _ in range(5):
        _open_ticket(engine, world)
    with engine.connect() as connection:
        grown = SealingRounds(connection).run_once(now=utcnow())
        Witnessing(connection, AnchorFolder(settings.audit_dir)).note(grown, now=utcnow())
    yield app, create_engine(normalise_url(database.superuser_url(name)), poolclass=NullPool), settings
    engine.dispose()
    app.extensions["portal_engine"].dispose()
    database.drop_database(name)


def _open_ticket(engine: Any, world: World) -> None:
    from portal.models.session import TenantSessions

    with TenantSessions(engine).begin(world.demo) as session:
        create_ticket(session, NewTicket("a", "b", "drill"), actor=world.people["bob"].actor, now=utcnow())


def run(app: Any, *words: str) -> Any:
    return app.test_cli_runner().invoke(args=["portal", "audit", "verify", *words])


def tamper(engine: Any, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(statement))


def test_all_is_well(place: Any) -> None:
    app, _, _ = place
    result = run(app)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "demo: 5 sealed, 0 waiting, witnessed up to position 5, 0 findings",
        "nova: 0 sealed, 0 waiting, witnessed up to position 0, 0 findings",
    ]


def test_a_changed_row_is_named(place: Any) -> None:
    app, superuser, _ = place
    with superuser.connect() as connection:
        link = connection.execute(
            text("SELECT e.id, e.seq FROM audit_links l JOIN audit_entries e ON e.id = l.entry_id WHERE position = 3")
        ).one()
    tamper(superuser, f"UPDATE audit_entries SET actor_name = 'Somebody else' WHERE id = '{link.id}'")
    result = run(app, "--tenant", "demo")
    assert result.exit_code == 1
    assert f"demo: position 3, entry {link.id}, seq {link.seq}: changed" in result.output.splitlines()
    assert run(app, "--tenant", "nova").exit_code == 0


def test_a_cut_tail_is_named(place: Any) -> None:
    app, superuser, _ = place
    tamper(
        superuser, "DELETE FROM audit_entries WHERE seq IN (SELECT seq FROM audit_entries ORDER BY seq DESC LIMIT 2)"
    )
    tamper(superuser, "DELETE FROM audit_links WHERE position > 3")
    result = run(app)
    assert result.exit_code == 1
    assert "demo: position 4–5: truncated tail" in result.output


def test_an_unknown_tenant(place: Any) -> None:
    result = run(place[0], "--tenant", "nobody")
    assert result.exit_code == 1
    assert "no tenant 'nobody'" in result.output


def test_spoilt_witnesses_are_said(place: Any) -> None:
    app, _, settings = place
    (settings.audit_dir / "anchors.jsonl").write_text("nonsense\n")
    result = run(app)
    assert result.exit_code == 1
    assert "anchors.jsonl, line 1" in result.output


def test_a_new_demo_world_begins_new_chains(place: Any) -> None:
    app, _, settings = place
    result = app.test_cli_runner().invoke(args=["portal", "demo", "reset"])
    assert result.exit_code == 0, result.output
    assert not AnchorFolder(settings.audit_dir).read_heads()
    assert run(app).exit_code == 0
