"""The pages of one's own account, as somebody walks them and as outsiders try to."""

import io
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from portal.models import AuthSession, Avatar, Person, TokenFamily, User
from tests.blueprints.account_pages import Backstage
from tests.browsing import Browser, csrf_token, sign_in
from tests.pictures import opened, picture
from tests.world import PASSWORD

PAGES = ["profile", "email", "phone", "password", "sessions", "api-keys", "api-keys/new", "addresses/new"]
NEW = "seven otters sail to Graz"


@pytest.fixture
def backstage(app, world):
    found = Backstage(app, world)
    yield found
    found.put_back()


@pytest.fixture
def bob(app, world, backstage):
    return sign_in(app, world, "bob")


def text(answer):
    return answer.get_data(as_text=True)


def sent(browser, path, data=None, **options):
    return browser.post(f"/portal/account/{path}", data, **options)


def upload(browser, content, path="/portal/account/profile/picture", name="me.png"):
    return browser.post(path, {"picture": (io.BytesIO(content), name)}, content_type="multipart/form-data")


def grow_old(backstage, name):
    """The last proof of the person's sessions was eleven minutes ago."""
    with backstage.begin() as session:
        old = datetime.now(UTC) - timedelta(minutes=11)
        user_id = backstage.world.people[name].user_id
        session.execute(update(AuthSession).where(AuthSession.user_id == user_id).values(proved_at=old))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_its_heading_and_title(bob, name):
    answer = bob.get(f"/portal/account/{name}")
    assert answer.status_code == 200, text(answer)[:300]
    assert text(answer).count("<h1") == 1
    assert " · Kestrel IT</title>" in text(answer)


@pytest.mark.parametrize("name", PAGES)
def test_strangers_and_staff_come_to_the_sign_in(app, world, name):
    for browser in (Browser(app.test_client(), "127.0.0.1"), sign_in(app, world, "sam")):
        answer = browser.get(f"/portal/account/{name}")
        assert answer.status_code == 303
        assert "/portal/login" in answer.headers["Location"]


@pytest.mark.parametrize("name", ["email", "phone", "api-keys/new"])
def test_what_is_sensitive_asks_for_a_fresh_proof(bob, backstage, name):
    grow_old(backstage, "bob")
    for answer in (bob.get(f"/portal/account/{name}"), sent(bob, name, {"email": "x@y.example", "name": "x"})):
        assert answer.status_code == 303
        assert "/portal/account/confirm" in answer.headers["Location"]
    assert backstage.kinds("x@y.example") == []


def test_removing_the_number_asks_too(bob, backstage):
    backstage.change(Person, "bob", phone="+33639980015")
    grow_old(backstage, "bob")
    assert "/portal/account/confirm" in sent(bob, "phone/remove").headers["Location"]
    assert backstage.person("bob")[1].phone == "+33639980015"


def test_tabs_offer_what_there_is_and_what_one_may(app, world, bob, backstage):
    for name, company in (("bob", False), ("alice", True)):
        page = text(sign_in(app, world, name).get("/portal/account/profile"))
        tabs = page.split('class="tabs"')[1].split("</nav>")[0]
        for path in ("profile", "password", "sessions", "notifications", "api-keys"):
            assert f'href="/portal/account/{path}"' in tabs
        known = {rule.rule for rule in app.url_map.iter_rules()}
        assert ('href="/portal/account/company"' in tabs) == (company and "/portal/account/company" in known)
        assert ('href="/portal/account/security"' in tabs) == ("/portal/account/security" in known)
        assert tabs.count("aria-current") == 1


def test_the_profile_is_saved_and_shown(bob, backstage):
    form = {"name": "Robert Keller", "title": "Lead", "date_of_birth": "1990-02-28", "locale": "de",
            "timezone": "Asia/Riyadh", "theme": "dark"}  # fmt: skip
    assert sent(bob, "profile", form).status_code == 303
    user, person = backstage.person("bob")
    assert (person.name, person.title, person.date_of_birth) == ("Robert Keller", "Lead", date(1990, 2, 28))
    assert (user.locale, user.timezone, user.theme) == ("de", "Asia/Riyadh", "dark")
    page = text(bob.get("/portal/account/profile"))
    assert '<html lang="de" dir="ltr" data-theme="dark"' in page
    assert 'value="1990-02-28"' in page


def test_what_was_typed_comes_back_with_what_is_wrong(bob, backstage):
    answer = sent(bob, "profile", {"name": "", "title": "Lead of <things>", "date_of_birth": "2990-01-01"})
    assert answer.status_code == 422
    page = text(answer)
    assert 'value="Lead of &lt;things&gt;"' in page
    assert 'id="name-error"' in page
    assert 'id="date_of_birth-error"' in page
    assert "data-error-summary" in page
    assert backstage.person("bob")[1].name == "Bob Keller"


@pytest.mark.parametrize("born", ["yesterday", "2026-13-01", "0000-00-00", "1990-02-30"])
def test_a_day_that_is_none(bob, backstage, born):
    answer = sent(bob, "profile", {"name": "Bob Keller", "theme": "system", "date_of_birth": born})
    assert (answer.status_code, 'id="date_of_birth-error"' in text(answer)) == (422, True)


def test_nothing_else_of_the_person_can_be_written(bob, backstage):
    extra = {"email": "x@evil.example", "phone": "+33639980099", "company_id": "x", "status": "locked", "role": "agent",
             "email_verified_at": "2026-01-01", "kind": "staff"}  # fmt: skip
    assert sent(bob, "profile", {"name": "Bob Keller", "theme": "system"} | extra).status_code == 303
    user, person = backstage.person("bob")
    assert (person.email, person.phone, person.email_verified_at) == ("bob@acme.example", None, None)
    assert (user.kind.value, user.status.value) == ("customer", "active")


def test_completeness_says_what_is_missing_and_why(bob, backstage):
    page = text(bob.get("/portal/account/profile"))
    assert "16%" in page
    for words in ("A verified mail address", "Technicians and parcels find you without asking."):
        assert words in page
    now = datetime.now(UTC)
    backstage.change(Person, "bob", email_verified_at=now, title="Lead", phone="+33639980015", phone_verified_at=now)
    upload(bob, picture())
    form = {"street": "Rue 1", "city": "Lyon", "postal_code": "69001", "country": "FR"}
    sent(bob, "addresses/new", form)
    page = text(bob.get("/portal/account/profile"))
    assert "100%" in page
    assert "Nothing is missing." in page


def test_a_picture_is_saved_shown_and_removed(bob, backstage):
    assert upload(bob, picture(), name="../../etc/passwd.svg").status_code == 303
    person_id = backstage.person("bob")[1].id
    address = f"/portal/avatars/{person_id}"
    assert f'src="{address}"' in text(bob.get("/portal/account/profile"))
    answer = bob.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "image/webp")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Cookie" in answer.headers["Vary"]
    assert opened(answer.get_data()).size == (256, 256)
    again = bob.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
    assert sent(bob, "profile/picture/remove").status_code == 303
    assert bob.get(address).status_code == 404


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "Choose a picture first."), (b"GIF89a", "Choose a JPEG, PNG or WebP picture."),
     (b"x" * (5 * 1024 * 1024 + 1), "Choose a picture of at most 5 MB.")],
)  # fmt: skip
def test_a_picture_that_is_none_says_so_beside_the_field(bob, backstage, content, words):
    answer = upload(bob, content)
    assert answer.status_code == 422
    assert words in text(answer)
    with backstage.begin() as session:
        assert session.scalars(select(Avatar)).all() == []


def test_far_too_much_is_refused_unread(bob, backstage):
    assert upload(bob, b"x" * (12 * 1024 * 1024)).status_code == 413
    # Elsewhere the application's own limit holds.
    assert upload(bob, b"x" * (3 * 1024 * 1024), "/portal/account/profile").status_code == 413


@pytest.mark.parametrize(("who", "status"), [("alice", 200), ("bob", 200), ("charlie", 404), (None, 303)])
def test_whose_browser_is_shown_a_picture(app, world, bob, backstage, who, status):
    upload(bob, picture())
    person_id = backstage.person("bob")[1].id
    browser = sign_in(app, world, who) if who else Browser(app.test_client(), "127.0.0.1")
    assert browser.get(f"/portal/avatars/{person_id}").status_code == status


def test_staff_see_everybody_at_their_own_door(app, world, bob, backstage):
    upload(bob, picture())
    person_id = backstage.person("bob")[1].id
    sam = sign_in(app, world, "sam")
    assert sam.get(f"/admin/avatars/{person_id}").mimetype == "image/webp"
    assert sam.get(f"/portal/avatars/{person_id}").status_code == 303
    assert sign_in(app, world, "noor").get(f"/admin/avatars/{person_id}").status_code == 404
    assert bob.get(f"/admin/avatars/{person_id}").status_code == 303


def test_staff_have_a_picture_that_customers_see(app, world, bob, backstage):
    sam = sign_in(app, world, "sam")
    assert upload(sam, picture(), "/admin/preferences/picture").status_code == 303
    person_id = backstage.person("sam")[1].id
    assert f'src="/admin/avatars/{person_id}"' in text(sam.get("/admin/preferences/"))
    assert bob.get(f"/portal/avatars/{person_id}").status_code == 200
    assert upload(sam, b"x", "/admin/preferences/picture").status_code == 422
    assert sam.post("/admin/preferences/picture/remove").status_code == 303
    assert bob.get(f"/portal/avatars/{person_id}").status_code == 404


def test_a_mail_address_is_changed_by_its_link_alone(app, world, bob, backstage):
    answer = sent(bob, "email", {"email": "Robert@acme.example"})
    assert answer.status_code == 303
    page = text(bob.get("/portal/account/profile"))
    assert "robert@acme.example" in page
    assert "bob@acme.example" in page
    token = backstage.secret("confirm_email", "robert@acme.example")
    visitor = Browser(app.test_client(), "127.0.0.1")
    address = f"/portal/account/confirm-email/{token}"
    # Mail programs fetch every link; that uses nothing up.
    for _ in range(3):
        assert visitor.get(address).status_code == 200
    assert backstage.person("bob")[1].email == "bob@acme.example"
    form = {"csrf_token": csrf_token(visitor.get(address))}
    done = visitor.client.post(address, base_url="http://127.0.0.1", data=form)
    assert (done.status_code, "Your address is confirmed" in text(done)) == (200, True)
    assert backstage.person("bob")[1].email == "robert@acme.example"
    # The session that asked lives on; the link does not.
    assert bob.get("/portal/account/profile").status_code == 200
    assert visitor.get(address).status_code == 409
    assert visitor.client.post(address, base_url="http://127.0.0.1", data=form).status_code == 409


def test_sessions_elsewhere_end_with_the_address(app, world, bob, backstage):
    elsewhere = sign_in(app, world, "bob")
    sent(bob, "email", {"email": "robert@acme.example"})
    token = backstage.secret("confirm_email", "robert@acme.example")
    assert bob.post(f"/portal/account/confirm-email/{token}").status_code == 200
    assert bob.get("/portal/").status_code == 200
    assert elsewhere.get("/portal/").status_code == 303


def test_the_old_address_stops_it_without_signing_in(app, bob, backstage):
    sent(bob, "email", {"email": "robert@acme.example"})
    stop = backstage.secret("email_change_requested", "bob@acme.example")
    visitor = Browser(app.test_client(), "127.0.0.1")
    address = f"/portal/account/keep-email/{stop}"
    page = visitor.get(address)
    assert "This was not me" in text(page)
    done = visitor.client.post(address, base_url="http://127.0.0.1", data={"csrf_token": csrf_token(page)})
    assert "Your account is safe" in text(done)
    assert bob.get("/portal/").status_code == 303
    confirm = backstage.secret("confirm_email", "robert@acme.example")
    assert visitor.get(f"/portal/account/confirm-email/{confirm}").status_code == 409


@pytest.mark.parametrize("kind", ["confirm-email", "keep-email"])
@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "é", "..%2f..%2fx"])
def test_made_up_links_open_nothing(app, kind, token):
    answer = app.test_client().get(f"/portal/account/{kind}/{token}", base_url="http://127.0.0.1")
    assert answer.status_code in (404, 409)


@pytest.mark.parametrize("kind", ["confirm-email", "keep-email"])
def test_links_are_not_used_without_the_form_s_token(app, bob, backstage, kind):
    sent(bob, "email", {"email": "robert@acme.example"})
    template, to = ("confirm_email", "robert@acme.example") if kind == "confirm-email" else (
        "email_change_requested", "bob@acme.example")  # fmt: skip
    token = backstage.secret(template, to)
    answer = app.test_client().post(f"/portal/account/{kind}/{token}", base_url="http://127.0.0.1")
    assert answer.status_code == 400
    assert bob.get("/portal/").status_code == 200


def test_a_link_belongs_to_its_tenant(app, bob, backstage):
    sent(bob, "email", {"email": "robert@acme.example"})
    token = backstage.secret("confirm_email", "robert@acme.example")
    answer = app.test_client().get(f"/portal/account/confirm-email/{token}", base_url="http://nova.localhost")
    assert answer.status_code == 409


def test_an_address_in_use_looks_the_same_to_the_asker(bob, backstage):
    free = sent(bob, "email", {"email": "robert@acme.example"})
    taken = sent(bob, "email", {"email": "alice@acme.example"})
    assert (free.status_code, free.headers["Location"]) == (taken.status_code, taken.headers["Location"])
    pages = [text(bob.get("/portal/account/profile"))]
    assert "alice@acme.example" in pages[0]
    assert backstage.kinds("alice@acme.example") == ["email_in_use"]


def test_a_change_is_cancelled_from_the_profile(bob, backstage):
    sent(bob, "email", {"email": "robert@acme.example"})
    assert sent(bob, "email/cancel").status_code == 303
    assert "robert@acme.example" not in text(bob.get("/portal/account/profile"))


@pytest.mark.parametrize("email", ["", "robert", "bob@acme.example\r\nBcc: x@y.example"])
def test_a_mail_address_that_is_none(bob, backstage, email):
    answer = sent(bob, "email", {"email": email})
    assert (answer.status_code, 'id="email-error"' in text(answer)) == (422, True)


def test_a_number_is_changed_by_its_code(bob, backstage):
    assert sent(bob, "phone", {"phone": "+33 6 39 98 00 15"}).headers["Location"] == "/portal/account/phone/code"
    assert "+33 6 39 98 00 15" in text(bob.get("/portal/account/phone/code"))
    code = backstage.secret("phone_code", "+33639980015")
    wrong = sent(bob, "phone/code", {"code": f"{(int(code) + 1) % 10**6:06d}"})
    assert (wrong.status_code, 'id="code-error"' in text(wrong)) == (422, True)
    assert sent(bob, "phone/code", {"code": code}).status_code == 303
    assert backstage.person("bob")[1].phone == "+33639980015"
    # Without one that waits there is no page for it.
    assert bob.get("/portal/account/phone/code").status_code == 303
    assert sent(bob, "phone/remove").status_code == 303
    assert backstage.person("bob")[1].phone is None


def test_wrong_codes_are_counted_although_they_are_refused(bob, backstage):
    sent(bob, "phone", {"phone": "+33639980015"})
    code = backstage.secret("phone_code", "+33639980015")
    for _ in range(5):
        assert sent(bob, "phone/code", {"code": f"{(int(code) + 1) % 10**6:06d}"}).status_code == 422
    assert sent(bob, "phone/code", {"code": code}).status_code == 409
    assert backstage.person("bob")[1].phone is None


def test_the_password_is_changed_by_who_knows_it(app, world, bob, backstage):
    elsewhere = sign_in(app, world, "bob")
    assert sent(bob, "password", {"current_password": PASSWORD, "new_password": NEW}).status_code == 303
    assert bob.get("/portal/").status_code == 200
    assert elsewhere.get("/portal/").status_code == 303
    visitor = Browser(app.test_client(), "127.0.0.1")
    for password, status in ((PASSWORD, 401), (NEW, 303)):
        form = {"csrf_token": csrf_token(visitor.get("/portal/login")), "identifier": "bob@acme.example"}
        login = visitor.client.post("/portal/login", base_url="http://127.0.0.1", data=form | {"password": password})
        assert login.status_code == status


@pytest.mark.parametrize(
    ("form", "status", "field"),
    [
        ({}, 422, "current_password"),
        ({"current_password": PASSWORD}, 422, "new_password"),
        ({"current_password": "wrong", "new_password": NEW}, 422, "current_password"),
        ({"current_password": PASSWORD, "new_password": "short"}, 422, "new_password"),
        ({"current_password": PASSWORD, "new_password": PASSWORD}, 422, "new_password"),
    ],
)
def test_a_password_that_is_not_taken(bob, backstage, form, status, field):
    answer = sent(bob, "password", form)
    page = text(answer)
    assert (answer.status_code, f'id="{field}-error"' in page) == (status, True)
    assert "wrong" not in page
    assert PASSWORD not in page
    assert backstage.kinds("bob@acme.example") == []


def test_guessing_the_password_here_is_locked(bob, backstage):
    for _ in range(5):
        sent(bob, "password", {"current_password": "wrong", "new_password": NEW})
    answer = sent(bob, "password", {"current_password": PASSWORD, "new_password": NEW})
    assert answer.status_code == 401
    assert "Too many failed sign-ins" in text(answer)


def test_staff_change_theirs_at_their_door(app, world, backstage):
    sam = sign_in(app, world, "sam")
    assert text(sam.get("/admin/password/")).count("<h1") == 1
    form = {"current_password": PASSWORD, "new_password": NEW}
    assert sam.post("/admin/password/", form | {"current_password": "x"}).status_code == 422
    assert sam.post("/admin/password/", form).headers["Location"] == "/admin/password/"
    assert backstage.kinds("sam@demo.example") == ["password_changed"]


@pytest.mark.parametrize(("name", "place"), [("bob", "/portal/account/sessions"), ("sam", "/admin/sessions/")])
def test_sessions_are_listed_and_ended_at_once(app, world, backstage, name, place):
    agent = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"}
    here, there = sign_in(app, world, name), sign_in(app, world, name)
    with backstage.begin() as session:
        user_id = world.people[name].user_id
        newest = select(AuthSession).where(AuthSession.user_id == user_id).order_by(AuthSession.created_at.desc())
        other = session.scalars(newest).first()
        other.user_agent = agent["User-Agent"]
        other_id = other.id
    listed = text(here.get(place, follow_redirects=True))
    assert listed.count("This one") == 1
    assert "Chrome · Windows" in listed
    assert "This network" in listed
    assert f'id="sign-in-{other_id}"' in listed
    assert there.get(place, follow_redirects=True).status_code == 200
    assert here.post(f"{place.rstrip('/')}/{other_id}/end").status_code == 303
    assert there.get(place).status_code == 303
    assert "login" in there.get(place).headers["Location"]
    assert here.post(f"{place.rstrip('/')}/{other_id}/end").status_code == 404
    third = sign_in(app, world, name)
    assert here.post(f"{place.rstrip('/')}/end-others").status_code == 303
    assert "login" in third.get(place).headers["Location"]
    assert here.get(place, follow_redirects=True).status_code == 200


def test_nobody_ends_the_sessions_of_others(app, world, bob, backstage):
    with backstage.begin() as session:
        mine = session.scalars(select(AuthSession.id).where(AuthSession.user_id == world.people["bob"].user_id)).all()
    for outsider in (sign_in(app, world, "alice"), sign_in(app, world, "nia")):
        for session_id in mine:
            assert outsider.post(f"/portal/account/sessions/{session_id}/end").status_code == 404
    sam = sign_in(app, world, "sam")
    assert sam.post(f"/admin/sessions/{mine[0]}/end").status_code == 404
    assert bob.get("/portal/").status_code == 200


def test_ending_this_one_is_signing_out(bob, backstage, world):
    with backstage.begin() as session:
        query = select(AuthSession.id).where(AuthSession.user_id == world.people["bob"].user_id)
        this = session.scalars(query.order_by(AuthSession.created_at.desc())).first()
    assert sent(bob, f"sessions/{this}/end").status_code == 303
    assert "login" in bob.get("/portal/").headers["Location"]


def test_an_odd_cursor_leads_to_the_first_page(bob):
    assert bob.get("/portal/account/sessions?cursor=odd").headers["Location"] == "/portal/account/sessions"


def test_a_key_is_shown_once_and_revoked(bob, backstage):
    made = sent(bob, "api-keys/new", {"name": "Report <1>"})
    assert made.status_code == 201
    secret = text(made).split('data-copy="')[1].split('"')[0]
    assert secret.startswith("pk_")
    assert made.headers["Cache-Control"] == "no-store"
    listed = text(bob.get("/portal/account/api-keys"))
    assert secret not in listed
    assert f"{secret[:10]}…" in listed
    assert "Report &lt;1&gt;" in listed
    key_id = listed.split('id="key-')[1].split('"')[0]
    assert sent(bob, f"api-keys/{key_id}/revoke").status_code == 303
    assert sent(bob, f"api-keys/{key_id}/revoke").status_code == 404
    assert "No key yet" in text(bob.get("/portal/account/api-keys"))


def test_a_key_without_a_name(bob, backstage):
    answer = sent(bob, "api-keys/new", {"name": " "})
    assert (answer.status_code, 'id="name-error"' in text(answer)) == (422, True)


def test_addresses_are_added_changed_and_deleted(bob, backstage):
    form = {"label": "Office", "street": "Rue <1>", "city": "Lyon", "postal_code": "69001", "country": "FR"}
    assert sent(bob, "addresses/new", form).status_code == 303
    assert sent(bob, "addresses/new", form | {"label": "Home"}).status_code == 303
    page = text(bob.get("/portal/account/profile"))
    assert "Rue &lt;1&gt;" in page
    ids = [part.split('"')[0] for part in page.split('id="address-')[1:]]
    assert len(ids) == 2
    assert sent(bob, f"addresses/{ids[1]}/primary").status_code == 303
    assert sent(bob, f"addresses/{ids[1]}", form | {"city": "Graz", "country": "AT"}).status_code == 303
    assert "Graz" in text(bob.get(f"/portal/account/addresses/{ids[1]}"))
    assert text(bob.get(f"/portal/account/addresses/{ids[1]}/delete")).count("<h1") == 1
    assert sent(bob, f"addresses/{ids[1]}/delete").status_code == 303
    assert "Graz" not in text(bob.get("/portal/account/profile"))
    wrong = sent(bob, f"addresses/{ids[0]}", form | {"street": "", "country": "XX"})
    assert wrong.status_code == 422
    for field in ("street", "country"):
        assert f'id="{field}-error"' in text(wrong)


def test_addresses_of_others_are_not_there(app, world, bob, backstage):
    form = {"street": "Rue 1", "city": "Lyon", "postal_code": "69001", "country": "FR"}
    sent(bob, "addresses/new", form)
    address = text(bob.get("/portal/account/profile")).split('id="address-')[1].split('"')[0]
    for name in ("alice", "charlie", "nia"):
        outsider = sign_in(app, world, name)
        assert outsider.get(f"/portal/account/addresses/{address}").status_code == 404
        for path, data in ((address, form), (f"{address}/delete", {}), (f"{address}/primary", {})):
            assert sent(outsider, f"addresses/{path}", data).status_code == 404
    assert address in text(bob.get("/portal/account/profile"))


def test_a_company_s_addresses(app, world, bob, backstage):
    alice, charlie = sign_in(app, world, "alice"), sign_in(app, world, "charlie")
    place = f"company/{world.companies['acme']}/addresses"
    form = {"street": "Werk 1", "city": "Graz", "postal_code": "8010", "country": "AT"}
    assert alice.get(f"/portal/account/{place}/new").status_code == 200
    assert sent(alice, f"{place}/new", form).status_code == 303
    page = text(alice.get(f"/portal/account/{place}"))
    address = page.split('id="address-')[1].split('"')[0]
    assert "Austria" in page
    # Its people read them and change nothing.
    read = text(bob.get(f"/portal/account/{place}"))
    assert "Werk 1" in read
    assert f"{address}/delete" not in read
    assert bob.get(f"/portal/account/{place}/new").status_code == 403
    assert sent(bob, f"{place}/{address}/delete").status_code == 403
    for path in (place, f"{place}/new", f"{place}/{address}"):
        assert charlie.get(f"/portal/account/{path}").status_code == 404
    assert sent(charlie, f"{place}/{address}/delete").status_code == 404
    assert sent(alice, f"{place}/{address}/delete").status_code == 303


def test_forms_of_other_sites_change_nothing(bob, backstage):
    for path in ("profile", "password", "api-keys/new", "sessions/end-others", "addresses/new", "email"):
        answer = bob.client.post(f"/portal/account/{path}", base_url="http://127.0.0.1", data={"name": "Eve"})
        assert answer.status_code == 400, path
    assert backstage.person("bob")[1].name == "Bob Keller"


def test_no_family_is_left_when_the_password_changes(api, bob, backstage):
    reports = api("bob")
    assert reports.get("/api/v1/auth/me").status_code == 200
    sent(bob, "password", {"current_password": PASSWORD, "new_password": NEW})
    assert reports.get("/api/v1/auth/me").status_code == 401
    with backstage.begin() as session:
        user_id = backstage.person("bob")[0].id
        living = select(TokenFamily).where(TokenFamily.user_id == user_id, TokenFamily.revoked_at.is_(None))
        assert session.scalars(living).all() == []
        assert session.get_one(User, user_id).password_changed_at is not None


def test_the_team_marks_an_address_that_is_right(app, world, bob, backstage):
    form = {"street": "Rue 1", "city": "Lyon", "postal_code": "69001", "country": "FR"}
    sent(bob, "addresses/new", form)
    person_id = backstage.person("bob")[1].id
    mia, sam = sign_in(app, world, "mia"), sign_in(app, world, "sam")
    place = f"/admin/addresses/{person_id}"
    assert place in text(mia.get(f"/admin/people/details/?id={person_id}"))
    shown = text(mia.get(place))
    address = shown.split('id="address-')[1].split('"')[0]
    # Who may only look is not offered it, and refused when asking anyway.
    assert f"{address}/verify" not in text(sam.get(place))
    assert sam.post(f"{place}/{address}/verify").status_code == 403
    assert mia.post(f"{place}/{address}/verify").status_code == 303
    assert "Verified" in text(bob.get("/portal/account/profile")).split('id="addresses"')[1]
    assert mia.get(f"/admin/addresses/{world.demo}").status_code == 404
    assert sign_in(app, world, "noor").get(place).status_code == 404
    assert bob.get(place).status_code == 303


@pytest.mark.parametrize("path", ["email", "phone", "password", "profile", "api-keys/new", "addresses/new"])
def test_a_head_request_changes_nothing(bob, backstage, path):
    data = {"email": "x@y.example", "phone": "+33639980015", "name": "Eve", "new_password": NEW,
            "current_password": PASSWORD, "street": "x", "city": "x", "postal_code": "1", "country": "FR"}  # fmt: skip
    answer = bob.client.open(f"/portal/account/{path}", method="HEAD", base_url="http://127.0.0.1", data=data)
    assert answer.status_code == 200
    user, person = backstage.person("bob")
    assert (person.name, backstage.kinds("bob@acme.example"), backstage.kinds("x@y.example")) == ("Bob Keller", [], [])
    assert user.password_changed_at is None or user.must_reset_password is False


@pytest.mark.parametrize("kind", ["confirm-email", "keep-email"])
def test_a_head_request_uses_no_link_up(app, bob, backstage, kind):
    sent(bob, "email", {"email": "robert@acme.example"})
    template, to = ("confirm_email", "robert@acme.example") if kind == "confirm-email" else (
        "email_change_requested", "bob@acme.example")  # fmt: skip
    address = f"/portal/account/{kind}/{backstage.secret(template, to)}"
    assert app.test_client().head(address, base_url="http://127.0.0.1").status_code == 200
    assert app.test_client().get(address, base_url="http://127.0.0.1").status_code == 200
    assert backstage.person("bob")[1].email == "bob@acme.example"
