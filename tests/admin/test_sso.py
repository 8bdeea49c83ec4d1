"""Identity providers in the settings: made, changed and removed by forms; nothing of the secret comes back."""

import html
import re
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from portal.lib.clock import utcnow
from portal.models import EmailDomain, ExternalIdentity, IdentityProvider, Membership, NextStep, Role, StaffRole
from tests.admin.conftest import send
from tests.world import World

LIST, NEW, EDIT = "/admin/sso/providers/", "/admin/sso/providers/new/", "/admin/sso/providers/edit/?id={}"
FORM = {
    "do": "save",
    "name": "Acme sign-in",
    "issuer": "https://login.acme.example",
    "client_id": "portal",
    "client_secret": "s3cret-of-acme",
    "audience": "customer",
    "company_id": "",
    "enabled": "y",
}


@pytest.fixture
def ada(staff):
    return staff("ada")


@pytest.fixture(autouse=True)
def _nothing_stays(root):
    yield
    with root.begin() as connection:
        connection.execute(text("DELETE FROM next_steps WHERE record_type = 'email_domain'"))
        for table in ("external_identities", "email_domains", "identity_providers"):
            connection.execute(text(f"DELETE FROM {table}"))


@pytest.fixture
def read(real, world: World):
    def run(query):
        with real.begin(world.demo) as session:
            return session.scalars(query).all()

    return run


@pytest.fixture
def made(ada, read) -> UUID:
    """A provider, made by its form."""
    answer = send(ada, ada.get(NEW), NEW, FORM)
    assert (answer.status_code, answer.headers["Location"]) == (303, LIST), answer.get_data(as_text=True)
    return read(select(IdentityProvider.id))[0]


def body(answer):
    return html.unescape(answer.get_data(as_text=True))


def test_the_empty_list_leads_on(ada):
    page = body(ada.get(LIST))
    assert "No identity provider yet" in page
    assert f'href="{NEW}"' in page


def test_the_list(ada, made, read):
    page = body(ada.get(LIST))
    for words in ("Acme sign-in", "https://login.acme.example", "Every customer", "None yet", "In use"):
        assert words in page


def test_the_form_says_what_to_register_and_keeps_the_secret(ada, made, app, read):
    page = body(ada.get(EDIT.format(made)))
    for words in ("http://127.0.0.1/portal/sso/callback", "http://127.0.0.1/admin/sso/callback"):
        assert words in page
    assert "s3cret-of-acme" not in page
    (provider,) = read(select(IdentityProvider))
    assert app.extensions["portal_vault"].decrypt(provider.client_secret) == b"s3cret-of-acme"
    assert str(provider.client_secret) not in page


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(ada, read):
    form = FORM | {"name": " ", "issuer": "http://plain.example", "client_id": "kept-as-typed"}
    answer = send(ada, ada.get(NEW), NEW, form)
    page = body(answer)
    assert answer.status_code == 422
    assert 'id="issuer-error"' in page
    assert 'id="name-error"' in page
    assert "kept-as-typed" in page
    assert "s3cret-of-acme" not in page
    assert read(select(IdentityProvider)) == []


def test_what_is_demanded_is_edited(ada, made):
    path = EDIT.format(made)
    asked = {"demanded_acr": "urn:mfa", "demanded_amr": "mfa hwk", "max_age": "30"}
    assert send(ada, ada.get(path), path, FORM | asked).status_code == 303
    page = body(ada.get(path))
    for value in asked.values():
        assert f'value="{value}"' in page
    wrong = send(ada, ada.get(path), path, FORM | asked | {"max_age": "2000"})
    assert wrong.status_code == 422
    assert 'value="2000"' in wrong.get_data(as_text=True)
    assert send(ada, ada.get(path), path, FORM).status_code == 303
    assert 'value="urn:mfa"' not in body(ada.get(path))


def test_a_company_is_found_and_chosen(ada, made, read, world):
    path = EDIT.format(made)
    found = send(ada, ada.get(path), path, FORM | {"do": "find-company", "company_search": "glob"})
    assert f'value="{world.companies["globex"]}"' in body(found)
    assert read(select(IdentityProvider.company_id)) == [None]
    none = send(ada, ada.get(path), path, FORM | {"do": "find-company", "company_search": "nobody"})
    assert "No company matches" in body(none)
    chosen = send(ada, ada.get(path), path, FORM | {"company_id": str(world.companies["globex"])})
    assert chosen.status_code == 303
    assert read(select(IdentityProvider.company_id)) == [world.companies["globex"]]
    assert "Globex" in body(ada.get(LIST))
    assert "Globex" in body(ada.get(path))
    every = send(ada, ada.get(path), path, FORM)
    assert every.status_code == 303
    assert read(select(IdentityProvider.company_id)) == [None]


@pytest.mark.parametrize(("company", "status"), [("x", 404), ("ofuq", 422), ("none", 422)])
def test_a_company_that_is_not_there(ada, made, world, company, status):
    wanted = {"ofuq": str(world.companies["ofuq"]), "none": str(uuid4())}.get(company, company)
    path = EDIT.format(made)
    assert send(ada, ada.get(path), path, FORM | {"company_id": wanted}).status_code == status


def test_a_domain_goes_from_claimed_to_proved(ada, made, real, read, world):
    path = EDIT.format(made)
    page = ada.get(path)
    answer = send(
        ada, page, "/admin/sso/providers/domains/claim/", {"provider_id": str(made), "domain": "Acme.example"}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}#domains")
    (domain,) = read(select(EmailDomain))
    waiting = body(ada.get(path))
    for words in ("_portico.acme.example", domain.proof, "Waiting for the first look"):
        assert words in waiting
    now = utcnow()

    def note(**values):
        with real.begin(world.demo) as session:
            row = session.get(EmailDomain, domain.id)
            for name, value in values.items():
                setattr(row, name, value)

    note(checked_at=now)
    assert "Not found" in body(ada.get(path))
    step = {"record_type": "email_domain", "record_id": domain.id, "key": "check", "kind": "email_domain_check"}
    with real.begin(world.demo) as session:
        session.add(NextStep(at=now.replace(year=now.year + 1), staff_only=True, params={}, **step))
    assert "Waiting for the record" in body(ada.get(path))
    note(verified_at=now)
    assert re.search(r">\s*(<svg.*?</svg>)?Proved<", body(ada.get(path)))
    note(checked_at=now.replace(year=now.year + 1))
    assert "Proved, record missing" in body(ada.get(path))
    assert "acme.example" in body(ada.get(LIST))


def test_a_domain_that_is_none_is_said_beside_the_field(ada, made, read):
    page = ada.get(EDIT.format(made))
    path = "/admin/sso/providers/domains/claim/"
    answer = send(ada, page, path, {"provider_id": str(made), "domain": "no domain"})
    assert answer.status_code == 422
    shown = body(answer)
    assert 'id="domain-error"' in shown
    assert 'value="no domain"' in shown
    # The provider's own form on the same page still leads to the provider.
    assert f'action="/admin/sso/providers/edit/?id={made}"' in shown
    assert read(select(EmailDomain)) == []


def test_looking_again_and_removing(ada, made, read):
    page = ada.get(EDIT.format(made))
    send(ada, page, "/admin/sso/providers/domains/claim/", {"provider_id": str(made), "domain": "acme.example"})
    (domain,) = read(select(EmailDomain))
    assert send(ada, page, "/admin/sso/providers/domains/check/", {"id": str(domain.id)}).status_code == 303
    asked = ada.get(f"/admin/sso/providers/domains/remove/?id={domain.id}")
    assert "Remove acme.example?" in body(asked)
    assert read(select(EmailDomain.id)) == [domain.id]
    assert send(ada, asked, "/admin/sso/providers/domains/remove/", {"id": str(domain.id)}).status_code == 303
    assert read(select(EmailDomain)) == []


def test_removing_a_provider_is_asked_first(ada, made, read):
    asked = ada.get(f"/admin/sso/providers/remove/?id={made}")
    assert "Remove Acme sign-in?" in body(asked)
    assert read(select(IdentityProvider.id)) == [made]
    assert send(ada, asked, "/admin/sso/providers/remove/", {"id": str(made)}).status_code == 303
    assert read(select(IdentityProvider)) == []


def test_people_are_listed_found_and_unlinked(ada, made, real, read, world):
    with real.begin(world.demo) as session:
        for name in ("alice", "bob"):
            who = world.people[name].user_id
            session.add(ExternalIdentity(user_id=who, provider_id=made, subject=name, last_used_at=utcnow()))
    page = body(ada.get(EDIT.format(made)))
    assert "bob@acme.example" in page
    found = ada.get(EDIT.format(made) + "&q=alice")
    assert "bob@acme.example" not in body(found)
    (link,) = read(select(ExternalIdentity.id).where(ExternalIdentity.subject == "alice"))
    assert send(ada, found, "/admin/sso/providers/people/unlink/", {"id": str(link)}).status_code == 303
    assert read(select(ExternalIdentity.subject)) == ["bob"]
    assert "Nobody matches" in body(ada.get(EDIT.format(made) + "&q=alice"))
    assert ada.get(EDIT.format(made) + "&q=%00").status_code == 200


WRITES = {
    NEW: FORM,
    "/admin/sso/providers/remove/": {},
    "/admin/sso/providers/domains/claim/": {"domain": "x.example"},
    "/admin/sso/providers/domains/check/": {},
    "/admin/sso/providers/domains/remove/": {},
    "/admin/sso/providers/people/unlink/": {},
}


@pytest.mark.parametrize("name", ["sam", "mia", "dora", "bill"])
def test_only_who_may(staff, made, read, name):
    somebody = staff(name)
    assert "/admin/sso/providers" not in body(somebody.get("/admin/preferences/"))
    for path in (LIST, NEW, EDIT.format(made), f"/admin/sso/providers/remove/?id={made}"):
        assert somebody.get(path).status_code == 403
    for path, form in WRITES.items():
        data = {"id": str(made), "provider_id": str(made), **form}
        assert send(somebody, somebody.get("/admin/preferences/"), path, data).status_code == 403
    assert read(select(IdentityProvider.id)) == [made]


def test_another_tenant_s_are_not_there(staff, made, read):
    noor = staff("noor")
    assert "Acme sign-in" not in body(noor.get(LIST))
    assert noor.get(EDIT.format(made)).status_code == 404
    for path, form in WRITES.items():
        if path != NEW:
            data = {"id": str(made), "provider_id": str(made), **form}
            assert send(noor, noor.get(LIST), path, data).status_code == 404
    assert read(select(IdentityProvider.id)) == [made]


@pytest.mark.parametrize("value", ["", "x", "\x00", "00000000-0000-4000-8000-000000000000"])
def test_ids_of_nothing(ada, made, value):
    page = ada.get(LIST)
    for path, form in WRITES.items():
        if path != NEW:
            assert send(ada, page, path, {**form, "id": value, "provider_id": value}).status_code == 404
    for path in (EDIT.format(value), f"/admin/sso/providers/remove/?id={value}"):
        assert ada.get(path).status_code == 404


def test_a_role_of_the_tenant_s_own_that_may_nothing_else(staff, made, real, world):
    """It finds the settings, and no names of companies it may not know."""
    with real.begin(world.demo) as session:
        session.get(IdentityProvider, made).company_id = world.companies["globex"]
        role = StaffRole(name="Sign-in keeper", permissions=["sign_in:configure"])
        session.add(role)
        session.flush()
        session.add(Membership(user_id=world.people["bill"].user_id, role=Role.CUSTOM, staff_role_id=role.id))
        billing = session.scalars(
            select(Membership).where(
                Membership.user_id == world.people["bill"].user_id, Membership.role == Role.BILLING
            )
        ).one()
        kept = billing.id
        session.delete(billing)
    try:
        keeper = staff("bill")
        page = body(keeper.get(LIST))
        assert f'href="{LIST}"' in page
        assert "One company" in page
        assert "Globex" not in page
        assert keeper.get(EDIT.format(made)).status_code == 200
    finally:
        with real.begin(world.demo) as session:
            session.delete(session.scalars(select(Membership).where(Membership.staff_role_id == role.id)).one())
            session.flush()
            session.delete(session.get(StaffRole, role.id))
            session.add(Membership(id=kept, user_id=world.people["bill"].user_id, role=Role.BILLING))


def test_whom_to_believe_is_decided_with_a_fresh_proof(ada, made, root, read):
    page = ada.get(LIST)
    with root.begin() as connection:
        connection.execute(text("UPDATE auth_sessions SET proved_at = now() - interval '11 minutes'"))
    data = {"id": str(made), "provider_id": str(made)}
    for path, form in WRITES.items():
        answer = send(ada, page, path, data | form)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (303, "/admin/confirm"), path
    for path in (NEW, EDIT.format(made)):
        assert ada.get(path).headers["Location"].startswith("/admin/confirm?")
    assert ada.get(LIST).status_code == 200
    assert read(select(IdentityProvider.id)) == [made]
