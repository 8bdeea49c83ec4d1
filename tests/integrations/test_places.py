"""Where addresses are, by a database on this machine."""

import pytest

from portal.integrations.places import Place, Places, Reach
from tests.mmdb import write_places

LYON = {"city": {"names": {"en": "Lyon", "ar": "ليون"}}, "country": {"iso_code": "FR"}}


@pytest.fixture
def places(tmp_path):
    path = write_places(
        tmp_path / "places.mmdb",
        {
            "81.2.69.0/24": LYON,
            "85.1.0.0/25": {"country": {"iso_code": "DE"}},
            "85.1.0.128/25": {"registered_country": {"iso_code": "AT"}},
            "93.1.1.0/24": {"traits": {"odd": "record"}},
            "9.9.9.0/24": {"city": "not a map", "country": ["nor", "this"]},
        },
    )
    return Places(path)


def test_a_town_in_the_reader_s_language(places):
    found = places.find("81.2.69.7")
    assert (found.reach, found.country) == (Reach.PLACE, "FR")
    assert [found.town_in(locale) for locale in ("ar", "de", "en")] == ["ليون", "Lyon", "Lyon"]


@pytest.mark.parametrize(("ip", "country"), [("85.1.0.1", "DE"), ("85.1.0.200", "AT")])
def test_a_country_alone(places, ip, country):
    found = places.find(ip)
    assert (found.reach, found.country, found.town_in("en")) == (Reach.PLACE, country, "")


@pytest.mark.parametrize("ip", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "fe80::1", "fd00::1", "169.254.1.1"])
def test_private_addresses_are_this_network(places, ip):
    assert places.find(ip).reach is Reach.OWN_NETWORK


@pytest.mark.parametrize("ip", ["", "unknown", "8.8.8.8", "2001:4860::8888", "93.1.1.1", "9.9.9.9"])
def test_what_is_not_in_the_database_is_unknown(places, ip):
    assert places.find(ip) == Place()


def test_without_a_database_everything_else_is_unknown(tmp_path):
    assert Places(None).find("8.8.8.8").reach is Reach.UNKNOWN
    assert Places(tmp_path / "missing.mmdb").find("8.8.8.8").reach is Reach.UNKNOWN
    (tmp_path / "broken.mmdb").write_bytes(b"not a database")
    assert Places(tmp_path / "broken.mmdb").find("8.8.8.8").reach is Reach.UNKNOWN
    assert Places(None).find("127.0.0.1").reach is Reach.OWN_NETWORK
