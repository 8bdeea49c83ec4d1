"""The one way in which the runner gives up."""


class SetupError(Exception):
    """Something outside the code is in the way; the message is one sentence that says what to do."""
