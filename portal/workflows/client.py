"""The connection to Temporal: the same converter for worker, relay, tests and replays."""

import asyncio
import logging

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import RPCError, RPCStatusCode

from portal.config import ConfigurationError, Settings

log = logging.getLogger(__name__)
RETRY_SECONDS = 0.5
# Waiting is normal at a start; it is worth a line of the log only now and then.
REPORT_EVERY = 20


def quieten_core() -> None:
    """Keep the SDK's native part from writing a line per retry; what matters is logged by us. Call once, first."""
    filter = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=filter))))


async def connect(settings: Settings) -> Client:
    """Connect once; raises RuntimeError or RPCError while the server is not there."""
    if not settings.temporal_address:
        raise ConfigurationError("PORTAL_TEMPORAL_ADDRESS is not set. `make run` sets it; the worker needs it.")
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        api_key=settings.temporal_api_key,
        tls=settings.temporal_api_key is not None,
        data_converter=pydantic_data_converter,
    )


async def connect_patiently(settings: Settings) -> Client:
    """Wait until the server answers and knows our namespace, then give the connection."""
    tries = 0
    while True:
        try:
            client = await connect(settings)
            await client.count_workflows("WorkflowId = 'none'")
            return client
        except ConfigurationError:
            raise
        except (RuntimeError, RPCError) as error:
            if isinstance(error, RPCError) and error.status in (
                RPCStatusCode.UNAUTHENTICATED,
                RPCStatusCode.PERMISSION_DENIED,
            ):
                raise ConfigurationError("PORTAL_TEMPORAL_API_KEY is refused by the Temporal server.") from error
            if tries % REPORT_EVERY == 0:
                log.warning("waiting for Temporal at %s: %s", settings.temporal_address, error)
            tries += 1
            await asyncio.sleep(RETRY_SECONDS)
