"""Waiting for what the worker stands on, instead of dying because something starts later."""

import asyncio
import logging

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client

from portal.config import Settings
from portal.workflows.client import connect_patiently

log = logging.getLogger(__name__)
RETRY_SECONDS = 0.5
REPORT_EVERY = 20


async def wait_for_surroundings(settings: Settings, engine: Engine) -> Client:
    """Wait for a migrated database and for Temporal; gives the connection to the latter."""
    await _wait_for_database(engine)
    return await connect_patiently(settings)


async def _wait_for_database(engine: Engine) -> None:
    tries = 0
    while True:
        try:
            await asyncio.to_thread(_ask, engine)
            return
        except SQLAlchemyError as error:
            if tries % REPORT_EVERY == 0:
                log.warning("waiting for the database: %s", type(error).__name__)
            tries += 1
            await asyncio.sleep(RETRY_SECONDS)


def _ask(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("SELECT FROM heartbeats LIMIT 1"))
