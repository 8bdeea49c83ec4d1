"""Sealed documents: made once, whatever is repeated; a flipped byte and a changed row are each found."""

import hashlib
import io
import json

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select, text

from portal.errors import Conflict, NotFound
from portal.integrations.seal import PadesSeal
from portal.integrations.seal_check import own_certificates, validate
from portal.models import OutboxEvent, SealedDocument
from portal.services.contracts.document import read_document
from portal.services.sealing.checking import check_code, find_sealed, read_sealed
from portal.services.sealing.making import raise_level, seal_record
from tests.contracts import send_new, sign_as, tools_for
from tests.sealing import Authority
from tests.services.contracts.test_contracts import drawing
from tests.together import at_once


@pytest.fixture
def signed(sessions, world, storage, now):
    with sessions.begin(world.demo) as session:
        contract = send_new(session, world, storage, "mia", "alice", now=now, in_order=True)
        sign_as(session, world, contract, "mia", storage, now=now)
        return sign_as(session, world, contract, "alice", storage, now=now, drawing=drawing())


def seal(sessions, world, contract, tools, now):
    seal_record(sessions, world.demo, "contract", contract.id, tools=tools, now=now)
    with sessions.begin(world.demo) as session:
        return find_sealed(session, "contract", contract.id)


def check(sessions, world, settings, row, storage):
    with sessions.begin(world.demo) as session:
        return check_code(session, row.code, storage=storage, certificates=own_certificates(settings))


def test_the_sealed_file_holds_the_document_and_who_signed_it(sessions, world, settings, storage, signed, now):
    row = seal(sessions, world, signed, tools_for(settings, storage), now)
    content = read_sealed(row, storage)
    assert content.startswith(read_document(signed, storage=storage))
    found = validate(content, own_certificates(settings))
    assert found.sound
    assert json.loads(found.record) == row.evidence
    assert hashlib.sha256(content).digest() == row.sealed_sha256
    words = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    for told in ("Alice Moreau", "Mia Lindqvist", "203.0.113.7", "Firefox/140", "Password, Second factor", row.code,
                 signed.content_sha256.hex(), "2026-1"):  # fmt: skip
        assert told in words, told
    checked = check(sessions, world, settings, row, storage)
    assert checked.faults == ()
    assert checked.names == ("Mia Lindqvist", "Alice Moreau")


def test_what_is_not_signed_by_all_is_not_sealed(sessions, world, settings, storage, now):
    with sessions.begin(world.demo) as session:
        contract = send_new(session, world, storage, "mia", "alice", now=now)
        sign_as(session, world, contract, "alice", storage, now=now)
    with pytest.raises(Conflict, match="not_signed"):
        seal(sessions, world, contract, tools_for(settings, storage), now)
    with sessions.begin(world.demo) as session, pytest.raises(Conflict, match="seal_pending"):
        find_sealed(session, "contract", contract.id)


def test_ten_attempts_at_once_make_one_file_and_tell_once(sessions, world, settings, storage, signed, now):
    tools = tools_for(settings, storage)
    at_once(10, lambda _: seal_record(sessions, world.demo, "contract", signed.id, tools=tools, now=now))
    row = seal(sessions, world, signed, tools, now)
    assert check(sessions, world, settings, row, storage).faults == ()
    with sessions.begin(world.demo) as session:
        told = select(func.count()).where(OutboxEvent.record_id == signed.id, OutboxEvent.kind == "contract.sealed")
        assert session.scalar(told) == 1
        assert session.scalar(select(func.count()).where(SealedDocument.record_id == signed.id)) == 1


class Dies(Exception):
    """The process is gone."""


def test_death_after_storing_leaves_the_same_code_and_one_file(
    sessions, world, settings, storage, signed, now, monkeypatch
):
    def die(point):
        raise Dies(point)

    monkeypatch.setattr("portal.services.sealing.making.crash_point", die)
    tools = tools_for(settings, storage)
    with pytest.raises(Dies):
        seal(sessions, world, signed, tools, now)
    with sessions.begin(world.demo) as session:
        before = session.scalars(select(SealedDocument.code).where(SealedDocument.record_id == signed.id)).one()
    monkeypatch.undo()
    row = seal(sessions, world, signed, tools, now)
    assert row.code == before
    assert check(sessions, world, settings, row, storage).faults == ()


def test_a_changed_file_and_a_changed_row_are_each_found(sessions, world, settings, storage, signed, now, root):
    row = seal(sessions, world, signed, tools_for(settings, storage), now)

    def tamper(statement, **values):
        # Whoever owns the tables can do it; the trigger keeps everybody else from it.
        with root.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text(statement), {"id": row.id, "record": signed.id, **values})
        return check(sessions, world, settings, row, storage).faults

    whole = read_sealed(row, storage)
    name = "UPDATE signatures SET signer_name = :name WHERE record_id = :record AND side = 'customer'"
    assert tamper(name, name="Eve") == ("signatures_changed",)
    assert tamper(name, name="Alice Moreau") == ()
    evidence = "UPDATE sealed_documents SET evidence = jsonb_set(evidence, '{title}', to_jsonb(cast(:title AS text))) "
    assert tamper(evidence + "WHERE id = :id", title="Another") == ("record_changed",)
    assert tamper(evidence + "WHERE id = :id", title="Service agreement") == ()
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 1
    storage.put(row.storage_key, io.BytesIO(bytes(flipped)))
    assert "file_changed" in check(sessions, world, settings, row, storage).faults
    with pytest.raises(Conflict, match="document_damaged"):
        read_sealed(row, storage)
    # A changed file and a row that was made to fit it: the seal within still says no.
    digest = hashlib.sha256(bytes(flipped)).digest()
    fits = "UPDATE sealed_documents SET sealed_sha256 = :digest WHERE id = :id"
    assert "file_changed" in tamper(fits, digest=digest)
    storage.delete([row.storage_key])
    assert check(sessions, world, settings, row, storage).faults == ("file_gone",)


def test_the_level_rises_once_the_authority_is_back(sessions, world, settings, storage, signed, now):
    authority = Authority()
    authority.away = True
    tools = tools_for(settings, storage, PadesSeal(settings, authority))
    first = seal(sessions, world, signed, tools, now)
    assert first.level == "B-B"
    assert raise_level(sessions, world.demo, "contract", signed.id, tools=tools, now=now) == "B-B"
    authority.away = False
    for _ in range(2):
        assert raise_level(sessions, world.demo, "contract", signed.id, tools=tools, now=now) == "B-T"
    with sessions.begin(world.demo) as session:
        row = find_sealed(session, "contract", signed.id)
    checked = check(sessions, world, settings, row, storage)
    assert checked.faults == ()
    assert checked.level == "B-T"
    # Whoever took the file before can still have it checked.
    assert first.sealed_sha256.hex() in checked.sealed_sha256


def test_a_code_of_another_tenant_is_unknown(sessions, world, settings, storage, signed, now):
    row = seal(sessions, world, signed, tools_for(settings, storage), now)
    with sessions.begin(world.nova) as session, pytest.raises(NotFound):
        check_code(session, row.code, storage=storage, certificates=own_certificates(settings))
