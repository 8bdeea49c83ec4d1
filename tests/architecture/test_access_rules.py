"""`docs/access-rules.md` is what the code does: permissions, operations, writable and readable fields (ASVS 8.1.2)."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from portal.blueprints.api.access_rules import describe_access, shapes_by_audience
from portal.config import ROOT
from portal.models import Base

DOCUMENT = Path(ROOT) / "docs/access-rules.md"
MARK = "<!-- From here on written by bin/access-rules. -->\n\n"
# The same for both: they hold nothing that only the team may know.
ALIKE = {
    "AttachedFile", "DraftItem", "FileLink", "FileOfTicket", "Invitation", "Invitations", "Link", "Links", "Named",
    "Instalment", "Line", "Money", "NextStep", "QuoteLineShape", "Sharing", "Sla", "Tax", "UploadedFile",
    "VersionShape", "DisputedPart", "StatementBalance", "StatementFailure",
}  # fmt: skip
STAFF_ONLY = {"is_internal", "staff_only", "next_steps", "satisfaction_comment", "portal_access", "before", "after"}
STORED = {"password", "client_secret", "verifier", "nonce", "passkey_challenge"}
# What is shown once, when it is made, and where.
ONCE = {
    "FactorSecret": {"secret"},
    "LinkToken": {"token"},
    "RecoveryCodes": {"recovery_codes"},
    "Tokens": {"access_token", "refresh_token"},
}
SHOWN = set().union(*ONCE.values())


@pytest.fixture(scope="module")
def written() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def test_operations_and_fields_are_as_the_code_has_them(app: Any) -> None:
    present = MARK + describe_access(app)
    by_hand = DOCUMENT.read_text(encoding="utf-8").partition(MARK)[0]
    if os.environ.get("PORTICO_WRITE_DOCS"):
        DOCUMENT.write_text(by_hand + present, encoding="utf-8")
    kept = DOCUMENT.read_text(encoding="utf-8").removeprefix(by_hand)
    assert kept == present, "bin/access-rules writes it anew"


def test_every_table_has_a_rule_and_every_rule_a_table(written: str) -> None:
    rules = written.partition("## Rules of records")[2].partition("\n## ")[0]
    first_cells = [line.split("|")[1] for line in rules.splitlines() if line.startswith("| `")]
    named = [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(named) == sorted(set(named)), "each in one row"
    assert set(named) == set(Base.metadata.tables)


def test_customers_and_the_team_have_classes_of_their_own(app: Any) -> None:
    shapes = shapes_by_audience(app)
    both = set(shapes["Customers"].values()) & set(shapes["The team"].values())
    assert {shape.__name__ for shape in both} <= ALIKE
    for shape in shapes["Customers"].values():
        assert not STAFF_ONLY & set(shape.model_fields), shape.__name__


def test_no_class_gives_a_stored_secret(app: Any) -> None:
    for shapes in shapes_by_audience(app).values():
        for name, shape in shapes.items():
            fields = set(shape.model_fields)
            assert not {field for field in fields if field.endswith("_hash")} | (fields & STORED), name
            assert fields & SHOWN == ONCE.get(name, set()), name
