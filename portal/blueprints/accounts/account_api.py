"""The caller's own account: profile, password, notification settings (ledger API-08)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from flask import Blueprint, url_for

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.account_schemas import (
    MailSettings,
    MissingPiece,
    NotificationSettings,
    NotificationSettingsRequest,
    PasswordRequest,
    PendingChange,
    PhoneCodeRequest,
    PostalAddress,
    ProfileCompleteness,
    ProfileRequest,
    ProfileShape,
    SecurityNotices,
    Theme,
)
from portal.blueprints.accounts.confirm import prove_again
from portal.blueprints.accounts.forms import signed_in_identity
from portal.blueprints.accounts.password_pages import save_password
from portal.blueprints.api.operations import operation
from portal.blueprints.localisation import gettext, select_timezone
from portal.blueprints.policies import permission
from portal.errors import Invalid, invalid
from portal.lib.wording.accounts import PIECES
from portal.services.accounts.addresses import list_addresses
from portal.services.accounts.device_notices import read_notice_choice, save_notice_choice
from portal.services.accounts.email_change import cancel_email_change, request_email_change
from portal.services.accounts.phone_change import (
    Pending,
    confirm_phone_change,
    pending_changes,
    remove_phone,
    request_phone_change,
)
from portal.services.accounts.preferences import save_mail_preferences
from portal.services.accounts.profile import ProfileChange, get_profile, save_profile

bp = Blueprint("account_api", __name__, url_prefix="/api/v1/portal")
_PLAIN = ("name", "title", "date_of_birth", "locale", "timezone", "theme")


@bp.get("/profile")
@permission(Permission.PROFILE_EDIT)
@operation("Read your profile", answer=ProfileShape)
def profile() -> ProfileShape:
    """Who you are here, what is verified, and what is still missing."""
    return _profile()


@bp.put("/profile")
@permission(Permission.PROFILE_EDIT)
@operation(
    "Change your profile",
    body=ProfileRequest,
    answer=ProfileShape,
    conflicts="Another address or number was asked for too often today.",
)
def change_profile(body: ProfileRequest) -> ProfileShape:
    """Changes what is named. Another email address or phone number waits until it is proved (`pending_email`,
    `pending_phone`).
    """
    given = body.model_dump(include=body.model_fields_set)
    if not given.keys() - {"password"}:
        raise Invalid(code="nothing_to_change")
    before = get_profile(http.session(), actor=http.actor())
    email, phone = given.get("email", before.person.email), given.get("phone", before.person.phone)
    new_email, new_phone = email != before.person.email, phone != before.person.phone
    if new_email or new_phone:
        prove_again(body.password)
    wanted = replace(ProfileChange.of(before), **{name: given[name] for name in _PLAIN if name in given})
    save_profile(http.session(), wanted, locales=http.tenant().locales, actor=http.actor(), now=http.now())
    if new_email:
        _ask_for_email(email)
    elif "email" in given:
        cancel_email_change(http.session(), actor=http.actor(), now=http.now())
    if new_phone:
        _ask_for_phone(phone)
    return _profile()


@bp.post("/profile/phone/confirm")
@permission(Permission.PROFILE_EDIT)
@operation(
    "Confirm a phone number",
    body=PhoneCodeRequest,
    answer=ProfileShape,
    conflicts="No code waits (any more), or somebody else has the number by now.",
)
def confirm_phone(body: PhoneCodeRequest) -> ProfileShape:
    """Takes the code that was sent to the number you asked for; everything else that is signed in is signed out."""
    done = confirm_phone_change(
        http.session(),
        body.code,
        letterhead=http.letterhead(),
        actor=http.actor(),
        now=http.now(),
        keep=http.session_id(),
    )
    if done is None:
        # Counted although refused.
        http.commit()
        raise invalid("code", "code_wrong")
    return _profile()


@bp.put("/password")
@permission(Permission.PROFILE_EDIT)
@operation("Change your password", body=PasswordRequest, answer=None, status=204)
def change_password(body: PasswordRequest) -> None:
    """Needs the current password. Every other browser and program is signed out; the token that asks lives on."""
    save_password(body.current_password, body.new_password)


@bp.get("/notifications/settings")
@permission(Permission.PREFERENCES_EDIT)
@operation("Read your notification settings", answer=NotificationSettings)
def notification_settings() -> NotificationSettings:
    """Which mails you get, and how you are told of new devices."""
    return _notification_settings(signed_in_identity().user.mail_preferences)


@bp.put("/notifications/settings")
@permission(Permission.PREFERENCES_EDIT)
@operation("Change your notification settings", body=NotificationSettingsRequest, answer=NotificationSettings)
def change_notification_settings(body: NotificationSettingsRequest) -> NotificationSettings:
    """Replaces the settings; `security` only where it is sent."""
    user = save_mail_preferences(http.session(), tickets=body.mail.tickets, actor=http.actor(), now=http.now())
    if "security" in body.model_fields_set:
        save_notice_choice(http.session(), body.security.new_device, actor=http.actor(), now=http.now())
    return _notification_settings(user.mail_preferences)


def _notification_settings(wanted: Mapping[str, Any]) -> NotificationSettings:
    choice = read_notice_choice(http.session(), actor=http.actor())
    return NotificationSettings(
        mail=MailSettings(tickets=bool(wanted.get("tickets", True))), security=SecurityNotices(new_device=choice.way)
    )


def _ask_for_email(email: str) -> None:
    request_email_change(
        http.session(),
        email,
        letterhead=http.letterhead(),
        actor=http.actor(),
        now=http.now(),
        session_id=http.session_id(),
    )


def _ask_for_phone(phone: str | None) -> None:
    session, head, actor, now = http.session(), http.letterhead(), http.actor(), http.now()
    if phone is None:
        remove_phone(session, letterhead=head, actor=actor, now=now, keep=http.session_id())
    else:
        request_phone_change(session, phone, letterhead=head, actor=actor, now=now)


def _profile() -> ProfileShape:
    found = get_profile(http.session(), actor=http.actor())
    person, user, complete = found.person, found.user, found.completeness
    pending = pending_changes(http.session(), user.id, now=http.now())
    return ProfileShape(
        id=user.id,
        person_id=person.id,
        name=person.name,
        email=person.email,
        email_verified=person.email_verified_at is not None,
        pending_email=_pending(pending.get("email")),
        phone=person.phone,
        phone_verified=bool(person.phone) and person.phone_verified_at is not None,
        pending_phone=_pending(pending.get("phone")),
        title=person.title,
        date_of_birth=person.date_of_birth,
        locale=user.locale or http.tenant().locale,
        timezone=user.timezone or select_timezone(),
        theme=cast(Theme, user.theme),
        picture_url=url_for("account.avatar", person_id=person.id) if found.picture else None,
        addresses=[PostalAddress.of(row) for row in list_addresses(http.session(), actor=http.actor())],
        completeness=ProfileCompleteness(
            percent=complete.percent,
            missing=[
                MissingPiece(key=piece, label=gettext(PIECES[piece][0]), why=gettext(PIECES[piece][1]))
                for piece in complete.missing
            ],
        ),
    )


def _pending(waiting: Pending | None) -> PendingChange | None:
    return PendingChange(value=waiting.value, expires_at=waiting.expires_at) if waiting else None
