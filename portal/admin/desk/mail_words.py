"""Mail texts: what the mails about tickets say, in the tenant's own words, with versions and a look at them."""

from collections.abc import Mapping
from typing import Any

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.desk.history import Facts, version_rows, wanted_version
from portal.admin.desk.macros import tenant_locales
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.chrome import native_name
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Invalid, NotFound
from portal.lib.placeholders import FOR_MAILS
from portal.lib.wording.errors import error_text
from portal.lib.wording.mail import TICKET_MAILS
from portal.services.notifications.mail_words import (
    BODY_LENGTH,
    FOR_CUSTOMERS,
    FOR_TEAM,
    SUBJECT_LENGTH,
    Words,
    find_words,
    list_word_versions,
    list_words,
    restore_words,
    save_words,
)
from portal.services.notifications.own_words import preview_mail, standard_words
from portal.services.tickets.macro_use import find_by_number

NUMBER_LENGTH = 20


class MailWordsView(ServiceView):
    """The mails, and what one of them says."""

    policy = Permission.SLA_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """Every mail about tickets, and which have own words."""
        own = list_words(http.session(), actor=http.actor())
        groups = [
            (gettext("For customers"), [_mail(kind, own) for kind in FOR_CUSTOMERS]),
            (gettext("For the team"), [_mail(kind, own) for kind in FOR_TEAM]),
        ]
        return self.render("admin/desk/mail_texts.html", groups=groups)

    @route("/<kind>/")
    @permission(Permission.SLA_CONFIGURE)
    def mail(self, kind: str) -> ResponseReturnValue:
        """What a mail says in each language."""
        row = find_words(http.session(), kind, actor=http.actor())
        texts = {locale: Words(**words) for locale, words in (row.texts if row else {}).items()}
        return self._form(kind, texts)

    @route("/<kind>/", methods=("POST",))
    @permission(Permission.SLA_CONFIGURE)
    def save(self, kind: str) -> ResponseReturnValue:
        """Store it, look at it on a ticket, or go back to the standard words."""
        find_words(http.session(), kind, actor=http.actor())
        wish, texts = request.form.get("do", "save"), _typed()
        if wish == "preview":
            return self._form(kind, texts)
        try:
            save_words(
                http.session(),
                kind,
                texts={} if wish == "reset" else texts,
                locales=tenant_locales(),
                actor=http.actor(),
                now=http.now(),
            )
        except Invalid as error:
            http.session().rollback()
            return self._form(kind, texts, error)
        http.commit()
        flash(gettext("Saved"), "ok")
        return http.see_other("mail_words.index")

    @route("/<kind>/versions/")
    def versions(self, kind: str) -> ResponseReturnValue:
        """What the mail said before, and the way back."""
        found = list_word_versions(http.session(), kind, actor=http.actor())
        return self.render(
            "admin/desk/history.html",
            heading=gettext(TICKET_MAILS[kind]),
            record_id=kind,
            record_url=url_for("mail_words.mail", kind=kind),
            up_label=gettext("Mail texts"),
            up_url=url_for("mail_words.index"),
            restore_url=url_for("mail_words.restore", kind=kind),
            versions=version_rows(found, _facts),
        )

    @route("/<kind>/restore/", methods=("POST",))
    @permission(Permission.SLA_CONFIGURE)
    def restore(self, kind: str) -> ResponseReturnValue:
        """Say again what was said."""
        number = wanted_version()
        restore_words(http.session(), kind, number, locales=tenant_locales(), actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("Version %(number)s is in force again", number=number), "ok")
        return http.see_other("mail_words.versions", kind=kind)

    def _form(self, kind: str, texts: Mapping[str, Words], error: Invalid | None = None) -> ResponseReturnValue:
        told = (
            [(item.field, error_text(item.code, dict(item.params), gettext)) for item in error.errors] if error else []
        )
        beside: dict[str, list[str]] = {}
        for name, text in told:
            beside.setdefault(name, []).append(text)
        languages = [
            (code, native_name(code), texts.get(code, Words()), standard_words(kind, code)) for code in tenant_locales()
        ]
        page = self.render(
            "admin/desk/mail_text.html",
            kind=kind,
            heading=gettext(TICKET_MAILS[kind]),
            languages=languages,
            places=[(name, gettext(label)) for name, label in FOR_MAILS.items()],
            form_errors=told,
            errors=beside,
            lengths=(SUBJECT_LENGTH, BODY_LENGTH),
            **_preview(kind, texts),
        )
        return page, 422 if error else 200


def _mail(kind: str, own: Mapping[str, Any]) -> dict[str, Any]:
    row = own.get(kind)
    languages = sorted(row.texts) if row else []
    return {"kind": kind, "name": gettext(TICKET_MAILS[kind]), "languages": languages}


def _typed() -> dict[str, Words]:
    form = request.form
    return {
        locale: Words(form.get(f"subject_{locale}", ""), form.get(f"body_{locale}", "")) for locale in tenant_locales()
    }


def _facts(form: Mapping[str, Any]) -> Facts:
    facts = []
    for locale, words in sorted(form["texts"].items()):
        facts.append((f"{gettext('Subject')} ({locale})", words["subject"]))
        facts.append((f"{gettext('Text')} ({locale})", words["body"]))
    return facts


def _preview(kind: str, texts: Mapping[str, Words]) -> dict[str, Any]:
    """The mail as it is typed, on the ticket whose number was given, in every language that has words."""
    number = request.form.get("preview_number", "").strip()[:NUMBER_LENGTH]
    if request.form.get("do") != "preview" or not http.actor().may(Permission.DESK_READ):
        return {"preview_number": number, "preview": None}
    try:
        ticket_id = find_by_number(http.session(), number, actor=http.actor())
    except NotFound as error:
        return {"preview_number": number, "preview": [], "missing": error_text(error.code, {}, gettext)}
    shown = [
        (
            locale,
            preview_mail(
                http.session(),
                kind,
                ticket_id,
                words=texts.get(locale, Words()),
                locale=locale,
                tenant=http.tenant(),
                base_url=http.settings().base_url,
                actor=http.actor(),
                now=http.now(),
            ),
        )
        for locale in tenant_locales()
    ]
    return {"preview_number": number, "preview": shown}
