"""A mail of the demo tenants that says more than the standard words."""

from datetime import datetime

from portal.demo.content import DemoTenant, demo_uuid
from portal.models import ConfigVersion, MailWords
from portal.models.session import TenantSession
from portal.services.notifications.mail_words import RECORD

KIND = "ticket_shared"
TEXTS = {
    "en": {
        "subject": "[{{ticket.number}}] {{actor.name}} would like you to read along",
        "body": "{{actor.name}} of {{customer.company}} has shared this ticket with you.\n"
        "You can answer simply by answering this mail.",
    },
    "ar": {
        "subject": "[{{ticket.number}}] {{actor.name}} يدعوك إلى متابعة هذه التذكرة",
        "body": "شارك {{actor.name}} من {{customer.company}} هذه التذكرة معك.\nيمكنك الرد بمجرد الرد على هذه الرسالة.",
    },
}


def seed_mail_texts(session: TenantSession, tenant: DemoTenant, *, now: datetime) -> None:
    """Write it in the tenant's languages, with its version."""
    texts = {locale: words for locale, words in TEXTS.items() if locale in tenant.locales}
    words_id = demo_uuid(tenant.key, "mail_words", KIND)
    session.add(MailWords(id=words_id, tenant_id=session.tenant_id, kind=KIND, texts=texts, version=1))
    session.add(
        ConfigVersion(
            id=demo_uuid(tenant.key, "mail_words", KIND, 1),
            tenant_id=session.tenant_id,
            record_type=RECORD,
            record_id=words_id,
            version=1,
            data={"form": {"texts": texts}},
            saved_by_name=tenant.name,
            saved_at=now,
        )
    )
