"""All tickets of Kestrel IT, oldest first."""

from portal.demo.content import DemoTicket
from portal.demo.kestrel_access import ACCESS_TICKETS
from portal.demo.kestrel_network import NETWORK_TICKETS
from portal.demo.kestrel_orders import ORDER_TICKETS
from portal.demo.kestrel_servers import SERVER_TICKETS
from portal.demo.kestrel_workplace import WORKPLACE_TICKETS


def _oldest_first(ticket: DemoTicket) -> int:
    return -ticket.created_minutes_ago


KESTREL_TICKETS: tuple[DemoTicket, ...] = tuple(
    sorted(
        (*NETWORK_TICKETS, *SERVER_TICKETS, *WORKPLACE_TICKETS, *ACCESS_TICKETS, *ORDER_TICKETS),
        key=_oldest_first,
    )
)
