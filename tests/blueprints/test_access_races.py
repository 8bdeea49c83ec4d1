"""Thirty at once: of guesses five count, and of uses of a one-time link one wins.

They commit, so they run after what looks at an untouched world.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError

from portal.authz import visitor
from portal.errors import Conflict, Unauthenticated
from portal.lib.vault import Vault
from portal.models import AuthSession, Company, KnownDevice, LinkPurpose, MailMessage, Person, SignInLock, User
from portal.models.session import TenantSession, TenantSessions
from portal.services.accounts.disowning import disown_device
from portal.services.accounts.lockout import FIRST_LOCK
from portal.services.accounts.one_time import issue_link
from portal.services.accounts.recovery import Site, reset_password
from portal.services.accounts.registration import (
    NewAccount,
    Registration,
    complete_registration,
    request_registration,
)
from portal.services.accounts.sessions import DOORS, Origin
from portal.services.accounts.sign_in import Attempt, continue_sign_in, prove_password
from portal.services.tenants.directory import TenantDirectory, TenantProfile
from portal.services.tenants.sign_in_policy import SignInPolicy
from tests.conftest import CHEAP
from tests.posting import BASE_URL, Worker, path_in, token_in
from tests.world import PASSWORD, World

ORIGIN = Origin("192.0.2.9", "Test/1.0", "request-9")
CHARLIE = "charlie@globex.example"
NEW = "a lamp of blue glass"


@pytest.fixture
def vault() -> Vault:
    return Vault(["a secret of the tests' own vault, long enough"])


@pytest.fixture
def tenant(engine: Engine) -> TenantProfile:
    found = TenantDirectory(engine).by_host("127.0.0.1")
    assert found is not None
    return replace(found, sign_in=SignInPolicy(registration_open=True))


@pytest.fixture
def race(sessions: TenantSessions, world: World) -> Callable[..., list[Any]]:
    """Let calls begin at the same moment, each in a transaction of its own; gives what became of them."""

    def run(calls: list[Callable[[TenantSession], Any]]) -> list[Any]:
        ready, results = threading.Barrier(len(calls)), []

        def one(call: Callable[[TenantSession], Any]) -> None:
            ready.wait(20)
            try:
                with sessions.begin(world.demo) as session:
                    result = call(session)
                results.append(result)
            except (Conflict, Unauthenticated) as refused:
                results.append(refused.code)
            except IntegrityError:
                results.append("changed_meanwhile")

        threads = [threading.Thread(target=one, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(results) == len(calls)
        return results

    return run


@pytest.fixture
def clean(root: Engine) -> Any:
    yield
    with root.begin() as connection:
        connection.execute(text("DELETE FROM sign_in_locks"))


def guess(now: Any, password: str, who: str = CHARLIE, passwords: Any = CHEAP) -> Callable[[TenantSession], str]:
    given = Attempt(who, password, "portal", DOORS["portal"], ORIGIN)
    return lambda session: "in" if prove_password(session, given, passwords=passwords, now=now) else "wrong"


@pytest.mark.parametrize("who", [CHARLIE, "nobody@globex.example"])
def test_thirty_guesses_at_once_are_five(
    sessions: Any, world: World, race: Any, now: Any, clean: None, who: str
) -> None:
    results = race([guess(now, f"guess {n}", who) for n in range(30)])
    assert (results.count("wrong"), results.count("sign_in_locked")) == (5, 25)
    with sessions.begin(world.demo) as session:
        (row,) = session.scalars(select(SignInLock)).all()
        assert (row.locks, row.failures, row.locked_until - now) == (1, 0, FIRST_LOCK)


def test_the_right_password_after_the_fifth_failure_is_refused(race: Any, now: Any, clean: None) -> None:
    race([guess(now, f"guess {n}") for n in range(30)])
    assert race([guess(now, PASSWORD)] * 8) == ["sign_in_locked"] * 8


def test_a_lock_made_while_the_password_is_looked_at_holds(
    sessions: Any, world: World, race: Any, now: Any, clean: None
) -> None:
    """Between the look at the lock and the hash five failures come in: the right password is too late."""

    class Slow:
        first = True

        def matches(self, password: str, stored: str | None) -> bool:
            if self.first:
                self.first = False
                assert race([guess(now, "wrong")] * 5) == ["wrong"] * 5
            return CHEAP.matches(password, stored)

    with pytest.raises(Unauthenticated, match="sign_in_locked"), sessions.begin(world.demo) as session:
        guess(now, PASSWORD, passwords=Slow())(session)
    with sessions.begin(world.demo) as session:
        assert session.scalars(select(SignInLock.locks)).all() == [1]


def test_a_reset_link_sets_one_password(
    sessions: Any, world: World, tenant: Any, vault: Vault, race: Any, now: Any
) -> None:
    user_id = world.people["jonas"].user_id
    with sessions.begin(world.demo) as session:
        made = issue_link(session, LinkPurpose.RESET_PASSWORD, user_id=user_id, vault=vault, now=now)
        before = set(session.scalars(select(MailMessage.id)))
    token, site = vault.link_token(made.id), Site(tenant, BASE_URL)

    def use(number: int) -> Callable[[TenantSession], int]:
        def call(session: TenantSession) -> int:
            reset_password(session, token, f"{NEW} {number}", passwords=CHEAP, site=site, origin=ORIGIN, now=now)
            return number

        return call

    results = race([use(number) for number in range(30)])
    (won,) = [result for result in results if result != "link_expired"]
    with sessions.begin(world.demo) as session:
        jonas = session.get(User, user_id)
        assert CHEAP.matches(f"{NEW} {won}", jonas.password_hash)
        jonas.password_hash = CHEAP.hash(PASSWORD)
        mails = [mail for mail in session.scalars(select(MailMessage)) if mail.id not in before]
        assert [(mail.template, mail.user_id) for mail in mails] == [("password_changed", user_id)]


def test_two_links_of_one_address_make_one_account(
    sessions: Any, world: World, tenant: Any, vault: Vault, race: Any, now: Any
) -> None:
    worker, address = Worker(sessions, vault, world.demo), "race@newco.example"
    with sessions.begin(world.demo) as session:
        for name in ("One", "Two"):
            wanted = Registration(name, address, "Race", "en")
            request_registration(session, wanted, tenant=tenant, vault=vault, actor=visitor(world.demo), now=now)
    links = [token_in(mail) for mail in worker.work(now=lambda: now).to(address)]
    assert len(set(links)) == 2

    def use(number: int) -> Callable[[TenantSession], str]:
        account = NewAccount(f"Racer {number}", "Racing", "", NEW)

        def call(session: TenantSession) -> str:
            complete_registration(
                session,
                links[number % 2],
                account,
                tenant=tenant,
                vault=vault,
                passwords=CHEAP,
                origin=ORIGIN,
                now=now,
            )
            return "won"

        return call

    assert race([use(number) for number in range(30)]).count("won") == 1
    with sessions.begin(world.demo) as session:
        (person,) = session.scalars(select(Person).where(Person.email == address)).all()
        assert session.scalars(select(User).where(User.person_id == person.id)).one().may_sign_in()
        assert len(session.scalars(select(Company).where(Company.name == "Racing")).all()) == 1


def test_not_me_is_said_once(sessions: Any, world: World, vault: Vault, race: Any, now: Any) -> None:
    worker, user_id = Worker(sessions, vault, world.demo), world.people["jonas"].user_id
    with sessions.begin(world.demo) as session:
        user = session.get(User, user_id)
        user.last_login_at = now
        continue_sign_in(session, user, door="admin", method="passkey", origin=ORIGIN, device=None, now=now)
    token = token_in(worker.work(now=lambda: now).last("jonas@demo.example"))

    def use(session: TenantSession) -> str:
        disown_device(session, token, origin=ORIGIN, now=now)
        return "won"

    results = race([use] * 30)
    assert (results.count("won"), results.count("link_expired")) == (1, 29)
    assert path_in(worker.work(now=lambda: now).last("jonas@demo.example")).startswith("/admin/reset/")
    with sessions.begin(world.demo) as session:
        user = session.get(User, user_id)
        assert user.must_reset_password
        user.must_reset_password = False
        own = (KnownDevice.user_id == user_id, KnownDevice.disowned_at == now)
        device = session.scalars(select(KnownDevice).where(*own)).one()
        # What this person opened elsewhere (other tests leave some) is not the device's and goes on.
        opened = select(AuthSession.revoked_at).where(AuthSession.device_id == device.id)
        assert session.scalars(opened).all() == [now]
