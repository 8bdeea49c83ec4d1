"""How the demo tenants work: categories, working hours, promises and ladders."""

from typing import Any

CATEGORIES: dict[str, dict[str, str]] = {
    "technical": {"en": "Technical", "es": "Técnica", "fr": "Technique", "de": "Technik", "ar": "دعم تقني"},
    "billing": {"en": "Billing", "es": "Facturación", "fr": "Facturation", "de": "Abrechnung", "ar": "الفواتير"},
    "general": {"en": "General", "es": "General", "fr": "Général", "de": "Allgemein", "ar": "عام"},
    "feature_request": {
        "en": "Feature request",
        "es": "Solicitud de mejora",
        "fr": "Demande d’évolution",
        "de": "Verbesserungswunsch",
        "ar": "طلب ميزة",
    },
    "drill": {
        "en": "Outage drill",
        "es": "Simulacro de avería",
        "fr": "Exercice de panne",
        "de": "Störungsübung",
        "ar": "تمرين انقطاع",
    },
}

# What new tickets of a category are asked; answering is up to the customer.
FIELDS: dict[str, list[dict[str, Any]]] = {
    "technical": [
        {
            "key": "people_affected",
            "kind": "number",
            "names": {
                "en": "How many people are affected?",
                "es": "¿A cuántas personas afecta?",
                "fr": "Combien de personnes sont concernées ?",
                "de": "Wie viele Personen betrifft es?",
                "ar": "كم شخصًا يتأثر بذلك؟",
            },
            "required": False,
            "options": [],
        },
        {
            "key": "site",
            "kind": "choice",
            "names": {"en": "Where", "es": "Dónde", "fr": "Où", "de": "Wo", "ar": "أين"},
            "required": False,
            "options": [
                {
                    "key": "office",
                    "names": {
                        "en": "In the office",
                        "es": "En la oficina",
                        "fr": "Au bureau",
                        "de": "Im Büro",
                        "ar": "في المكتب",
                    },
                },
                {
                    "key": "home",
                    "names": {
                        "en": "At home",
                        "es": "En casa",
                        "fr": "À la maison",
                        "de": "Zu Hause",
                        "ar": "في المنزل",
                    },
                },
            ],
        },
    ],
}
# What some customers of the demo answered, by the key of their ticket.
ANSWERS: dict[str, dict[str, Any]] = {
    "vpn-lyon": {"people_affected": 12, "site": "home"},
    "queue-music-hooli": {"people_affected": 3, "site": "office"},
}

MINUTE, HOUR = 60, 3600
WORKDAY = 9 * HOUR
AUTO_CLOSE = 5 * 24 * HOUR

ALWAYS_HOURS = [[day, 0, 1440] for day in range(7)]
LYON_HOURS = [[day, start, end] for day in range(5) for start, end in ((480, 720), (780, 1080))]
RIYADH_HOURS = [[day, start, end] for day in (6, 0, 1, 2, 3) for start, end in ((480, 720), (780, 1020))]
LYON_HOLIDAYS = [
    "2026-11-11", "2026-12-25", "2027-01-01", "2027-03-29", "2027-05-06", "2027-05-17", "2027-07-14", "2027-11-01",
    "2027-11-11",
]  # fmt: skip
RIYADH_HOLIDAYS = ["2027-02-22", "2027-09-23"]


def ladder(first: tuple[int, int], resolution: tuple[int, int]) -> list[dict[str, Any]]:
    """Two levels per metric: the team lead takes over, then the head of service hears; seconds after the due time."""
    return [
        {"metric": metric, "after_seconds": after, "notify_role": role, "assign_role": assign}
        for metric, offsets in (("first_response", first), ("resolution", resolution))
        for after, role, assign in (
            (offsets[0], "manager", "manager"),
            (offsets[1], "tenant_admin", None),
        )
    ]


def _policy(name: str, calendar: str, answer: int, solution: int, warn: int, **match: Any) -> dict[str, Any]:
    return {
        "name": name,
        "calendar": calendar,
        "first_response_seconds": answer,
        "resolution_seconds": solution,
        "warn_before_seconds": warn,
        "levels": ladder((0, HOUR), (0, 4 * HOUR)),
    } | match


POLICIES: list[dict[str, Any]] = [
    _policy("Outage drill", "always", 20, 90, 5, match_categories=["drill"]) | {"levels": ladder((0, 20), (0, 60))},
    _policy("Urgent", "always", 15 * MINUTE, 4 * HOUR, 5 * MINUTE, match_priorities=["urgent"]),
    _policy("High", "office", HOUR, 8 * HOUR, 15 * MINUTE, match_priorities=["high"])
    | {"next_response_seconds": 2 * HOUR, "update_seconds": WORKDAY},
    _policy("Low", "office", 8 * HOUR, 5 * WORKDAY, HOUR, match_priorities=["low"]),
    _policy("Normal", "office", 4 * HOUR, 3 * WORKDAY, HOUR),
]
