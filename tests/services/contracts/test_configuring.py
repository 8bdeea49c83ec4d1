"""How contracts are signed, as a tenant decides it: versions of the consent, the reminders of those that wait."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.authz import system_actor
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, NextStep, OutboxEvent, Tenant
from portal.services.contracts.advancing import advance_contract
from portal.services.contracts.configuring import (
    SigningForm,
    get_signing,
    list_signing_versions,
    restore_signing,
    save_signing,
)
from portal.services.signing.consent import CONSENT_VERSION, load_consent
from portal.services.signing.evidence import describe_signatures
from portal.services.signing.queries import list_signatures
from portal.workflows.triggers import CONTRACT, TRIGGERS
from tests.contracts import send_new, sign_as
from tests.together import at_once, codes_of

OWN = "I agree for {party}, 100% and %(party)s."
USUAL = ("P3D", "P7D")


@pytest.fixture
def bill(actor_of):
    return actor_of("bill")


def save(session, bill, now, *, in_order=True, reminders=USUAL, consent=None):
    return save_signing(session, SigningForm(in_order, reminders, consent or {}), actor=bill, now=now)


def place_on(session, contract):
    return list_signatures(session, "contract", contract.id)[0]


def test_other_words_are_another_version_and_the_evidence_keeps_which(session, world, storage, bill, now):
    standard = send_new(session, world, storage, now=now)
    sign_as(session, world, standard, "alice", storage, now=now)
    first = save(session, bill, now, consent={"en": OWN})
    own = send_new(session, world, storage, now=now)
    sign_as(session, world, own, "alice", storage, now=now)
    second = save(session, bill, now, consent={"en": "Agreed."})
    third = save(session, bill, now, in_order=False, consent={"en": "Agreed."})
    assert (second.consent_version, third.consent_version) == (first.consent_version + 1,) * 2
    kept = [place_on(session, one) for one in (standard, own)]
    assert [place.consent_version for place in kept] == [CONSENT_VERSION, str(first.consent_version)]
    assert kept[1].consent_text == "I agree for Acme, 100% and %(party)s."
    [entry] = describe_signatures(list_signatures(session, "contract", own.id))
    assert (entry["consent_version"], entry["consent_text"]) == (kept[1].consent_version, kept[1].consent_text)
    save(session, bill, now)
    assert load_consent(session, "Acme", "en").version == CONSENT_VERSION


def test_who_read_other_words_does_not_sign(session, world, storage, bill, now):
    contract = send_new(session, world, storage, now=now)
    read = load_consent(session, "Acme", "en").version
    now_holds = str(save(session, bill, now, consent={"en": OWN}).consent_version)
    with pytest.raises(Conflict, match="consent_changed"):
        sign_as(session, world, contract, "alice", storage, now=now, consent_version=read)
    assert place_on(session, contract).consent_version == ""
    sign_as(session, world, contract, "alice", storage, now=now, consent_version=now_holds)
    assert place_on(session, contract).consent_version == now_holds


def test_other_languages_read_the_main_ones_words(session, bill, now):
    save(session, bill, now, consent={"en": "In English.", "fr": "En français, {party}."})
    assert load_consent(session, "Acme", "fr").text == "En français, Acme."
    assert load_consent(session, "Acme", "de").text == "In English."


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"consent": {"fr": "Sans l’anglais"}}, "consent_en", "required"),
        ({"consent": {"en": "x" * 1001}}, "consent_en", "too_long"),
        ({"consent": {"en": "bell \x07"}}, "consent_en", "characters_forbidden"),
        ({"consent": {"en": "x", "xx": "y"}}, "consent_xx", "unknown_choice"),
        ({"reminders": ("soon",)}, "reminders", "reminder_invalid"),
        ({"reminders": ("-P1D",)}, "reminders", "reminder_invalid"),
        ({"reminders": ("PT0S",)}, "reminders", "reminder_invalid"),
        ({"reminders": ("P367D",)}, "reminders", "reminder_invalid"),
        ({"reminders": tuple(f"P{day}D" for day in range(1, 14))}, "reminders", "too_many"),
    ],
)
def test_what_makes_no_sense_is_refused(session, bill, now, more, field, code):
    before = get_signing(session, actor=bill)
    with pytest.raises(Invalid) as refused:
        save(session, bill, now, **more)
    assert (field, code) in {(error.field, error.code) for error in refused.value.errors}
    assert get_signing(session, actor=bill) == before


def test_contracts_that_wait_follow_the_new_reminders(session, world, storage, bill, now):
    day = timedelta(days=1)
    contract = send_new(session, world, storage, now=now - 2 * day)
    save(session, bill, now, reminders=("P1D", "P5D", "PT49H"))
    session.refresh(contract)
    coming = select(NextStep.at).where(NextStep.record_id == contract.id).order_by(NextStep.at)
    assert session.scalars(coming).all() == [now + timedelta(hours=1), now + 3 * day]
    told = select(OutboxEvent.kind).where(OutboxEvent.record_id == contract.id)
    assert session.scalars(told).all().count("contract.replanned") == 1
    assert TRIGGERS["contract", "contract.replanned"] == (CONTRACT,)
    # What would have come by now is passed over, what comes next comes once.
    assert advance_contract(session, contract.id, now=now).at == now + timedelta(hours=1)
    assert contract.reminders == 1
    for _ in range(2):
        assert advance_contract(session, contract.id, now=now + timedelta(hours=1)).at == now + 3 * day
    assert contract.reminders == 2
    save(session, bill, now, reminders=())
    assert advance_contract(session, contract.id, now=now + 9 * day).at is None
    assert session.scalars(coming).all() == []


def test_each_saving_is_a_version_and_there_is_a_way_back(session, world, bill, now):
    save(session, bill, now, in_order=False, consent={"en": OWN})
    known = list_signing_versions(session, actor=bill)
    save(session, bill, now, in_order=False, consent={"en": OWN})
    assert len(list_signing_versions(session, actor=bill)) == len(known), "nothing has changed"
    save(session, bill, now, reminders=("P1D",))
    back = restore_signing(session, known[0].version, actor=bill, now=now)
    assert (back.in_order, dict(back.consent), back.reminders) == (
        False, {"en": OWN}, (timedelta(days=3), timedelta(days=7)))  # fmt: skip
    assert len(list_signing_versions(session, actor=bill)) == len(known) + 2
    trail = select(AuditEntry).where(AuditEntry.action == "tenant.signing_changed").order_by(AuditEntry.seq.desc())
    entry = session.scalars(trail.limit(1)).one()
    assert (entry.before["reminders"], entry.after["consent"]) == (["P1D"], {"en": OWN})
    with pytest.raises(NotFound):
        restore_signing(session, 10**6, actor=bill, now=now)


def test_what_else_the_settings_say_stays(session, world, bill, now):
    tenant = session.get_one(Tenant, world.demo)
    tenant.settings = {**tenant.settings, "signing": {"step_up": True, "expiring_before": "P9D"}, "other": 1}
    session.flush()
    policy = save(session, bill, now, in_order=False)
    assert (policy.step_up, policy.expiring_before) == (True, timedelta(days=9))
    assert (get_signing(session, actor=bill), tenant.settings["other"]) == (policy, 1)


@pytest.mark.parametrize("who", ["sam", "mia", "dora", "alice"])
def test_others_change_nothing(session, actor_of, now, who):
    actor = actor_of(who)
    for call in (
        lambda: get_signing(session, actor=actor),
        lambda: save(session, actor, now),
        lambda: list_signing_versions(session, actor=actor),
        lambda: restore_signing(session, 1, actor=actor, now=now),
    ):
        with pytest.raises(Forbidden):
            call()


def test_another_tenant_keeps_its_own(sessions, world, bill, now):
    with sessions.begin(world.demo) as session:
        save(session, bill, now, consent={"en": "Of demo alone"})
    with sessions.begin(world.nova) as session:
        assert "demo" not in load_consent(session, "Nova", "en").text
    with sessions.begin(world.demo) as session:
        save(session, bill, now)


def test_thirty_at_once_count_each_change_once(sessions, world, now):
    system = system_actor(world.demo)
    with sessions.begin(world.demo) as session:
        before = save(session, system, now).consent_version

    def change(place):
        with sessions.begin(world.demo) as session:
            save(session, system, now, consent={"en": f"Words {place}"})

    assert codes_of(at_once(30, change)) == ["ok"] * 30
    with sessions.begin(world.demo) as session:
        assert get_signing(session, actor=system).consent_version == before + 30
        versions = [one.version for one in list_signing_versions(session, actor=system)]
        assert len(set(versions)) == len(versions)
        save(session, system, now)
