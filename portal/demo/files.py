"""Files of the demo world: small and real, made when they are needed."""

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import typst
from PIL import Image, ImageDraw, ImageFont

from portal.demo.content import DemoTenant, DemoTicket, demo_uuid
from portal.integrations.file_checks import check_file
from portal.integrations.storage import FileStorage
from portal.models import Attachment, FileState, Ticket, TicketMessage
from portal.models.session import TenantSession
from portal.services.files.quota import reserve
from portal.services.tenants.file_policy import FilePolicy
from portal.services.tickets.attaching import MESSAGE, RECORDING, SOLUTION, describe

_WHITE, _GREY, _INK, _BLUE, _RED = "#FFFFFF", "#E8ECF1", "#1E293B", "#2563EB", "#B91C1C"


@dataclass(frozen=True)
class DemoFile:
    """A file with a ticket's message, counted from its description (0); `make` gives the content."""

    message: int
    name: str
    make: Callable[[datetime], bytes]
    purpose: str = MESSAGE


def _client_log(now: datetime) -> bytes:
    """Five reconnects, eight minutes apart."""
    lines = []
    for at in range(5):
        began, child = (now - timedelta(minutes=40 - 8 * at)).astimezone(UTC), f"CHILD_SA lyon{{{at + 21}}}"
        for seconds, words in (
            (0, f"INFO  charon[412]: IKE_SA kestrel[{at + 7}] established 185.24.16.9"),
            (1, f"INFO  charon[412]: {child} installed, lifetime 480 s"),
            (480, f"WARN  charon[412]: {child} expired before it was rekeyed"),
            (481, "ERROR tun0: link down, 3 flows dropped"),
        ):
            lines.append(f"{began + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S} {words}")
    return ("\n".join(lines) + "\n").encode()


def _phase_two(now: datetime) -> bytes:
    return (
        f"FW-LYO-01, read {now:%Y-%m-%d}\n\nvpn ipsec phase2 \"kestrel-lyon\"\n  proposal aes256-sha256\n"
        "  dhgrp 19\n  keylifeseconds 480      <- ours: 3600\n  auto-negotiate enable\n"
    ).encode()


def _screenshot(now: datetime) -> bytes:
    """The viewer that cannot find a drawing it lists."""
    picture = Image.new("RGB", (960, 540), _GREY)
    draw, text, small = ImageDraw.Draw(picture), ImageFont.load_default(18), ImageFont.load_default(14)
    draw.rectangle((40, 30, 920, 510), fill=_WHITE, outline="#94A3B8")
    draw.rectangle((40, 30, 920, 66), fill=_BLUE)
    draw.text((56, 38), "Drawing viewer 2019", fill=_WHITE, font=text)
    draw.text((56, 80), "L:\\Engineering\\Archive\\2025\\Customer projects\\Gearbox housing", fill=_INK, font=small)
    for row, name in enumerate(("GH-204-A housing.dwg", "GH-204-B cover.dwg", "GH-204-C bearing seat, revised.dwg")):
        draw.rectangle((56, 112 + row * 34, 420, 140 + row * 34), fill="#DBEAFE" if row == 2 else _WHITE)
        draw.text((64, 117 + row * 34), name, fill=_INK, font=small)
    draw.rectangle((300, 250, 720, 410), fill=_WHITE, outline="#64748B", width=2)
    draw.text((324, 272), "File not found", fill=_RED, font=text)
    draw.text((324, 306), "GH-204-C bearing seat, revised.dwg", fill=_INK, font=small)
    draw.text((324, 328), "cannot be opened (error 3).", fill=_INK, font=small)
    draw.rectangle((600, 364, 696, 394), fill=_GREY, outline="#94A3B8")
    draw.text((634, 370), "OK", fill=_INK, font=small)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _session(now: datetime) -> bytes:
    """Installing a driver in eight pictures."""
    frames, font = [], ImageFont.load_default(18)
    for step in range(8):
        frame = Image.new("RGB", (640, 360), _GREY)
        draw = ImageDraw.Draw(frame)
        draw.rectangle((60, 60, 580, 300), fill=_WHITE, outline="#94A3B8")
        draw.text((84, 84), "Company portal: network driver 12.19.2", fill=_INK, font=font)
        draw.rectangle((84, 180, 556, 200), fill=_GREY)
        draw.rectangle((84, 180, 84 + 59 * (step + 1), 200), fill=_BLUE)
        draw.text((84, 216), f"{round(12.5 * (step + 1))} %", fill=_INK, font=font)
        frames.append(frame.quantize(32))
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=500, loop=0)
    return out.getvalue()


_REPORT = """
#set page(paper: "a4", margin: 2.2cm)
#set text(size: 10.5pt)
#text(18pt, weight: "semibold")[Change report FW-GRZ-01]
#v(2mm)
Kestrel IT, Network team
#v(6mm)
#table(
  columns: (5cm, 1fr), stroke: 0.5pt + luma(200), inset: 7pt,
  [*Customer*], [Vandelay Industries, Graz], [*Change*], [Phase 2 key lifetime 480 s → 3,600 s, both sides],
  [*Reason*], [Firmware 7.4 resets the lifetime to its default],
  [*Result*], [Tunnel stable for four hours, no rekey missed],
  [*Way back*], [Saved configuration of the evening before, two minutes], [*Done by*], [Sam Okafor],
)
#v(4mm)
No further steps are needed on your side. We watch the tunnel for another week.
"""


def _report(now: datetime) -> bytes:
    return typst.compile(_REPORT.encode(), format="pdf", timestamp=int(now.timestamp()))


# Tenant and ticket -> what was sent with it.
FILES: dict[tuple[str, str], Sequence[DemoFile]] = {
    ("demo", "vpn-lyon"): (
        DemoFile(0, "vpn-client-LAT-LYO-031.log", _client_log),
        DemoFile(1, "fw-lyo-01-phase2.txt", _phase_two),
    ),
    ("demo", "old-drawings"): (DemoFile(0, "viewer-file-not-found.png", _screenshot),),
    ("demo", "vpn-graz"): (DemoFile(3, "Change report FW-GRZ-01.pdf", _report, SOLUTION),),
    ("demo", "blue-screen-globex"): (DemoFile(3, "driver-installation.gif", _session, RECORDING),),
}


def seed_files(
    session: TenantSession, tenant: DemoTenant, demo: DemoTicket, ticket: Ticket, storage: FileStorage, now: datetime
) -> None:
    """Keep the files of a ticket as if they had come with its messages."""
    for number, file in enumerate(FILES.get((tenant.key, demo.key), ())):
        attachment = _keep(session, tenant, demo, number, file, storage, now)
        attachment.ticket_id = ticket.id
        if file.message:
            entry = session.get_one(TicketMessage, demo_uuid(tenant.key, "message", demo.key, file.message))
            entry.attachments = [*entry.attachments, describe(attachment)]
            attachment.message_id, attachment.is_internal = entry.id, entry.is_internal
        session.add(attachment)
    session.flush()


def _keep(
    session: TenantSession, tenant: DemoTenant, demo: DemoTicket, number: int, file: DemoFile,
    storage: FileStorage, now: datetime,
) -> Attachment:  # fmt: skip
    message = demo.messages[file.message]
    id_, sender = demo_uuid(tenant.key, "file", demo.key, number), demo_uuid(tenant.key, "user", message.sender)
    at = now - timedelta(minutes=message.minutes_before_now)
    return keep_demo_file(session, id_, file.name, file.make(at), storage=storage, at=at, sender=sender,
                          purpose=file.purpose)  # fmt: skip


def keep_demo_file(
    session: TenantSession, id_: UUID, name: str, content: bytes, *, storage: FileStorage, at: datetime,
    sender: UUID | None, purpose: str = MESSAGE,
) -> Attachment:  # fmt: skip
    """Check, store and count a file; the caller says where it belongs and adds it. No sender: it came by mail."""
    checked = check_file(io.BytesIO(content), name)
    key = f"{id_.hex[:2]}/{id_.hex}"
    kept = checked.content.read()
    storage.put(key, io.BytesIO(kept))
    if checked.thumbnail:
        storage.put(f"{key}s", io.BytesIO(checked.thumbnail))
    reserve(session, len(kept), quota=FilePolicy().quota_bytes)
    return Attachment(
        id=id_,
        tenant_id=session.tenant_id,
        uploaded_by=sender,
        filename=name,
        content_type=checked.content_type,
        size=len(kept),
        sha256=hashlib.sha256(kept).digest(),
        storage_key=key,
        state=FileState.CLEAN,
        width=checked.width,
        height=checked.height,
        thumbnail_key=f"{key}s" if checked.thumbnail else None,
        purpose=purpose,
        created_at=at,
    )
