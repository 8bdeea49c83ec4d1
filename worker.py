"""Composition root of the worker: workflows, activities, relay, sealer and heartbeats in one process."""

import asyncio
import logging
import os
import signal
import sys
from functools import partial

from portal.config import ConfigurationError, Settings
from portal.integrations.antivirus import build_scanner
from portal.integrations.dns import DnsTxtLookup
from portal.integrations.mail import build_transport
from portal.integrations.seal import build_seal
from portal.integrations.sms import build_text_transport
from portal.integrations.storage import build_storage
from portal.integrations.stripe_gateway import build_payment_gateway
from portal.lib.logs import configure_logs
from portal.lib.vault import Vault
from portal.models.session import TenantSessions, build_engine
from portal.services.audit.anchors import AnchorFolder
from portal.services.files.uploading import FilePlace
from portal.services.mail_in.taking import MailTools
from portal.services.notifications.mailing import Outlets
from portal.services.payments.inbox import Office
from portal.workflows import registry, triggers
from portal.workflows.client import quieten_core
from portal.workflows.files.activities import FileTools
from portal.workflows.gateway_inbox import GatewayInbox
from portal.workflows.heartbeat import beat_forever
from portal.workflows.mail_door import MailDoor
from portal.workflows.mail_poll import MailPoller
from portal.workflows.relay import Relay
from portal.workflows.schedules import ensure_schedules
from portal.workflows.sealing import Sealer
from portal.workflows.serving import AT_ONCE, serve_forever
from portal.workflows.startup import wait_for_surroundings


async def run(settings: Settings) -> None:
    """Do everything the worker does; ends by cancellation, or with the error of the first part that ends."""
    registry.require_senders()
    triggers.require_possible()
    quieten_core()
    engine = build_engine(settings.database_url, pool_size=AT_ONCE)
    client = await wait_for_surroundings(settings, engine)
    tools = FileTools(build_storage(settings), build_scanner(settings))
    outlets = Outlets(
        build_transport(settings), build_text_transport(settings), Vault(settings.vault_secrets), tools.storage
    )
    gateway = build_payment_gateway(settings)
    activities = registry.build_activities(
        TenantSessions(engine),
        outlets,
        DnsTxtLookup(settings.dns_server),
        base_url=settings.base_url,
        tools=tools,
        seal=build_seal(settings),
        gateway=gateway,
    )
    relay = Relay(build_engine(settings.relay_database_url, pool_size=1), partial(triggers.pull, client))
    sealer = Sealer(build_engine(settings.database_url, pool_size=1), AnchorFolder(settings.audit_dir))
    mail_tools = MailTools(outlets.vault, FilePlace(tools.storage, scanned=tools.scanner is not None))
    poller = MailPoller(
        build_engine(settings.database_url, pool_size=1), engine, mail_tools, allow_private=not settings.production
    )
    if gateway is not None:
        await ensure_schedules(client)
    async with asyncio.TaskGroup() as parts:
        parts.create_task(serve_forever(client, activities))
        parts.create_task(relay.run())
        parts.create_task(sealer.run())
        parts.create_task(beat_forever(engine, client))
        parts.create_task(poller.run())
        if gateway is not None:
            office = Office(TenantSessions(engine), gateway, settings.base_url)
            parts.create_task(GatewayInbox(build_engine(settings.database_url, pool_size=1), office).run())
        if settings.mail_listen:
            parts.create_task(MailDoor(engine, mail_tools, settings.mail_listen).run())


async def main(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then stop the relay and let running activities end."""
    running = asyncio.create_task(run(settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    await asyncio.gather(running, return_exceptions=False)


if __name__ == "__main__":
    configure_logs()
    code = 1
    try:
        asyncio.run(main(Settings.from_env()))
    except asyncio.CancelledError:
        code = 0
    except ConfigurationError as error:
        logging.error("%s", error)
    except BaseException:
        logging.exception("worker ends")
    # The SDK's threads can abort a polite exit of the interpreter, so it is left at once, with the logs written.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)
