"""What is told of the seal: the certificate's own words, and that there is none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from portal.integrations.seal_keys import find_key
from portal.integrations.seal_state import read_seal_state


def test_the_certificate_is_told_and_never_the_key(settings):
    state = read_seal_state(settings)
    assert state.readable
    assert state.is_self_signed
    assert "Portico seal" in state.subject
    assert state.expires_at is not None
    assert state.expires_at > datetime.now(UTC) + timedelta(days=3000)
    assert not state.stamps_time
    assert read_seal_state(replace(settings, tsa_url="http://tsa.example/")).stamps_time
    secret = find_key(settings).key.read_text()
    assert secret.splitlines()[1] not in repr(state)


def test_one_that_cannot_be_read_is_told_as_such(settings, tmp_path):
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing")
    for certificate in (broken, tmp_path / "missing.pem"):
        named = replace(settings, seal_key=broken, seal_certificate=certificate)
        assert not read_seal_state(named).readable
    assert not read_seal_state(
        replace(settings, environment="production", seal_key=None, seal_certificate=None)
    ).readable
