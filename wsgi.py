"""Composition root of the web process."""

from portal.app import create_app
from portal.config import Settings

app = create_app(Settings.from_env())
