"""The OpenAPI document, made from what the views declare; nothing is written down twice (ledger API-13)."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.routing import Rule

from portal.blueprints.api import idempotency
from portal.blueprints.api.operations import Operation
from portal.blueprints.api.schemas import Problem
from portal.blueprints.mail_in.document import TAG, WEBHOOK
from portal.blueprints.policies import PUBLIC, policy_of

PREFIX = "/api/v1/"
VERSION = "1.0"
Json = dict[str, Any]
_CONVERTER = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
_TAGS = {
    "auth": "Signing in",
    "portal": "For customers",
    "staff": "For the team",
}
REASONS = {
    400: "The request cannot be understood: broken JSON, for one.",
    401: "No token, or one that is not valid (any more).",
    403: "Your role does not allow this.",
    404: "There is no such record for you.",
    409: "The state of the record does not allow this, or the same request is still running.",
    413: "The body is too large.",
    415: "The body is not JSON, or does not say so.",
    422: "Something in the request is not acceptable; errors says what, field by field.",
    429: "Too many failures, or too many calls; Retry-After says when to come back.",
    503: "Portico cannot answer right now.",
}
_DESCRIPTION = """\
Everything a customer does in the portal, and what the team does in the back office.

Sign in at `/api/v1/auth/token` and send `Authorization: Bearer …`. An access token lives 15 minutes, a refresh
token is used once. Times are RFC 3339 in UTC, ids are UUIDs, unknown fields and parameters are refused (422).
Texts come in the language of your login, else of `Accept-Language`.

Send `Idempotency-Key` (any text of yours, at most 255 characters) with a POST to be able to repeat it: the same
key and body give the first answer again, with `Idempotent-Replayed: true`. A refused request stores nothing.

Refusals are `application/problem+json` with a stable `code`."""


def build_document(app: Flask) -> Json:
    """The document of every endpoint below /api/v1 that declares an operation."""
    found = list(operations(app))
    schemas, references = _schemas([declared for _, _, declared in found])
    paths: dict[str, Json] = {}
    for rule, method, declared in found:
        public = policy_of(app, rule.endpoint) == PUBLIC
        described = _describe(rule, method, declared, public, references, schemas)
        paths.setdefault(_CONVERTER.sub(r"{\g<name>}", rule.rule), {})[method.lower()] = described
    paths |= WEBHOOK
    for query in {declared.query for _, _, declared in found}:
        schemas.pop(references[query, "validation"].rsplit("/", 1)[1], None)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Portico API", "version": VERSION, "description": _paragraphs(_DESCRIPTION)},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": name} for name in (*_TAGS.values(), TAG)],
        "paths": paths,
        "components": {
            "schemas": schemas | {"FileRequest": _FILE_REQUEST},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def operations(app: Flask) -> Iterator[tuple[Rule, str, Operation]]:
    """(rule, method, declaration) of every endpoint of the API that declares an operation, in order."""
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
    for rule in rules:
        declared = _declaration(app.view_functions[rule.endpoint])
        if not rule.rule.startswith(PREFIX) or declared is None:
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method, declared


def _declaration(view: Any) -> Operation | None:
    while view is not None:
        declared: Operation | None = getattr(view, "portal_operation", None)
        if declared is not None:
            return declared
        view = getattr(view, "__wrapped__", None)
    return None


References = dict[tuple[type[BaseModel], JsonSchemaMode], str]


def _schemas(found: list[Operation]) -> tuple[dict[str, Json], References]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for declared in found:
        wanted[declared.query, "validation"] = None
        if declared.body is not None:
            wanted[declared.body, "validation"] = None
        if declared.answer is not None:
            wanted[declared.answer, "serialization"] = None
    by_model, definitions = models_json_schema(list(wanted), ref_template="#/components/schemas/{model}")
    schemas: dict[str, Json] = definitions.get("$defs", {})
    return schemas, {key: by_model[key]["$ref"] for key in wanted}


def _describe(
    rule: Rule, method: str, declared: Operation, public: bool, references: References, schemas: dict[str, Json]
) -> Json:
    query = schemas[references[declared.query, "validation"].rsplit("/", 1)[1]]
    parameters = [*_path_parameters(rule), *_query_parameters(query)]
    keyed = method == "POST" and declared.keyed
    if keyed:
        parameters.append(_KEY_PARAMETER)
    described: Json = {
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": declared.summary,
        "description": _paragraphs(declared.description),
        "tags": [_TAGS[rule.rule.removeprefix(PREFIX).split("/")[0]]],
        "parameters": parameters,
    }
    if public:
        described["security"] = []
    if declared.body is not None:
        described["requestBody"] = {
            "required": not declared.body_optional,
            "content": {"application/json": {"schema": {"$ref": references[declared.body, "validation"]}}},
        }
    if declared.upload:
        described["requestBody"] = _UPLOAD
    described["responses"] = {
        str(declared.status): _success(declared, keyed, references),
        **{
            str(status): _refusal(status, declared, references)
            for status in _refusals(rule, method, declared, keyed, public)
        },
    }
    return described


def _paragraphs(text: str) -> str:
    """Text of the source without its line breaks, except between paragraphs."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text)


# Fields of bodies by which a company is named, which may be somebody else's.
_COMPANIES = {"customer_id", "company_id"}


def _refusals(rule: Rule, method: str, declared: Operation, keyed: bool, public: bool) -> list[int]:
    statuses = {400, 422, 429, 503}
    if not public:
        statuses |= {401, 403}
    elif declared.body is not None:
        statuses.add(401)  # what proves somebody may be wrong
    if rule.arguments or (declared.body is not None and _COMPANIES & declared.body.model_fields.keys()):
        statuses.add(404)
    if keyed or declared.conflicts:
        statuses.add(409)
    if declared.body is not None:
        statuses |= {413, 415}
    if declared.upload:
        statuses.add(413)
    return sorted(statuses)


def _success(declared: Operation, keyed: bool, references: References) -> Json:
    answer: Json = {"description": HTTPStatus(declared.status).phrase}
    if declared.answer is not None:
        schema = {"$ref": references[declared.answer, "serialization"]}
        answer["content"] = {"application/json": {"schema": schema}}
    if declared.media:
        file = {"type": "string", "contentMediaType": "application/octet-stream"}
        answer["content"] = {media: {"schema": file} for media in declared.media}
    if keyed:
        answer["headers"] = {
            idempotency.REPLAYED: {
                "description": "`true` where this is the stored answer of an earlier request.",
                "schema": {"type": "string", "enum": ["true"]},
            }
        }
    return answer


def _refusal(status: int, declared: Operation, references: References) -> Json:
    reason = REASONS[status]
    if status == 409 and declared.conflicts:
        reason = f"{declared.conflicts} Or the same request is still running." if declared.keyed else declared.conflicts
    refusal: Json = {
        "description": reason,
        "content": {"application/problem+json": {"schema": {"$ref": references[Problem, "serialization"]}}},
    }
    if status in (429, 503):
        refusal["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return refusal


def _path_parameters(rule: Rule) -> Iterator[Json]:
    for found in _CONVERTER.finditer(rule.rule):
        schema = {"type": "string", "format": "uuid"} if found["kind"] == "uuid" else {"type": "string"}
        yield {"name": found["name"], "in": "path", "required": True, "schema": schema}


def _query_parameters(query: Json) -> Iterator[Json]:
    for name, schema in query.get("properties", {}).items():
        shown = dict(schema)
        parameter: Json = {"name": name, "in": "query", "required": False}
        if "description" in shown:
            parameter["description"] = shown.pop("description")
        parameter["schema"] = _without_null(shown)
        yield parameter


def _without_null(schema: Json) -> Json:
    """A parameter is there or not; it is never null."""
    choices = [choice for choice in schema.get("anyOf", []) if choice.get("type") != "null"]
    if not choices:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return choices[0] | rest if len(choices) == 1 else {"anyOf": choices} | rest


_FILE_REQUEST: Json = {
    "type": "object",
    "description": "A multipart form with one file.",
    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
    "required": ["file"],
    "additionalProperties": False,
}
_UPLOAD: Json = {
    "required": True,
    "content": {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/FileRequest"}}},
}
_KEY_PARAMETER: Json = {
    "name": idempotency.HEADER,
    "in": "header",
    "required": False,
    "description": "Makes the request repeatable: the same key and body give the first answer again.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": idempotency.KEY_LENGTH,
        "pattern": idempotency.KEY_PATTERN,
    },
}
