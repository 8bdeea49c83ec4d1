from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.integrations.antivirus import ClamdScanner
from portal.integrations.storage import FileGone, build_storage
from portal.lib.clock import utcnow
from portal.models import Attachment, FileState, OutboxEvent
from portal.services.files.loose import drop_loose_file
from portal.services.files.uploading import FilePlace, keep_file
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.workflows import triggers
from portal.workflows.files.activities import FileTools
from portal.workflows.files.shared import FileRun, upload_workflow_id
from portal.workflows.triggers import OutboxRow, pull
from tests.clamd import Clamd
from tests.keeping import TEXT, upload
from tests.workflows.conftest import eventually

pytestmark = pytest.mark.temporal


@pytest.fixture
def clamd():
    with Clamd() as clamd:
        yield clamd


@pytest.fixture
def tools(settings, clamd):
    return FileTools(build_storage(settings), ClamdScanner(clamd.url))


class Files:
    """Files of bob's with their workflows running; events are told like the relay would."""

    def __init__(self, desk, tools):
        self.desk, self.tools, self.bob = desk, tools, desk.actor("bob")

    async def keep(self, content=TEXT, *, sent=False):
        place = FilePlace(self.tools.storage, scanned=True)
        with self.desk.sessions.begin(self.desk.world.demo) as session:
            file = keep_file(session, upload(content=content), place=place, actor=self.bob, now=utcnow())
            if sent:
                request = NewTicket("VPN", "Down.", "general", attachment_ids=(file.id,))
                create_ticket(session, request, actor=self.bob, now=utcnow())
        await self.tell(file.id)
        return file.id

    async def tell(self, file_id):
        with self.desk.sessions.begin(self.desk.world.demo) as session:
            events = session.scalars(
                select(OutboxEvent).where(OutboxEvent.record_id == file_id).order_by(OutboxEvent.seq)
            ).all()
        for e in events:
            row = OutboxRow(e.seq, e.id, e.tenant_id, e.kind, e.record_type, e.record_id, e.payload, e.attempts)
            for _ in range(2):
                await pull(self.desk.client, row, task_queue=self.desk.queue)

    def row(self, file_id):
        with self.desk.sessions.begin(self.desk.world.demo) as session:
            return session.get(Attachment, file_id)

    def bytes_of(self, file_id):
        try:
            return b"".join(self.tools.storage.read(self.row(file_id).storage_key))
        except FileGone:
            return None


def loose_for(monkeypatch, span):
    short = replace(triggers.UPLOADED, argument=lambda row: FileRun(row.tenant_id, row.record_id, span))
    monkeypatch.setitem(triggers.TRIGGERS, ("attachment", "attachment.uploaded"), (short,))


def test_files_wait_for_the_scanner_and_are_tried_again(run, client, desk_at, tools, clamd):
    async def story():
        async with desk_at(client) as desk:
            files = Files(desk, tools)
            clamd.answer = b"INSTREAM size limit exceeded. ERROR"
            file = await files.keep(sent=True)
            await eventually(lambda: len(clamd.seen) >= 2)
            assert files.row(file).state is FileState.SCANNING
            clamd.answer = None
            await eventually(lambda: files.row(file).state is FileState.CLEAN)
            assert files.bytes_of(file) == TEXT
            await client.get_workflow_handle(upload_workflow_id(file)).terminate()

    run(story())


def test_what_is_found_is_deleted(run, client, desk_at, tools):
    async def story():
        async with desk_at(client) as desk:
            files = Files(desk, tools)
            file = await files.keep(b"X5O!P%@AP EICAR test\n", sent=True)
            await eventually(lambda: files.bytes_of(file) is None)
            assert files.row(file).state is FileState.REFUSED
            await client.get_workflow_handle(upload_workflow_id(file)).terminate()

    run(story())


def test_what_nobody_sends_goes_and_what_was_sent_stays(run, client, desk_at, tools, monkeypatch):
    loose_for(monkeypatch, timedelta(seconds=1))

    async def story():
        async with desk_at(client) as desk:
            files = Files(desk, tools)
            loose, sent = await files.keep(), await files.keep(sent=True)
            for file in (loose, sent):
                await client.get_workflow_handle(upload_workflow_id(file)).result()
            assert files.row(loose).removed_at is not None
            assert files.row(sent).removed_at is None
            await files.tell(loose)
            await eventually(lambda: files.bytes_of(loose) is None)
            assert files.bytes_of(sent) == TEXT

    run(story())


def test_a_scanner_that_is_away_keeps_no_loose_file(run, client, desk_at, tools, clamd, monkeypatch):
    loose_for(monkeypatch, timedelta(seconds=1))
    clamd.answer = b"ERROR"

    async def story():
        async with desk_at(client) as desk:
            files = Files(desk, tools)
            file = await files.keep()
            await client.get_workflow_handle(upload_workflow_id(file)).result()
            assert files.row(file).removed_at is not None

    run(story())


def test_what_is_taken_back_is_deleted(run, client, desk_at, tools):
    async def story():
        async with desk_at(client) as desk:
            files = Files(desk, tools)
            file = await files.keep()
            with desk.sessions.begin(desk.world.demo) as session:
                drop_loose_file(session, file, actor=files.bob, now=utcnow())
            await files.tell(file)
            await eventually(lambda: files.bytes_of(file) is None)
            await client.get_workflow_handle(upload_workflow_id(file)).terminate()

    run(story())


def test_a_file_that_does_not_exist_ends_quietly(run, client, desk_at, tools, monkeypatch):
    loose_for(monkeypatch, timedelta(milliseconds=100))

    async def story():
        async with desk_at(client) as desk:
            lost = OutboxRow(1, uuid4(), desk.world.demo, "attachment.uploaded", "attachment", uuid4(), {}, 0)
            await pull(client, lost, task_queue=desk.queue)
            await client.get_workflow_handle(upload_workflow_id(lost.record_id)).result()

    run(story())
