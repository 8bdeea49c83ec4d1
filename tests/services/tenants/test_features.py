"""Features are switched by the operator, and the trail knows."""

import re

import pytest
from sqlalchemy import select

from portal.authz import system_actor
from portal.config import ROOT
from portal.errors import Forbidden, Invalid
from portal.models import AuditEntry, Tenant
from portal.services.tenants.features import FEATURES, list_features, switch_feature


def switch(session, world, now, name="tickets", on=False):
    return switch_feature(session, name, on=on, actor=system_actor(world.demo), now=now)


def test_off_and_on_again(session, world, now):
    tenant = session.get(Tenant, world.demo)
    assert list_features(tenant)["tickets"] is True
    assert switch(session, world, now)
    assert list_features(tenant)["tickets"] is False
    assert not switch(session, world, now), "off already"
    assert switch(session, world, now, on=True)
    entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "tenant.feature_switched")).all()
    assert [(entry.before, entry.after) for entry in entries] == [
        ({"tickets": True}, {"tickets": False}),
        ({"tickets": False}, {"tickets": True}),
    ]


def test_what_the_product_does_not_know(session, world, now):
    with pytest.raises(Invalid):
        switch(session, world, now, name="ticket")


@pytest.mark.parametrize("name", ["ada", "alice"])
def test_nobody_but_the_system(session, actor_of, now, name):
    with pytest.raises(Forbidden):
        switch_feature(session, "tickets", on=False, actor=actor_of(name), now=now)


def test_every_feature_that_is_asked_about_can_be_switched():
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "portal").rglob("*.py"))
    asked = set(re.findall(r'has_feature\("(\w+)"\)', source)) | set(re.findall(r'feature="(\w+)"', source))
    asked |= set(re.findall(r'_uses\(Permission\.\w+, "(\w+)"\)', source))
    assert asked == set(FEATURES)
