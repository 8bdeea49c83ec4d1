"""Files go with messages: own ones, each once, and notes' files stay with the team."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.integrations.antivirus import ScannerUnavailable, Verdict
from portal.lib.clock import utcnow
from portal.models import Attachment, AuditEntry, FileState, OutboxEvent, TicketEvent, TicketMessage
from portal.services.files.loose import drop_if_loose, drop_loose_file
from portal.services.files.quota import used_bytes
from portal.services.files.uploading import FilePlace, keep_file
from portal.services.tickets.conversation import add_note, reply_as_customer, reply_as_staff
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.file_removal import remove_file
from portal.services.tickets.file_scans import TransientScanError, scan_file
from portal.services.tickets.files import find_file, get_file
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.services.tickets.recordings import decide_recording
from tests.keeping import TEXT, Shelf, only_error, place_in, upload
from tests.together import at_once

ALL = ("alice", "bob", "charlie", "sam", "bill", "ada")


@pytest.fixture
def place(settings):
    return place_in(settings)


@pytest.fixture
def shelf(session, place, actor_of, now):
    return Shelf(session, place, actor_of, now)


@pytest.fixture
def sight(session, actor_of):
    """Who of all people finds a file."""

    def look(file):
        seen = []
        for who in ALL:
            try:
                find_file(session, file.id, actor=actor_of(who))
                seen.append(who)
            except NotFound:
                pass
        return seen

    return look


def lines(session, ticket):
    return session.scalars(
        select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.at, TicketEvent.id)
    ).all()


def refused(call):
    with pytest.raises(Invalid) as error:
        call()
    return only_error(error.value)[:2]


def test_a_new_ticket_takes_files_along(session, shelf, open_ticket, actor_of, sight):
    files = [shelf.keep(name="b.log"), shelf.keep(name="a.log")]
    ticket = open_ticket(attachment_ids=tuple(file.id for file in files))
    found = get_ticket_detail(session, ticket.id, actor=actor_of("bob"))
    assert {file.filename for file in found.files_of(None)} == {"a.log", "b.log"}
    assert found.files_of(uuid4()) == []
    row = session.get(Attachment, files[0].id, populate_existing=True)
    assert (row.ticket_id, row.message_id, row.is_internal, row.purpose) == (ticket.id, None, False, "message")
    assert sight(files[0]) == ["alice", "bob", "sam", "bill", "ada"]


def test_an_answer_names_its_files(session, shelf, open_ticket, actor_of, now):
    ticket, files = open_ticket(), [shelf.keep(name="b.log"), shelf.keep(name="a.log")]
    entry = reply_as_customer(
        session, ticket.id, message="Here.", actor=actor_of("bob"), now=now, attachment_ids=[f.id for f in files]
    )
    snapshot = [
        {"id": str(file.id), "filename": file.filename, "content_type": "text/plain", "size": len(TEXT)}
        for file in files
    ]
    assert session.get(TicketMessage, entry.id).attachments == snapshot == entry.attachments
    found = get_ticket_detail(session, ticket.id, actor=actor_of("sam"))
    assert {file.id for file in found.files_of(entry.id)} == {file.id for file in files}
    assert found.files_of(None) == []


def test_a_notes_files_never_reach_customers(session, shelf, open_ticket, actor_of, now, sight):
    ticket, file = open_ticket(), shelf.keep("sam")
    add_note(session, ticket.id, message="Look.", actor=actor_of("sam"), now=now, attachment_ids=[file.id])
    assert sight(file) == ["sam", "bill", "ada"]
    assert get_ticket_detail(session, ticket.id, actor=actor_of("bob")).files == []
    assert len(get_ticket_detail(session, ticket.id, actor=actor_of("sam")).files) == 1
    with pytest.raises(NotFound):
        get_file(session, file.id, actor=actor_of("bob"))


def test_loose_files_are_their_senders_alone(shelf, sight):
    assert sight(shelf.keep()) == ["bob"]
    assert sight(shelf.keep("sam")) == ["sam"]


def test_other_companies_and_tenants_find_nothing(session, sessions, shelf, open_ticket, actor_of, world):
    file = shelf.keep("charlie")
    open_ticket("charlie", attachment_ids=(file.id,))
    for who in ("alice", "bob"):
        with pytest.raises(NotFound):
            get_file(session, file.id, actor=actor_of(who))
    with sessions.begin(world.nova) as elsewhere:
        for who in ("nia", "noor"):
            with pytest.raises(NotFound):
                get_file(elsewhere, file.id, actor=world.people[who].actor)


def test_only_own_unused_files_are_taken(session, shelf, open_ticket, actor_of, now, world):
    ticket, mine, hers = open_ticket(), shelf.keep(), shelf.keep("alice")
    gone, shown = shelf.keep(), shelf.keep()
    drop_loose_file(session, gone.id, actor=actor_of("bob"), now=now)
    shown.state = FileState.REFUSED
    session.flush()

    def send(*ids):
        return refused(
            lambda: reply_as_customer(
                session, ticket.id, message="Here.", actor=actor_of("bob"), now=now, attachment_ids=ids
            )
        )

    for ids in ([hers.id], [gone.id], [shown.id], [uuid4()], [mine.id, uuid4()], [mine.id, mine.id]):
        assert send(*ids) == ("attachment_ids", "file_unknown")
    assert send(*(uuid4() for _ in range(11))) == ("attachment_ids", "files_too_many")
    reply_as_customer(session, ticket.id, message="Here.", actor=actor_of("bob"), now=now, attachment_ids=[mine.id])
    assert send(mine.id) == ("attachment_ids", "file_unknown")
    assert not drop_if_loose(session, mine.id, now=now)
    with pytest.raises(NotFound):
        drop_loose_file(session, mine.id, actor=actor_of("bob"), now=now)


def test_two_answers_at_once_and_one_file(sessions, world, place, actor_of):
    bob = actor_of("bob")
    with sessions.begin(world.demo) as session:
        tickets = [
            create_ticket(session, NewTicket("VPN", "Down.", "general"), actor=bob, now=utcnow()).id for _ in range(30)
        ]
        file = keep_file(session, upload(), place=place, actor=bob, now=utcnow()).id

    def send(index):
        with sessions.begin(world.demo) as session:
            reply_as_customer(session, tickets[index], message="Here.", actor=bob, now=utcnow(), attachment_ids=[file])

    results = at_once(30, send)
    losers = [only_error(result)[:2] for result in results if result is not None]
    assert losers == [("attachment_ids", "file_unknown")] * 29
    with sessions.begin(world.demo) as session:
        owner = session.scalar(select(Attachment.ticket_id).where(Attachment.id == file))
        assert owner == tickets[results.index(None)]
        naming = session.scalars(select(TicketMessage.ticket_id).where(TicketMessage.attachments != [])).all()
        assert naming.count(owner) == 1
        assert not set(tickets) - {owner} & set(naming)


def test_a_solution_stands_in_the_timeline(session, shelf, open_ticket, actor_of, now):
    ticket, file = open_ticket(), shelf.keep("sam", name="fix.zip.log")
    reply_as_staff(
        session,
        ticket.id,
        message="Run this.",
        actor=actor_of("sam"),
        now=now,
        attachment_ids=[file.id],
        file_purpose="solution",
    )
    assert "solution_attached" in lines(session, ticket)
    assert get_file(session, file.id, actor=actor_of("bob")).purpose == "solution"


@pytest.fixture
def recorded(session, shelf, open_ticket, actor_of, now):
    ticket, file = open_ticket(), shelf.keep("sam", name="session.log")
    reply_as_staff(
        session,
        ticket.id,
        message="Our session.",
        actor=actor_of("sam"),
        now=now,
        attachment_ids=[file.id],
        file_purpose="recording",
    )
    return ticket, file


def test_a_recording_is_nobodys_before_the_customer_agrees(session, recorded, actor_of, now):
    ticket, file = recorded
    for who in ("bob", "alice", "sam", "ada"):
        with pytest.raises(Conflict, match="recording_without_consent"):
            get_file(session, file.id, actor=actor_of(who))
    decide_recording(session, file.id, granted=True, actor=actor_of("bob"), now=now)
    for who in ("bob", "alice", "sam", "ada"):
        assert get_file(session, file.id, actor=actor_of(who)).consent_at == now
    assert "recording_allowed" in lines(session, ticket)
    row = session.scalar(select(AuditEntry).where(AuditEntry.action == "ticket.recording_decided"))
    assert (row.actor_id, row.after) == (actor_of("bob").user_id, {"file": str(file.id), "granted": True})


def test_a_refused_recording_is_deleted(session, recorded, actor_of, now):
    ticket, file = recorded
    before = used_bytes(session)
    decide_recording(session, file.id, granted=False, actor=actor_of("alice"), now=now)
    assert used_bytes(session) == before - file.size
    assert "recording_refused" in lines(session, ticket)
    for who in ("bob", "sam"):
        with pytest.raises(NotFound):
            get_file(session, file.id, actor=actor_of(who))
    kinds = session.scalars(select(OutboxEvent.kind).where(OutboxEvent.record_id == file.id)).all()
    assert "attachment.removed" in kinds


def test_consent_is_the_customers_and_is_asked_once(session, recorded, shelf, open_ticket, actor_of, now):
    _, file = recorded
    with pytest.raises(NotFound):
        decide_recording(session, file.id, granted=True, actor=actor_of("charlie"), now=now)
    for who in ("sam", "ada"):
        with pytest.raises(Forbidden):
            decide_recording(session, file.id, granted=True, actor=actor_of(who), now=now)
    plain = shelf.keep()
    open_ticket(attachment_ids=(plain.id,))
    with pytest.raises(NotFound):
        decide_recording(session, plain.id, granted=True, actor=actor_of("bob"), now=now)
    decide_recording(session, file.id, granted=False, actor=actor_of("bob"), now=now)
    for granted in (True, False):
        with pytest.raises(Conflict, match="recording_decided"):
            decide_recording(session, file.id, granted=granted, actor=actor_of("bob"), now=now)


def test_thirty_decisions_at_once_are_one(sessions, world, place, actor_of):
    bob, sam = actor_of("bob"), actor_of("sam")
    with sessions.begin(world.demo) as session:
        ticket = create_ticket(session, NewTicket("VPN", "Down.", "general"), actor=bob, now=utcnow())
        file = keep_file(session, upload(), place=place, actor=sam, now=utcnow()).id
        reply_as_staff(
            session,
            ticket.id,
            message="Look.",
            actor=sam,
            now=utcnow(),
            attachment_ids=[file],
            file_purpose="recording",
        )

    def decide(index):
        with sessions.begin(world.demo) as session:
            decide_recording(session, file, granted=index % 2 == 0, actor=bob, now=utcnow())

    results = at_once(30, decide)
    assert [result.code for result in results if result is not None] == ["recording_decided"] * 29
    with sessions.begin(world.demo) as session:
        row = session.get(Attachment, file)
        assert (row.consent_at is None) != (row.removed_at is None)


def test_the_team_removes_a_file_for_good(session, shelf, open_ticket, actor_of, now):
    ticket, files = open_ticket(), [shelf.keep(name="secret.log"), shelf.keep(name="fine.log")]
    entry = reply_as_customer(
        session, ticket.id, message="Here.", actor=actor_of("bob"), now=now, attachment_ids=[f.id for f in files]
    )
    before = used_bytes(session)
    for who in ("bob", "alice", "bill"):
        with pytest.raises(Forbidden):
            remove_file(session, files[0].id, actor=actor_of(who), now=now)
    assert remove_file(session, files[0].id, actor=actor_of("sam"), now=now) == ticket.id
    assert used_bytes(session) == before - files[0].size
    session.expire_all()
    assert [file["filename"] for file in session.get(TicketMessage, entry.id).attachments] == ["fine.log"]
    assert "file_removed" in lines(session, ticket)
    for who in ("bob", "sam"):
        with pytest.raises(NotFound):
            get_file(session, files[0].id, actor=actor_of(who))
    with pytest.raises(NotFound):
        remove_file(session, files[0].id, actor=actor_of("sam"), now=now)


class Scanner:
    """Says what it is told to say."""

    def __init__(self, *verdicts):
        self.verdicts, self.seen = list(verdicts), []

    def scan(self, content):
        self.seen.append(b"".join(content))
        verdict = self.verdicts.pop(0)
        if isinstance(verdict, Exception):
            raise verdict
        return verdict


@pytest.fixture
def waiting(sessions, world, place, actor_of):
    """A file that waits for the scanner, sent with a ticket, as ids."""
    bob = actor_of("bob")
    with sessions.begin(world.demo) as session:
        file = keep_file(session, upload(), place=FilePlace(place.storage, scanned=True), actor=bob, now=utcnow()).id
        request = NewTicket("VPN", "Down.", "general", attachment_ids=(file,))
        return file, create_ticket(session, request, actor=bob, now=utcnow())


def test_nobody_gets_a_file_before_the_scanner_says_so(sessions, world, place, actor_of, waiting):
    file, ticket = waiting
    scanner = Scanner(ScannerUnavailable("down"), Verdict(clean=True))
    for _ in range(2):
        with sessions.begin(world.demo) as session:
            for who in ("bob", "sam"):
                with pytest.raises(Conflict, match="file_scanning"):
                    get_file(session, file, actor=actor_of(who))
        if scanner.seen:
            break
        with pytest.raises(TransientScanError):
            scan_file(sessions, world.demo, file, storage=place.storage, scanner=scanner)
    assert scan_file(sessions, world.demo, file, storage=place.storage, scanner=scanner) is FileState.CLEAN
    assert scan_file(sessions, world.demo, file, storage=place.storage, scanner=scanner) is FileState.CLEAN
    assert scanner.seen == [TEXT, TEXT]
    with sessions.begin(world.demo) as session:
        assert get_file(session, file, actor=actor_of("bob")).id == file
        kinds = session.scalars(select(OutboxEvent.kind).where(OutboxEvent.record_id == ticket.id)).all()
        assert "ticket.file_checked" in kinds
        assert "file_refused" not in lines(session, ticket)


def test_without_its_scanner_a_waiting_file_stays_waiting(sessions, world, place, waiting):
    with pytest.raises(TransientScanError):
        scan_file(sessions, world.demo, waiting[0], storage=place.storage, scanner=None)


def test_what_the_scanner_finds_is_nobodys(sessions, world, place, actor_of, waiting):
    file, ticket = waiting
    with sessions.begin(world.demo) as session:
        before = used_bytes(session)
    scanner = Scanner(Verdict(clean=False, found="Eicar"))
    assert scan_file(sessions, world.demo, file, storage=place.storage, scanner=scanner) is FileState.REFUSED
    with sessions.begin(world.demo) as session:
        assert used_bytes(session) == before - len(TEXT)
        for who in ("bob", "sam"):
            with pytest.raises(Conflict, match="file_refused"):
                get_file(session, file, actor=actor_of(who))
        assert "file_refused" in lines(session, ticket)
        row = session.scalar(
            select(AuditEntry).where(AuditEntry.record_id == file, AuditEntry.action == "attachment.refused")
        )
        assert row.after == {"found": "Eicar"}
