"""The one list of blueprints."""

from flask import Flask

from portal.blueprints.accounts.company import bp as company
from portal.blueprints.accounts.confirm import bp as confirm
from portal.blueprints.accounts.join import bp as join
from portal.blueprints.accounts.pages import access, account
from portal.blueprints.accounts.registration import bp as registration
from portal.blueprints.accounts.security import bp as security
from portal.blueprints.accounts.sso_routes import bp as sso
from portal.blueprints.accounts.strength import bp as strength
from portal.blueprints.api.registration import register_api
from portal.blueprints.billing.discounts import bp as bulk_discounts
from portal.blueprints.billing.overview import bp as spending
from portal.blueprints.billing.reminder_routes import bp as payment_reminders
from portal.blueprints.billing.routes import bp as invoices
from portal.blueprints.contracts.routes import bp as contracts
from portal.blueprints.contracts.verify import bp as verify
from portal.blueprints.dashboard.routes import bp as dashboard
from portal.blueprints.disputes.evidence import bp as evidence
from portal.blueprints.disputes.routes import bp as disputes
from portal.blueprints.drafts.routes import bp as drafts
from portal.blueprints.drafts.routes import staff_bp as staff_drafts
from portal.blueprints.files.routes import addresses as file_addresses
from portal.blueprints.files.routes import bp as files
from portal.blueprints.gallery.routes import bp as gallery
from portal.blueprints.health.routes import bp as health
from portal.blueprints.payments.calendar_routes import bp as payment_calendar
from portal.blueprints.payments.credit_routes import bp as credit
from portal.blueprints.payments.method_routes import bp as payment_methods
from portal.blueprints.payments.routes import bp as payments
from portal.blueprints.payments.schedule_routes import bp as schedules
from portal.blueprints.payments.together_routes import bp as together
from portal.blueprints.payments.webhook import bp as payment_webhook
from portal.blueprints.plans.routes import bp as plans
from portal.blueprints.quotes.routes import bp as quotes
from portal.blueprints.rating.routes import bp as rating
from portal.blueprints.statements.routes import bp as statements
from portal.blueprints.tickets.routes import bp as tickets


def register_blueprints(app: Flask) -> None:
    """Register every blueprint of the customer portal, and the JSON API."""
    for blueprint in (
        health,
        access,
        registration,
        join,
        sso,
        strength,
        account,
        company,
        confirm,
        dashboard,
        tickets,
        invoices,
        payments,
        together,
        credit,
        payment_methods,
        payment_webhook,
        files,
        file_addresses,
        rating,
        drafts,
        staff_drafts,
        quotes,
        contracts,
        verify,
        schedules,
        payment_reminders,
        payment_calendar,
        disputes,
        evidence,
        plans,
        statements,
        spending,
        bulk_discounts,
    ):
        app.register_blueprint(blueprint)
    app.register_blueprint(security, url_prefix="/portal/account")
    app.register_blueprint(security, name="staff_security", url_prefix="/admin")
    if not app.config["SETTINGS"].production:
        app.register_blueprint(gallery)
    register_api(app)
