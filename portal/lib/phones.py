"""Phone numbers: what people type, as the one form they are stored and compared in (E.164)."""

import phonenumbers
from babel.core import get_global
from phonenumbers import NumberParseException, PhoneNumberFormat

LENGTH = 40


def normalise_phone(text: str, region: str | None) -> str | None:
    """`06 39 98 00 15` as `+33639980015`; None for what cannot be a number.

    `region` (ISO 3166-1 alpha-2) is where numbers without a country code belong. Whether a number is in use
    nobody can tell from its digits, so one of a possible length is taken (ITU-T E.164).
    """
    if len(text) > LENGTH:
        return None
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number) or number.extension:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def home_region(support_phone: str, timezone: str) -> str | None:
    """The country of a tenant: that of its own phone number, else that of its time zone."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(support_phone, None))
    except NumberParseException:
        region = None
    if region and region.isalpha():
        return region
    territory: str | None = get_global("zone_territories").get(timezone)
    return territory
