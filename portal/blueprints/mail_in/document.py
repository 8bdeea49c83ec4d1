"""The intake of mail as the OpenAPI document tells of it: its body is a message, which no schema of ours describes."""

from typing import Any

TAG = "For mail servers"
_REFUSALS = {
    400: "The request cannot be understood.",
    401: "The signature is missing, wrong, or older than five minutes.",
    404: "There is no mailbox of this name at this host, or the recipient is none of its addresses.",
    413: "The message is too large.",
    429: "Too many failures; Retry-After says when to come back.",
    503: "The message could not be taken now; send it again.",
}
_TAKEN: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "outcome": {"type": "string", "description": "What became of it, such as `opened`, `appended` or `held`."},
        "reason": {"type": "string", "description": "Why, as a code; empty where nothing stood against it."},
        "repeated": {"type": "boolean", "description": "Whether the same message was taken before."},
    },
    "required": ["id", "outcome", "reason", "repeated"],
}


def _header(name: str, description: str, *, required: bool) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": {"type": "string"},
    }


def _refusal(status: int, reason: str) -> dict[str, Any]:
    refusal: dict[str, Any] = {
        "description": reason,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in (429, 503):
        refusal["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return refusal


WEBHOOK: dict[str, dict[str, Any]] = {
    "/api/v1/mail/in/{key}": {
        "post": {
            "operationId": "mail_in_api_take",
            "summary": "Hand over a mail",
            "description": "Takes a message as it is (RFC 5322), from the server that received it. Repeats are told "
            "what became of the first. The key of the signature is made in the settings of the mailbox.",
            "tags": [TAG],
            "security": [],
            "parameters": [
                {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}},
                _header(
                    "X-Portico-Signature",
                    "`t=<unix seconds>,v1=<hex>` with HMAC-SHA256 over `<t>.<recipient>.<body>`.",
                    required=True,
                ),
                _header(
                    "X-Portico-Recipient",
                    "The address that it was delivered to; part of what is signed, empty where it is left out.",
                    required=False,
                ),
            ],
            "requestBody": {"required": True, "content": {"message/rfc822": {"schema": {"type": "string"}}}},
            "responses": {
                "200": {"description": "OK", "content": {"application/json": {"schema": _TAKEN}}},
                **{str(status): _refusal(status, reason) for status, reason in _REFUSALS.items()},
            },
        }
    }
}
