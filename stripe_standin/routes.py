"""Which address does what, and which of the SDK's parameter lists it takes."""

from collections.abc import Callable
from dataclasses import dataclass

from stripe_standin import charging, checkout, disputes, endpoints, intents, methods, refunds, setups
from stripe_standin.errors import Body


@dataclass(frozen=True)
class Operation:
    """A method and address of the API; `params` names the SDK's list of its parameters."""

    method: str
    path: str
    params: str
    run: Callable[..., Body]


OPERATIONS = (
    Operation("POST", "/v1/customers", "customer_create", methods.create_customer),
    Operation("GET", "/v1/customers", "customer_list", methods.list_customers),
    Operation("GET", "/v1/customers/<id>", "customer_retrieve", methods.retrieve_customer),
    Operation("POST", "/v1/customers/<id>", "customer_update", methods.update_customer),
    Operation("DELETE", "/v1/customers/<id>", "customer_delete", methods.delete_customer),
    Operation("GET", "/v1/customers/<id>/payment_methods", "customer_payment_method_list", methods.list_methods),
    Operation("POST", "/v1/payment_methods", "payment_method_create", methods.create_method),
    Operation("GET", "/v1/payment_methods", "payment_method_list", methods.list_methods),
    Operation("GET", "/v1/payment_methods/<id>", "payment_method_retrieve", methods.retrieve_method),
    Operation("POST", "/v1/payment_methods/<id>", "payment_method_update", methods.update_method),
    Operation("POST", "/v1/payment_methods/<id>/attach", "payment_method_attach", methods.attach),
    Operation("POST", "/v1/payment_methods/<id>/detach", "payment_method_detach", methods.detach),
    Operation("POST", "/v1/payment_intents", "payment_intent_create", intents.create),
    Operation("GET", "/v1/payment_intents", "payment_intent_list", intents.list_intents),
    Operation("GET", "/v1/payment_intents/<id>", "payment_intent_retrieve", intents.retrieve),
    Operation("POST", "/v1/payment_intents/<id>", "payment_intent_update", intents.update),
    Operation("POST", "/v1/payment_intents/<id>/confirm", "payment_intent_confirm", intents.confirm),
    Operation("POST", "/v1/payment_intents/<id>/cancel", "payment_intent_cancel", intents.cancel),
    Operation("POST", "/v1/setup_intents", "setup_intent_create", setups.create),
    Operation("GET", "/v1/setup_intents", "setup_intent_list", setups.list_setups),
    Operation("GET", "/v1/setup_intents/<id>", "setup_intent_retrieve", setups.retrieve),
    Operation("POST", "/v1/setup_intents/<id>/confirm", "setup_intent_confirm", setups.confirm),
    Operation("POST", "/v1/setup_intents/<id>/cancel", "setup_intent_cancel", setups.cancel),
    Operation("GET", "/v1/charges", "charge_list", charging.list_charges),
    Operation("GET", "/v1/charges/<id>", "charge_retrieve", charging.retrieve),
    Operation("POST", "/v1/refunds", "refund_create", refunds.create),
    Operation("GET", "/v1/refunds", "refund_list", refunds.list_refunds),
    Operation("GET", "/v1/refunds/<id>", "refund_retrieve", refunds.retrieve),
    Operation("POST", "/v1/refunds/<id>", "refund_update", refunds.update),
    Operation("GET", "/v1/disputes", "dispute_list", disputes.list_disputes),
    Operation("GET", "/v1/disputes/<id>", "dispute_retrieve", disputes.retrieve),
    Operation("POST", "/v1/disputes/<id>", "dispute_update", disputes.update),
    Operation("POST", "/v1/disputes/<id>/close", "dispute_close", disputes.close),
    Operation("GET", "/v1/events", "event_list", endpoints.list_events),
    Operation("GET", "/v1/events/<id>", "event_retrieve", endpoints.retrieve_event),
    Operation("POST", "/v1/webhook_endpoints", "webhook_endpoint_create", endpoints.create),
    Operation("GET", "/v1/webhook_endpoints", "webhook_endpoint_list", endpoints.list_endpoints),
    Operation("GET", "/v1/webhook_endpoints/<id>", "webhook_endpoint_retrieve", endpoints.retrieve),
    Operation("POST", "/v1/webhook_endpoints/<id>", "webhook_endpoint_update", endpoints.update),
    Operation("DELETE", "/v1/webhook_endpoints/<id>", "webhook_endpoint_delete", endpoints.delete),
    Operation("POST", "/v1/checkout/sessions", "checkout/session_create", checkout.create),
    Operation("GET", "/v1/checkout/sessions", "checkout/session_list", checkout.list_sessions),
    Operation("GET", "/v1/checkout/sessions/<id>", "checkout/session_retrieve", checkout.retrieve),
    Operation("POST", "/v1/checkout/sessions/<id>/expire", "checkout/session_expire", checkout.expire),
)
