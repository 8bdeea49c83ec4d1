"""Contracts as pages show them, at both doors."""

from typing import Any

from flask import Response
from markupsafe import Markup

from portal.blueprints import http
from portal.blueprints.localisation import current_locale, format_due, gettext
from portal.lib.wording.signing import CONTRACT_STATUS, SIGNATURE_STATUS, STEPS, factors_text
from portal.models import Contract, NextStep, Signature
from portal.services.contracts.document import written_day
from portal.services.contracts.queries import ContractDetail, ContractRow
from portal.services.signing.consent import Consent, load_consent

PDF = "application/pdf"
# The browser's own viewer, in a page that may load nothing (see files).
_FRAMED_PDF = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
_TONES = {
    "draft": ("neutral", "draft"),
    "sent": ("accent", "ring"),
    "signed": ("ok", "check"),
    "void": ("neutral", "minus"),
}
_PLACES = {"waiting": ("neutral", "ring"), "signed": ("ok", "check"), "declined": ("err", "failed")}


def row_view(row: ContractRow) -> dict[str, Any]:
    """A row of a list."""
    contract = row.contract
    return {
        "id": contract.id,
        "number": contract.number,
        "title": contract.title,
        "company": row.company_name,
        "status": status_view(contract, mine=row.mine),
        "until": written_day(contract.ends_on, current_locale()),
        "at": contract.signed_at or contract.sent_at or contract.created_at,
    }


def status_view(contract: Contract, *, mine: bool = False) -> dict[str, str]:
    """Label, tone and shape of a status; one that waits for the reader says so."""
    tone, shape = _TONES[contract.status.value]
    label = gettext("Waits for your signature") if mine else gettext(CONTRACT_STATUS[contract.status.value])
    return {"label": label, "tone": "warn" if mine else tone, "shape": "pause" if mine else shape}


def detail_view(found: ContractDetail) -> dict[str, Any]:
    """Everything the page of a contract shows."""
    contract, locale = found.contract, current_locale()
    dates = [
        (gettext("Number"), contract.number),
        (gettext("Customer"), found.company_name),
        (gettext("From"), written_day(contract.starts_on, locale)),
        (gettext("Until"), written_day(contract.ends_on, locale)),
    ]
    return {
        "contract": contract,
        "company": found.company_name,
        # The text was made safe when it was saved.
        "text": Markup(contract.body_html),  # noqa: S704
        "status": status_view(contract, mine=found.can_sign),
        "facts": [fact for fact in dates if fact[1]],
        "places": [place_view(place, found) for place in found.places],
        "step": step_view(found.steps[0]) if found.steps else None,
        "can_sign": found.can_sign,
        "signed_own": found.own is not None and found.own.status.value == "signed",
        "sealed": found.sealed if found.is_sealed else None,
        "fingerprint": contract.content_sha256.hex() if contract.content_sha256 else "",
        "consent": consent_for(found),
        "may_sign_later": found.own is not None and not found.can_sign,
    }


def consent_for(found: ContractDetail) -> Consent:
    """What the reader agrees to by signing, in their language."""
    party = http.tenant().name if http.actor().is_staff else found.company_name
    return load_consent(http.session(), party, current_locale())


def place_view(place: Signature, found: ContractDetail) -> dict[str, Any]:
    """A signer; what is known of how they signed is for the team."""
    tone, shape = _PLACES[place.status.value]
    return {
        "name": place.signer_name,
        "party": http.tenant().name if place.side == "staff" else found.company_name,
        "status": gettext(SIGNATURE_STATUS[place.status.value]),
        "tone": tone,
        "shape": shape,
        "at": place.decided_at,
        "reason": place.decline_reason,
        "viewed_at": place.viewed_at,
        "address": place.address,
        "factors": factors_text(place.factors, gettext),
    }


def step_view(step: NextStep) -> dict[str, Any]:
    """What happens next, and when."""
    far = (step.at - http.now()).total_seconds() >= 86_400
    words = gettext(STEPS.get(step.kind, step.kind))
    kind = "reminder" if step.kind == "contract_reminder" else "expiry"
    return {"kind": kind, "text": words, "at": step.at, "when": format_due(step.at) if far else None, "tone": "neutral"}


def send_pdf(content: bytes, name: str, *, framed: bool = False) -> Response:
    """A document as a download, or to look at in a frame of ours."""
    answer = Response(content, mimetype=PDF)
    safe = "".join(char if char.isascii() and char.isalnum() else "-" for char in name)
    answer.headers["Content-Disposition"] = f'{"inline" if framed else "attachment"}; filename="{safe}.pdf"'
    answer.headers["Cache-Control"] = "private, no-store"
    if framed:
        answer.headers["Content-Security-Policy"] = _FRAMED_PDF
        answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer
