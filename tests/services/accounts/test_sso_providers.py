"""Identity providers and their domains as staff configure them."""

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.errors import Forbidden, Invalid, NotFound
from portal.integrations.oidc import OidcProviders
from portal.integrations.oidc_claims import Demand
from portal.lib.vault import Vault
from portal.models import AuditEntry, EmailDomain, ExternalIdentity, IdentityProvider, NextStep, OutboxEvent
from portal.services.accounts.sso.domains import (
    MAX_DOMAINS,
    check_domain_again,
    claim_domain,
    get_domain,
    list_domains,
    next_looks,
    remove_domain,
)
from portal.services.accounts.sso.flow import demand_of
from portal.services.accounts.sso.links import list_links, remove_link
from portal.services.accounts.sso.providers import (
    ProviderForm,
    get_provider,
    list_providers,
    remove_provider,
    save_provider,
)

VAULT, OIDC = Vault(["a secret of these tests, long enough to be one"]), OidcProviders(allow_loopback=False)
FORM = ProviderForm("Acme sign-in", "https://login.acme.example", "portal", "s3cret", enabled=True)


@pytest.fixture
def ada(actor_of):
    return actor_of("ada")


@pytest.fixture
def save(session, ada, now):
    def run(provider_id=None, form=FORM, actor=ada):
        values = {"form": form, "oidc": OIDC, "vault": VAULT, "actor": actor, "now": now}
        provider = save_provider(session, provider_id, **values)
        session.flush()
        return provider

    return run


@pytest.fixture
def link(session, world, now):
    def make(provider, name="bob", used=True):
        row = ExternalIdentity(
            id=uuid4(),
            user_id=world.people[name].user_id,
            provider_id=provider.id,
            subject=f"subject of {name}",
            last_used_at=now if used else None,
        )
        session.add(row)
        session.flush()
        return row

    return make


def codes(caught):
    return {error.field: error.code for error in caught.value.errors}


def entries(session, record_id):
    return session.scalars(select(AuditEntry).where(AuditEntry.record_id == record_id).order_by(AuditEntry.seq)).all()


def test_a_provider_is_made_and_its_secret_kept_sealed(save, session, ada):
    provider = save()
    assert b"s3cret" not in provider.client_secret
    assert VAULT.decrypt(provider.client_secret) == b"s3cret"
    (entry,) = entries(session, provider.id)
    assert (entry.action, entry.after["issuer"]) == ("identity_provider.saved", FORM.issuer)
    assert "s3cret" not in str(entry.after)
    assert [row.id for row in list_providers(session, actor=ada)] == [provider.id]


def test_an_empty_secret_keeps_the_stored_one(save, session):
    provider = save()
    save(provider.id, replace(FORM, name="Renamed", client_secret=" "))
    assert VAULT.decrypt(provider.client_secret) == b"s3cret"
    assert [entry.after["secret_changed"] for entry in entries(session, provider.id)] == [True, False]
    assert entries(session, provider.id)[1].before["name"] == "Acme sign-in"


@pytest.mark.parametrize("moved", [{"issuer": "https://other.example"}, {"client_id": "other"}], ids=str)
def test_another_issuer_or_client_needs_its_own_secret_and_knows_nobody(save, session, link, moved):
    """Else whoever may configure could have the stored secret sent to a server of theirs."""
    provider = save()
    link(provider)
    with pytest.raises(Invalid) as caught:
        save(provider.id, replace(FORM, client_secret="", **moved))
    assert codes(caught) == {"client_secret": "required"}
    save(provider.id, replace(FORM, client_secret="its own", **moved))
    assert session.scalars(select(ExternalIdentity)).all() == []


def test_another_audience_knows_nobody_either(save, session, link):
    provider = save()
    link(provider)
    save(provider.id, replace(FORM, audience="staff"))
    assert session.scalars(select(ExternalIdentity)).all() == []


def test_what_stays_the_same_keeps_its_links(save, session, link):
    provider = save()
    link(provider)
    save(provider.id, replace(FORM, name="Renamed", client_secret="new"))
    assert len(session.scalars(select(ExternalIdentity)).all()) == 1


BAD = {
    "nothing": (
        ProviderForm("", " ", ""),
        {"name": "required", "issuer": "required", "client_id": "required", "client_secret": "required"},
    ),
    "too long": (
        ProviderForm("x" * 61, "https://" + "x" * 255, "x" * 256, "x" * 1025),
        {"name": "too_long", "issuer": "too_long", "client_id": "too_long", "client_secret": "too_long"},
    ),
    "not to be stored": (replace(FORM, name="a\x00", client_id="\ud800", client_secret="\x07"), None),
    "plain": (replace(FORM, issuer="http://login.acme.example"), {"issuer": "issuer_unacceptable"}),
    "this machine": (replace(FORM, issuer="http://127.0.0.1"), {"issuer": "issuer_unacceptable"}),
    "unreadable": (replace(FORM, issuer="https://[::1"), {"issuer": "issuer_unacceptable"}),
    "who": (replace(FORM, audience="everybody"), {"audience": "unknown_choice"}),
    "no company": (replace(FORM, company_id=uuid4()), {"company_id": "unknown_choice"}),
    "untried": (replace(FORM, required=True), {"required": "sso_untried"}),
}


@pytest.mark.parametrize(("form", "expected"), BAD.values(), ids=BAD)
def test_what_is_refused(save, session, form, expected):
    with pytest.raises(Invalid) as caught:
        save(form=form)
    stored = {"name": "characters_forbidden", "client_id": "characters_forbidden"}
    assert codes(caught) == (expected or stored | {"client_secret": "characters_forbidden"})
    assert session.scalars(select(IdentityProvider)).all() == []


def test_a_company_of_another_tenant(save, world):
    with pytest.raises(Invalid) as caught:
        save(form=replace(FORM, company_id=world.companies["ofuq"]))
    assert codes(caught) == {"company_id": "unknown_choice"}


def test_staff_belong_to_no_company(save, world):
    assert save(form=replace(FORM, audience="staff", company_id=world.companies["acme"])).company_id is None


def test_the_only_way_in_has_to_have_worked(save, link):
    provider = save()
    unused = link(provider, used=False)
    for form in (FORM, replace(FORM, client_id="other", client_secret="x")):
        with pytest.raises(Invalid) as caught:
            save(provider.id, replace(form, required=True))
        assert codes(caught) == {"required": "sso_untried"}
    unused.last_used_at = provider.created_at
    save(provider.id, replace(FORM, required=True))
    assert provider.required
    # It stays so, whatever else is changed.
    save(provider.id, replace(FORM, name="Renamed", required=True))


def test_a_removed_provider_takes_everything_along(save, session, link, ada, now):
    provider = save()
    link(provider)
    domain_id = claim_domain(session, provider.id, "acme.example", actor=ada, now=now)
    remove_provider(session, provider.id, actor=ada, now=now)
    session.flush()
    for table in (IdentityProvider, EmailDomain, ExternalIdentity):
        assert session.scalars(select(table)).all() == []
    assert entries(session, provider.id)[-1].action == "identity_provider.removed"
    assert entries(session, domain_id)[-1].action == "email_domain.removed"


@pytest.mark.parametrize("name", ["sam", "mia", "dora", "alice"])
def test_only_who_may(save, session, actor_of, now, name):
    provider, actor = save(), actor_of(name)
    domain_id = claim_domain(session, provider.id, "acme.example", actor=actor_of("ada"), now=now)
    when = {"actor": actor, "now": now}
    for call in (
        lambda: list_providers(session, actor=actor),
        lambda: get_provider(session, provider.id, actor=actor),
        lambda: save(None, FORM, actor),
        lambda: save(provider.id, FORM, actor),
        lambda: remove_provider(session, provider.id, **when),
        lambda: list_domains(session, [provider.id], actor=actor),
        lambda: get_domain(session, domain_id, actor=actor),
        lambda: next_looks(session, [domain_id], actor=actor),
        lambda: claim_domain(session, provider.id, "x.example", **when),
        lambda: check_domain_again(session, domain_id, **when),
        lambda: remove_domain(session, domain_id, **when),
        lambda: list_links(session, provider.id, actor=actor),
        lambda: remove_link(session, uuid4(), **when),
    ):
        with pytest.raises(Forbidden):
            call()


def test_another_tenant_s_are_not_there(save, session, actor_of, sessions, world, now, ada):
    provider = save()
    domain_id = claim_domain(session, provider.id, "acme.example", actor=ada, now=now)
    noor = actor_of("noor")
    with sessions.begin(world.nova) as foreign:
        when = {"actor": noor, "now": now}
        assert list_providers(foreign, actor=noor) == []
        assert list_domains(foreign, [provider.id], actor=noor) == []
        values = {"form": FORM, "oidc": OIDC, "vault": VAULT, **when}
        for call in (
            lambda: get_provider(foreign, provider.id, actor=noor),
            lambda: save_provider(foreign, provider.id, **values),
            lambda: remove_provider(foreign, provider.id, **when),
            lambda: claim_domain(foreign, provider.id, "x.example", **when),
            lambda: check_domain_again(foreign, domain_id, **when),
            lambda: remove_domain(foreign, domain_id, **when),
        ):
            with pytest.raises(NotFound):
                call()


DOMAINS = {
    " Acme.Example. ": "acme.example",
    "@acme.example": "acme.example",
    "München.de": "xn--mnchen-3ya.de",
    "a-b.co.uk": "a-b.co.uk",
}


@pytest.mark.parametrize(("typed", "kept"), DOMAINS.items())
def test_a_claimed_domain(save, session, ada, now, typed, kept):
    provider = save()
    row = get_domain(session, claim_domain(session, provider.id, typed, actor=ada, now=now), actor=ada)
    assert (row.domain, row.verified_at, row.provider_id) == (kept, None, provider.id)
    assert row.proof.startswith("portico-verification=")
    assert len(row.proof) > 50
    events = select(OutboxEvent.kind).where(OutboxEvent.record_id == row.id)
    assert session.scalars(events).all() == ["email_domain.claimed"]


NO_DOMAINS = ["", "x", "acme", "acme..example", "-a.example", "a_b.example", "1.2.3.4", "a b.example", "a@b.example",
              "acme.example/x", "\x00.example", "\ud800.example", "x" * 64 + ".example", "a." * 130 + "example",
              "[::1]", "*.example.com"]  # fmt: skip


@pytest.mark.parametrize("typed", NO_DOMAINS, ids=repr)
def test_what_is_no_domain(save, session, ada, now, typed):
    with pytest.raises(Invalid) as caught:
        claim_domain(session, save().id, typed, actor=ada, now=now)
    assert codes(caught) == {"domain": "domain_invalid"}


def test_anybody_s_domain_is_nobody_s(save, session, ada, now):
    with pytest.raises(Invalid) as caught:
        claim_domain(session, save().id, "GMail.com", actor=ada, now=now)
    assert codes(caught) == {"domain": "domain_public"}


def test_a_domain_is_claimed_once_in_a_tenant(save, session, ada, now):
    one, two = save(), save(form=replace(FORM, name="Other"))
    claim_domain(session, one.id, "acme.example", actor=ada, now=now)
    for provider in (one, two):
        with pytest.raises(Invalid) as caught:
            claim_domain(session, provider.id, "ACME.example", actor=ada, now=now)
        assert codes(caught) == {"domain": "domain_taken"}


def test_a_provider_speaks_for_so_many_and_no_more(save, session, ada, now):
    one, two = save(), save(form=replace(FORM, name="Other"))
    for number in range(MAX_DOMAINS):
        claim_domain(session, one.id, f"d{number}.example", actor=ada, now=now)
    with pytest.raises(Invalid) as caught:
        claim_domain(session, one.id, "more.example", actor=ada, now=now)
    assert codes(caught) == {"domain": "too_many"}
    claim_domain(session, two.id, "more.example", actor=ada, now=now)


def test_asking_again_and_removing_tell_whoever_looks(save, session, ada, now):
    provider = save()
    domain_id = claim_domain(session, provider.id, "acme.example", actor=ada, now=now)
    step = {"record_type": "email_domain", "record_id": domain_id, "key": "check", "kind": "email_domain_check"}
    session.add(NextStep(id=uuid4(), at=now, params={}, **step))
    session.flush()
    assert next_looks(session, [domain_id], actor=ada) == {domain_id: now}
    assert check_domain_again(session, domain_id, actor=ada, now=now) == provider.id
    assert remove_domain(session, domain_id, actor=ada, now=now) == provider.id
    assert next_looks(session, [domain_id], actor=ada) == {}
    kinds = session.scalars(
        select(OutboxEvent.kind).where(OutboxEvent.record_id == domain_id).order_by(OutboxEvent.seq)
    ).all()
    assert kinds == ["email_domain.claimed", "email_domain.check_asked", "email_domain.removed"]
    with pytest.raises(NotFound):
        get_domain(session, domain_id, actor=ada)


def test_links_are_listed_and_undone(save, session, link, ada, now, world):
    provider = save()
    bobs, alices = link(provider), link(provider, "alice", used=False)
    assert [row.name for row in list_links(session, provider.id, actor=ada)] == ["Bob Keller", "Alice Moreau"]
    assert [row.id for row in list_links(session, provider.id, search="ALICE@acme", actor=ada)] == [alices.id]
    assert list_links(session, provider.id, search="%", actor=ada) == []
    assert remove_link(session, bobs.id, actor=ada, now=now) == provider.id
    session.flush()
    assert [row.id for row in list_links(session, provider.id, actor=ada)] == [alices.id]
    assert entries(session, world.people["bob"].user_id)[-1].action == "user.sso_unlinked"
    with pytest.raises(NotFound):
        remove_link(session, bobs.id, actor=ada, now=now)


def test_what_is_demanded_is_kept_tidy_and_audited(save, session):
    form = replace(FORM, demanded_acr="  phr   urn:mfa ", demanded_amr="otp", max_age=" 15 ")
    provider = save(None, form)
    assert (provider.demanded_acr, provider.demanded_amr, provider.max_age_minutes) == ("phr urn:mfa", "otp", 15)
    after = entries(session, provider.id)[-1].after
    assert (after["demanded_acr"], after["demanded_amr"], after["max_age_minutes"]) == ("phr urn:mfa", "otp", 15)
    assert demand_of(provider) == Demand(("phr", "urn:mfa"), ("otp",), 900)
    save(provider.id, replace(FORM, max_age="0"))
    assert demand_of(provider) == Demand((), (), 0)
    save(provider.id, FORM)
    assert demand_of(provider) == Demand()


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("max_age", "1441", "out_of_range"),
        ("max_age", "-1", "out_of_range"),
        ("max_age", "soon", "out_of_range"),
        ("max_age", "٥", "out_of_range"),
        ("max_age", "9" * 400, "out_of_range"),
        ("demanded_acr", "x" * 256, "too_long"),
        ("demanded_amr", "x" * 256, "too_long"),
        ("demanded_acr", "métal", "characters_forbidden"),
        ("demanded_amr", "a\x00b", "characters_forbidden"),
    ],
)
def test_what_cannot_be_demanded(save, field, value, code):
    with pytest.raises(Invalid) as caught:
        save(None, replace(FORM, **{field: value}))
    assert codes(caught) == {field: code}
