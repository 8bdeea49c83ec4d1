import pytest

from portal.lib.email_addresses import normalise_email


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (" Ana.Moreau@Acme.Example ", "ana.moreau@acme.example"),
        ("a+b@acme.example", "a+b@acme.example"),
        ("a@b", None),
        ("a b@acme.example", None),
        ("a@acme.example\nBcc: x@y.example", None),
        ("a@acme.example, b@acme.example", None),
        ("Ana <a@acme.example>", None),
        ("@acme.example", None),
        ("", None),
        ("a\x00@acme.example", None),
        ("a\ud800@acme.example", None),
        ("a" * 250 + "@acme.example", None),
    ],
)
def test_addresses(text, found):
    assert normalise_email(text) == found
