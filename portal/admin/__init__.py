"""The back office: Flask-Admin's routes and forms in our own frame."""

from flask import Flask, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_admin import Admin
from flask_admin.theme import Theme

from portal.admin import access, own_access
from portal.admin.account import NotificationsView, PreferencesView
from portal.admin.addresses import AddressesView
from portal.admin.audit.views import AuditView
from portal.admin.banking.receivables import ReceivablesView
from portal.admin.banking.statements import BankStatementsView
from portal.admin.banking.transfers import TransfersView
from portal.admin.banking.write_offs import WriteOffsView
from portal.admin.base import ServiceView, route
from portal.admin.billing.catalogue import CatalogueView
from portal.admin.billing.invoices import InvoicesView
from portal.admin.billing.settings import BillingSettingsView
from portal.admin.contracts.settings import SigningSettingsView
from portal.admin.contracts.views import ContractsView
from portal.admin.customers import CompaniesView
from portal.admin.desk.macros import MacrosView
from portal.admin.desk.mail_words import MailWordsView
from portal.admin.desk.satisfaction import SatisfactionView
from portal.admin.desk.statuses import StatusesView
from portal.admin.disputes.files import EvidenceView
from portal.admin.disputes.views import DisputesView
from portal.admin.files import FilesView
from portal.admin.inbound import BouncedView, InboundView
from portal.admin.live import CountsView
from portal.admin.mail import MailView
from portal.admin.mailbox import MailboxView
from portal.admin.navigation import first_page, init_navigation
from portal.admin.own_access import PasswordView, SessionsView
from portal.admin.payments.views import PaymentsView
from portal.admin.people import PeopleView
from portal.admin.plans.views import PlansView
from portal.admin.quotes.views import QuotesView
from portal.admin.roles import RolesView
from portal.admin.sign_in import DomainsView, SignInView
from portal.admin.sla.assignment import ProfilesView, RulesOfAssignmentView
from portal.admin.sla.calendars import CalendarsView
from portal.admin.sla.categories import CategoriesView
from portal.admin.sla.policies import PoliciesView
from portal.admin.sla.report import PromiseReportView
from portal.admin.sso import IdentityProvidersView
from portal.admin.statements import StatementsView
from portal.admin.team import TeamView
from portal.admin.ticket_settings import TicketSettingsView
from portal.admin.tickets.bulk import BulkView
from portal.admin.tickets.circle import CircleView
from portal.admin.tickets.clock import ClockView
from portal.admin.tickets.export import ExportView
from portal.admin.tickets.relations import RelationsView
from portal.admin.tickets.saved_views import SavedViewsView
from portal.admin.tickets.side import SideView
from portal.admin.tickets.tools import TicketToolsView
from portal.admin.tickets.trash import TrashView
from portal.admin.tickets.views import DeskView
from portal.authz import Permission
from portal.blueprints import http


class HomeView(ServiceView):
    """`/admin/`: the queue is where the day begins, for those who may see it."""

    policy = Permission.DASHBOARD_VIEW

    @route("/")
    def index(self) -> ResponseReturnValue:
        """Lead to the first page that the reader may open."""
        return redirect(url_for(first_page(http.actor())), code=303)


def init_admin(app: Flask) -> None:
    """Register the staff door and every view; none of Flask-Admin's static files or templates is served."""
    app.register_blueprint(access.bp)
    app.register_blueprint(own_access.bp)
    admin = Admin(
        app,
        name="Portico",
        index_view=HomeView(name="Home", endpoint="admin", url="/admin"),
        theme=Theme(folder="portico", base_template="layout/staff.html"),
    )
    admin.add_views(
        DeskView(name="Tickets", endpoint="desk", url="tickets"),
        RelationsView(name="Relations", endpoint="relations", url="relations"),
        SideView(name="Side conversations", endpoint="side", url="side"),
        TrashView(name="Trash", endpoint="trash", url="trash"),
        TicketToolsView(name="Tools", endpoint="desk_tools", url="desk/ticket"),
        SavedViewsView(name="Views", endpoint="desk_views", url="tickets/views"),
        BulkView(name="Bulk changes", endpoint="desk_bulk", url="tickets/bulk"),
        ExportView(name="Export", endpoint="desk_export", url="tickets/export"),
        FilesView(name="Files", endpoint="staff_files", url="files"),
        CompaniesView(),
        PeopleView(),
        MailView(),
        AuditView(name="Audit log", endpoint="audit", url="audit"),
        PoliciesView(),
        CalendarsView(),
        CategoriesView(),
        TicketSettingsView(name="Customers' tickets", endpoint="ticket_settings", url="settings/tickets"),
        StatusesView(),
        MacrosView(),
        SatisfactionView(name="Satisfaction", endpoint="satisfaction", url="satisfaction"),
        TeamView(name="Team", endpoint="team", url="team"),
        RolesView(),
        SignInView(name="Sign-in", endpoint="sign_in_policy", url="settings/sign-in"),
        DomainsView(name="Domains", endpoint="tenant_domains", url="settings/domains"),
        IdentityProvidersView(),
        NotificationsView(name="Notifications", endpoint="staff_notifications", url="notifications"),
        PreferencesView(name="Preferences", endpoint="staff_preferences", url="preferences"),
        AddressesView(name="Addresses", endpoint="staff_addresses", url="addresses"),
        PasswordView(name="Password", endpoint="staff_password", url="password"),
        SessionsView(name="Sessions", endpoint="staff_sessions", url="sessions"),
        InboundView(),
        BouncedView(),
        MailboxView(name="Mailbox", endpoint="mailbox", url="settings/mailbox"),
        CountsView(name="Counts", endpoint="staff_counts", url="counts"),
        ClockView(name="Clock", endpoint="ticket_clock", url="ticket-clock"),
        RulesOfAssignmentView(),
        ProfilesView(),
        CircleView(name="Colleagues", endpoint="circle", url="circle"),
        MailWordsView(name="Mail texts", endpoint="mail_words", url="settings/mail-texts"),
        PaymentsView(),
        PromiseReportView(name="Promises kept", endpoint="promise_report", url="reports/promises"),
        InvoicesView(name="Invoices", endpoint="staff_invoices", url="invoices"),
        QuotesView(name="Quotes", endpoint="staff_quotes", url="quotes"),
        ContractsView(name="Contracts", endpoint="staff_contracts", url="contracts"),
        BillingSettingsView(name="Billing", endpoint="billing_settings", url="billing/settings"),
        SigningSettingsView(name="Signing and sealing", endpoint="signing_settings", url="settings/signing"),
        CatalogueView(name="Catalogue", endpoint="billing_catalogue", url="billing/catalogue"),
        ReceivablesView(name="Receivables", endpoint="receivables", url="billing/receivables"),
        TransfersView(name="Bank transfers", endpoint="bank_transfers", url="billing/bank"),
        BankStatementsView(name="Bank statements", endpoint="bank_statements", url="billing/bank/statements"),
        WriteOffsView(name="Write-offs", endpoint="write_offs", url="billing/write-offs"),
        DisputesView(name="Disputes", endpoint="staff_disputes", url="disputes"),
        EvidenceView(name="Evidence", endpoint="staff_evidence", url="evidence"),
        PlansView(name="Payment plans", endpoint="staff_plans", url="payment-plans"),
        StatementsView(name="Statements", endpoint="staff_statements", url="statements"),
    )
    init_navigation(app)
