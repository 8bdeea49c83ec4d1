import pytest

from portal.lib.phones import home_region, normalise_phone


@pytest.mark.parametrize(
    ("typed", "region", "stored"),
    [
        ("06 39 98 00 15", "FR", "+33639980015"),
        ("+33 6 39 98 00 15", None, "+33639980015"),
        ("0033 6 39 98 00 15", "FR", "+33639980015"),
        ("(06) 39.98.00.15", "FR", "+33639980015"),
        ("٠٥٥٠٠٠٠٠١١", "SA", "+966550000011"),
        ("030 901820", "DE", "+4930901820"),
    ],
)
def test_one_form_for_what_people_type(typed, region, stored):
    assert normalise_phone(typed, region) == stored


@pytest.mark.parametrize("typed", ["", "abc", "12", "06 39 98 00 15", "+", "+999", "0" * 60, "+33639980015 ext. 7"])
def test_what_is_no_number(typed):
    assert normalise_phone(typed, None) is None


@pytest.mark.parametrize(
    ("phone", "zone", "region"),
    [
        ("+33 4 72 55 01 84", "Asia/Riyadh", "FR"),
        ("", "Asia/Riyadh", "SA"),
        ("call us", "Europe/Vienna", "AT"),
        ("", "UTC", None),
    ],
)
def test_where_a_tenant_is_at_home(phone, zone, region):
    assert home_region(phone, zone) == region
