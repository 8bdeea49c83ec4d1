"""A statement from the wish to the mail with the file, and what becomes of one that cannot be made."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from temporalio.client import WorkflowExecutionStatus

from portal.integrations.storage import StorageUnavailable
from portal.models import MailMessage, OutboxEvent, Statement, StatementFormat, StatementState
from portal.services.statements import files
from portal.services.statements.requesting import StatementRequest, request_statement
from portal.workflows.notifications.shared import notification_workflow_id
from portal.workflows.statements.shared import statement_workflow_id
from portal.workflows.triggers import OutboxRow, pull
from tests.workflows.conftest import eventually

pytestmark = pytest.mark.temporal


def ask(desk, **more):
    given = {"format": StatementFormat.CSV, "start": date(2026, 1, 1), "end": date(2026, 12, 31), "attach": True}
    with desk.sessions.begin(desk.world.demo) as session:
        return request_statement(
            session,
            StatementRequest(**given | more),
            locale="en",
            actor=desk.actor("alice"),
            now=datetime.now(UTC),
        ).id


def row(desk, statement_id):
    with desk.sessions.begin(desk.world.demo) as session:
        return session.scalars(select(Statement).where(Statement.id == statement_id)).one()


def handle(desk, statement_id):
    return desk.client.get_workflow_handle(statement_workflow_id(statement_id))


def mail_event(desk, statement_id, template):
    """The event that has the mail about this statement sent."""
    with desk.sessions.begin(desk.world.demo) as session:
        query = (
            select(OutboxEvent)
            .join(MailMessage, MailMessage.id == OutboxEvent.record_id)
            .where(MailMessage.template == template, MailMessage.user_id == desk.world.people["alice"].user_id)
            .order_by(OutboxEvent.seq.desc())
        )
        e = session.scalars(query).first()
        return OutboxRow(e.seq, e.id, e.tenant_id, e.kind, e.record_type, e.record_id, e.payload, e.attempts)


def test_it_is_made_and_mailed_with_the_file(run, client, desk_at, mails, tools):
    async def story():
        async with desk_at(client) as desk:
            statement_id = ask(desk)
            await desk.tell(statement_id)
            await handle(desk, statement_id).result()
            found = row(desk, statement_id)
            assert found.state is StatementState.READY
            event = mail_event(desk, statement_id, "statement_ready")
            await pull(desk.client, event, task_queue=desk.queue)
            await desk.client.get_workflow_handle(notification_workflow_id(event.id)).result()
            (mail,) = await eventually(lambda: mails.to("alice@acme.example"))
            (file,) = mail.iter_attachments()
            assert file.get_filename() == "statement-2026-01-01-2026-12-31.csv"
            assert file.get_payload(decode=True) == b"".join(tools.storage.read(found.storage_key))
            assert file.get_content_charset() == "utf-8"
            desk._told.clear()
            await desk.tell(statement_id)
            assert desk.kinds(statement_id) == ["statement.requested", "statement.ready"]

    run(story())


def test_what_cannot_be_made_is_given_up_with_its_reason(run, client, desk_at, monkeypatch):
    monkeypatch.setattr(files, "PDF_LINES", -1)

    async def story():
        async with desk_at(client) as desk:
            statement_id = ask(desk, format=StatementFormat.PDF)
            await desk.tell(statement_id)
            await handle(desk, statement_id).result()
            assert (row(desk, statement_id).state, row(desk, statement_id).failure) == (
                StatementState.FAILED,
                "statement_too_long",
            )
            assert desk.kinds(statement_id) == ["statement.requested", "statement.failed"]
            with desk.sessions.begin(desk.world.demo) as session:
                query = select(MailMessage.text).where(MailMessage.template == "statement_failed")
                assert "too much for a PDF" in session.scalars(query).first()

    run(story())


def test_a_store_that_is_away_is_asked_until_it_answers(run, skipping, desk_at, tools, monkeypatch):
    asked, put = [], tools.storage.put

    def away_at_first(key, content):
        asked.append(key)
        if len(asked) < 3:
            raise StorageUnavailable("away")
        put(key, content)

    monkeypatch.setattr(tools.storage, "put", away_at_first)

    async def story():
        async with desk_at(skipping.client) as desk:
            statement_id = ask(desk)
            await desk.tell(statement_id)
            await handle(desk, statement_id).result()
            assert row(desk, statement_id).state is StatementState.READY
            assert len(set(asked)) == 1
            assert len(asked) == 3
            assert (await handle(desk, statement_id).describe()).status is WorkflowExecutionStatus.COMPLETED

    run(story())


def test_a_store_that_stays_away_ends_in_a_word(run, skipping, desk_at, tools, monkeypatch):
    def away(key, content):
        raise StorageUnavailable("away")

    monkeypatch.setattr(tools.storage, "put", away)

    async def story():
        async with desk_at(skipping.client) as desk:
            statement_id = ask(desk)
            await desk.tell(statement_id)
            for _ in range(20):
                await skipping.sleep(timedelta(hours=1))
                if row(desk, statement_id).state is not StatementState.QUEUED:
                    break
            assert row(desk, statement_id).failure == "statement_not_made"
            assert desk.kinds(statement_id) == ["statement.requested", "statement.failed"]

    run(story())
