"""The one blueprint of the customer's tickets; `routes` reads, `actions` writes."""

from flask import Blueprint

bp = Blueprint("tickets", __name__, url_prefix="/portal/tickets")
