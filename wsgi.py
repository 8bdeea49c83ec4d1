"""Composition root of the web process."""

from portal.app import create_app
from portal.config import Settings
from portal.lib.logs import configure_logs

configure_logs()
app = create_app(Settings.from_env())
