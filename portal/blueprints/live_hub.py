"""The open sockets of this process: their rooms, what each room is told, and the end of revoked sessions."""

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import socketio
from flask_socketio import SocketIO
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from portal.events.access import AllSessionsEnded
from portal.events.sso import SsoSignedOut
from portal.integrations.realtime import LiveEntry, LiveListener
from portal.lib.clock import utcnow
from portal.lib.tokens import token_hash
from portal.models.session import TenantSessions
from portal.services.accounts.factor_policy import must_enrol_now
from portal.services.accounts.identity import Identity, build_identity
from portal.services.accounts.sessions import find_living, find_signed_in
from portal.services.tenants.directory import TenantProfile, load_sign_in_policy
from portal.services.tickets.followers import list_followers

log = logging.getLogger(__name__)
CHECK_SECONDS = 3.0
LISTEN_WAIT_SECONDS = 2.0
# What moves a number in the frame of pages.
_COUNTED = frozenset(
    {
        *("ticket.created", "ticket.status_changed", "ticket.assigned", "ticket.replied"),
        *("ticket.follower_added", "ticket.follower_removed"),
    }
)
# What ends sessions of many, or from far away: their sockets need not wait for the next look.
_ENDING = frozenset({AllSessionsEnded.kind, SsoSignedOut.kind})


@dataclass(frozen=True)
class Visitor:
    """Who holds a socket, and the rooms the server chose."""

    tenant_id: UUID
    token_hash: bytes
    door: str
    user_id: UUID
    rooms: frozenset[str]


def staff_room(tenant_id: UUID) -> str:
    """Everybody of the team."""
    return f"t:{tenant_id}:staff"


def user_room(tenant_id: UUID, user_id: UUID) -> str:
    """One person's own pages."""
    return f"t:{tenant_id}:u:{user_id}"


def company_room(tenant_id: UUID, company_id: UUID) -> str:
    """Those who see all of a company's records: its administrators, or everybody where it shares them."""
    return f"t:{tenant_id}:c:{company_id}"


def rooms_of(identity: Identity) -> frozenset[str]:
    """The rooms that follow from what somebody is."""
    actor = identity.actor
    rooms = {user_room(actor.tenant_id, identity.user.id)}
    if actor.is_staff:
        rooms.add(staff_room(actor.tenant_id))
    rooms.update(company_room(actor.tenant_id, company) for company in actor.whole_company_ids)
    return frozenset(rooms)


def audience_of(entry: LiveEntry) -> list[str]:
    """The rooms that may hear of an entry about a record; staff-only ones reach no customer's room."""
    rooms = [staff_room(entry.tenant_id)]
    if not entry.staff_only and entry.company_id and entry.requester_id:
        rooms.append(user_room(entry.tenant_id, entry.requester_id))
        rooms.append(company_room(entry.tenant_id, entry.company_id))
        # Who has just been added, or taken off, looks again.
        rooms.extend(user_room(entry.tenant_id, user_id) for user_id in entry.user_ids)
    return rooms


class LiveHub:
    """Knows the sockets of this process; its threads start with the first of them, after any fork."""

    def __init__(self, engine: Engine, database_url: str, extension: SocketIO) -> None:
        self._sessions = TenantSessions(engine)
        self._socketio = extension
        self._lock = threading.Lock()
        self._visitors: dict[str, Visitor] = {}
        self._listener = LiveListener(database_url, self.tell, self.reconnect_all)
        self._checker = threading.Thread(target=self._check_forever, name="live-sessions", daemon=True)
        self._ended = threading.Event()
        self._look_now = threading.Event()
        self._started = False

    def admit(self, sid: str, tenant: TenantProfile, token: str, door: str) -> Visitor | None:
        """Note a socket whose session lives, and enter its rooms; None for anybody else."""
        self._start()
        self._listener.wait_until_hearing(LISTEN_WAIT_SECONDS)
        identity = self.find_identity(tenant.id, token, door)
        if identity is None or must_enrol_now(tenant.sign_in, identity.user, utcnow()):
            return None
        visitor = Visitor(tenant.id, token_hash(token), door, identity.user.id, rooms_of(identity))
        for room in visitor.rooms:
            self._server().enter_room(sid, room)
        with self._lock:
            self._visitors[sid] = visitor
        return visitor

    def find_identity(self, tenant_id: UUID, token: str, door: str, ip: str = "") -> Identity | None:
        """Whose living session the token is, None where it is nobody's."""
        with self._sessions.begin(tenant_id) as session:
            idle = load_sign_in_policy(session).idle
            row = find_signed_in(session, token, door, utcnow(), idle=idle)
        return build_identity(row, ip=ip) if row is not None else None

    def forget(self, sid: str) -> None:
        """The socket is gone."""
        with self._lock:
            self._visitors.pop(sid, None)

    def visitor_of(self, sid: str) -> Visitor | None:
        """Who holds the socket, None for strangers."""
        with self._lock:
            return self._visitors.get(sid)

    def tell(self, entries: Iterable[LiveEntry]) -> None:
        """Pass entries of the relay on to the rooms that may hear of them."""
        counted: set[str] = set()
        entries = list(entries)
        followers = self._followers_of(entries)
        for entry in entries:
            if entry.kind == "notification.created":
                counted.update(self._ring(entry))
            elif entry.record_type == "presence":
                self._emit("presence.changed", {"id": str(entry.record_id)}, [staff_room(entry.tenant_id)])
            elif entry.record_type == "ticket":
                rooms = audience_of(entry)
                if not entry.staff_only:
                    rooms.extend(user_room(entry.tenant_id, user) for user in followers.get(entry.record_id, ()))
                self._emit("ticket.changed", {"id": str(entry.record_id), "kind": entry.kind}, rooms)
                if entry.kind in _COUNTED:
                    counted.update(rooms)
            elif entry.kind in _ENDING:
                self._look_now.set()
        if counted:
            self._emit("counts.changed", {}, sorted(counted))

    def _followers_of(self, entries: Sequence[LiveEntry]) -> dict[UUID, list[UUID]]:
        """Who follows the tickets right now, of those tenants whose customers have sockets here.

        Asked for at each batch, so that nobody who was taken off hears another word.
        """
        with self._lock:
            here = {visitor.tenant_id for visitor in self._visitors.values() if visitor.door == "portal"}
        followers: dict[UUID, list[UUID]] = defaultdict(list)
        for tenant_id in here:
            ids = {
                entry.record_id
                for entry in entries
                if entry.tenant_id == tenant_id and entry.record_type == "ticket" and not entry.staff_only
            }
            if not ids:
                continue
            try:
                with self._sessions.begin(tenant_id) as session:
                    for ticket_id, user_id in list_followers(session, ids):
                        followers[ticket_id].append(user_id)
            except SQLAlchemyError as error:
                # Everybody else is told; followers see it when their page looks again by itself.
                log.warning("followers of tickets not read: %s", type(error).__name__)
        return followers

    def _ring(self, entry: LiveEntry) -> list[str]:
        rooms = [user_room(entry.tenant_id, user_id) for user_id in entry.user_ids]
        if rooms:
            self._emit("notification.created", {}, rooms)
        return rooms

    def _emit(self, name: str, detail: dict[str, str], rooms: list[str]) -> None:
        # A list of rooms reaches a socket once, however many of them it is in.
        self._server().emit(name, detail, to=rooms)

    def _server(self) -> socketio.Server:
        server: socketio.Server = self._socketio.server  # type: ignore[attr-defined]
        return server

    def reconnect_all(self) -> None:
        """Have every page connect again and look for itself: something may have been missed."""
        for sid in self._sids():
            self._drop(sid)

    def check_sessions(self) -> None:
        """End the sockets of sessions that ended; those whose rooms changed connect again."""
        with self._lock:
            visitors = dict(self._visitors)
        by_tenant: dict[UUID, dict[str, Visitor]] = defaultdict(dict)
        for sid, visitor in visitors.items():
            by_tenant[visitor.tenant_id][sid] = visitor
        for tenant_id, of_tenant in by_tenant.items():
            with self._sessions.begin(tenant_id) as session:
                hashes = {visitor.token_hash for visitor in of_tenant.values()}
                # An open socket is no activity: it ends when its session has been idle for as long as the tenant says.
                living = find_living(session, hashes, utcnow(), idle=load_sign_in_policy(session).idle)
            for sid, visitor in of_tenant.items():
                if visitor.token_hash not in living:
                    self._server().disconnect(sid)
                elif rooms_of(living[visitor.token_hash]) != visitor.rooms:
                    self._drop(sid)

    def _drop(self, sid: str) -> None:
        """Close the transport only: unlike a disconnect, clients answer that by connecting again."""
        server = self._server()
        transport = server.manager.eio_sid_from_sid(sid, "/")
        if transport:
            # It waits until everything was sent, for ever where nobody reads: not in the thread that listens for all.
            server.start_background_task(server.eio.disconnect, transport)

    def _sids(self) -> list[str]:
        with self._lock:
            return list(self._visitors)

    def _start(self) -> None:
        with self._lock:
            if self._started:
                return
            self._started = True
            self._listener.start()
            self._checker.start()

    def stop(self) -> None:
        """End the threads (tests; a process just ends)."""
        if self._started:
            self._ended.set()
            self._look_now.set()
            self._listener.stop()
            self._checker.join(CHECK_SECONDS + 1)

    def _check_forever(self) -> None:
        while True:
            self._look_now.wait(CHECK_SECONDS)
            if self._ended.is_set():
                return
            self._look_now.clear()
            try:
                self.check_sessions()
            except SQLAlchemyError as error:
                log.warning("sessions of sockets not checked: %s", type(error).__name__)
            except Exception:
                log.exception("sessions of sockets not checked")
