"""`python -m stripe_standin`: settings from the environment or the command line, the secret from the environment."""

import argparse
import os
import signal
import sys
from pathlib import Path

from stripe_standin.app import LOOPBACK, build_server
from stripe_standin.delivery import Endpoint


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    env = os.environ.get
    parser = argparse.ArgumentParser(prog="python -m stripe_standin", description="A stand-in for Stripe on 127.0.0.1")
    parser.add_argument("--port", type=int, default=int(env("STRIPE_STANDIN_PORT", "12111")), help="0: any free one")
    parser.add_argument("--state", type=Path, default=Path(env("STRIPE_STANDIN_STATE", "var/stripe.db")))
    parser.add_argument("--webhook-url", default=env("STRIPE_STANDIN_WEBHOOK_URL"))
    parser.add_argument("--url-file", type=Path, default=None, help="where to write the address once it answers")
    given = parser.parse_args()
    secret = env("STRIPE_WEBHOOK_SECRET", "").replace(",", " ").split()
    default = Endpoint(given.webhook_url, secret[0]) if given.webhook_url and secret else None
    server = build_server(given.port, given.state, default)
    address = f"http://{LOOPBACK}:{server.port}"
    if given.url_file:
        given.url_file.write_text(f"{address}\n", encoding="utf-8")
    print(address, flush=True)  # noqa: T201 - for whoever started it
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
