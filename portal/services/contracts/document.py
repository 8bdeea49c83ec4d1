"""The document of a contract: set once when it is sent, kept as bytes, and never made anew."""

import hashlib
import io
from datetime import UTC, date, datetime, time

from sqlalchemy import select

from portal.errors import Conflict, NotFound
from portal.integrations.pdf import typeset
from portal.integrations.storage import FileGone, FileStorage, StorageUnavailable, new_key
from portal.lib.colour import solid_accent
from portal.lib.i18n import format_minute
from portal.lib.letters import translator
from portal.lib.markdown_parts import markdown_parts
from portal.models import Company, Contract, Signature, Tenant
from portal.models.session import TenantSession
from portal.services.contracts.queries import RECORD
from portal.services.signing.queries import list_signatures


def draw_contract(session: TenantSession, contract: Contract, *, now: datetime) -> bytes:
    """The PDF of a contract as it stands, in its own language."""
    tenant = session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one()
    company = session.scalars(select(Company).where(Company.id == contract.customer_id)).one()
    _, locale = translator(contract.locale), contract.locale
    facts = [
        (_("Number"), contract.number),
        (_("Between"), tenant.name),
        (_("and"), company.name),
        (_("From"), written_day(contract.starts_on, locale)),
        (_("Until"), written_day(contract.ends_on, locale)),
    ]
    places = list_signatures(session, RECORD, contract.id)
    data = {
        "title": contract.title,
        "number": contract.number,
        "foot": f"{tenant.name} · {contract.number}",
        "facts": [list(fact) for fact in facts if fact[1]],
        "parts": markdown_parts(contract.body),
        "signers_title": _("Signatures"),
        "signers_note": _("Signed electronically; who signed when is on the page of evidence behind this text."),
        "signers": [_signer(place, tenant.name, company.name) for place in places],
    }
    accent = solid_accent(tenant.brand.get("accent"))
    return typeset("contract.typ", data, locale=locale, tenant=tenant.name, accent=accent, now=now)


def freeze_document(session: TenantSession, contract: Contract, *, storage: FileStorage, now: datetime) -> None:
    """Keep the document that is to be signed, with its hash; raises Conflict `document_not_stored`."""
    content = draw_contract(session, contract, now=now)
    key = new_key()
    try:
        storage.put(key, io.BytesIO(content))
    except StorageUnavailable as error:
        raise Conflict("document_not_stored") from error
    contract.document_key = key
    contract.document_size = len(content)
    contract.content_sha256 = hashlib.sha256(content).digest()


def read_document(contract: Contract, *, storage: FileStorage) -> bytes:
    """The frozen bytes. Raises NotFound where there are none, Conflict where they are not what was frozen."""
    if contract.document_key is None:
        raise NotFound("contract")
    try:
        content = b"".join(storage.read(contract.document_key))
    except FileGone as error:
        raise NotFound("contract") from error
    if hashlib.sha256(content).digest() != contract.content_sha256:
        # What was signed must never be shown in another form.
        raise Conflict("document_damaged")
    return content


def written_day(day: date | None, locale: str) -> str:
    """A day in a language; empty where there is none."""
    return format_minute(datetime.combine(day, time(12), UTC), locale, "UTC", "d MMMM y") if day else ""


def _signer(place: Signature, tenant: str, company: str) -> dict[str, str]:
    return {"name": place.signer_name, "party": tenant if place.side == "staff" else company}
