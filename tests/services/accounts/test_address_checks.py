"""The team looks at addresses and notes which are right (ACC-04)."""

import pytest
from sqlalchemy import select

from portal.errors import Forbidden, NotFound
from portal.models import AuditEntry
from portal.services.accounts.address_checks import list_addresses_of, verify_address
from portal.services.accounts.addresses import AddressText, add_address, change_address
from portal.services.accounts.profile import get_profile, own_person_id

LYON = AddressText("12 rue de la République", "Lyon", "69001", "FR")


@pytest.fixture
def theirs(session, now, actor_of, world):
    """bob's own address and Acme's."""
    own = add_address(session, LYON, actor=actor_of("bob"), now=now)
    company = add_address(session, LYON, company_id=world.companies["acme"], actor=actor_of("alice"), now=now)
    add_address(session, LYON, actor=actor_of("charlie"), now=now)
    session.flush()
    return own, company


def test_a_contact_s_and_their_company_s(session, actor_of, theirs):
    found = list_addresses_of(session, own_person_id(session, actor_of("bob")), actor=actor_of("sam"))
    assert [row.id for row in found] == [row.id for row in theirs]


def test_a_verified_one_is_a_badge_in_the_profile(session, now, actor_of, theirs):
    bob, mia = actor_of("bob"), actor_of("mia")
    assert not get_profile(session, actor=bob).address_verified
    for _ in range(2):
        verify_address(session, theirs[0].id, actor=mia, now=now)
    assert get_profile(session, actor=bob).address_verified
    told = session.scalars(select(AuditEntry).where(AuditEntry.action == "address.verified")).all()
    assert [(row.record_id, row.actor_id) for row in told] == [(theirs[0].id, mia.user_id)]
    # Whoever moves has to be verified anew.
    change_address(session, theirs[0].id, AddressText("Rue 2", "Lyon", "69002", "FR"), actor=bob, now=now)
    session.flush()
    assert not get_profile(session, actor=bob).address_verified


@pytest.mark.parametrize("who", ["sam", "bill", "bob", "alice"])
def test_only_who_may_change_customers_says_so(session, now, actor_of, theirs, who):
    with pytest.raises(Forbidden):
        verify_address(session, theirs[0].id, actor=actor_of(who), now=now)


def test_customers_do_not_look_that_way(session, actor_of, theirs):
    with pytest.raises(Forbidden):
        list_addresses_of(session, own_person_id(session, actor_of("bob")), actor=actor_of("bob"))


def test_nothing_leaves_its_tenant(session, sessions, now, actor_of, theirs, world):
    person_id = own_person_id(session, actor_of("bob"))
    with sessions.begin(world.nova) as elsewhere:
        with pytest.raises(NotFound):
            list_addresses_of(elsewhere, person_id, actor=actor_of("noor"))
        with pytest.raises(NotFound):
            verify_address(elsewhere, theirs[0].id, actor=actor_of("noor"), now=now)
