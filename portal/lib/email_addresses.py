"""Mail addresses as people type them."""

from email_validator import EmailNotValidError, validate_email

EMAIL_LENGTH = 254


def normalise_email(text: str) -> str | None:
    """The address in the spelling that is stored (lower case), None where it is none (RFC 5321, no look-up)."""
    try:
        found = validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None
    return found if len(found) <= EMAIL_LENGTH else None
