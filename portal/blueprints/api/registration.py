"""The JSON API put together: every blueprint below /api/v1, its limits and its document."""

from flask import Flask

from portal.blueprints.accounts.access_api import bp as access
from portal.blueprints.accounts.account_api import bp as account
from portal.blueprints.accounts.api import bp as auth
from portal.blueprints.accounts.company_api import bp as company
from portal.blueprints.accounts.factors_api import bp as factors
from portal.blueprints.accounts.join_api import bp as join
from portal.blueprints.accounts.notices_api import bp as notices
from portal.blueprints.accounts.recovery_api import bp as recovery
from portal.blueprints.accounts.sharing_api import bp as sharing
from portal.blueprints.accounts.staff_companies_api import bp as staff_companies
from portal.blueprints.accounts.staff_people_api import bp as staff_people
from portal.blueprints.accounts.staff_sign_in_api import bp as staff_sign_in
from portal.blueprints.accounts.staff_team_api import bp as staff_team
from portal.blueprints.api.limits import init_limits
from portal.blueprints.api.pages import bp as pages
from portal.blueprints.audit.api import bp as audit
from portal.blueprints.banking.staff_api import bp as staff_banking
from portal.blueprints.banking.write_offs_api import bp as staff_write_offs
from portal.blueprints.billing.api import bp as invoices
from portal.blueprints.billing.catalogue_api import bp as catalogue
from portal.blueprints.billing.discounts import api as bulk_discounts
from portal.blueprints.billing.overview import api as spending
from portal.blueprints.billing.reminder_api import bp as payment_reminders
from portal.blueprints.billing.staff_api import bp as staff_invoices
from portal.blueprints.contracts.api import bp as contracts
from portal.blueprints.contracts.staff_api import bp as staff_contracts
from portal.blueprints.disputes.api import bp as disputes
from portal.blueprints.disputes.evidence_api import bp as evidence
from portal.blueprints.disputes.evidence_api import staff_bp as staff_evidence
from portal.blueprints.disputes.staff_api import bp as staff_disputes
from portal.blueprints.drafts.api import bp as drafts
from portal.blueprints.drafts.api import staff_bp as staff_drafts
from portal.blueprints.files.api import bp as files
from portal.blueprints.files.api import staff_bp as staff_files
from portal.blueprints.mail_in.api import bp as mail_in
from portal.blueprints.mail_in.mailbox_api import bp as mailbox
from portal.blueprints.mail_in.staff_api import bp as staff_mail
from portal.blueprints.payments.api import bp as payments
from portal.blueprints.payments.credit_api import bp as credit
from portal.blueprints.payments.credit_api import staff_bp as staff_credit
from portal.blueprints.payments.schedule_api import bp as schedules
from portal.blueprints.payments.staff_api import bp as staff_payments
from portal.blueprints.plans.api import bp as plans
from portal.blueprints.plans.staff_api import bp as staff_plans
from portal.blueprints.quotes.api import bp as quotes
from portal.blueprints.quotes.staff_api import bp as staff_quotes
from portal.blueprints.statements.api import bp as statements
from portal.blueprints.statements.staff_api import bp as staff_statements
from portal.blueprints.tickets.answer_api import bp as answering
from portal.blueprints.tickets.api import bp as tickets
from portal.blueprints.tickets.assignment_api import bp as assignment
from portal.blueprints.tickets.bulk_api import bp as bulk
from portal.blueprints.tickets.calendars_api import bp as calendars
from portal.blueprints.tickets.case_api import bp as ticket_case
from portal.blueprints.tickets.case_staff_api import bp as desk_case
from portal.blueprints.tickets.clock_api import bp as ticket_clock
from portal.blueprints.tickets.colleagues_api import bp as colleagues
from portal.blueprints.tickets.list_api import bp as ticket_list
from portal.blueprints.tickets.policy_api import bp as ticket_rules
from portal.blueprints.tickets.relations_api import bp as relations
from portal.blueprints.tickets.relations_api import customer_bp as own_relations
from portal.blueprints.tickets.rules_api import bp as rules
from portal.blueprints.tickets.settings_api import bp as desk_settings
from portal.blueprints.tickets.side_api import bp as side_conversations
from portal.blueprints.tickets.sla_api import bp as sla
from portal.blueprints.tickets.staff_api import bp as desk
from portal.blueprints.tickets.staff_followers_api import bp as staff_followers
from portal.blueprints.tickets.views_api import bp as ticket_views
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
    staff_sign_in,
    tickets,
    ticket_case,
    drafts,
    staff_drafts,
    desk_case,
    desk,
    answering,
    files,
    staff_files,
    audit,
    colleagues,
    ticket_list,
    notices,
    sharing,
    bulk,
    ticket_views,
    pages,
    ticket_clock,
    relations,
    own_relations,
    side_conversations,
    mail_in,
    sla,
    assignment,
    staff_mail,
    calendars,
    rules,
    desk_settings,
    ticket_rules,
    mailbox,
    staff_followers,
    invoices,
    staff_invoices,
    quotes,
    staff_quotes,
    contracts,
    staff_contracts,
    payments,
    staff_payments,
    credit,
    staff_credit,
    schedules,
    payment_reminders,
    staff_banking,
    staff_write_offs,
    disputes,
    staff_disputes,
    evidence,
    staff_evidence,
    plans,
    staff_plans,
    statements,
    staff_statements,
    spending,
    bulk_discounts,
    catalogue,
)


def register_api(app: Flask) -> None:
    """Register the blueprints; tokens in a header are not sent by browsers on their own, so no CSRF token is due."""
    for blueprint in BLUEPRINTS:
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)
    init_limits(app)
