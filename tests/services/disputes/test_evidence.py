"""Evidence of disputes: whoever sees the dispute has the files of both sides, and nobody else does."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from portal.errors import Conflict, NotFound
from portal.integrations.antivirus import ScannerUnavailable, Verdict
from portal.models import Attachment, AuditEntry, Dispute, FileState, Notification, OutboxEvent
from portal.services.disputes.deciding import Decision, resolve_dispute, withdraw_dispute
from portal.services.disputes.evidence import (
    MOST_FILES,
    add_evidence,
    find_evidence,
    get_evidence,
    list_evidence,
)
from portal.services.disputes.letters import answer_dispute
from portal.services.disputes.opening import Objection, dispute_invoice, dispute_payment
from portal.services.files.loose import drop_if_loose, drop_loose_file
from portal.services.files.uploading import keep_file
from portal.services.tickets.file_removal import remove_file
from portal.services.tickets.file_scans import TransientScanError, scan_file
from portal.services.tickets.files import find_file
from portal.services.tickets.opening import NewTicket, create_ticket
from tests.keeping import place_in, upload
from tests.tills import BASE_URL
from tests.together import at_once, codes_of


@pytest.fixture
def keep(till: Any, settings: Any) -> Any:
    """Keep a file as somebody; gives its id."""

    def make(who: str = "charlie", name: str = "delivery note.log", *, scanned: bool = False) -> UUID:
        with till.begin() as session:
            place = place_in(settings, scanned=scanned)
            return keep_file(session, upload(name), place=place, actor=till.actor(who), now=till.now).id

    return make


@pytest.fixture
def dispute(till: Any, bill: Any) -> Any:
    """Open a dispute of Globex with files; gives its id."""

    def make(*files: UUID, who: str = "charlie") -> UUID:
        with till.begin() as session:
            objection = Objection("Nobody came", file_ids=files)
            return dispute_invoice(session, bill()[0], objection, actor=till.actor(who), now=till.now).id

    return make


@pytest.fixture
def add(till: Any) -> Any:
    def call(found: UUID, *files: UUID, who: str = "charlie") -> None:
        with till.begin() as session:
            add_evidence(session, found, files, actor=till.actor(who), now=till.now)

    return call


def listed(till: Any, found: UUID, who: str = "charlie") -> list[tuple[UUID, str]]:
    with till.begin() as session:
        return [(file.id, file.purpose) for file in list_evidence(session, found, actor=till.actor(who))]


def resolve(till: Any, found: UUID, *files: UUID) -> None:
    with till.begin() as session:
        decision = Decision(False, "We were there, see the protocol", file_ids=files)
        resolve_dispute(session, found, decision, base_url=BASE_URL, actor=till.actor("bill"), now=till.now)


def test_files_come_with_the_dispute_while_it_is_open_and_with_the_answer(
    till: Any, keep: Any, dispute: Any, add: Any
) -> None:
    first, second, ours, answer = keep(), keep(), keep("bill"), keep("bill")
    found = dispute(first)
    add(found, second)
    add(found, ours, who="bill")
    resolve(till, found, answer)
    expected = {(first, "evidence"), (second, "evidence"), (ours, "answer"), (answer, "answer")}
    assert set(listed(till, found)) == set(listed(till, found, "bill")) == expected
    entries = till.rows(AuditEntry, AuditEntry.record_id == found)
    told = {entry.action: entry.after.get("files") for entry in entries if "files" in (entry.after or {})}
    assert told["dispute.opened"] == [str(first)]
    assert told["dispute.resolved"] == [str(answer)]
    assert [entry.action for entry in entries].count("dispute.evidence_added") == 2


def test_a_dispute_of_a_payment_takes_them_too(till: Any, keep: Any) -> None:
    file = keep("bob")
    payment = till.paid(till.invoice(10_000))
    with till.begin() as session:
        objection = Objection("Paid twice", file_ids=[file])
        found = dispute_payment(session, payment, objection, actor=till.actor("bob"), now=till.now).id
    assert listed(till, found, "alice") == [(file, "evidence")]


def test_outsiders_find_neither_the_files_nor_the_list(till: Any, keep: Any, dispute: Any, add: Any) -> None:
    mine, ours = keep(), keep("bill")
    found = dispute(mine)
    add(found, ours, who="bill")
    for file in (mine, ours):
        for who in ("charlie", "bill", "sam", "ada"):
            with till.begin() as session:
                assert get_evidence(session, file, actor=till.actor(who)).id == file
        for who in ("alice", "bob"):
            with till.begin() as session, pytest.raises(NotFound):
                find_evidence(session, file, actor=till.actor(who))
        with till.desk.sessions.begin(till.world.nova) as session, pytest.raises(NotFound):
            find_evidence(session, file, actor=till.actor("noor"))
    with till.begin() as session, pytest.raises(NotFound):
        list_evidence(session, found, actor=till.actor("alice"))


def test_staff_without_the_right_to_disputes_get_nothing(
    till: Any, keep: Any, dispute: Any, add: Any, refused: Any
) -> None:
    file = keep()
    found = dispute(file)

    def read(who: str) -> None:
        with till.begin() as session:
            find_evidence(session, file, actor=till.actor(who))

    assert refused(lambda: read("dora")) == "not_allowed"
    # Seeing tickets is not seeing disputes, not even for whoever sent the file.
    for who in ("sam", "charlie"):
        with till.begin() as session, pytest.raises(NotFound):
            find_file(session, file, actor=till.actor(who))
    # Whoever reads disputes does not answer them.
    assert refused(lambda: add(found, keep("sam"), who="sam")) == "not_allowed"
    assert refused(lambda: add(found, keep("alice"), who="alice")) == "dispute_not_found"


def test_only_own_loose_files_are_taken_each_once(
    till: Any, keep: Any, dispute: Any, add: Any, bill: Any, refused: Any
) -> None:
    file = keep()
    found = dispute(file)
    other = dispute()
    assert refused(lambda: add(other, file)) == "file_unknown"
    assert refused(lambda: add(found, keep("alice"))) == "file_unknown"
    assert refused(lambda: add(found, *(keep() for _ in range(11)))) == "files_too_many"
    assert refused(lambda: add(found)) == "required"
    ticket_file = keep()
    with till.begin() as session:
        wanted = NewTicket("Line down", "Since nine.", "drill", attachment_ids=(ticket_file,))
        create_ticket(session, wanted, actor=till.actor("charlie"), now=till.now)
    assert refused(lambda: add(found, ticket_file)) == "file_unknown"

    def ticket_with_evidence() -> None:
        with till.begin() as session:
            wanted = NewTicket("Line down", "Since nine.", "drill", attachment_ids=(file,))
            create_ticket(session, wanted, actor=till.actor("charlie"), now=till.now)

    assert refused(ticket_with_evidence) == "file_unknown"


def test_the_database_lets_no_file_be_of_both(till: Any, keep: Any, dispute: Any) -> None:
    file = keep()
    dispute(file)
    with till.begin() as session:
        ticket = create_ticket(session, NewTicket("x", "y", "drill"), actor=till.actor("charlie"), now=till.now)
        with pytest.raises(IntegrityError, match="of_one"), session.begin_nested():
            session.execute(update(Attachment).where(Attachment.id == file).values(ticket_id=ticket.id))


def test_the_same_files_once_more_change_nothing(till: Any, keep: Any, dispute: Any, add: Any) -> None:
    found, file = dispute(), keep()
    for _ in range(2):
        add(found, file)
    assert listed(till, found) == [(file, "evidence")]
    assert (
        len(till.rows(OutboxEvent, OutboxEvent.kind == "dispute.evidence_added", OutboxEvent.record_id == found)) == 1
    )


def test_thirty_at_once_bind_a_file_to_one_dispute(till: Any, keep: Any, dispute: Any, add: Any) -> None:
    file, found = keep(), [dispute() for _ in range(3)]
    codes = codes_of(at_once(30, lambda index: _code(lambda: add(found[index % 3], file))))
    assert "ok" in codes
    (row,) = till.rows(Attachment, Attachment.id == file)
    assert sum(len(listed(till, one)) for one in found) == 1
    assert row.dispute_id in found


def _code(call: Any) -> None:
    """Whatever is refused: that a file was taken elsewhere is what loses here."""
    try:
        call()
    except Exception as error:
        if not hasattr(error, "errors"):
            raise


def test_nothing_is_added_once_it_is_decided(till: Any, keep: Any, dispute: Any, add: Any, refused: Any) -> None:
    decided, withdrawn, file = dispute(), dispute(), keep()
    resolve(till, decided)
    with till.begin() as session:
        withdraw_dispute(session, withdrawn, actor=till.actor("charlie"), now=till.now)
    for found in (decided, withdrawn):
        assert refused(lambda found=found: add(found, file)) == "dispute_decided"
    assert refused(lambda: resolve(till, decided, keep("bill"))) == "dispute_decided"
    assert listed(till, decided) == []


def test_a_refused_dispute_keeps_no_file(till: Any, keep: Any, bill: Any, refused: Any) -> None:
    file = keep()

    def open_wrongly() -> None:
        with till.begin() as session:
            objection = Objection("x", amount=10**9, file_ids=[file])
            dispute_invoice(session, bill()[0], objection, actor=till.actor("charlie"), now=till.now)

    assert refused(open_wrongly) == "dispute_too_large"
    (row,) = till.rows(Attachment, Attachment.id == file)
    assert row.dispute_id is None


def test_a_dispute_has_an_end(till: Any, keep: Any, dispute: Any, add: Any, refused: Any) -> None:
    found, file = dispute(), keep()
    with till.begin() as session:
        values = session.get_one(Attachment, file)
        names = [column.key for column in Attachment.__table__.columns if column.key not in ("id", "storage_key")]
        for number in range(MOST_FILES):
            copied = {name: getattr(values, name) for name in names} | {"dispute_id": found}
            session.add(Attachment(**copied, id=uuid4(), storage_key=f"{file}-{number}"))
    assert refused(lambda: add(found, file)) == "evidence_full"


def test_evidence_is_not_loose(till: Any, keep: Any, dispute: Any) -> None:
    file = keep()
    dispute(file)
    with till.begin() as session:
        assert not drop_if_loose(session, file, now=till.now + timedelta(days=2))
        with pytest.raises(NotFound):
            drop_loose_file(session, file, actor=till.actor("charlie"), now=till.now)
        with pytest.raises(NotFound):
            remove_file(session, file, actor=till.actor("sam"), now=till.now)
    (row,) = till.rows(Attachment, Attachment.id == file)
    assert row.removed_at is None


def test_until_the_scanner_has_looked_nobody_gets_it(
    till: Any, keep: Any, dispute: Any, add: Any, sessions: Any, settings: Any, refused: Any
) -> None:
    class Scanner:
        def __init__(self, verdict: Verdict | None) -> None:
            self.verdict = verdict

        def scan(self, content: Any) -> Verdict:
            if self.verdict is None:
                raise ScannerUnavailable("away")
            return self.verdict

    storage = place_in(settings).storage
    good, bad = keep(scanned=True), keep(scanned=True)
    found = dispute(good, bad)

    def get(file: UUID, who: str = "bill") -> UUID:
        with till.begin() as session:
            return get_evidence(session, file, actor=till.actor(who)).id

    for scanner in (None, Scanner(None)):
        with pytest.raises(TransientScanError):
            scan_file(sessions, till.world.demo, good, storage=storage, scanner=scanner)  # type: ignore[arg-type]
        assert refused(lambda: get(good)) == "file_scanning"
    assert refused(lambda: get(good, "charlie")) == "file_scanning"
    clean, infected = Scanner(Verdict(True, "")), Scanner(Verdict(False, "Eicar"))
    assert scan_file(sessions, till.world.demo, good, storage=storage, scanner=clean) is FileState.CLEAN  # type: ignore[arg-type]
    assert scan_file(sessions, till.world.demo, bad, storage=storage, scanner=infected) is FileState.REFUSED  # type: ignore[arg-type]
    assert get(good) == get(good, "charlie") == good
    assert refused(lambda: get(bad)) == "file_refused"
    assert len(listed(till, found)) == 2
    assert [one.action for one in till.rows(AuditEntry, AuditEntry.record_id == bad)].count("attachment.refused") == 1


def test_the_other_side_is_told_once(till: Any, keep: Any, dispute: Any, add: Any) -> None:
    found = dispute()
    people = till.world.people
    add(found, keep())
    add(found, keep("bill"), who="bill")
    for _ in range(2):
        with till.begin() as session:
            events = session.scalars(select(OutboxEvent).where(OutboxEvent.record_id == found)).all()
            for event in events:
                if event.kind == "dispute.evidence_added":
                    assert answer_dispute(session, event.id, base_url=BASE_URL, now=till.now)
    told = [(row.user_id, row.kind) for row in till.rows(Notification, Notification.record_id == found)]
    assert len(told) == len(set(told))
    assert (people["charlie"].user_id, "dispute_evidence_ours") in told
    assert (people["bill"].user_id, "dispute_evidence") in told
    assert people["alice"].user_id not in {user for user, _ in told}
    assert people["sam"].user_id not in {user for user, _ in told}


def test_what_cannot_be_seen_any_more_is_not_handed_out(till: Any, keep: Any, dispute: Any) -> None:
    file = keep()
    found = dispute(file)
    with till.begin() as session:
        session.execute(update(Dispute).where(Dispute.id == found).values(customer_id=till.world.companies["acme"]))
    with till.begin() as session, pytest.raises(NotFound):
        find_evidence(session, file, actor=till.actor("charlie"))
    with till.begin() as session:
        assert get_evidence(session, file, actor=till.actor("bob")).id == file


def test_scanning_ones_conflict_and_strangers_do_not_learn_that(till: Any, keep: Any, dispute: Any) -> None:
    file = keep(scanned=True)
    dispute(file)
    with till.begin() as session, pytest.raises(Conflict):
        get_evidence(session, file, actor=till.actor("charlie"))
    with till.begin() as session, pytest.raises(NotFound):
        get_evidence(session, file, actor=till.actor("alice"))
