"""Phone numbers as people read them."""

import phonenumbers


def readable_phone(stored: str) -> str:
    """`+33639980014` as `+33 6 39 98 00 14`; what is no number stays as it is."""
    try:
        number = phonenumbers.parse(stored, None)
    except phonenumbers.NumberParseException:
        return stored
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
