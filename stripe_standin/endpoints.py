"""Webhook endpoints and events."""

import secrets

from stripe_standin.errors import Body
from stripe_standin.world import World, changed, matches


def create(world: World, params: Body) -> Body:
    """POST /v1/webhook_endpoints; the secret is told once."""
    endpoint = world.make(
        "webhook_endpoint", enabled_events=params["enabled_events"], status="enabled", url=params["url"]
    )
    endpoint["api_version"] = params.get("api_version")
    secret = f"whsec_{secrets.token_hex(16)}"
    world.save(changed(endpoint, params, "description"), hidden={"secret": secret})
    return endpoint | {"secret": secret}


def retrieve(world: World, params: Body, endpoint_id: str) -> Body:
    """GET /v1/webhook_endpoints/:id."""
    return world.get("webhook_endpoint", endpoint_id)


def update(world: World, params: Body, endpoint_id: str) -> Body:
    """POST /v1/webhook_endpoints/:id."""
    endpoint = changed(world.get("webhook_endpoint", endpoint_id), params, "description", "enabled_events", "url")
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    return world.save(endpoint)


def delete(world: World, params: Body, endpoint_id: str) -> Body:
    """DELETE /v1/webhook_endpoints/:id."""
    world.get("webhook_endpoint", endpoint_id)
    world.store.delete(endpoint_id)
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}


def list_endpoints(world: World, params: Body) -> Body:
    """GET /v1/webhook_endpoints."""
    return world.listed("webhook_endpoint", params, "/v1/webhook_endpoints")


def retrieve_event(world: World, params: Body, event_id: str) -> Body:
    """GET /v1/events/:id."""
    return world.get("event", event_id)


def list_events(world: World, params: Body) -> Body:
    """GET /v1/events."""
    wanted = params.get("types") or [params.get("type", "*")]
    return world.listed("event", params, "/v1/events", lambda found: matches(wanted, found["type"]))
