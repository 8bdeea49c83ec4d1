"""The page of evidence and the stamp, in the language of the document."""

from datetime import datetime
from typing import Any

import segno

from portal.integrations.pdf import typeset
from portal.lib.colour import solid_accent
from portal.lib.i18n import format_minute
from portal.lib.letters import translator
from portal.lib.links import verify_path
from portal.lib.wording.signing import SIGNATURE_STATUS, factors_text
from portal.services.sealing.documents import SignedRecord
from portal.services.tenants.directory import TenantProfile

_ZONE = "UTC"


def draw_evidence(
    record: SignedRecord, evidence: dict[str, Any], *, tenant: TenantProfile, site: str, now: datetime
) -> bytes:
    """The pages behind a signed document: who signed when, from where and how, what they agreed to, and the hashes."""
    _ = translator(record.locale)
    address = f"{site}{verify_path(str(evidence['code']))}"
    data = {
        "title": _("Evidence of the signatures"),
        "number": record.number,
        "foot": f"{tenant.name} · {record.number}",
        "lead": _("This page is sealed together with the document that it stands behind."),
        "facts": [
            [_("Document"), record.title],
            [_("Number"), record.number],
            [_("Between"), f"{tenant.name} · {record.company}"],
        ],
        "hash_label": _("SHA-256 of the document as it was shown and signed"),
        "hash": evidence["content_sha256"],
        "signers": [_signer(entry, _, record.locale) for entry in evidence["signers"]],
        "check_title": _("Check this document"),
        "check_text": _("Open this address and choose the file. It is compared on your own device and sent nowhere."),
        "address": address,
        "code": str(evidence["code"]),
        "qr": segno.make(address, error="m").svg_inline(border=0, omitsize=True, dark="#17181C"),
        "qr_label": _("QR code of the address"),
    }
    return _set("evidence.typ", data, record, tenant, now)


def draw_stamp(record: SignedRecord, code: str, *, tenant: TenantProfile, now: datetime) -> bytes:
    """The visible mark of the seal."""
    _ = translator(record.locale)
    data = {
        "title": _("Sealed by %(company)s", company=tenant.name),
        "mark": str(tenant.brand.get("mark_letter") or tenant.name[:1]),
        "lines": [
            f"{_moment(now, record.locale)} · {code}",
            _("Every later change of this file breaks the seal."),
        ],
    }
    return _set("stamp.typ", data, record, tenant, now)


def _set(template: str, data: dict[str, Any], record: SignedRecord, tenant: TenantProfile, now: datetime) -> bytes:
    accent = solid_accent(tenant.brand.get("accent"))
    return typeset(template, data, locale=record.locale, tenant=tenant.name, accent=accent, now=now)


def _signer(entry: dict[str, Any], _: Any, locale: str) -> dict[str, Any]:
    lines = [
        (_("Signed"), _moment(entry["decided_at"], locale)),
        (_("First opened"), _moment(entry["viewed_at"], locale)),
        (_("Mail address"), entry["email"]),
        (_("Proved by"), factors_text(entry["factors"], _)),
        (_("Network address"), entry["address"]),
        (_("Program"), entry["user_agent"]),
        (_("Agreed to (version %(version)s)", version=entry["consent_version"]), entry["consent_text"]),
        (_("Kind"), _("Drawn by hand") if entry["drawn"] else _("Typed name")),
        (_("Chained hash"), entry["hash"]),
    ]
    return {
        "name": entry["name"],
        "status": _(SIGNATURE_STATUS[entry["status"]]),
        "facts": [list(line) for line in lines if line[1]],
        "drawing": entry.get("drawing", ""),
        "drawing_label": _("Signature of %(name)s", name=entry["name"]),
    }


def _moment(at: datetime | str | None, locale: str) -> str:
    """To the second, in UTC: evidence is read in any zone."""
    if not at:
        return ""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{format_minute(moment, locale, _ZONE, 'd MMMM y, HH:mm:ss')} UTC"
