"""The document describes every endpoint, and what the product answers keeps to it (API-13)."""

import json
import re
from typing import Any

import pytest
from jsonschema_rs import meta

from portal.blueprints.api.openapi import PREFIX, build_document

PUBLIC_AUTH = [
    "token",
    "refresh",
    "revoke",
    "signup",
    "signup/confirm",
    "reset-password",
    "reset-password/confirm",
    "join",
    "link-account",
    "link-account/verify",
    "link-account/confirm",
]
UNDESCRIBED = {"api_docs.openapi", "api_docs.docs"}
MAIL_IN = "/api/v1/mail/in/{key}"


@pytest.fixture(scope="module")
def document(app: Any) -> dict[str, Any]:
    return app.test_client().get("/api/v1/openapi.json", base_url="http://127.0.0.1").get_json()


def test_every_route_of_the_api_is_in_the_document(app: Any, document: dict[str, Any]) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and rule.endpoint not in UNDESCRIBED
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert len(routes) >= 19


def test_document_is_served_as_built_and_open_to_everybody(app: Any, document: dict[str, Any]) -> None:
    assert document == build_document(app)
    assert document["openapi"].startswith("3.1")


def test_public_operations_say_so_and_no_other(document: dict[str, Any]) -> None:
    public = {
        path
        for path, methods in document["paths"].items()
        for described in methods.values()
        if described.get("security") == []
    }
    assert public == {f"{PREFIX}auth/{name}" for name in PUBLIC_AUTH} | {MAIL_IN}
    assert document["security"] == [{"bearer": []}]


def test_schemas_are_valid_and_refuse_unknown_fields(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert meta.is_valid(schema), name
        if name.endswith(("Request", "Patch", "Body", "Credentials")):
            assert schema["additionalProperties"] is False, name
    statuses = {"open", "in_progress", "waiting_customer", "awaiting_payment", "resolved", "closed", "cancelled"}
    assert set(document["components"]["schemas"]["TicketStatus"]["enum"]) == statuses


def test_operation_ids_are_unique_and_references_lead_somewhere(document: dict[str, Any]) -> None:
    ids = [described["operationId"] for methods in document["paths"].values() for described in methods.values()]
    assert len(ids) == len(set(ids))
    for reference in set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(document))):
        assert reference in document["components"]["schemas"]


def test_every_post_with_an_effect_takes_a_key(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        names = {parameter["name"] for parameter in methods.get("post", {}).get("parameters", [])}
        # Answers that are secrets are not stored; a message is known by itself when it comes again.
        secret = any(part in path for part in ("/auth/", "/2fa/", "/mail/in/"))
        assert ("Idempotency-Key" in names) == ("post" in methods and not secret), path


def test_customers_schemas_have_no_place_for_what_is_staffs(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    hidden = {"is_internal", "staff_only", "next_steps", "satisfaction_comment"}
    for name in ("CustomerTicket", "CustomerTicketHit", "CustomerMessage", "CustomerEvent", "NextStep"):
        assert not hidden & set(schemas[name]["properties"]), name


def test_human_page_needs_no_script_and_nothing_from_elsewhere(app: Any, document: dict[str, Any]) -> None:
    page = app.test_client().get("/api/v1/docs", base_url="http://127.0.0.1")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "<script" not in text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    for path in document["paths"]:
        assert path in text
