"""Parts that are drawn once: no text of one reader reaches another, and nothing outlives a change."""

import re
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from jinja2 import meta
from markupsafe import Markup
from sqlalchemy import update

from portal.blueprints import kept_parts
from portal.blueprints.kept_parts import KeptParts
from portal.config import ROOT
from portal.models import Person, User
from tests.browsing import sign_in

TEMPLATES = ROOT / "templates"
DECLARED = re.compile(
    r"\{#- kept \(portal/blueprints/kept_parts\.py\): ([a-z_, ]+?)(?:[,;] (?:what|where) [^#]*)? -#\}"
)
# Whatever these give, follows from their arguments, the reader's language, the icons and the routes alone.
SAFE = {"_", "ngettext", "asset", "url_for", "kept", "draw_icon", "draw_shape", "csrf_token"}
DASHBOARD, QUEUE = "/portal/", "/admin/tickets/"


def page_of(browser, path=DASHBOARD):
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def menu_of(page):
    """The account's menu; older texts of the page's own content may well hold other names."""
    return re.search(r'id="account-menu".*?</form></div>', page, re.DOTALL)[0]


def parts():
    for path in sorted(TEMPLATES.rglob("*.html")):
        found = DECLARED.match(path.read_text(encoding="utf-8"))
        if found:
            yield path.relative_to(TEMPLATES).as_posix(), {name.strip() for name in found[1].split(",")}


def used_by(env, name):
    """Names that a template, or one it imports, takes from elsewhere."""
    tree = env.parse((TEMPLATES / name).read_text(encoding="utf-8"))
    names = set(meta.find_undeclared_variables(tree))
    for other in meta.find_referenced_templates(tree):
        names |= used_by(env, other)
    return names


def drawn_names():
    pattern = re.compile(r'kept_part\("([^"]+)"')
    return {name for path in TEMPLATES.rglob("*.html") for name in pattern.findall(path.read_text(encoding="utf-8"))}


def test_every_kept_template_says_what_it_is_given():
    assert drawn_names() == {name for name, _ in parts()}


@pytest.mark.parametrize(("name", "given"), list(parts()), ids=[name for name, _ in parts()])
def test_a_part_takes_nothing_but_what_it_is_given(app, name, given):
    assert used_by(app.jinja_env, name) <= given | SAFE


@pytest.mark.parametrize(("one", "other", "path"), [("alice", "bob", DASHBOARD), ("sam", "mia", QUEUE)])
def test_each_person_gets_their_own_name_and_token(app, world, one, other, path):
    browsers = {name: sign_in(app, world, name) for name in (one, other)}
    tokens = set()
    for name in (one, other, one, other, one):
        page = page_of(browsers[name], path)
        mine, theirs = world.people[name], world.people[other if name == one else one]
        menu = menu_of(page)
        assert mine.name in menu
        assert theirs.name not in menu
        token = re.search(r'name="csrf-token" content="([^"]+)"', page)[1]
        assert set(re.findall(r'name="csrf_token" value="([^"]+)"', menu)) == {token}
        assert kept_parts._TOKEN not in page
        tokens.add(token)
    assert len(tokens) > 1


def test_a_form_of_a_kept_part_is_accepted(app, world):
    first, second = sign_in(app, world, "bob"), sign_in(app, world, "bob")
    page_of(first)
    menu = re.search(r'action="/portal/logout".*?value="([^"]+)"', page_of(second), re.DOTALL)
    answer = second.client.post("/portal/logout", base_url="http://127.0.0.1", data={"csrf_token": menu[1]})
    assert answer.status_code == 303
    assert first.get(DASHBOARD).status_code == 200
    assert second.get(DASHBOARD).status_code != 200


def test_another_tenant_has_its_own_frame(app, world):
    sam, nia = sign_in(app, world, "sam"), sign_in(app, world, "nia")
    for _ in range(2):
        assert "Kestrel" in page_of(sam, QUEUE)
        assert "Kestrel" not in page_of(nia, DASHBOARD if nia.door == "portal" else QUEUE)


def test_a_new_name_shows_at_once(app, world, sessions):
    bob = sign_in(app, world, "bob")
    assert "Bob Keller" in menu_of(page_of(bob))
    with named(sessions, world, "Robert <Keller>"):
        menu = menu_of(page_of(bob))
        assert "Bob Keller" not in menu
        assert "Robert &lt;Keller&gt;" in menu
    assert "Bob Keller" in menu_of(page_of(bob))


def test_another_language_and_theme_show_at_once(app, world, sessions):
    bob = sign_in(app, world, "bob")
    assert ">Sign out<" in page_of(bob)
    assert ">Abmelden<" in page_of(bob, f"{DASHBOARD}?lang=de")
    assert ">Sign out<" in page_of(bob)
    for theme in ("dark", "light", "dark"):
        with sessions.begin(world.demo) as session:
            session.execute(update(User).where(User.id == world.people["bob"].user_id).values(theme=theme))
        assert re.findall(r'value="(\w+)" aria-pressed="true"', page_of(bob)) == [theme]


@contextmanager
def named(sessions, world, name):
    """Bob under another name, for a while."""

    def call(chosen):
        with sessions.begin(world.demo) as session:
            session.execute(update(Person).where(Person.email == world.people["bob"].email).values(name=chosen))

    call(name)
    try:
        yield
    finally:
        call(world.people["bob"].name)


@pytest.fixture
def draw(app, monkeypatch):
    """Parts of three at most that show `value`, drawn within a request."""
    shown = []

    def render(name, values):
        shown.append(values)
        return f"{name}: {values.get('value')} {kept_parts._form_token()}"

    monkeypatch.setattr(kept_parts, "_render", render)
    kept = KeptParts(limit=3)
    with app.test_request_context("/portal/"):
        yield kept, shown


def test_what_is_not_drawn_alike_is_not_kept_alike(draw):
    kept, shown = draw
    for value in ("1", 1, True, 1.0, Markup("1"), ["1"], ("1",), {"a": "1"}, None):
        kept.draw("part", value=value)
    assert len(shown) == 9
    kept.draw("part", value=None)
    kept.draw("part", value={"a": "1"})
    assert len(shown) == 9
    kept.draw("part", other=None)
    kept.draw("else", value=None)
    assert len(shown) == 11


def test_old_parts_make_room(draw):
    kept, shown = draw
    for value in range(10):
        kept.draw("part", value=value)
        assert len(kept) <= 3
    kept.draw("part", value=9)
    kept.draw("part", value=0)
    assert [values["value"] for values in shown] == [*range(10), 0]


def test_what_can_change_later_is_refused(draw):
    @dataclass
    class Loose:
        name: str

    kept, shown = draw
    for value in (object(), Loose("x"), {1, 2}, [Loose("x")]):
        with pytest.raises(TypeError):
            kept.draw("part", value=value)
    assert not shown
