"""Words for refusals: stable code -> sentence."""

from collections.abc import Callable, Mapping
from typing import Any

from portal.lib.wording import N_

MESSAGES = {
    "invalid": N_("Please check what you entered."),
    "required": N_("This field is needed."),
    "too_long": N_("At most %(limit)s characters."),
    "too_short": N_("At least %(limit)s characters."),
    "too_many": N_("At most %(limit)s entries."),
    "characters_forbidden": N_("This text holds characters that cannot be stored."),
    "unknown_category": N_("Choose one of the categories."),
    "unknown_choice": N_("Choose one of the offered values."),
    "unknown_company": N_("Choose one of your companies."),
    "unknown_assignee": N_("Choose a member of the team."),
    "name_taken": N_("Something else has this name already."),
    "last_category": N_("One category has to stay in use."),
    "timezone_unknown": N_("Choose a time zone such as Europe/Paris."),
    "hours_invalid": N_("Write hours such as 08:00–12:00, 13:00–18:00."),
    "given_twice": N_("Give this only once."),
    "nothing_to_change": N_("Name at least one field to change."),
    "unknown_field": N_("This field is not known here."),
    "wrong_type": N_("This value has the wrong type."),
    "not_a_number": N_("Enter a whole number."),
    "not_an_id": N_("This is not a valid id."),
    "out_of_range": N_("Choose a value from %(low)s to %(high)s."),
    "must_be_positive": N_("Enter a time longer than zero."),
    "duration_invalid": N_("Enter a time such as 15 min, 4 h or 2 d."),
    "target_required": N_("Set a time for the first answer or for the solution."),
    "level_invalid": N_("Each level needs a metric, a time and a role."),
    "calendar_invalid": N_("These working hours do not fit together."),
    "cursor_invalid": N_("This page address is not valid any more."),
    "date_invalid": N_("Enter a date such as 2026-11-21."),
    "json_invalid": N_("The body is not valid JSON."),
    "json_too_deep": N_("The body is nested too deeply."),
    "wrong_credentials": N_("The address or the password is not right."),
    "sign_in_locked": N_(
        "Too many failed sign-ins from here. Try again in %(minutes)s minutes, or set a new password."
    ),
    "second_factor_required": N_("Enter the code from your authenticator."),
    "factor_wrong": N_("This code is not right (any more)."),
    "link_expired": N_("This link does not work any more. Ask for a new one."),
    "sso_required": N_("Your company signs in through %(name)s. Choose single sign-on."),
    "sso_not_found": N_("No company sign-in is known for this address. Sign in with your password."),
    "sso_unknown": N_("%(name)s knows you, but there is no account here for you. Ask your administrator."),
    "sso_expired": N_("This sign-in took too long or was started elsewhere. Please try again."),
    "sso_cancelled": N_("The sign-in at %(name)s was not finished."),
    "sso_refused": N_("What your company's sign-in sent cannot be trusted. Please try again."),
    "sso_unreachable": N_("Your company's sign-in does not answer. Please try again later."),
    "sso_misconfigured": N_("Your company's sign-in is not set up correctly. Ask your administrator."),
    "email_invalid": N_("Enter an email address."),
    "issuer_unacceptable": N_("Enter an https address without query, as the provider names it."),
    "domain_invalid": N_("Enter a domain such as example.com."),
    "domain_public": N_("Anybody can have an address at this domain; no provider speaks for it."),
    "domain_taken": N_("This domain is claimed already."),
    "identity_provider_not_found": N_("Identity provider not found."),
    "email_domain_not_found": N_("Domain not found."),
    "step_up_required": N_("Please confirm that it is you."),
    "token_invalid": N_("The token is not valid (any more)."),
    "authentication_required": N_("Please sign in."),
    "session_expired": N_("Session expired. Please log in again."),
    "not_allowed": N_("You don't have permission to do this."),
    "no_access": N_("You don't have permission to access this page."),
    "no_access_to_ticket": N_("You don't have permission to access this ticket."),
    "no_access_to_mail": N_("You don't have permission to access this mail."),
    "no_access_to_notification": N_("You don't have permission to access this notice."),
    "no_company": N_("Your login does not belong to a company yet."),
    "csrf_failed": N_("This form was open for too long. Please send it again."),
    "ticket_not_found": N_("Ticket not found."),
    "not_found": N_("Not found."),
    "user_not_found": N_("Person not found."),
    "sla_policy_not_found": N_("Policy not found."),
    "calendar_not_found": N_("Calendar not found."),
    "category_not_found": N_("Category not found."),
    "company_not_found": N_("Company not found."),
    "notification_not_found": N_("Notice not found."),
    "mail_not_found": N_("Mail not found."),
    "ticket_closed": N_("Ticket %(number)s is closed. Reopen it to answer."),
    "already_closed": N_("Ticket %(number)s is closed already."),
    "not_closed": N_("Ticket %(number)s is not closed."),
    "not_active": N_("Ticket %(number)s is not open any more."),
    "not_resolved": N_("Ticket %(number)s can be rated once it is resolved."),
    "already_rated": N_("Ticket %(number)s is rated already."),
    "move_not_allowed": N_("The ticket cannot go from this state to that one."),
    "changed_meanwhile": N_("Somebody changed this at the same moment. Please look again."),
    "idempotency_mismatch": N_("This key was used for a different request."),
    "idempotency_in_progress": N_("The same request is still running."),
    "method_not_allowed": N_("This address does not take that method."),
    "too_large": N_("What was sent is too large."),
    "unsupported_media_type": N_("Send JSON (Content-Type: application/json)."),
    "rate_limited": N_("Too many tries. Please wait a moment."),
    "unavailable": N_("Portico cannot answer right now. Please try again in a moment."),
    "internal_error": N_("That did not work. Nothing was saved."),
    "bad_request": N_("The request could not be understood."),
}


def error_text(code: str, params: Mapping[str, Any], translate: Callable[[str], str]) -> str:
    """The sentence for a code; an unknown code gets the general one, never nothing."""
    return translate(MESSAGES.get(code, MESSAGES["invalid"])) % _Blank(params)


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""
