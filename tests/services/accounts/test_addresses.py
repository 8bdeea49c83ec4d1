"""Postal addresses: a primary one and others, of a person and of a company (ACC-02)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import Address, AuditEntry
from portal.services.accounts.addresses import (
    MAX_ADDRESSES,
    AddressText,
    add_address,
    change_address,
    delete_address,
    get_address,
    list_addresses,
    make_primary,
)

LYON = AddressText("12 rue de la République", "Lyon", "69001", "FR", "Office", "Second floor")
GRAZ = AddressText("Hauptplatz 1", "Graz", "8010", "AT")


@pytest.fixture
def three(session, now, actor_of):
    """Three addresses of bob's, the first of them primary."""
    return [
        add_address(session, replace(LYON, label=label), actor=actor_of("bob"), now=now + timedelta(minutes=at)).id
        for at, label in enumerate(("first", "second", "third"))
    ]


def labels(session, actor, company_id=None):
    return [row.label for row in list_addresses(session, company_id=company_id, actor=actor)]


def test_the_first_is_the_primary_one(session, now, actor_of, three):
    rows = list_addresses(session, actor=actor_of("bob"))
    assert [(row.label, row.is_primary) for row in rows] == [("first", True), ("second", False), ("third", False)]
    assert (rows[0].street, rows[0].landmark, rows[0].country) == (LYON.street, "Second floor", "FR")


def test_another_can_be_made_primary(session, now, actor_of, three):
    make_primary(session, three[2], actor=actor_of("bob"), now=now)
    make_primary(session, three[2], actor=actor_of("bob"), now=now)
    assert labels(session, actor_of("bob")) == ["third", "first", "second"]


def test_the_oldest_other_inherits(session, now, actor_of, three):
    make_primary(session, three[1], actor=actor_of("bob"), now=now)
    delete_address(session, three[1], actor=actor_of("bob"), now=now)
    rows = list_addresses(session, actor=actor_of("bob"))
    assert [(row.label, row.is_primary) for row in rows] == [("first", True), ("third", False)]
    for row in rows:
        delete_address(session, row.id, actor=actor_of("bob"), now=now)
    assert labels(session, actor_of("bob")) == []


def test_a_changed_place_has_to_be_verified_again(session, now, actor_of, three):
    address = session.get_one(Address, three[0])
    address.verified_at = now
    session.flush()
    change_address(session, three[0], replace(LYON, label="Renamed"), actor=actor_of("bob"), now=now)
    assert address.verified_at == now
    change_address(session, three[0], replace(LYON, postal_code="69002"), actor=actor_of("bob"), now=now)
    assert address.verified_at is None


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"street": " "}, {"street": "required"}),
        ({"city": "", "postal_code": ""}, {"city": "required", "postal_code": "required"}),
        ({"country": "UK"}, {"country": "unknown_choice"}),
        ({"country": ""}, {"country": "required"}),
        ({"landmark": "x" * 161}, {"landmark": "too_long"}),
        ({"street": "a\x00"}, {"street": "characters_forbidden"}),
    ],
)
def test_what_is_no_address(session, now, actor_of, fields, wrong):
    with pytest.raises(Invalid) as refused:
        add_address(session, replace(LYON, **fields), actor=actor_of("bob"), now=now)
    assert {error.field: error.code for error in refused.value.errors} == wrong


def test_there_is_an_end(session, now, actor_of):
    for _ in range(MAX_ADDRESSES):
        add_address(session, GRAZ, actor=actor_of("bob"), now=now)
    with pytest.raises(Conflict) as refused:
        add_address(session, GRAZ, actor=actor_of("bob"), now=now)
    assert refused.value.code == "addresses_full"


@pytest.mark.parametrize("who", ["alice", "charlie", "sam"])
def test_addresses_of_others_are_not_found(session, now, actor_of, three, who):
    for act in (
        lambda actor: get_address(session, three[0], actor=actor),
        lambda actor: change_address(session, three[0], GRAZ, actor=actor, now=now),
        lambda actor: delete_address(session, three[0], actor=actor, now=now),
        lambda actor: make_primary(session, three[1], actor=actor, now=now),
    ):
        with pytest.raises(NotFound):
            act(actor_of(who))
    assert labels(session, actor_of("bob")) == ["first", "second", "third"]
    assert labels(session, actor_of(who)) == []


def test_a_company_s_are_kept_by_its_administrators_and_read_by_its_people(session, now, actor_of, world):
    acme = world.companies["acme"]
    added = add_address(session, GRAZ, company_id=acme, actor=actor_of("alice"), now=now)
    assert added.is_primary
    assert [row.city for row in list_addresses(session, company_id=acme, actor=actor_of("bob"))] == ["Graz"]
    # Not among anybody's own.
    assert list_addresses(session, actor=actor_of("alice")) == []
    with pytest.raises(Forbidden):
        add_address(session, LYON, company_id=acme, actor=actor_of("bob"), now=now)
    with pytest.raises(Forbidden):
        delete_address(session, added.id, company_id=acme, actor=actor_of("bob"), now=now)
    for who in ("charlie", "nia"):
        with pytest.raises(NotFound):
            list_addresses(session, company_id=acme, actor=actor_of(who))
        with pytest.raises(NotFound):
            change_address(session, added.id, LYON, company_id=acme, actor=actor_of(who), now=now)
    # A company's address is not reached as one's own, nor as another company's.
    with pytest.raises(NotFound):
        get_address(session, added.id, actor=actor_of("alice"))
    with pytest.raises(NotFound):
        get_address(session, added.id, company_id=world.companies["globex"], actor=actor_of("charlie"))


def test_an_auditor_sees_whose_but_not_where(session, now, actor_of, three):
    delete_address(session, three[0], actor=actor_of("bob"), now=now)
    entries = list(session.scalars(select(AuditEntry).where(AuditEntry.record_type == "address")))
    assert {entry.action for entry in entries} == {"address.added", "address.deleted"}
    assert all(entry.after == {"owner": "person", "country": "FR"} for entry in entries)
