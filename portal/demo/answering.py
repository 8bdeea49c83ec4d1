"""How the demo teams answer: their own statuses, macros, time they have written down, who follows what."""

from datetime import datetime, timedelta
from typing import Any

from portal.demo.content import DemoTenant, demo_uuid
from portal.models import ConfigVersion, CustomStatus, Macro, Ticket, TicketFollower, TicketStatus, TimeEntry
from portal.models.session import TenantSession

# Key, what it counts as, names for the team and for customers by language.
STATUSES: tuple[tuple[str, str, dict[str, str], dict[str, str]], ...] = (
    (
        "with_manufacturer",
        "in_progress",
        {
            "en": "With the manufacturer",
            "es": "Con el fabricante",
            "fr": "Chez le fabricant",
            "de": "Beim Hersteller",
            "ar": "لدى الشركة المصنّعة",
        },
        {
            "en": "The manufacturer is on it",
            "es": "El fabricante lo revisa",
            "fr": "Le fabricant s’en occupe",
            "de": "Der Hersteller kümmert sich",
            "ar": "الشركة المصنّعة تعمل عليه",
        },
    ),
    (
        "visit_agreed",
        "waiting_customer",
        {
            "en": "Visit agreed",
            "es": "Visita acordada",
            "fr": "Visite convenue",
            "de": "Besuch vereinbart",
            "ar": "زيارة متفق عليها",
        },
        {
            "en": "Appointment agreed",
            "es": "Cita acordada",
            "fr": "Rendez-vous pris",
            "de": "Termin vereinbart",
            "ar": "تم تحديد موعد",
        },
    ),
)
# Name, audience, texts by language, what it changes, for which categories.
MACROS: tuple[tuple[str, str, dict[str, str], dict[str, Any], list[str]], ...] = (
    (
        "Ask for a router log",
        "staff",
        {
            "en": "Hello {{customer.first_name}},\n\nplease send us the router's log of the last hour: "
            "Status → Log → "
            "Download. It holds no passwords.\n\n{{agent.first_name}}, {{portal.name}}",
            "fr": "Bonjour {{customer.first_name}},\n\nmerci de nous envoyer le journal du routeur de "
            "la dernière heure : "
            "État → Journal → Télécharger. Il ne contient aucun mot de "
            "passe.\n\n{{agent.first_name}}, {{portal.name}}",
            "de": "Guten Tag {{customer.name}},\n\nbitte senden Sie uns das Protokoll des Routers der "
            "letzten Stunde: "
            "Status → Protokoll → Herunterladen. Es enthält keine Kennwörter.\n\n{{agent.name}}, {{portal.name}}",
            "ar": "مرحبًا {{customer.first_name}}،\n\nنرجو إرسال سجل الموجّه للساعة الأخيرة: الحالة ← السجل ← تنزيل. "
            "لا يحتوي على كلمات مرور.\n\n{{agent.first_name}}، {{portal.name}}",
        },
        {"status": "waiting_customer", "add_tags": ["log-asked"]},
        ["technical"],
    ),
    (
        "Handed to the manufacturer",
        "staff",
        {
            "en": "Hello {{customer.first_name}},\n\nthe device of {{ticket.number}} has a fault that only its "
            "manufacturer can mend. We have opened a case there and keep you posted here.\n\n{{agent.first_name}}",
            "de": "Guten Tag {{customer.name}},\n\nden Fehler an Ihrem Gerät ({{ticket.number}}) kann "
            "nur der Hersteller "
            "beheben. Wir haben dort einen Fall eröffnet und melden uns hier.\n\n{{agent.name}}",
            "ar": "مرحبًا {{customer.first_name}}،\n\nالعطل في {{ticket.number}} لا تصلحه إلا الشركة المصنّعة. "
            "فتحنا طلبًا لديها وسنبقيكم على اطلاع هنا.\n\n{{agent.first_name}}",
        },
        {"custom_status": "with_manufacturer", "add_tags": ["warranty"]},
        [],
    ),
    (
        "Solved, with thanks",
        "staff",
        {
            "en": "Hello {{customer.first_name}},\n\nglad it works again. Write here if it comes back "
            "within five days; "
            "after that the ticket closes by itself.\n\n{{agent.first_name}}",
            "es": "Hola {{customer.first_name}}:\n\nnos alegra que vuelva a funcionar. Escríbanos aquí "
            "si reaparece en "
            "cinco días; después el ticket se cierra solo.\n\n{{agent.first_name}}",
            "ar": "مرحبًا {{customer.first_name}}،\n\nيسعدنا أن الأمر عاد للعمل. اكتبوا هنا إن تكرر خلال خمسة أيام، "
            "وبعدها تُغلق التذكرة تلقائيًا.\n\n{{agent.first_name}}",
        },
        {"status": "resolved"},
        [],
    ),
    ("Take it, urgent", "staff", {}, {"assignee": "me", "priority": "urgent", "status": "in_progress"}, []),
    (
        "New colleague",
        "customer",
        {
            "en": "A colleague joins us. Name: … First day: … Needs: notebook, mailbox, access to …",
            "fr": "Une personne nous rejoint. Nom : … Premier jour : … Besoins : ordinateur, boîte mail, accès à …",
            "de": "Jemand fängt bei uns an. Name: … Erster Tag: … Braucht: Notebook, Postfach, Zugriff auf …",
            "ar": "ينضم إلينا زميل جديد. الاسم: … أول يوم: … الاحتياجات: حاسوب محمول، بريد، صلاحية …",
        },
        {},
        ["general"],
    ),
)
# Ticket -> its own status; ticket -> (who, minutes, minutes ago, what for).
_AT = {"graz-line-initech": "with_manufacturer"}
_TIME = {
    "vpn-lyon": (("sam@demo.example", 25, 40, "Logs of both tunnels read"), ("mia@demo.example", 10, 20, "Four eyes")),
    "graz-line-initech": (("mia@demo.example", 35, 300, "Line measured with the carrier"),),
}


def seed_answering(session: TenantSession, tenant: DemoTenant, *, now: datetime) -> None:
    """Write them; tickets that a tenant does not have are left out."""
    for position, (key, category, staff, customer) in enumerate(STATUSES):
        session.add(
            CustomStatus(
                id=demo_uuid(tenant.key, "status", key),
                tenant_id=session.tenant_id,
                key=key,
                category=TicketStatus(category),
                staff_names=staff,
                customer_names=customer,
                position=position,
                active=True,
            )
        )
    session.flush()
    for position, entry in enumerate(MACROS):
        _add_macro(session, tenant, position, entry, now)
    known = {ticket.key for ticket in tenant.tickets}
    for key in sorted(known & (_AT.keys() | _TIME.keys())):
        _add_work(session, tenant, key, now)


def _add_macro(session: TenantSession, tenant: DemoTenant, position: int, entry: Any, now: datetime) -> None:
    name, audience, texts, actions, categories = entry
    texts = {locale: text for locale, text in texts.items() if locale in tenant.locales}
    macro_id = demo_uuid(tenant.key, "macro", name)
    state = {"name": name, "texts": texts, "actions": actions, "categories": categories, "active": True}
    session.add(
        Macro(
            id=macro_id, tenant_id=session.tenant_id, audience=audience, position=position, used=0, version=1, **state
        )
    )
    session.add(
        ConfigVersion(
            id=demo_uuid(tenant.key, "macro", name, 1),
            tenant_id=session.tenant_id,
            record_type="macro",
            record_id=macro_id,
            version=1,
            data=state,
            saved_by_name=tenant.name,
            saved_at=now,
        )
    )


def _add_work(session: TenantSession, tenant: DemoTenant, key: str, now: datetime) -> None:
    ticket = session.get_one(Ticket, demo_uuid(tenant.key, "ticket", key))
    ticket.custom_status = _AT.get(key)
    for who, minutes, ago, note in _TIME.get(key, ()):
        user_id = demo_uuid(tenant.key, "user", who)
        at = now - timedelta(minutes=ago)
        session.add(
            TimeEntry(
                id=demo_uuid(tenant.key, "time", key, who),
                tenant_id=session.tenant_id,
                ticket_id=ticket.id,
                user_id=user_id,
                minutes=minutes,
                note=note,
                billable=True,
                spent_at=at,
                created_at=at,
            )
        )
        ticket.minutes_spent += minutes
        if user_id != ticket.assigned_to:
            follower = TicketFollower(ticket_id=ticket.id, user_id=user_id, created_at=at)
            follower.tenant_id = session.tenant_id
            session.add(follower)
