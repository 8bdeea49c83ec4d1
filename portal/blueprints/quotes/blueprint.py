"""The one blueprint of the customer's quotes; `routes` reads, `answers` and `wishes` write."""

from flask import Blueprint

bp = Blueprint("quotes", __name__, url_prefix="/portal/quotes")
