"""What the demo companies were offered; ages in days before the moment of seeding, amounts in minor units."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from portal.services.quotes.lines import LineDraft

State = Literal["open", "expired", "accepted"]
VAT = Decimal(20)


@dataclass(frozen=True, kw_only=True)
class DemoQuote:
    """A quote and what became of it."""

    key: str
    company: str
    title: str
    introduction: str
    lines: tuple[LineDraft, ...]
    state: State = "open"
    sent_days_ago: int = 3
    valid_days: int = 14
    deposit_percent: Decimal = Decimal(0)
    currency: str = "EUR"
    locale: str = "en"
    signer: str = ""
    purchase_order: str = ""


@dataclass(frozen=True, kw_only=True)
class DemoWish:
    """A customer's request that waits for its quote."""

    key: str
    person: str
    subject: str
    requirements: str
    budget: int
    currency: str = "EUR"
    asked_days_ago: int = 1
    wanted_in_days: int = 45


def _line(
    description: str,
    quantity: str,
    unit_price: int,
    *,
    unit: str = "",
    discount: int = 0,
    optional: bool = False,
    taken: bool = True,
    rate: Decimal = VAT,
    tax: str = "VAT",
) -> LineDraft:
    return LineDraft(
        description=description,
        quantity=Decimal(quantity),
        unit_price=unit_price,
        unit=unit,
        discount=discount,
        optional=optional,
        selected=taken,
        tax_rate=rate,
        tax_name=tax,
    )


def _option(description: str, quantity: str, unit_price: int, *, unit: str = "", taken: bool = False) -> LineDraft:
    return _line(description, quantity, unit_price, unit=unit, optional=True, taken=taken)


KESTREL_TERMS = {
    "en": "Prices hold until the last day of validity. Hardware stays ours until it is paid. Work outside of office "
    "hours is charged as listed. Invoices are due within 30 days, a deposit at once. Either side may end recurring "
    "services with three months' notice. Law of France, place of jurisdiction Lyon.",
    "fr": "Les prix sont valables jusqu’au dernier jour de validité. Le matériel reste notre propriété jusqu’au "
    "paiement. Les factures sont payables à 30 jours, l’acompte à réception. Droit français, tribunaux de Lyon.",
    "de": "Die Preise gelten bis zum letzten Tag der Gültigkeit. Die Hardware bleibt bis zur Bezahlung unser "
    "Eigentum. Rechnungen sind in 30 Tagen fällig, Anzahlungen sofort. Es gilt französisches Recht, Lyon.",
    "es": "Los precios valen hasta el último día de validez. El material es nuestro hasta su pago. Las facturas "
    "vencen a 30 días, el anticipo de inmediato. Derecho francés, tribunales de Lyon.",
}
NOVA_TERMS = {
    "ar": "الأسعار سارية حتى آخر يوم من مدة العرض. تبقى الأجهزة ملكًا لنا حتى السداد. تستحق الفواتير خلال 30 يومًا.",
    "en": "Prices hold until the last day of validity. Hardware stays ours until it is paid. Invoices are due within "
    "30 days.",
}
# Validity ends at midnight; people read mail in the morning.
REMINDERS = ["P2DT15H", "PT15H"]

KESTREL_QUOTES = (
    DemoQuote(
        key="acme-firewall-review", company="acme", title="Firewall review and rule clean-up", state="expired",
        introduction="After the incident in spring you asked us to go through all 412 rules of both firewalls.",
        sent_days_ago=48, valid_days=21,
        lines=(
            _line("Review of the rule set, with report", "16", 11_500, unit="h"),
            _line("Clean-up in two maintenance windows", "8", 14_500, unit="h"),
        ),
    ),
    DemoQuote(
        key="acme-backup", company="acme", title="Off-site backup for the Lyon office", state="accepted",
        introduction="Nightly copies of both file servers to our data centre in Grenoble, with a yearly drill.",
        sent_days_ago=20, valid_days=30, signer="ana", purchase_order="PO 4500-2291",
        lines=(
            _line("Set-up and first full copy", "6", 10_500, unit="h"),
            _line("Backup storage, 4 TB, first year", "12", 18_900, unit="month", discount=12_000),
            _option("Second drill per year", "1", 48_000, taken=True),
        ),
    ),
    DemoQuote(
        key="acme-network", company="acme", title="Network refresh, Lyon office",
        introduction="As discussed on site: both firewalls and the four access switches are replaced in one night, "
        "28 November, 22:00 to 04:00. Your telephones stay reachable on the mobile fallback.",
        sent_days_ago=3, valid_days=7, deposit_percent=Decimal(30),
        lines=(
            _line("Firewall pair, 10 Gbit/s, high availability, 5 years support", "2", 289_000, discount=94_867),
            _line("Access switch, 48 ports PoE, stacked, incl. optics", "4", 142_000),
            _line("Installation and cut-over, night work", "18", 10_500, unit="h"),
            _option("Wi-Fi 7 access points, replace all 9 existing devices", "9", 34_800, taken=True),
            _option("Spare switch on site, swapped within 1 h", "1", 118_000),
        ),
    ),
    DemoQuote(
        key="globex-phones", company="globex", title="Téléphonie du magasin de Grenoble", locale="fr",
        introduction="Remplacement des 14 postes fixes et du standard, numéros conservés.",
        sent_days_ago=2, valid_days=20, deposit_percent=Decimal(25),
        lines=(
            _line("Poste sans fil avec borne", "14", 16_900),
            _line("Standard hébergé, première année", "12", 9_800, unit="mois"),
            _line("Installation et formation", "9", 9_500, unit="h"),
            _option("Casques pour le service clients", "6", 8_900),
        ),
    ),
    DemoQuote(
        key="initech-laptops", company="initech", title="Zwölf Notebooks für das Büro Wien", locale="de",
        introduction="Geräte fertig eingerichtet, Altgeräte werden mitgenommen und gelöscht.",
        sent_days_ago=5, valid_days=25, deposit_percent=Decimal(40),
        lines=(
            _line("Notebook 14 Zoll, 32 GB, 1 TB, 3 Jahre Vor-Ort-Service", "12", 138_000),
            _line("Einrichtung und Datenübernahme", "12", 12_500, unit="Gerät"),
            _option("Dockingstation", "12", 21_900, taken=True),
        ),
    ),
    DemoQuote(
        key="hooli-monitoring", company="hooli", title="Supervisión de servidores 24/7", locale="es",
        introduction="Supervisión de los once servidores de Barcelona con guardia nocturna.",
        sent_days_ago=1, valid_days=30,
        lines=(
            _line("Supervisión, once servidores, primer año", "12", 64_900, unit="mes"),
            _line("Puesta en marcha", "10", 9_900, unit="h"),
            _option("Informe mensual con reunión", "12", 15_000, unit="mes"),
        ),
    ),
    DemoQuote(
        key="vandelay-line", company="vandelay", title="Fibre line and router, Graz",
        introduction="The line that we asked the carrier about, with a router that takes both lines.",
        sent_days_ago=4, valid_days=15, deposit_percent=Decimal(20),
        lines=(
            _line("Fibre 500/500, first year", "12", 18_900, unit="month"),
            _line("Router with failover", "1", 142_000),
            _line("Installation", "5", 10_500, unit="h"),
            _option("4G fallback, first year", "12", 3_900, unit="month"),
        ),
    ),
)  # fmt: skip
_VAT_SA, _VAT_NAME = Decimal(15), "ضريبة القيمة المضافة"
NOVA_QUOTES = (
    DemoQuote(
        key="ofuq-branch", company="ofuq", title="تجهيز شبكة فرع جدة", locale="ar", currency="SAR",
        introduction="أجهزة الشبكة والتركيب للفرع الجديد، مع الإبقاء على أرقام الهواتف.",
        sent_days_ago=2, valid_days=20, deposit_percent=Decimal(30),
        lines=(
            _line("مبدّل شبكة 48 منفذًا", "3", 520_000, rate=_VAT_SA, tax=_VAT_NAME),
            _line("تركيب وتشغيل", "16", 35_000, unit="ساعة", rate=_VAT_SA, tax=_VAT_NAME),
            _line("نقطة وصول لاسلكية", "8", 98_000, optional=True, taken=True, rate=_VAT_SA, tax=_VAT_NAME),
        ),
    ),
)  # fmt: skip
KESTREL_WISHES = (
    DemoWish(
        key="acme-hall", person="ben", subject="Wi-Fi for hall 3",
        requirements="We take over the neighbouring hall in January: 40 by 60 metres, steel shelves up to 8 metres, "
        "dusty. Twelve scanners and four tablets have to roam without dropping. Power is on the columns every 10 "
        "metres. Please include cabling and a measurement after it is up.",
        budget=1_200_000,
    ),
    DemoWish(
        key="globex-camera", person="chloe", subject="Caméras pour la réserve",
        requirements="Quatre caméras dans la réserve et une à la livraison, enregistrement 14 jours, accès depuis le "
        "poste du responsable uniquement. Le faux plafond est déjà câblé.",
        budget=350_000, asked_days_ago=2,
    ),
)  # fmt: skip
