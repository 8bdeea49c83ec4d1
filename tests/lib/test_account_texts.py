"""Countries, time zones, phone numbers and mail addresses."""

import pytest

from portal.lib.countries import country_choices, country_name, is_country
from portal.lib.email_addresses import normalise_email
from portal.lib.phone_formats import readable_phone
from portal.lib.phones import normalise_phone
from portal.lib.timezones import is_timezone, timezone_choices


@pytest.mark.parametrize("locale", ["en", "es", "fr", "de", "ar"])
def test_every_country_has_a_name_in_every_language(locale):
    choices = dict(country_choices(locale))
    assert 245 < len(choices) < 256
    assert {"FR", "DE", "SA", "US", "XK"} <= set(choices)
    assert all(name and name != code for code, name in choices.items())


def test_countries_stand_where_people_look_for_them():
    names = [name for _, name in country_choices("de")]
    assert names.index("Ägypten") < names.index("Albanien")
    assert country_name("DE", "fr") == "Allemagne"


@pytest.mark.parametrize("code", ["", "UK", "EU", "ZZ", "fr", "FRA", "001", "AN", "XA"])
def test_what_is_no_country(code):
    assert not is_country(code)


def test_zones_are_offered_by_place():
    zones = {name for _, group in timezone_choices() for name, _ in group}
    assert {"Europe/Paris", "Asia/Riyadh", "UTC", "America/Argentina/Buenos_Aires"} <= zones
    assert not {"Etc/GMT+3", "posixrules", "localtime", "EST"} & zones
    assert all(is_timezone(name) for name in zones)


@pytest.mark.parametrize(
    "name", ["", "Europe", "Europe/Atlantis", "../etc/passwd", "/etc/localtime", "europe/paris\x00"]
)
def test_what_is_no_zone(name):
    assert not is_timezone(name)


@pytest.mark.parametrize(
    ("typed", "region", "stored"),
    [
        ("06 39 98 00 14", "FR", "+33639980014"),
        ("+33 (0)6 39 98 00 14", None, "+33639980014"),
        ("0033639980014", "DE", "+33639980014"),
        ("0639980014", None, None),
        ("12", "FR", None),
        ("+33639980014 ext 3", None, None),
        ("'; DROP TABLE people", "FR", None),
        ("+" + "9" * 60, None, None),
        ("", "FR", None),
    ],
)
def test_phone_numbers(typed, region, stored):
    assert normalise_phone(typed, region) == stored


def test_phone_numbers_are_readable():
    assert readable_phone("+33639980014") == "+33 6 39 98 00 14"
    assert readable_phone("odd") == "odd"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" Ana@ACME.example ", "ana@acme.example"),
        ("a@b.example\r\nBcc: c@d.example", None),
        ("a@localhost", None),
        ("a b@c.example", None),
        ("@c.example", None),
        ("a" * 250 + "@c.example", None),
        ("a\x00@c.example", None),
    ],
)
def test_mail_addresses(typed, stored):
    assert normalise_email(typed) == stored
