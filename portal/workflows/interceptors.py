"""What happens around every activity: refusals of the domain end it, anything else is tried again."""

import logging
from typing import Any

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from portal.errors import DomainError

log = logging.getLogger(__name__)


class Refusals(Interceptor):
    """Turns every DomainError into a failure that is not retried and raises no alarm."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Wrap the next interceptor of the chain."""
        return _RefusalsOfActivities(super().intercept_activity(next))


class _RefusalsOfActivities(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except DomainError as error:
            raise ApplicationError(
                error.code, type=error.code, non_retryable=True, category=ApplicationErrorCategory.BENIGN
            ) from error
