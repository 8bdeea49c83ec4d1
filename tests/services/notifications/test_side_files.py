"""Files of side conversations: they leave with the mail, once checked, and belong to the team alone."""

import io
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from portal.authz import system_actor
from portal.errors import Invalid, NotFound
from portal.integrations.mail import build_message
from portal.integrations.storage import StorageUnavailable
from portal.models import Attachment, AuditEntry, FileState, MailMessage, MailState, SideMessage, Tenant, TicketEvent
from portal.services.files.uploading import Upload, keep_file
from portal.services.notifications.mailing import FILE_REFUSED, TransientMailError, send_mail
from portal.services.tenants.directory import load_profile
from portal.services.tickets.file_removal import remove_file
from portal.services.tickets.files import find_file
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.services.tickets.purging import purge_ticket
from portal.services.tickets.side_conversations import (
    SideLetter,
    get_side_thread,
    list_side_threads,
    open_side_conversation,
    take_side_answer,
    write_side_message,
)
from portal.services.tickets.side_files import list_unsent
from portal.services.tickets.trash import KEPT_FOR, trash_ticket
from tests.keeping import TEXT, Shelf, place_in
from tests.outbox import outlets_to
from tests.services.notifications.test_sending import Post


@pytest.fixture
def shelf(session, settings, actor_of, now):
    return Shelf(session, place_in(settings), actor_of, now)


@pytest.fixture
def ticket(session, actor_of, now):
    return create_ticket(session, NewTicket("Line down", "Since nine.", "drill"), actor=actor_of("bob"), now=now)


@pytest.fixture
def tenant(session, world):
    return load_profile(session, session.get(Tenant, world.demo))


@pytest.fixture
def begin(session, ticket, tenant, actor_of, now):
    def make(*files):
        letter = SideLetter("noc@isp.example", "Circuit 7", "Is it cut?", tuple(file.id for file in files))
        return open_side_conversation(session, ticket.id, letter, tenant=tenant, actor=actor_of("sam"), now=now)

    return make


@pytest.fixture
def committed(sessions, settings, world, actor_of, now):
    """A side mail with a file, as the worker finds it: (id of the mail, id of the file)."""

    def make(*, scanned=False):
        with sessions.begin(world.demo) as session:
            made = create_ticket(session, NewTicket("Line", "x", "drill"), actor=actor_of("bob"), now=now)
            place, sam = place_in(settings, scanned=scanned), actor_of("sam")
            file = keep_file(session, Upload("Plan ä.log", io.BytesIO(TEXT)), place=place, actor=sam, now=now)
            tenant = load_profile(session, session.get(Tenant, world.demo))
            letter = SideLetter("noc@isp.example", "Circuit 7", "See the plan.", (file.id,))
            side = open_side_conversation(session, made.id, letter, tenant=tenant, actor=sam, now=now)
            return get_side_thread(session, side.id, actor=sam).messages[0].id, file.id

    return make


def outlets(settings, post):
    return replace(outlets_to(post), files=place_in(settings).storage)


def state(sessions, world, mail_id):
    with sessions.begin(world.demo) as session:
        mail = session.get(MailMessage, mail_id)
        return mail.state, mail.attempts, mail.last_error


def set_state(sessions, world, file_id, value):
    with sessions.begin(world.demo) as session:
        session.execute(update(Attachment).where(Attachment.id == file_id).values(state=value))


def refused_for(begin, *files):
    with pytest.raises(Invalid) as refused:
        begin(*files)
    (error,) = refused.value.errors
    assert error.field == "attachment_ids"
    return error.code


def test_the_mail_leaves_with_its_file(sessions, settings, world, committed):
    mail_id, _ = committed()
    post = Post()
    assert send_mail(sessions, world.demo, mail_id, outlets=outlets(settings, post))
    message = message_from_bytes(build_message(post.taken[0]).as_bytes(), policy=default)
    (part,) = message.iter_attachments()
    assert (part.get_filename(), part.get_content_type()) == ("Plan ä.log", "text/plain")
    assert part.get_payload(decode=True) == TEXT
    assert "See the plan." in message.get_body(("plain",)).get_content()


def test_it_waits_for_the_scanner_and_that_is_no_attempt(sessions, settings, world, committed):
    mail_id, file_id = committed(scanned=True)
    post = Post()
    for _ in range(2):
        with pytest.raises(TransientMailError):
            send_mail(sessions, world.demo, mail_id, outlets=outlets(settings, post))
    assert (post.taken, state(sessions, world, mail_id)[:2]) == ([], (MailState.QUEUED, 0))
    set_state(sessions, world, file_id, FileState.CLEAN)
    assert send_mail(sessions, world.demo, mail_id, outlets=outlets(settings, post))
    assert len(post.taken[0].files) == 1


def test_with_a_refused_file_it_does_not_go_and_the_team_sees_that(sessions, settings, world, committed, actor_of):
    mail_id, file_id = committed(scanned=True)
    set_state(sessions, world, file_id, FileState.REFUSED)
    post = Post()
    assert not send_mail(sessions, world.demo, mail_id, outlets=outlets(settings, post))
    assert (post.taken, state(sessions, world, mail_id)) == ([], (MailState.FAILED, 0, FILE_REFUSED))
    with sessions.begin(world.demo) as session:
        entry = session.get(SideMessage, mail_id)
        assert list_unsent(session, [entry]) == {mail_id}


def test_while_the_storage_is_away_it_waits(sessions, settings, world, committed):
    class Away:
        def read(self, key):
            raise StorageUnavailable("away")

    mail_id, _ = committed()
    post = Post()
    for storage in (Away(), None):
        with pytest.raises(TransientMailError):
            send_mail(sessions, world.demo, mail_id, outlets=replace(outlets_to(post), files=storage))
    assert (post.taken, state(sessions, world, mail_id)[0]) == ([], MailState.QUEUED)


def test_what_the_team_removed_stays_here(sessions, settings, world, committed, actor_of, now):
    mail_id, file_id = committed()
    with sessions.begin(world.demo) as session:
        remove_file(session, file_id, actor=actor_of("sam"), now=now)
    post = Post()
    assert send_mail(sessions, world.demo, mail_id, outlets=outlets(settings, post))
    assert post.taken[0].files == ()


def test_files_stand_at_their_mail_and_not_at_the_ticket(session, shelf, begin, ticket, tenant, actor_of, now):
    from portal.services.tickets.detail import get_ticket_detail

    first, second = shelf.keep("sam", "one.log"), shelf.keep("sam", "two.log")
    side, sam = begin(first), actor_of("sam")
    later = now + timedelta(minutes=1)
    write_side_message(
        session, side.id, body="And this.", tenant=tenant, actor=sam, now=later, attachment_ids=(second.id,)
    )
    thread = get_side_thread(session, side.id, actor=actor_of("bill"))
    assert [[file.filename for file in thread.files[one.id]] for one in thread.messages] == [["one.log"], ["two.log"]]
    (listed,) = list_side_threads(session, ticket.id, actor=sam)
    assert sum(map(len, listed.files.values())) == 2
    session.expire_all()
    assert get_ticket_detail(session, ticket.id, actor=sam).files == []


@pytest.mark.parametrize("who", ["mia", "bob"])
def test_nobody_sends_what_another_one_uploaded(shelf, begin, who):
    assert refused_for(begin, shelf.keep(who)) == "file_unknown"


def test_a_file_goes_with_one_mail_and_none_of_the_ticket_s_own(session, shelf, begin, ticket, actor_of):
    file = shelf.keep("sam")
    begin(file)
    for taken in (file, shelf.keep("sam")):
        if taken is not file:
            taken.ticket_id = ticket.id
            session.flush()
        assert refused_for(begin, taken) == "file_unknown"


def test_more_than_a_mail_carries_is_refused(session, shelf, begin):
    files = [shelf.keep("sam", f"{number}.log") for number in range(2)]
    for file in files:
        file.size = 10 * 1024 * 1024
    session.flush()
    assert refused_for(begin, *files) == "side_files_too_large"
    assert refused_for(begin, *(shelf.keep("sam", f"{number}.txt") for number in range(11))) == "files_too_many"


def test_customers_find_none_of_the_files(session, shelf, begin, world, actor_of, now):
    sent, got = shelf.keep("sam"), None
    side, system = begin(sent), system_actor(world.demo)
    got = keep_file(session, Upload("form.log", io.BytesIO(TEXT)), place=shelf.place, actor=system, now=now)
    take_side_answer(session, side.id, sender="NOC", body="Yes.", actor=system, now=now, attachment_ids=(got.id,))
    for file in (sent, got):
        assert find_file(session, file.id, actor=actor_of("bill")).id == file.id
        for who in ("bob", "alice", "charlie"):
            with pytest.raises(NotFound):
                find_file(session, file.id, actor=actor_of(who))
    assert (got.uploaded_by, got.is_internal, sent.is_internal) == (None, True, True)


def test_the_database_lets_no_such_file_be_public(session, shelf, begin):
    from sqlalchemy.exc import IntegrityError

    file = shelf.keep("sam")
    begin(file)
    with pytest.raises(IntegrityError, match="side_is_internal"), session.begin_nested():
        session.execute(update(Attachment).where(Attachment.id == file.id).values(is_internal=False))


def test_files_go_with_the_ticket_for_good(session, shelf, begin, ticket, actor_of, now):
    file = shelf.keep("sam")
    begin(file)
    trash_ticket(session, ticket.id, reason="Spam", actor=actor_of("sam"), now=now)
    assert purge_ticket(session, ticket.id, cycle=ticket.clock_cycle, now=now + KEPT_FOR)
    session.expire_all()
    kept = session.scalars(select(Attachment).where(Attachment.id == file.id)).one()
    assert (kept.ticket_id, kept.side_message_id) == (None, None)
    assert kept.removed_at is not None


def test_what_is_removed_is_noted_for_the_team_alone(session, shelf, begin, ticket, actor_of, now):
    file = shelf.keep("sam", "plan.log")
    begin(file)
    remove_file(session, file.id, actor=actor_of("sam"), now=now)
    line = session.scalars(
        select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind == "file_removed")
    ).one()
    assert (line.staff_only, line.params["filename"]) == (True, "plan.log")
    noted = session.scalars(select(AuditEntry.before).where(AuditEntry.record_id == ticket.id)).all()
    assert {"file": str(file.id)} in noted


def test_an_unknown_file_leaves_nothing_behind(session, begin, ticket, actor_of):
    missing = type("File", (), {"id": uuid4()})
    with pytest.raises(Invalid), session.begin_nested():
        begin(missing)
    assert list_side_threads(session, ticket.id, actor=actor_of("sam")) == []
