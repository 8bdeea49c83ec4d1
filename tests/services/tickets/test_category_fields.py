"""What a category asks: set up with versions, answered when a ticket is opened, refused with its field."""

import pytest
from sqlalchemy import select

from portal.errors import Forbidden, Invalid
from portal.models import AuditEntry, Ticket
from portal.services.tenants.config_versions import list_versions
from portal.services.tickets.categories import CategoryForm, restore_category, save_category, state_of
from portal.services.tickets.category_fields import FieldForm, OptionForm, forms_of
from portal.services.tickets.field_answers import read_answers

LOCALES = ("en", "fr")
ASKED = (
    FieldForm("text", {"en": "Serial number", "fr": "Numéro de série"}, required=True),
    FieldForm("choice", {"en": "Site"}, options=(OptionForm({"en": "Lyon"}), OptionForm({"en": "Paris"}))),
    FieldForm("number", {"en": "People"}),
    FieldForm("date", {"en": "Since"}),
)


@pytest.fixture
def save(session, actor_of, now):
    def make(category_id=None, *, who="mia", name="Hardware", fields=ASKED, **more):
        form = CategoryForm({"en": name}, fields=fields, **more)
        return save_category(
            session, category_id, form=form, locales=LOCALES, main_locale="en", actor=actor_of(who), now=now
        )

    return make


def wrong(error):
    return {(item.field, item.code) for item in error.value.errors}


def test_answers_are_stored_by_key_in_their_own_kind(save, session, open_ticket, actor_of):
    save()
    given = {"serial_number": " A  1 ", "site": "paris", "people": "2,5", "since": "2026-11-02"}
    ticket = open_ticket(category="hardware", custom_fields=given)
    session.expire_all()
    stored = session.scalars(select(Ticket.custom_fields).where(Ticket.id == ticket.id)).one()
    assert stored == {"serial_number": "A 1", "site": "paris", "people": 2.5, "since": "2026-11-02"}
    told = read_answers(session, ticket.id, locale="fr", fallback="en", actor=actor_of("bob"))
    assert [(one.name, one.value) for one in told] == [
        ("Numéro de série", "A 1"),
        ("Site", "Paris"),
        ("People", 2.5),
        ("Since", "2026-11-02"),
    ]


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({}, ("serial_number", "required")),
        ({"serial_number": "   "}, ("serial_number", "required")),
        ({"serial_number": "x" * 501}, ("serial_number", "too_long")),
        ({"serial_number": "a\x00b"}, ("serial_number", "characters_forbidden")),
        ({"serial_number": 5}, ("serial_number", "wrong_type")),
        ({"serial_number": "A", "site": "berlin"}, ("site", "unknown_choice")),
        ({"serial_number": "A", "people": "many"}, ("people", "number_invalid")),
        ({"serial_number": "A", "people": float("inf")}, ("people", "number_invalid")),
        ({"serial_number": "A", "people": True}, ("people", "wrong_type")),
        ({"serial_number": "A", "since": "2026-02-30"}, ("since", "date_invalid")),
        ({"serial_number": "A", "colour": "red"}, ("colour", "unknown_field")),
    ],
)
def test_what_does_not_fit_is_refused_beside_its_field(save, open_ticket, given, refused):
    save()
    with pytest.raises(Invalid) as error:
        open_ticket(category="hardware", custom_fields=given)
    assert wrong(error) == {(f"custom_fields.{refused[0]}", refused[1])}


def test_who_cannot_be_asked_is_not(save, open_ticket):
    save()
    assert open_ticket(category="hardware").custom_fields == {}


def test_a_field_that_is_gone_keeps_its_answer(save, session, open_ticket, actor_of):
    category = save()
    ticket = open_ticket(category="hardware", custom_fields={"serial_number": "A1"})
    save(category.id, fields=())
    (told,) = read_answers(session, ticket.id, locale="en", fallback="en", actor=actor_of("sam"))
    assert (told.name, told.value) == ("Serial number", "A1")


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ((FieldForm("text", {"fr": "Nom"}),), ("fields.0.name_en", "required")),
        ((FieldForm("colour", {"en": "A"}),), ("fields.0.kind", "unknown_choice")),
        ((FieldForm("choice", {"en": "A"}),), ("fields.0.options", "required")),
        ((FieldForm("choice", {"en": "A"}, options=(OptionForm({"en": ""}),)),), ("fields.0.options", "required")),
        ((FieldForm("text", {"en": "A"}, key="No key"),), ("fields.0.key", "unknown_choice")),
        ((FieldForm("text", {"en": "A"}), FieldForm("date", {"en": "a"})), ("fields", "name_taken")),
        ((FieldForm("text", {"en": "A"}),) * 13, ("fields", "too_many")),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(save, fields, refused):
    with pytest.raises(Invalid) as error:
        save(fields=fields)
    assert wrong(error) == {refused}


def test_keys_stay_when_names_change(save):
    category = save()
    serial, site, *_ = forms_of(category.fields)
    renamed = (FieldForm("text", {"en": "Number"}, key=serial.key), FieldForm("text", {"en": "Serial number"}))
    changed = save(category.id, fields=renamed)
    assert [field["key"] for field in changed.fields] == ["serial_number", "serial_number_2"]
    assert site.key == "site"


def test_each_saving_is_a_version_and_one_can_go_back(save, session, actor_of, now):
    category = save()
    save(category.id, fields=(), active=False)
    mia = actor_of("mia")
    back = restore_category(session, category.id, 1, locales=LOCALES, main_locale="en", actor=mia, now=now)
    assert (back.active, [field["key"] for field in back.fields]) == (
        True,
        ["serial_number", "site", "people", "since"],
    )
    kept = list_versions(session, "category", category.id)
    assert [one.version for one in kept] == [3, 2, 1]
    assert kept[0].data["form"] == kept[2].data["form"] == state_of(back)
    session.flush()
    told = session.scalars(select(AuditEntry).where(AuditEntry.record_id == category.id)).all()
    assert sorted(entry.after["version"] for entry in told) == [1, 2, 3]
    with pytest.raises(Forbidden):
        restore_category(session, category.id, 1, locales=LOCALES, main_locale="en", actor=actor_of("sam"), now=now)


def test_a_category_from_before_versions_keeps_how_it_was(session, save):
    from portal.models import TicketCategory

    general = session.scalars(select(TicketCategory).where(TicketCategory.key == "general")).one()
    save(general.id, name="Everything", fields=None)
    kept = list_versions(session, "category", general.id)
    assert [(one.version, one.saved_by_name, one.data["form"]["names"]["en"]) for one in kept] == [
        (2, "Mia Lindqvist", "Everything"),
        (1, "", "General"),
    ]
