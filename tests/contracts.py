"""What tests of contracts share: one to sign, a signature, and what seals."""

from datetime import datetime

from portal.integrations.seal import PadesSeal
from portal.integrations.storage import folder_storage
from portal.services.accounts.sessions import Origin
from portal.services.contracts.drafting import ContractDraft, create_contract
from portal.services.contracts.sending import send_contract
from portal.services.contracts.signing import sign_contract
from portal.services.sealing.making import SealTools
from portal.services.signing.requesting import Signer
from portal.services.signing.signing import Circumstances, GivenSignature

BODY = "## Subject\n\nWe keep **your servers** running.\n\n1. Around the clock\n2. On site within *four hours*\n"
BROWSER = Circumstances(Origin("203.0.113.7", "Firefox/140"), "pwd+otp")


def draft_of(world, *names, in_order=False, **values):
    """A draft of Acme's that these people sign, in this order."""
    signers = [Signer(world.people[name].user_id, place) for place, name in enumerate(names or ("alice",), 1)]
    given = {"title": "Service agreement", "body": BODY, "customer_id": world.companies["acme"]} | values
    return ContractDraft(signers=signers, in_order=in_order, **given)


def send_new(session, world, storage, *names, now: datetime, in_order=False, **values):
    """A contract that was sent."""
    manager = world.people["mia"].actor
    contract = create_contract(session, draft_of(world, *names, in_order=in_order, **values), actor=manager, now=now)
    return send_contract(session, contract.id, storage=storage, actor=manager, now=now)


def given_for(contract, name="Alice Moreau", **values):
    """What somebody sends who has read the contract."""
    return GivenSignature(
        **({"signer_name": name, "content_sha256": contract.content_sha256.hex(), "consent": True} | values)
    )


def sign_as(session, world, contract, who, storage, *, now: datetime, **values):
    """Sign as somebody."""
    person = world.people[who]
    given = given_for(contract, person.name, **values)
    return sign_contract(
        session, contract.id, given, circumstances=BROWSER, storage=storage, actor=person.actor, now=now
    )


def tools_for(settings, storage=None, seal=None):
    """What seals by the installation's own key."""
    return SealTools(
        storage or folder_storage(settings.data_dir / "files"), seal or PadesSeal(settings), settings.base_url
    )
