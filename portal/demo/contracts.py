"""The demo world's contracts: one that was signed by both sides, one that waits for the customer (contract §2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update

from portal.authz import system_actor
from portal.demo.content import DemoTenant, demo_uuid
from portal.demo.kestrel_contracts import ADDENDUM, ADDENDUM_TITLE, AGREEMENT, AGREEMENT_TITLE
from portal.integrations.storage import FileStorage
from portal.models import Contract, OutboxEvent, User
from portal.models.session import TenantSession
from portal.services.accounts.identity import build_identity, select_identity
from portal.services.accounts.sessions import Origin
from portal.services.contracts.drafting import ContractDraft, create_contract
from portal.services.contracts.queries import RECORD
from portal.services.contracts.sending import send_contract
from portal.services.contracts.signing import sign_contract
from portal.services.signing.queries import list_signatures, note_view
from portal.services.signing.requesting import Signer
from portal.services.signing.signing import Circumstances, GivenSignature

ANA, BILL, MIA = "ana@acme.example", "bill@demo.example", "mia@demo.example"
_BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass(frozen=True)
class DemoContract:
    """A contract: its text, how many days ago it was sent, and who signed how many hours after that."""

    key: str
    title: str
    body: str
    sent_days_ago: int
    signers: Sequence[str]
    signed_after: Mapping[str, float]
    years: int = 0


CONTRACTS = (
    DemoContract("agreement", AGREEMENT_TITLE, AGREEMENT, 236, (BILL, ANA), {BILL: 1.4, ANA: 20.7}, years=2),
    DemoContract("addendum", ADDENDUM_TITLE, ADDENDUM, 2, (MIA, ANA), {MIA: 0.3}),
)
# Told of long ago; what is left says that the addendum waits, and has the signed one sealed.
_STILL_NEWS = {"agreement": "contract.signed", "addendum": "contract.sent"}


def seed_contracts(
    session: TenantSession, tenant: DemoTenant, *, storage: FileStorage, now: datetime
) -> None:
    """Let the contracts be drafted, sent and signed; the worker seals the signed one."""
    if tenant.key != "demo":
        return
    for demo in CONTRACTS:
        sent = now - timedelta(days=demo.sent_days_ago)
        contract = _send(session, tenant, demo, storage, sent)
        for key, hours in demo.signed_after.items():
            _sign(session, contract, _login(tenant, key), storage, sent + timedelta(hours=hours))
        session.flush()
        session.execute(
            update(OutboxEvent)
            .where(OutboxEvent.record_id == contract.id, OutboxEvent.kind != _STILL_NEWS[demo.key])
            .values(processed_at=now),
            execution_options={"synchronize_session": False},
        )


def _login(tenant: DemoTenant, email: str) -> UUID:
    return demo_uuid(tenant.key, "user", email)


def _send(
    session: TenantSession,
    tenant: DemoTenant,
    demo: DemoContract,
    storage: FileStorage,
    sent: datetime,
) -> Contract:
    starts = (sent + timedelta(days=7)).date()
    draft = ContractDraft(
        customer_id=demo_uuid(tenant.key, "company", "acme"),
        title=demo.title,
        body=demo.body,
        signers=[Signer(_login(tenant, key), place) for place, key in enumerate(demo.signers, 1)],
        in_order=True,
        starts_on=starts,
        ends_on=starts + timedelta(days=365 * demo.years - 1) if demo.years else None,
        contract_id=demo_uuid(tenant.key, "contract", demo.key),
    )
    team = system_actor(session.tenant_id)
    contract = create_contract(session, draft, actor=team, now=sent - timedelta(minutes=40))
    contract.created_by = _login(tenant, demo.signers[0])
    return send_contract(session, contract.id, storage=storage, actor=team, now=sent)


def _sign(session: TenantSession, contract: Contract, user_id: UUID, storage: FileStorage, at: datetime) -> None:
    row = session.execute(select_identity().where(User.id == user_id)).one()
    person = build_identity(row, ip="192.0.2.41")
    places = list_signatures(session, RECORD, contract.id)
    note_view(session, next(place for place in places if place.user_id == user_id), now=at - timedelta(minutes=6))
    digest = contract.content_sha256.hex() if contract.content_sha256 else ""
    sign_contract(
        session,
        contract.id,
        GivenSignature(person.person_name, digest, consent=True),
        circumstances=Circumstances(Origin("192.0.2.41", _BROWSER), "pwd"),
        storage=storage,
        actor=person.actor,
        now=at,
    )
