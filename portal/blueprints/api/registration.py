"""The JSON API put together: every blueprint below /api/v1, its limits and its document."""

from flask import Flask

from portal.blueprints.accounts.access_api import bp as access
from portal.blueprints.accounts.account_api import bp as account
from portal.blueprints.accounts.api import bp as auth
from portal.blueprints.accounts.company_api import bp as company
from portal.blueprints.accounts.factors_api import bp as factors
from portal.blueprints.accounts.join_api import bp as join
from portal.blueprints.accounts.recovery_api import bp as recovery
from portal.blueprints.accounts.staff_companies_api import bp as staff_companies
from portal.blueprints.accounts.staff_people_api import bp as staff_people
from portal.blueprints.accounts.staff_team_api import bp as staff_team
from portal.blueprints.api.limits import init_limits
from portal.blueprints.api.pages import bp as pages
from portal.blueprints.audit.api import bp as audit
from portal.blueprints.files.api import bp as files
from portal.blueprints.files.api import staff_bp as staff_files
from portal.blueprints.mail_in.api import bp as mail_in
from portal.blueprints.mail_in.staff_api import bp as staff_mail
from portal.blueprints.tickets.api import bp as tickets
from portal.blueprints.tickets.staff_api import bp as desk
from portal.extensions import csrf

BLUEPRINTS = (
    auth,
    recovery,
    join,
    factors,
    account,
    access,
    company,
    staff_companies,
    staff_people,
    staff_team,
    tickets,
    desk,
    files,
    staff_files,
    audit,
    pages,
    mail_in,
    staff_mail,
)


def register_api(app: Flask) -> None:
    """Register the blueprints; tokens in a header are not sent by browsers on their own, so no CSRF token is due."""
    for blueprint in BLUEPRINTS:
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)
    init_limits(app)
