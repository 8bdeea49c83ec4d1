"""Documents of money: an invoice's PDF, a sealed quote, and statements of a long and a short account."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from bench.client import Client
from portal.authz import system_actor
from portal.config import ROOT, Settings
from portal.demo.content import demo_uuid
from portal.demo.scale_money import LONG_ACCOUNT, SHORT_ACCOUNT
from portal.integrations.seal import build_seal
from portal.integrations.storage import build_storage
from portal.lib.clock import utcnow
from portal.models import Company, Statement, StatementFormat
from portal.models.session import TenantSessions
from portal.services.sealing.making import SealTools, seal_record
from portal.services.statements.requesting import StatementRequest, request_statement

TENANT = demo_uuid("demo", "tenant")
WARMING = 3


@dataclass(frozen=True)
class Made:
    """A statement: its lines, how long it took, and the memory of the process that made it, in megabytes."""

    format: StatementFormat
    lines: int
    seconds: float
    loaded: float
    peak: float
    kilobytes: float


def time_pdfs(client: Client, invoices: Sequence[str]) -> list[float]:
    """Milliseconds of the PDF of each invoice, over HTTP; the first ones warm the server and do not count."""
    taken = []
    for invoice in invoices:
        began = time.perf_counter()
        status, body, _ = client.send("GET", f"/portal/invoices/{invoice}/pdf")
        taken.append((time.perf_counter() - began) * 1000)
        if status != 200 or not body.startswith(b"%PDF"):
            raise RuntimeError(f"a PDF gave {status}: {body[:300]!r}")
    return taken[WARMING:]


def time_seals(sessions: TenantSessions, quotes: Sequence[UUID], settings: Settings) -> list[float]:
    """Milliseconds of drawing, sealing and recording each accepted quote, as the worker does it."""
    tools = SealTools(build_storage(settings), build_seal(settings), settings.base_url)
    taken = []
    for quote in quotes:
        began = time.perf_counter()
        seal_record(sessions, TENANT, "quote", quote, tools=tools, now=utcnow())
        taken.append((time.perf_counter() - began) * 1000)
    return taken[WARMING:]


def make_statements(sessions: TenantSessions, environ: dict[str, str]) -> list[Made]:
    """Each format over the short account and the long one, each in a process of its own."""
    return [
        _make(sessions, environ, format_, number)
        for format_ in StatementFormat
        for number in (SHORT_ACCOUNT, LONG_ACCOUNT)
    ]


def _make(sessions: TenantSessions, environ: dict[str, str], format_: StatementFormat, number: int) -> Made:
    now = utcnow()
    with sessions.begin(TENANT) as session:
        company = session.scalars(select(Company.id).where(Company.customer_number == f"S{number:07d}")).one()
        wanted = StatementRequest(
            format_, start=(now - timedelta(days=3600)).date(), end=now.date(), company_id=company
        )
        asked = request_statement(session, wanted, locale="en", actor=system_actor(TENANT), now=now).id
    words = [sys.executable, "-m", "bench.statement", str(TENANT), str(asked)]
    output = subprocess.run(words, cwd=ROOT, env=os.environ | environ, check=True, capture_output=True, text=True)
    told = json.loads(output.stdout.strip().splitlines()[-1])
    with sessions.begin(TENANT) as session:
        made = session.get_one(Statement, asked)
        lines = sum(one["lines"] for one in made.figures)
        return Made(format_, lines, told["seconds"], told["loaded"], told["peak"], (made.size or 0) / 1024)
