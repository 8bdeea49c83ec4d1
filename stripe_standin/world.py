"""One request's view of the state: making objects, telling events, reading pages of lists."""

import secrets
from collections.abc import Callable
from typing import Any

from stripe_standin.errors import ApiError, Body, ParameterError, missing
from stripe_standin.schema import api_version, response_fields
from stripe_standin.store import Store

PREFIXES = {
    "customer": "cus",
    "payment_method": "pm",
    "payment_intent": "pi",
    "setup_intent": "seti",
    "charge": "ch",
    "refund": "re",
    "dispute": "du",
    "event": "evt",
    "checkout.session": "cs_test",
    "webhook_endpoint": "we",
    "mandate": "mandate",
    "radar.early_fraud_warning": "issfr",
}
EXPANDABLE = frozenset(
    {"customer", "payment_method", "payment_intent", "setup_intent", "latest_charge", "charge", "mandate"}
)


def matches(wanted: list[str], kind: str) -> bool:
    """Whether an event is among those asked for: names, `charge.*` or `*`."""
    return any(name in ("*", kind) or (name.endswith(".*") and kind.startswith(name[:-1])) for name in wanted)


class World:
    """The store, the clock, and who is asking."""

    def __init__(self, store: Store, *, address: str, request_id: str | None = None, key: str | None = None) -> None:
        self.store = store
        self.address = address
        self._request = {"id": request_id, "idempotency_key": key}

    @property
    def now(self) -> int:
        """The stand-in's clock in whole seconds."""
        return int(self.store.now())

    def make(self, kind: str, **fields: Any) -> Body:
        """A new object with every field the SDK names, null where nothing else is given; not yet saved."""
        known = response_fields(kind)
        unknown = fields.keys() - known.keys()
        assert not unknown, f"{kind} has no {unknown}"
        body: Body = dict.fromkeys((name for name, needed in known.items() if not needed), None)
        body |= {"id": f"{PREFIXES[kind]}_{secrets.token_hex(12)}", "object": kind}
        for name, value in (("created", self.now), ("livemode", False), ("metadata", {})):
            if name in known:
                body[name] = value
        return body | fields

    def get(self, kind: str, object_id: str, param: str = "id") -> Body:
        """An object that must be there."""
        found = self.store.load(object_id, kind)
        if found is None:
            raise missing(kind, object_id, param)
        return found

    def save(self, body: Body, *events: str, hidden: Body | None = None) -> Body:
        """Write an object and tell of it."""
        self.store.save(body, hidden=hidden)
        for name in events:
            self.tell(name, body)
        return body

    def tell(self, name: str, body: Body) -> None:
        """An event with the object as it is now, and a delivery for each endpoint that wants it."""
        endpoints = self.endpoints(name)
        event = self.make(
            "event",
            type=name,
            api_version=api_version(),
            data={"object": body},
            pending_webhooks=len(endpoints),
            request=self._request,
        )
        self.store.save(event)
        due = self.store.now() + float(self.store.setting("delay", 0))
        for endpoint in endpoints:
            self.store.run(
                "INSERT INTO deliveries (event, endpoint, due, made, attempt, state) VALUES (?, ?, ?, ?, 0, 'waiting')",
                event["id"], endpoint, due, self.store.now(),
            )  # fmt: skip

    def endpoints(self, name: str) -> list[str]:
        """Who wants an event: the endpoint of the start-up (`default`) and those made over the API."""
        wanted = ["default"] if self.store.setting("has_default", False) else []
        for (found,) in self.store.run("SELECT id FROM objects WHERE kind = 'webhook_endpoint'"):
            endpoint = self.get("webhook_endpoint", found)
            if endpoint["status"] == "enabled" and matches(endpoint["enabled_events"], name):
                wanted.append(found)
        return wanted

    def expand(self, body: Body, paths: list[str]) -> Body:
        """Put objects in place of their ids."""
        for path in paths:
            head, _, rest = path.partition(".")
            if head == "data" and body.get("object") == "list":
                body["data"] = [self.expand(one, [rest]) for one in body["data"]]
                continue
            if head not in body or head not in EXPANDABLE:
                raise ParameterError(f"This property cannot be expanded ({path}).", None, "expand[0]")
            if isinstance(body[head], str):
                body[head] = self.store.load(body[head])
            if rest and body[head]:
                body[head] = self.expand(body[head], [rest])
        return body

    def listed(self, kind: str, params: Body, url: str, keep: Callable[[Body], bool] = lambda body: True) -> Body:
        """A page of a list, newest first."""
        limit = params.get("limit", 10)
        if not 1 <= limit <= 100:
            raise ParameterError("Invalid integer: limit must be from 1 to 100", "parameter_invalid_integer", "limit")
        back = "ending_before" in params
        where: list[str] = ["kind = ?"]
        values: list[Any] = [kind]
        for name, column in (("customer", "customer"), ("payment_intent", "intent")):
            if name in params:
                where.append(f"{column} = ?")
                values.append(params[name])
        cursor = params.get("ending_before") or params.get("starting_after")
        if cursor:
            self.get(kind, cursor, "ending_before" if back else "starting_after")
            side = ">" if back else "<"
            where.append(f"seq {side} (SELECT seq FROM objects WHERE id = ?)")  # noqa: S608 - a sign of ours
            values.append(cursor)
        bounds = params.get("created", {})
        for name, sign in (("gt", ">"), ("gte", ">="), ("lt", "<"), ("lte", "<=")):
            if isinstance(bounds, dict) and name in bounds:
                where.append(f"created {sign} ?")
                values.append(bounds[name])
        if isinstance(bounds, int):
            where.append("created = ?")
            values.append(bounds)
        order = "ASC" if back else "DESC"
        statement = f"SELECT id FROM objects WHERE {' AND '.join(where)} ORDER BY seq {order}"  # noqa: S608 - names of ours
        found: list[Body] = []
        for (object_id,) in self.store.run(statement, *values):
            body = self.get(kind, object_id)
            if keep(body):
                found.append(body)
            if len(found) > limit:
                break
        shown = found[:limit]
        return {
            "object": "list",
            "url": url,
            "has_more": len(found) > limit,
            "data": shown[::-1] if back else shown,
        }


def changed(body: Body, params: Body, *names: str) -> Body:
    """The object with what an update names; metadata is merged, an empty value removes."""
    for name in names:
        if name in params:
            body[name] = params[name] or None
    if "metadata" in params:
        kept = {**body["metadata"], **(params["metadata"] or {})} if params["metadata"] else {}
        body["metadata"] = {name: value for name, value in kept.items() if value != ""}
    return body


def wrong_state(kind: str, message: str, body: Body) -> ApiError:
    """An object is not in the state that a step needs."""
    told: dict[str, Any] = {kind: body}
    return ApiError(400, message, code=f"{kind}_unexpected_state", **told)
