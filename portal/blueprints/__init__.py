"""The one list of blueprints."""

from flask import Flask

from portal.blueprints.accounts.routes import access, account
from portal.blueprints.accounts.sso_routes import bp as sso
from portal.blueprints.api.registration import register_api
from portal.blueprints.dashboard.routes import bp as dashboard
from portal.blueprints.gallery.routes import bp as gallery
from portal.blueprints.health.routes import bp as health
from portal.blueprints.tickets.routes import bp as tickets


def register_blueprints(app: Flask) -> None:
    """Register every blueprint of the customer portal, and the JSON API."""
    for blueprint in (health, access, sso, account, dashboard, tickets):
        app.register_blueprint(blueprint)
    if not app.config["SETTINGS"].production:
        app.register_blueprint(gallery)
    register_api(app)
