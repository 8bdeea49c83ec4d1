"""A new key for every stored secret, so that the old one can go."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import LargeBinary, select

from portal.authz import system_actor
from portal.lib.vault import UnreadableSecret, Vault
from portal.models import AuditEntry, Base, IdentityProvider, LinkPurpose, OneTimeLink, SsoAttempt, TotpFactor
from portal.services.accounts.access_requests import read_request, write_request
from portal.services.accounts.key_rotation import ENCRYPTED, rotate_secrets
from portal.services.accounts.one_time import issue_link

OLD, NEW = "the old key, which is long enough", "the new key, which is long enough too"
SECRET = b"JBSWY3DPEHPK3PXP"


@pytest.fixture
def stored(sessions, world, now):
    """A secret in each encrypted column, encrypted with the old key; gone afterwards."""
    vault = Vault([OLD])
    user = world.people["sam"].user_id
    provider = uuid4()
    with sessions.begin(world.demo) as session:
        session.add(
            IdentityProvider(
                id=provider, tenant_id=world.demo, name="IdP", issuer="https://idp.example", client_id="c",
                client_secret=vault.encrypt(SECRET),
            )
        )  # fmt: skip
        session.add(TotpFactor(tenant_id=world.demo, user_id=user, secret=vault.encrypt(SECRET), created_at=now))
        session.flush()
        for _ in range(7):
            session.add(
                SsoAttempt(
                    state_hash=uuid4().bytes, tenant_id=world.demo, provider_id=provider, door="portal", nonce="n",
                    verifier=vault.encrypt(SECRET), created_at=now, expires_at=now + timedelta(minutes=5),
                )
            )  # fmt: skip
        told = {"identifier": "ana@acme.example"}
        write_request(session, LinkPurpose.RESET_PASSWORD, told, vault=vault, actor=system_actor(world.demo), now=now)
        issue_link(session, LinkPurpose.VERIFY_EMAIL, user_id=None, vault=vault, now=now, payload={"a": 1})
    yield
    with sessions.begin(world.demo) as session:
        for model in (OneTimeLink, SsoAttempt, IdentityProvider, TotpFactor):
            for row in session.scalars(select(model)):
                session.delete(row)
            session.flush()


def secrets_of(sessions, world):
    with sessions.begin(world.demo) as session:
        return [
            value if isinstance(value, bytes) else value.encode()
            for encrypted in ENCRYPTED
            for value in session.scalars(select(encrypted.stored).where(encrypted.stored.is_not(None)))
        ]


def rotate(sessions, world, now, keys, **options):
    return rotate_secrets(sessions, world.demo, vault=Vault(keys), actor=system_actor(world.demo), now=now, **options)


def test_the_list_names_every_encrypted_column():
    """The tables say in their comments what is encrypted."""
    said = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary) and "encrypted" in (column.comment or "")
    }
    names = {encrypted.name for encrypted in ENCRYPTED}
    assert said <= names
    assert names - said == {"one_time_links.payload.sealed"}


def test_after_rotating_the_old_key_can_go(sessions, world, now, stored):
    with pytest.raises(UnreadableSecret):
        Vault([NEW]).decrypt(secrets_of(sessions, world)[0])
    done = rotate(sessions, world, now, [NEW, OLD], batch=3)
    assert done.renewed == {
        "totp_factors.secret": 1,
        "identity_providers.client_secret": 1,
        "sso_attempts.verifier": 7,
        "one_time_links.payload.sealed": 1,
    }
    assert not done.unreadable
    found = secrets_of(sessions, world)
    assert len(found) == 10
    assert {Vault([NEW]).decrypt(value) for value in found} == {SECRET, b'{"identifier": "ana@acme.example"}'}
    with sessions.begin(world.demo) as session:
        (link,) = session.scalars(select(OneTimeLink).where(OneTimeLink.purpose == LinkPurpose.RESET_PASSWORD))
        assert read_request(link, Vault([NEW])) == {"identifier": "ana@acme.example"}
        (other,) = session.scalars(select(OneTimeLink).where(OneTimeLink.purpose == LinkPurpose.VERIFY_EMAIL))
        assert other.payload == {"a": 1}
    for value in found:
        with pytest.raises(UnreadableSecret):
            Vault([OLD]).decrypt(value)
    with sessions.begin(world.demo) as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "keys.rotated")).all()[-1]
    assert entry.after == dict(done.renewed)


def test_a_second_run_finds_nothing_to_do(sessions, world, now, stored):
    rotate(sessions, world, now, [NEW, OLD])
    before = secrets_of(sessions, world)
    done = rotate(sessions, world, now, [NEW, OLD])
    assert not done.renewed
    assert done.current.total() == 10
    assert secrets_of(sessions, world) == before


def test_what_was_done_before_a_stop_is_done(sessions, world, now, stored, monkeypatch):
    vault, count = Vault([NEW, OLD]), 0
    real = Vault.rotate

    def stop(self, value):
        nonlocal count
        count += 1
        if count == 6:
            raise KeyboardInterrupt
        return real(self, value)

    with monkeypatch.context() as patch:
        patch.setattr(Vault, "rotate", stop)
        with pytest.raises(KeyboardInterrupt):
            rotate(sessions, world, now, [NEW, OLD], batch=2)
    current = sum(vault.is_current(value) for value in secrets_of(sessions, world))
    assert current == 4, "two single ones and one batch; the batch that was stopped is undone as a whole"
    assert rotate(sessions, world, now, [NEW, OLD]).renewed.total() == 6


def test_a_secret_of_an_unknown_key_is_counted_and_left(sessions, world, now, stored):
    before = secrets_of(sessions, world)
    done = rotate(sessions, world, now, [NEW])
    assert done.unreadable.total() == 10
    assert not done.renewed
    assert secrets_of(sessions, world) == before


def test_a_secret_changed_meanwhile_stays_as_changed(sessions, world, now, stored, monkeypatch):
    real, fresh = Vault.rotate, Vault([NEW]).encrypt(b"another")

    def change(self, value):
        if not secrets_changed:
            secrets_changed.append(1)
            with sessions.begin(world.demo) as session:
                session.scalars(select(TotpFactor)).one().secret = fresh
        return real(self, value)

    secrets_changed = []
    with monkeypatch.context() as patch:
        patch.setattr(Vault, "rotate", change)
        done = rotate(sessions, world, now, [NEW, OLD])
    assert done.renewed["totp_factors.secret"] == 0
    with sessions.begin(world.demo) as session:
        assert session.scalars(select(TotpFactor)).one().secret == fresh


def test_other_tenants_are_left_alone(sessions, world, now, stored):
    done = rotate_secrets(sessions, world.nova, vault=Vault([NEW, OLD]), actor=system_actor(world.nova), now=now)
    assert not done.renewed
    assert not done.current
