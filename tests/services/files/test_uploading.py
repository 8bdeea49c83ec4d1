"""A file comes in: examined, stored, counted; or refused, and nothing of it stays."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, select, update

from portal.authz import Permission, system_actor
from portal.errors import Forbidden, Invalid, NotFound
from portal.integrations.storage import FileGone, StorageUnavailable
from portal.lib.clock import utcnow
from portal.models import Attachment, FileState, OutboxEvent, StorageUse, Tenant
from portal.services.files import uploading
from portal.services.files.deleting import delete_stored
from portal.services.files.loose import LOOSE_FOR, drop_if_loose, drop_loose_file
from portal.services.files.quota import used_bytes
from portal.services.files.uploading import FilePlace, keep_file, list_loose
from portal.services.tenants.file_policy import FilePolicy, read_file_policy
from tests.keeping import TEXT, count_stored, only_error, upload
from tests.pictures import picture
from tests.together import at_once


def refusal(shelf, **file):
    with pytest.raises(Invalid) as refused:
        shelf.keep(**file)
    return only_error(refused.value)


def settle(session, world, **files):
    session.execute(update(Tenant).where(Tenant.id == world.demo).values(settings={"files": files}))


def test_a_file_is_kept_under_a_key_that_says_nothing(shelf, session, actor_of):
    file = shelf.keep(name="../../C:\\logs\\vpn\u202e.log")
    assert (file.filename, file.content_type, file.size) == ("vpn.log", "text/plain", len(TEXT))
    assert file.sha256 == hashlib.sha256(TEXT).digest()
    assert file.state is FileState.CLEAN
    assert (file.ticket_id, file.message_id, file.uploaded_by) == (None, None, actor_of("bob").user_id)
    assert "vpn" not in file.storage_key
    assert shelf.stored(file.storage_key) == TEXT
    assert session.scalar(select(OutboxEvent.kind).where(OutboxEvent.record_id == file.id)) == "attachment.uploaded"


def test_a_picture_is_drawn_anew_and_gets_a_small_one(shelf):
    file = shelf.keep(name="screen.png", content=picture("PNG", (900, 300)))
    assert (file.width, file.height) == (900, 300)
    assert shelf.stored(file.thumbnail_key).startswith(b"RIFF")
    assert file.size == len(shelf.stored(file.storage_key))


def test_where_a_scanner_is_configured_files_wait_for_it(shelf):
    shelf.place = FilePlace(shelf.place.storage, scanned=True)
    assert shelf.keep().state is FileState.SCANNING


def test_refusals_name_the_file_and_the_reason(shelf, session, world):
    settle(session, world, max_mb=1)
    assert refusal(shelf, name="a.svg", content=b"<svg/>") == ("file", "file_kind_not_allowed", {"name": "a.svg"})
    assert refusal(shelf, content=b"") == ("file", "file_empty", {"name": "vpn.log"})
    too_large = {"name": "vpn.log", "limit": 1}
    assert refusal(shelf, content=bytes([65]) * (1024 * 1024 + 1)) == ("file", "file_too_large", too_large)
    assert shelf.keep(content=bytes([65]) * 1024 * 1024).size == 1024 * 1024


def test_what_is_kept_is_counted_and_never_more_than_the_quota(shelf, session, world):
    session.execute(delete(StorageUse))
    settle(session, world, quota_mb=1)
    half = bytes([65]) * 512 * 1024
    first = shelf.keep(content=half)
    shelf.keep(content=half)
    assert used_bytes(session) == 1024 * 1024
    assert refusal(shelf, content=b"x") == ("file", "file_quota", {"name": "vpn.log"})
    drop_loose_file(session, first.id, actor=shelf.actor_of("bob"), now=shelf.now)
    assert used_bytes(session) == 512 * 1024
    assert shelf.keep(content=b"x").size == 1


def test_a_tenant_without_room_for_files_takes_none(shelf, session, world):
    settle(session, world, quota_mb=0)
    assert refusal(shelf)[1] == "file_quota"


def test_nobody_fills_the_room_without_writing(shelf, session, now, monkeypatch):
    # Tests with commits of their own leave some behind.
    session.execute(update(Attachment).where(Attachment.is_loose()).values(removed_at=now))
    monkeypatch.setattr(uploading, "LOOSE_FILES", 2)
    shelf.keep()
    shelf.keep()
    assert refusal(shelf)[1] == "file_too_many_loose"
    assert shelf.keep("alice").id


def test_who_may_write_nothing_may_send_nothing(shelf):
    for who in ("dora",):
        with pytest.raises(Forbidden):
            shelf.keep(who)
    for who in ("bob", "sam", "bill"):
        assert shelf.keep(who).id
    assert not shelf.actor_of("dora").may(Permission.DESK_NOTE)


def test_of_what_is_rolled_back_nothing_stays(sessions, world, place, actor_of, settings):
    before = count_stored(settings)
    with pytest.raises(RuntimeError), sessions.begin(world.demo) as session:
        keep_file(session, upload("s.png", picture("PNG")), place=place, actor=actor_of("bob"), now=utcnow())
        assert count_stored(settings) == before + 2
        raise RuntimeError
    assert count_stored(settings) == before


def test_a_later_roll_back_does_not_take_what_was_kept(sessions, world, place, actor_of, settings):
    from portal.models.session import TenantSession

    with TenantSession(sessions.engine, expire_on_commit=False) as session:
        session.use_tenant(world.demo)
        kept = keep_file(session, upload(), place=place, actor=actor_of("bob"), now=utcnow())
        session.commit()
        key = kept.storage_key
        with pytest.raises(Invalid):
            keep_file(session, upload("a.svg"), place=place, actor=actor_of("bob"), now=utcnow())
        session.rollback()
    assert b"".join(place.storage.read(key)) == TEXT


def test_a_store_that_is_away_refuses_kindly(shelf, session):
    class Away:
        def put(self, key, content):
            raise StorageUnavailable("down")

        def delete(self, keys):
            raise StorageUnavailable("down")

    shelf.place = FilePlace(Away())
    assert refusal(shelf)[1] == "file_not_stored"
    session.rollback()


def test_a_policy_stays_within_its_bounds():
    assert read_file_policy({}) == FilePolicy(20, 5120)
    assert read_file_policy({"files": {"max_mb": 50, "quota_mb": 100}}) == FilePolicy(50, 100)
    for wrong in (0, 101, -1, "7", True, 1.5, None):
        assert read_file_policy({"files": {"max_mb": wrong}}).max_mb == 20
    assert read_file_policy({"files": "x"}) == FilePolicy()


def test_own_loose_files_are_listed_in_the_order_asked_for(shelf, session, actor_of):
    mine, other = [shelf.keep(), shelf.keep()], shelf.keep("alice")
    wanted = [mine[1].id, other.id, uuid4(), mine[0].id]
    assert [file.id for file in list_loose(session, wanted, actor=actor_of("bob"))] == [mine[1].id, mine[0].id]
    assert list_loose(session, [], actor=actor_of("bob")) == []


def test_a_loose_file_is_taken_back_by_its_sender_only_and_once(shelf, session, actor_of, now):
    file = shelf.keep()
    for who in ("alice", "charlie", "sam"):
        with pytest.raises(NotFound):
            drop_loose_file(session, file.id, actor=actor_of(who), now=now)
    drop_loose_file(session, file.id, actor=actor_of("bob"), now=now)
    kinds = session.scalars(
        select(OutboxEvent.kind).where(OutboxEvent.record_id == file.id).order_by(OutboxEvent.seq)
    ).all()
    assert kinds == ["attachment.uploaded", "attachment.removed"]
    with pytest.raises(NotFound):
        drop_loose_file(session, file.id, actor=actor_of("bob"), now=now)


def test_what_no_message_took_along_goes(shelf, session, now):
    before = used_bytes(session)
    file = shelf.keep()
    assert drop_if_loose(session, file.id, now=now + LOOSE_FOR)
    assert drop_if_loose(session, file.id, now=now + LOOSE_FOR + timedelta(hours=1))
    assert file.removed_at == now + LOOSE_FOR
    assert used_bytes(session) == before
    assert not drop_if_loose(session, uuid4(), now=now)


def test_bytes_go_only_with_their_row(sessions, world, place, actor_of):
    with sessions.begin(world.demo) as session:
        file = keep_file(session, upload(), place=place, actor=actor_of("bob"), now=utcnow())
    delete_stored(sessions, world.demo, file.id, storage=place.storage)
    assert b"".join(place.storage.read(file.storage_key)) == TEXT
    with sessions.begin(world.demo) as session:
        drop_if_loose(session, file.id, now=utcnow())
    for _ in range(2):
        delete_stored(sessions, world.demo, file.id, storage=place.storage)
    with pytest.raises(FileGone):
        place.storage.read(file.storage_key)


def test_thirty_at_once_for_the_last_room(sessions, world, place, actor_of, monkeypatch):
    monkeypatch.setattr(uploading, "LOOSE_FILES", 1000)
    size, fits = 64 * 1024, 7
    with sessions.begin(world.demo) as session:
        taken = used_bytes(session)
    quota = taken + fits * size + size // 2
    monkeypatch.setattr(uploading, "load_file_policy", lambda _: replace(FilePolicy(), quota_mb=quota / (1024 * 1024)))

    def send(_):
        with sessions.begin(world.demo) as session:
            content = bytes([65]) * size
            keep_file(session, upload(content=content), place=place, actor=actor_of("bob"), now=utcnow())

    results = at_once(30, send)
    outcomes = ["kept" if result is None else only_error(result)[1] for result in results]
    assert outcomes.count("kept") == fits
    assert outcomes.count("file_quota") == 30 - fits
    with sessions.begin(world.demo) as session:
        assert used_bytes(session) == taken + fits * size
        rows = session.scalars(select(Attachment).where(Attachment.ticket_id.is_(None), Attachment.size == size)).all()
        for row in rows:
            drop_if_loose(session, row.id, now=utcnow())
        assert used_bytes(session) == taken


def test_another_tenant_counts_for_itself(sessions, world, place, now):
    with sessions.begin(world.nova) as session:
        before = used_bytes(session)
    with sessions.begin(world.demo) as session:
        session.execute(delete(StorageUse))
        keep_file(session, upload(), place=place, actor=system_like(world), now=now)
        assert used_bytes(session) == len(TEXT)
    with sessions.begin(world.nova) as session:
        assert used_bytes(session) == before


def system_like(world):
    return replace(system_actor(world.demo), user_id=world.people["bob"].user_id)
