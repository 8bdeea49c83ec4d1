"""Invoices as the API takes them: filters, drafts, credit and the plan of reminders."""

import re
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from portal.blueprints.accounts.account_schemas import Day
from portal.blueprints.api.schemas import SOME_TEXT, Body, PageQuery, left_out
from portal.lib.money import LARGEST
from portal.models import InvoiceStatus
from portal.services.billing.crediting import CreditedLine
from portal.services.billing.lines import DESCRIPTION_LENGTH, MOST_LINES, UNIT_LENGTH, NewLine

_DECIMAL = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")


def _decimal(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise PydanticCustomError("wrong_type", "a number, or its digits")
    text = value if isinstance(value, str) else format(Decimal(str(value)), "f")
    if not _DECIMAL.fullmatch(text):
        raise PydanticCustomError("wrong_type", "a number, or its digits")
    return Decimal(text)


def _whole(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise PydanticCustomError("not_a_number", "not a whole number")
    return int(value)


DecimalText = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": f"^{_DECIMAL.pattern}$"}, {"type": "number"}], "examples": ["3.5"]}
    ),
]
Minor = Annotated[int, Field(ge=-LARGEST, le=LARGEST), BeforeValidator(_whole)]


class MoneyRequest(Body):
    """An amount in minor units; the currency is the invoice's."""

    amount: Minor
    currency: Annotated[str, Field(min_length=3, max_length=3)]


class InvoiceQuery(PageQuery):
    """Filters of the list."""

    status: list[InvoiceStatus] = Field([], description="One or several.")
    issued_from: Day | None = Field(None, description="Issued on this day or later.")
    issued_to: Day | None = Field(None, description="Issued on this day or before.")


class StaffInvoiceQuery(InvoiceQuery):
    """Filters of everybody's list."""

    customer_id: UUID | None = Field(None, description="Of one customer.")
    q: Annotated[str, Field(max_length=100)] = Field("", description="Part of the number or of the customer's name.")


class LineRequest(Body):
    """A line as it is written."""

    description: Annotated[str, Field(max_length=DESCRIPTION_LENGTH, json_schema_extra=SOME_TEXT)]
    quantity: DecimalText = Decimal(1)
    unit_price: MoneyRequest
    discount: MoneyRequest | None = Field(None, description="By the item's quantity discounts unless given.")
    tax_rate: DecimalText | None = Field(None, description="In percent; the usual rate unless given.")
    unit: Annotated[str, Field(max_length=UNIT_LENGTH)] = ""
    catalog_item_id: UUID | None = None

    def read(self) -> NewLine:
        """The line for the service."""
        return NewLine(
            description=self.description,
            quantity=self.quantity,
            unit_price=self.unit_price.amount,
            discount=self.discount.amount if self.discount else None,
            tax_rate=self.tax_rate,
            unit=self.unit,
            catalog_item_id=self.catalog_item_id,
        )


class InvoiceRequest(Body):
    """A new invoice, issued at once."""

    customer_id: UUID
    currency: Annotated[str, Field(min_length=3, max_length=3)]
    due_on: Day | None = Field(None, description="By the tenant's terms unless given.")
    lines: Annotated[list[LineRequest], Field(min_length=1, max_length=MOST_LINES)]
    purchase_order: Annotated[str, Field(max_length=60)] = ""
    notes: Annotated[str, Field(max_length=2000)] = ""


class VoidRequest(Body):
    """Why."""

    reason: Annotated[str, Field(max_length=255, json_schema_extra=SOME_TEXT)]


class CreditLineRequest(Body):
    """A line to take back, all of it unless a quantity is given."""

    line_id: UUID
    quantity: DecimalText | None = None

    def read(self) -> CreditedLine:
        """The line for the service."""
        return CreditedLine(self.line_id, self.quantity)


class CreditRequest(Body):
    """What to take back, and why; the whole invoice unless lines are named."""

    reason: Annotated[str, Field(max_length=255, json_schema_extra=SOME_TEXT)]
    lines: Annotated[list[CreditLineRequest], Field(max_length=MOST_LINES)] | None = None


_Duration = Annotated[str, Field(max_length=40)]


class DunningPatch(Body):
    """What to change."""

    retry_after: list[_Duration] = left_out(max_length=12)
    reminders: list[_Duration] = left_out(max_length=12)
