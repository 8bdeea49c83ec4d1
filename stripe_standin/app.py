"""The application and its server."""

from pathlib import Path

from flask import Flask, Response, abort, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from stripe_standin.api import build_api, respond
from stripe_standin.controls import Faults, build_controls, install_faults
from stripe_standin.delivery import Courier, Endpoint
from stripe_standin.pages import build_pages
from stripe_standin.store import Store
from stripe_standin.world import World

LOOPBACK = "127.0.0.1"
NAMES = (LOOPBACK, "localhost")
LARGEST_REQUEST = 1024 * 1024


class Handler(WSGIRequestHandler):
    """Keeps connections open, and writes addresses without their query."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line a request; forms and queries are nobody's business."""
        self.log("info", "%s %s %s", self.command, self.path.partition("?")[0], code)


def build_app(store: Store, default: Endpoint | None) -> Flask:
    """The whole stand-in but its courier."""
    app, faults = Flask(__name__), Faults()
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST

    def start() -> None:
        store.set("has_default", default is not None)

    with store.transaction():
        start()
    api = build_api(store)
    install_faults(api, faults)
    for blueprint in (api, build_controls(store, faults, start), build_pages(store)):
        app.register_blueprint(blueprint)

    @app.before_request
    def only_here() -> None:
        # A name that somebody let point here is not ours.
        if request.host.rpartition(":")[0] not in NAMES:
            abort(404)

    @app.get("/healthz")
    def health() -> Response:
        return respond(200, {"status": "ok"})

    return app


def build_server(port: int, state: Path, default: Endpoint | None) -> BaseWSGIServer:
    """A threaded server on the loopback interface, its courier at work; port 0 takes a free one."""
    store = Store(state)
    server = make_server(LOOPBACK, port, build_app(store, default), threaded=True, request_handler=Handler)
    address = f"http://{LOOPBACK}:{server.port}"
    Courier(store, lambda: World(store, address=address), default).start()
    return server
