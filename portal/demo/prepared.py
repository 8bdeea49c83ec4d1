"""What customers of the demo world can answer with, and two tickets that have to do with each other."""

from portal.demo.content import DemoTenant, demo_uuid
from portal.models import LinkKind, Macro, TicketLink
from portal.models.session import TenantSession

REPLIES: tuple[tuple[str, dict[str, str]], ...] = (
    (
        "It works again",
        {
            "en": "It works again, thank you. You can close {{ticket.number}}.",
            "fr": "Cela fonctionne de nouveau, merci. Vous pouvez fermer {{ticket.number}}.",
            "de": "Es funktioniert wieder, vielen Dank. {{ticket.number}} kann geschlossen werden.",
            "es": "Vuelve a funcionar, gracias. Pueden cerrar {{ticket.number}}.",
            "ar": "عاد كل شيء إلى العمل، شكرًا. يمكنكم إغلاق {{ticket.number}}.",
        },
    ),
    (
        "Still not working",
        {
            "en": "It still does not work. It last happened at: \nWhat we saw: ",
            "fr": "Cela ne fonctionne toujours pas. Dernière fois à : \nCe que nous avons vu : ",
            "de": "Es funktioniert noch immer nicht. Zuletzt um: \nWas wir gesehen haben: ",
            "es": "Sigue sin funcionar. La última vez a las: \nLo que vimos: ",
            "ar": "ما زال لا يعمل. آخر مرة في: \nما رأيناه: ",
        },
    ),
    (
        "Call me, please",
        {
            "en": "Please call me about this. I am free at: \nNumber: ",
            "fr": "Merci de m’appeler à ce sujet. Je suis disponible à : \nNuméro : ",
            "de": "Bitte rufen Sie mich dazu an. Ich habe Zeit um: \nNummer: ",
            "es": "Llámenme, por favor. Estoy disponible a las: \nNúmero: ",
            "ar": "يرجى الاتصال بي بهذا الشأن. أكون متاحًا عند: \nالرقم: ",
        },
    ),
)
LINKS = (
    ("vpn-lyon", "power-cut-lyon", LinkKind.RELATED),
    ("disk-full-lyon", "backup-report-october", LinkKind.RELATED),
)


def seed_prepared(session: TenantSession, tenant: DemoTenant) -> None:
    """Prepared replies of a tenant, and links among its tickets."""
    for position, (name, texts) in enumerate(REPLIES):
        session.add(
            Macro(
                id=demo_uuid(tenant.key, "macro", "customer", name),
                tenant_id=session.tenant_id,
                audience="customer",
                name=name,
                texts=texts,
                actions={},
                categories=[],
                position=position,
            )
        )
    keys = {ticket.key for ticket in tenant.tickets}
    for key, other, kind in LINKS:
        if {key, other} <= keys:
            ids = [demo_uuid(tenant.key, "ticket", each) for each in (key, other)]
            session.add(TicketLink(tenant_id=session.tenant_id, ticket_id=ids[0], other_id=ids[1], kind=kind))
    session.flush()
