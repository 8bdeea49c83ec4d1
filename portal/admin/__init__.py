"""The back office: Flask-Admin's routes and forms in our own frame."""

from flask import Flask, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_admin import Admin
from flask_admin.theme import Theme

from portal.admin import access
from portal.admin.account import NotificationsView, PreferencesView
from portal.admin.audit import AuditView
from portal.admin.base import ServiceView, route
from portal.admin.customers import CompaniesView, PeopleView
from portal.admin.live import CountsView
from portal.admin.mail import MailView
from portal.admin.navigation import init_navigation
from portal.admin.sla.calendars import CalendarsView
from portal.admin.sla.categories import CategoriesView
from portal.admin.sla.policies import PoliciesView
from portal.admin.sso import IdentityProvidersView
from portal.admin.tickets.views import DeskView
from portal.authz import Permission


class HomeView(ServiceView):
    """`/admin/`: the queue is where the day begins."""

    policy = Permission.DESK_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """Lead to the queue."""
        return redirect(url_for("desk.index"), code=303)


def init_admin(app: Flask) -> None:
    """Register the staff door and every view; none of Flask-Admin's static files or templates is served."""
    app.register_blueprint(access.bp)
    admin = Admin(
        app,
        name="Portico",
        index_view=HomeView(name="Home", endpoint="admin", url="/admin"),
        theme=Theme(folder="portico", base_template="layout/staff.html"),
    )
    admin.add_views(
        DeskView(name="Tickets", endpoint="desk", url="tickets"),
        CompaniesView(),
        PeopleView(),
        MailView(),
        AuditView(name="Audit log", endpoint="audit", url="audit"),
        PoliciesView(),
        CalendarsView(),
        CategoriesView(),
        IdentityProvidersView(),
        NotificationsView(name="Notifications", endpoint="staff_notifications", url="notifications"),
        PreferencesView(name="Preferences", endpoint="staff_preferences", url="preferences"),
        CountsView(name="Counts", endpoint="staff_counts", url="counts"),
    )
    init_navigation(app)
