"""The one block that says where everything is."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from runner.layout import Layout

CUSTOMERS = "ana@acme.example, ben@acme.example, chloe@globex.example"
STAFF = "sam@demo.example (agent), mia@demo.example (manager), ada@demo.example (administrator)"


def welcome(layout: Layout, environ: Mapping[str, str], temporal_ui: str | None) -> str:
    """Address, back office, demo logins, mail; what the environment changed is shown as it is."""
    smtp = urlsplit(environ.get("PORTAL_SMTP_URL", ""))
    files = f"{layout.data / 'mail'} and “Sent mail” in the back office"
    mail = f"sent through {smtp.hostname}" if smtp.hostname else files
    # Production has no demo people.
    demo = environ.get("PORTAL_ENV") != "production"
    simulated = environ.get("STRIPE_SECRET_KEY", "").startswith("sk_test_standin")
    rows = [
        ("Portal", f"{layout.address}/"),
        ("", CUSTOMERS if demo else ""),
        ("Back office", f"{layout.address}/admin/"),
        ("", STAFF if demo else ""),
        ("Second tenant", f"http://nova.localhost:{layout.port}/" if demo else ""),
        ("", "nia@nova.example; noor@nova.example in its back office" if demo else ""),
        ("Password", (environ.get("PORTAL_DEMO_PASSWORD") or "portico-demo") if demo else ""),
        ("Mail", mail),
        ("Payments", "simulated, with test cards only: 4242 4242 4242 4242 pays" if simulated else ""),
        ("Logs", str(layout.log)),
        ("Temporal", temporal_ui or ""),
    ]
    lines = [f"  {name:<14} {value}" for name, value in rows if value]
    return "\n".join(["", "Portico is running. Ctrl-C stops all of it.", "", *lines, ""])
