"""The API described: for programs at /api/v1/openapi.json, for people at /api/v1/docs."""

from flask import Blueprint, Flask, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from portal.blueprints.api.openapi import REASONS, Json, build_document
from portal.blueprints.policies import public
from portal.lib.text import render_markdown

bp = Blueprint("api_docs", __name__, url_prefix="/api/v1")
_KEY = "portal_api_document"


def document(app: Flask) -> Json:
    """The document, built once; it is the same for every tenant and reader."""
    if _KEY not in app.extensions:
        app.extensions[_KEY] = build_document(app)
    found: Json = app.extensions[_KEY]
    return found


@bp.get("/openapi.json")
@public
def openapi() -> ResponseReturnValue:
    """The OpenAPI 3.1 document."""
    return jsonify(document(current_app))


@bp.get("/docs")
@public
def docs() -> ResponseReturnValue:
    """The same for people: no script, nothing from elsewhere. The reference is in English, like its field names."""
    shown = document(current_app)
    groups: dict[str, list[Json]] = {tag["name"]: [] for tag in shown["tags"]}
    for path, methods in shown["paths"].items():
        for method, described in methods.items():
            groups[described["tags"][0]].append({"method": method.upper(), "path": path, **described})
    return render_template(
        "api/docs.html",
        info=shown["info"],
        groups=groups,
        reasons=REASONS,
        schemas=shown["components"]["schemas"],
        schema_name=schema_name,
        type_text=type_text,
        markdown=_markdown,
    )


def _markdown(text: str) -> Markup:
    """Our own text as safe HTML."""
    return Markup(render_markdown(text))  # noqa: S704 - cleaned by our allow-list


def schema_name(content: Json | None) -> str | None:
    """The name of the schema that a body or answer has, None where it has none."""
    for media in (content or {}).get("content", {}).values():
        # Files have no schema of ours.
        return media["schema"]["$ref"].rsplit("/", 1)[1] if "$ref" in media["schema"] else None
    return None


def type_text(schema: Json, schemas: dict[str, Json]) -> str:
    """A schema in a few words, as Markdown: `text, at most 255`, "one of …", the name of an object."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return type_text(schemas[name], schemas) if "enum" in schemas[name] else f"`{name}`"
    if "anyOf" in schema:
        return " or ".join(type_text(choice, schemas) for choice in schema["anyOf"])
    if "contentMediaType" in schema:
        return "file, in a `multipart/form-data` body"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_text(schema['items'], schemas)}"
    kind = {"uuid": "id", "date-time": "time", "date": "date"}.get(schema.get("format", ""))
    words = [kind or str({"string": "text"}.get(schema.get("type", ""), schema.get("type", "anything")))]
    if "maxLength" in schema:
        words.append(f"at most {schema['maxLength']:,} characters")
    if "minimum" in schema and "maximum" in schema:
        words.append(f"{schema['minimum']} to {schema['maximum']}")
    return ", ".join(words)
