"""The door for mail: SMTP or LMTP beside the worker, behind the server that receives mail for the domain.

It is not made for the open internet: the server in front checks SPF, DKIM and DMARC and limits connections.

Whom we know is said at RCPT, and a message is accepted only once it is committed. What fails for now is answered
451, so the server in front keeps it and comes again; a message that was taken already is the same one then.
"""

import asyncio
import logging
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from portal.config import ConfigurationError
from portal.lib.clock import utcnow
from portal.lib.mail_parsing import MAX_BYTES
from portal.lib.mail_tokens import tokens_of_addresses
from portal.models.session import TenantSessions
from portal.services.mail_in.delivering import MailNotTaken, deliver
from portal.services.mail_in.intake import find_tenant
from portal.services.mail_in.taking import MailTools

log = logging.getLogger(__name__)
IDLE_SECONDS = 60
AT_ONCE = 4
MAX_RECIPIENTS = 50
_LATER = "451 4.3.0 Not now, please try again"


class MailHandler:
    """What aiosmtpd asks: whom we know, and what becomes of a message."""

    def __init__(self, sessions: TenantSessions, tools: MailTools, *, recipients: int) -> None:
        self._sessions = sessions
        self._tools = tools
        self._recipients = recipients
        self._room = asyncio.Semaphore(AT_ONCE)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: SmtpSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take mail for addresses of tenants only."""
        if len(envelope.rcpt_tos) >= self._recipients:
            return "452 4.5.3 Too many recipients"
        try:
            tenant_id = await asyncio.to_thread(self._tenant_of, address)
        except SQLAlchemyError:
            return _LATER
        if tenant_id is None:
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: SmtpSession, envelope: Envelope
    ) -> str:
        """250 only after the commit, for every tenant that the message is for."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else str(content or "").encode()
        async with self._room:
            try:
                await asyncio.to_thread(self._deliver, raw, list(envelope.rcpt_tos))
            except (MailNotTaken, SQLAlchemyError) as error:
                log.warning("mail is not taken for now: %s", error)
                return _LATER
        return "250 2.0.0 Taken"

    def _tenant_of(self, address: str) -> UUID | None:
        with self._sessions.begin_directory() as session:
            return find_tenant(session, address)

    def _deliver(self, raw: bytes, recipients: list[str]) -> None:
        # Of several addresses of a tenant the one with a token says most.
        chosen: dict[UUID, str] = {}
        for address in sorted(recipients, key=lambda one: not tokens_of_addresses([one])):
            tenant_id = self._tenant_of(address)
            if tenant_id is not None:
                chosen.setdefault(tenant_id, address)
        for tenant_id, address in chosen.items():
            deliver(self._sessions, tenant_id, raw, recipient=address, tools=self._tools, now=utcnow())


class MailDoor:
    """Listens at `smtp://host:port` or `lmtp://host:port` until cancelled."""

    def __init__(self, engine: Engine, tools: MailTools, address: str) -> None:
        self._sessions = TenantSessions(engine)
        self._tools = tools
        self._address = _checked(address)

    async def run(self) -> None:
        """Serve for ever."""
        server = await self.start()
        async with server:
            await server.serve_forever()

    async def start(self) -> asyncio.Server:
        """The listening server."""
        lmtp = self._address.scheme == "lmtp"
        # LMTP answers for each recipient by itself (RFC 2033), so a message there has one.
        handler = MailHandler(self._sessions, self._tools, recipients=1 if lmtp else MAX_RECIPIENTS)
        kind = LMTP if lmtp else SMTP
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: kind(
                handler,
                data_size_limit=MAX_BYTES,
                enable_SMTPUTF8=True,
                hostname="portico",
                ident="Portico",
                timeout=IDLE_SECONDS,
                auth_exclude_mechanism=["LOGIN", "PLAIN"],
                loop=loop,
            ),
            self._address.hostname,
            self._address.port or 0,
        )
        log.info("mail is taken at %s", self._address.geturl())
        return server


def _checked(address: str) -> SplitResult:
    parts = urlsplit(address)
    try:
        fine = parts.scheme in ("smtp", "lmtp") and parts.hostname and parts.port is not None
    except ValueError:
        fine = False
    if not fine:
        raise ConfigurationError("PORTAL_MAIL_LISTEN must look like smtp://127.0.0.1:2525 or lmtp://127.0.0.1:2424.")
    return parts
