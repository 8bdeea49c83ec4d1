"""What browsers are asked about passkeys (WebAuthn level 2), and whether their answers hold.

Answers are a stranger's bytes: whatever is wrong with them, down to what breaks a parser, is one refusal.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import webauthn
from webauthn.helpers import base64url_to_bytes, options_to_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from portal.errors import Unauthenticated

ANSWER_LENGTH = 32_768
CREDENTIAL_ID_LENGTH = 1023
TIMEOUT_MS = 300_000
Json = dict[str, Any]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Site:
    """Where a passkey belongs: the host without its port, the page's origin, and what people call the site."""

    rp_id: str
    origin: str
    name: str


@dataclass(frozen=True)
class Held:
    """A credential as browsers are told of it."""

    credential_id: bytes
    transports: Sequence[str] = ()


@dataclass(frozen=True)
class NewCredential:
    """A credential that a browser has just made, checked and not yet stored."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: list[str]


@dataclass(frozen=True)
class Assertion:
    """An answer that says which credential signed; nothing of it is checked yet."""

    credential_id: bytes
    user_handle: bytes | None
    sent: Json


def creation_question(
    site: Site, challenge: bytes, *, user_id: bytes, account: str, person: str, held: Sequence[Held]
) -> Json:
    """For `navigator.credentials.create`: a discoverable credential that verifies its user, none of those held."""
    options = webauthn.generate_registration_options(
        rp_id=site.rp_id,
        rp_name=site.name,
        user_id=user_id,
        user_name=account,
        user_display_name=person,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_described(held),
    )
    question: Json = json.loads(options_to_json(options))
    return question


def proof_question(site: Site, challenge: bytes, *, held: Sequence[Held] = ()) -> Json:
    """For `navigator.credentials.get`: one of those held, or without any whichever the browser has for the site."""
    options = webauthn.generate_authentication_options(
        rp_id=site.rp_id,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        allow_credentials=_described(held),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    question: Json = json.loads(options_to_json(options))
    return question


def check_creation(answer: str, challenge: bytes, site: Site) -> NewCredential:
    """The credential made for this very challenge; raises Unauthenticated `passkey_refused`."""
    sent = _parse(answer)

    def check() -> NewCredential:
        made = webauthn.verify_registration_response(
            credential=sent,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
        if not 0 < len(made.credential_id) <= CREDENTIAL_ID_LENGTH:
            raise ValueError("a credential id of an impossible length")
        told = sent["response"].get("transports")
        transports = [kind.value for kind in AuthenticatorTransport if isinstance(told, list) and kind.value in told]
        return NewCredential(made.credential_id, made.credential_public_key, made.sign_count, transports)

    return _refuse_what_breaks(check)


def read_assertion(answer: str) -> Assertion:
    """Which credential an answer speaks of; raises Unauthenticated `passkey_refused`."""
    sent = _parse(answer)

    def read() -> Assertion:
        handle = sent["response"].get("userHandle")
        return Assertion(base64url_to_bytes(sent["id"]), base64url_to_bytes(handle) if handle else None, sent)

    return _refuse_what_breaks(read)


def check_assertion(assertion: Assertion, challenge: bytes, site: Site, *, public_key: bytes) -> int:
    """The counter of an answer that holds; raises Unauthenticated `passkey_refused` for every other.

    Whether the counter went up is the caller's to judge: that one refusal is worth telling apart.
    """
    verified = _refuse_what_breaks(
        lambda: webauthn.verify_authentication_response(
            credential=assertion.sent,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    )
    return verified.new_sign_count


def _parse(answer: str) -> Json:
    def parse() -> Json:
        if len(answer) > ANSWER_LENGTH:
            raise ValueError("longer than any answer")
        sent = json.loads(answer)
        if not isinstance(sent, dict) or not isinstance(sent.get("response"), dict):
            raise ValueError("no credential")
        return sent

    return _refuse_what_breaks(parse)


def _refuse_what_breaks(step: Callable[[], Result]) -> Result:
    try:
        return step()
    except Exception as error:
        raise Unauthenticated("passkey_refused") from error


def _described(held: Sequence[Held]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=one.credential_id, transports=[AuthenticatorTransport(kind) for kind in one.transports] or None
        )
        for one in held
    ]
