"""What codes are called: message ids per code, translated by whoever shows them.

Nothing here knows Flask, so pages, the API and mails (rendered in the worker) use the same words.
"""


def N_(message: str) -> str:  # noqa: N802 - the field's name for "mark for translation"
    """Mark a message for extraction without translating it."""
    return message
