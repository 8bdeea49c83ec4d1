"""How the demo tenants bill: who they are in law, taxes, what they sell, and what they have billed."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

State = Literal["open", "overdue", "part_paid", "paid", "void"]

SETTINGS: dict[str, dict[str, Any]] = {
    "demo": {
        "currency": "EUR",
        "seller": {
            "legal_name": "Kestrel IT SAS",
            "tax_number": "FR 31 844290711",
            "line1": "22 quai Perrache",
            "line2": "",
            "postal_code": "69002",
            "city": "Lyon",
            "country": "FR",
            "iban": "FR7630006000011234567890189",
            "bic": "AGRIFRPP",
        },
        "payment_terms_days": 30,
        "four_eyes_over": 50_000,
        "partial_minimum": 1_000,
        "payment_methods": ["card", "bank_debit", "net_banking", "wallet"],
    },
    "nova": {
        "currency": "SAR",
        "seller": {
            "legal_name": "شركة نوفا للتقنية",
            "tax_number": "300055184400003",
            "line1": "طريق الملك فهد 8421",
            "line2": "",
            "postal_code": "12271",
            "city": "الرياض",
            "country": "SA",
            "iban": "SA0380000000608010167519",
            "bic": "",
        },
        "payment_terms_days": 15,
        "four_eyes_over": 200_000,
        "partial_minimum": 5_000,
    },
}
# Name, percent, category; the first is the usual one.
TAX_RATES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "demo": (("VAT", "20", "S"), ("VAT reduced", "5.5", "S"), ("GST", "18", "S"), ("VAT free", "0", "Z")),
    "nova": (("VAT", "15", "S"), ("VAT free", "0", "Z")),
}
# Key of the company -> name in law, tax number, credit limit in minor units.
CUSTOMERS: dict[str, tuple[str, str, int]] = {
    "acme": ("Acme Manufacturing SAS", "FR 62 840117355", 2_000_000),
    "globex": ("Globex SA", "FR 19 512447810", 800_000),
    "ofuq": ("شركة أفق للتجارة", "310122393500003", 5_000_000),
}


@dataclass(frozen=True)
class DemoItem:
    """Something that is sold often; the price in minor units of the tenant's currency, percent off by quantity."""

    sku: str
    names: dict[str, str]
    price: int
    unit: str
    service_type: str
    tiers: tuple[tuple[str, str], ...] = ()


ITEMS: dict[str, tuple[DemoItem, ...]] = {
    "demo": (
        DemoItem(
            "WORKPLACE",
            {
                "en": "Managed workplace",
                "fr": "Poste de travail géré",
                "de": "Betreuter Arbeitsplatz",
                "es": "Puesto de trabajo gestionado",
                "ar": "محطة عمل مُدارة",
            },
            6_200,
            "month",
            "Managed services",
            (("50", "3"), ("120", "5"), ("300", "8")),
        ),
        DemoItem(
            "FIREWALL",
            {
                "en": "Managed firewall",
                "fr": "Pare-feu géré",
                "de": "Betreute Firewall",
                "es": "Cortafuegos gestionado",
                "ar": "جدار حماية مُدار",
            },
            14_500,
            "month",
            "Managed services",
        ),
        DemoItem(
            "BACKUP-GB",
            {
                "en": "Backup storage per GB",
                "fr": "Stockage de sauvegarde par Go",
                "de": "Sicherungsspeicher je GB",
                "es": "Almacenamiento de copias por GB",
                "ar": "تخزين احتياطي لكل غيغابايت",
            },
            35,
            "piece",
            "Storage",
            (("1000", "10"), ("5000", "17.5")),
        ),
        DemoItem(
            "VISIT",
            {
                "en": "On-site visit",
                "fr": "Intervention sur site",
                "de": "Einsatz vor Ort",
                "es": "Visita in situ",
                "ar": "زيارة ميدانية",
            },
            9_800,
            "hour",
            "Projects",
        ),
    ),
    "nova": (
        DemoItem(
            "HOSTING",
            {"ar": "استضافة مُدارة", "en": "Managed hosting"},
            45_000,
            "month",
            "خدمات مُدارة",
            (("12", "10"),),
        ),
        DemoItem("SUPPORT", {"ar": "دعم فني", "en": "Technical support"}, 30_000, "hour", "مشاريع"),
    ),
}


@dataclass(frozen=True)
class DemoLine:
    """A line: number of the item, how many, discount in minor units, other words than the item's."""

    sku: str
    quantity: str
    discount: int = 0
    text: str = ""
    price: int | None = None

    @property
    def amount(self) -> Decimal:
        """How many."""
        return Decimal(self.quantity)


@dataclass(frozen=True)
class DemoInvoice:
    """An invoice `issued` so many days ago and due after `term` days; `paid` in minor units where it is a part."""

    key: str
    company: str
    state: State
    issued: int
    term: int
    lines: tuple[DemoLine, ...]
    paid: int = 0
    order: str = ""


_MONTH = (
    DemoLine("WORKPLACE", "38", text="Managed workplace, 38 seats"),
    DemoLine("FIREWALL", "2", text="Managed firewall, Lyon and Munich"),
    DemoLine("BACKUP-GB", "412", text="Backup storage above plan"),
)
INVOICES: dict[str, tuple[DemoInvoice, ...]] = {
    "demo": (
        DemoInvoice("acme-1", "acme", "paid", 122, 30, _MONTH, order="PO 4500-2174"),
        DemoInvoice("globex-1", "globex", "paid", 101, 30, (DemoLine("WORKPLACE", "12"), DemoLine("VISIT", "4"))),
        DemoInvoice("acme-2", "acme", "paid", 92, 30, _MONTH, order="PO 4500-2174"),
        DemoInvoice("acme-3", "acme", "void", 64, 30, (DemoLine("VISIT", "2", text="On-site visit, billed twice"),)),
        DemoInvoice("acme-4", "acme", "paid", 62, 30, (*_MONTH, DemoLine("VISIT", "6", discount=8_800))),
        DemoInvoice("globex-2", "globex", "overdue", 43, 30, (DemoLine("WORKPLACE", "12"), DemoLine("FIREWALL", "1"))),
        DemoInvoice(
            "acme-5",
            "acme",
            "part_paid",
            36,
            30,
            (
                *_MONTH,
                DemoLine("VISIT", "3.5", text="On-site visit, conference room"),
                DemoLine("VISIT", "1", text="Credit, missed answer time", price=-6_653),
            ),
            paid=120_000,
            order="PO 4500-2291",
        ),
        DemoInvoice("acme-6", "acme", "overdue", 34, 30, (DemoLine("VISIT", "2.25", text="Cabling in hall 7"),)),
        DemoInvoice("globex-3", "globex", "part_paid", 20, 30, (DemoLine("WORKPLACE", "12"),), paid=30_000),
        DemoInvoice("acme-7", "acme", "open", 6, 30, _MONTH, order="PO 4500-2291"),
        DemoInvoice("globex-4", "globex", "open", 3, 14, (DemoLine("VISIT", "8", discount=5_000),)),
    ),
    "nova": (
        DemoInvoice("ofuq-1", "ofuq", "paid", 75, 15, (DemoLine("HOSTING", "3"),)),
        DemoInvoice("ofuq-2", "ofuq", "overdue", 24, 15, (DemoLine("SUPPORT", "5.5"),)),
        DemoInvoice("ofuq-3", "ofuq", "open", 4, 15, (DemoLine("HOSTING", "3"), DemoLine("SUPPORT", "2"))),
    ),
}
