"""Signed thread tokens: only this installation's, only in their tenant."""

from uuid import uuid4

import pytest

from portal.lib.mail_tokens import (
    LOCAL_PART_LENGTH,
    TOKEN_LENGTH,
    Thread,
    plain_address,
    read_thread,
    reply_address,
    sign_thread,
    thread_reference,
    tokens_of_addresses,
    tokens_of_references,
)
from portal.lib.vault import Vault

VAULT = Vault(["the newest secret of this installation", "an older one that was rotated out"])
TENANT, TICKET, SIDE = uuid4(), uuid4(), uuid4()


def test_a_token_names_its_ticket_or_side_conversation():
    """Both kinds come back as what they were signed for, also in capitals."""
    assert read_thread(VAULT, TENANT, sign_thread(VAULT, TENANT, TICKET)) == Thread(ticket_id=TICKET)
    side = sign_thread(VAULT, TENANT, TICKET, SIDE)
    assert read_thread(VAULT, TENANT, side.upper()) == Thread(side_conversation_id=SIDE)


def test_a_token_is_worth_nothing_elsewhere():
    """Neither in another tenant nor in another installation."""
    token = sign_thread(VAULT, TENANT, TICKET)
    assert read_thread(VAULT, uuid4(), token) is None
    assert read_thread(Vault(["somebody else's secret"]), TENANT, token) is None


def test_tokens_outlive_a_rotation_of_keys():
    """What was signed under the older key is still read."""
    token = sign_thread(Vault(["an older one that was rotated out"]), TENANT, TICKET)
    assert read_thread(VAULT, TENANT, token) == Thread(ticket_id=TICKET)


@pytest.mark.parametrize("at", [0, 5, 20, 30, TOKEN_LENGTH - 3])
def test_a_changed_token_is_none(at):
    """Whatever character is changed."""
    token = sign_thread(VAULT, TENANT, TICKET)
    changed = token[:at] + ("a" if token[at] != "a" else "b") + token[at + 1 :]
    assert read_thread(VAULT, TENANT, changed) is None


@pytest.mark.parametrize("token", ["", "a", "a" * TOKEN_LENGTH, "é" * TOKEN_LENGTH, "1" * TOKEN_LENGTH, "a" * 5000])
def test_rubbish_is_none(token):
    """Nothing that was not signed here."""
    assert read_thread(VAULT, TENANT, token) is None


def test_addresses_and_references_carry_it():
    """The address keeps within the length of a local part, and both are found again in headers."""
    token = sign_thread(VAULT, TENANT, TICKET)
    for mailbox in ("support@example.com", "customer.service.team.of.the.north@example.com"):
        address = reply_address(mailbox, token)
        assert len(address.rpartition("@")[0]) <= LOCAL_PART_LENGTH
        assert tokens_of_addresses([f"Support <{address}>, x@example.com"]) == [token]
    assert tokens_of_references([f"<a@b> {thread_reference(token, 'example.com')}"]) == [token]


def test_plain_addresses():
    """The mailbox of an address with a token is the tenant's own."""
    token = sign_thread(VAULT, TENANT, TICKET)
    assert plain_address(reply_address("Support@Example.com", token)) == "support@example.com"
