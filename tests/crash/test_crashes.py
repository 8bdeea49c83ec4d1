"""Whatever dies, and wherever: each level once, each notice once, each mail once, and nothing left behind."""

import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from portal.models import MailMessage, Notification, OutboxEvent, Ticket, TicketEvent
from tests.crash.conftest import BUSY, LEVELS, wait_until

pytestmark = [pytest.mark.temporal, pytest.mark.timeout(600)]

POINTS = (
    "relay.pre_start",
    "relay.post_start",
    "clock.pre_commit",
    "clock.post_commit",
    "clock.pre_commit:3",
    "clock.post_commit:3",
    "mail.pre_send",
    "mail.post_send",
    "mail.post_send:3",
)


def check_everything_happened_once(plant, tickets=1):
    lines = Counter((ticket, kind, str(params)) for ticket, kind, params in plant.rows(
        TicketEvent.ticket_id, TicketEvent.kind, TicketEvent.params))  # fmt: skip
    assert max(lines.values()) == 1, lines
    kinds = Counter(kind for _, kind, _ in lines)
    assert kinds["escalated"] == LEVELS * tickets
    assert kinds["sla_warned"] == tickets
    events = Counter(kind for (kind,) in plant.rows(OutboxEvent.kind))
    assert events["ticket.escalated"] == LEVELS * tickets
    assert events["ticket.created"] == events["ticket.sla_warned"] == tickets
    # Who of the team hears of ticket and warning depends on who has the ticket by then; the rest is fixed.
    notices = Counter(plant.rows(Notification.event_id, Notification.user_id))
    assert max(notices.values()) == 1
    bells = Counter(kind for (kind,) in plant.rows(Notification.kind))
    assert bells["ticket_escalated"] == bells["ticket_handed_up"] == LEVELS * tickets
    mails = plant.rows(MailMessage.message_id, MailMessage.template, MailMessage.state)
    templates = Counter(template for _, template, _ in mails)
    assert templates["ticket_received"] == tickets
    assert templates["ticket_escalated"] == templates["ticket_handed_up"] == LEVELS * tickets
    assert {state for *_, state in mails} == {"sent"}
    files = plant.mail_files()
    assert len(files) == len(mails), files
    assert all(path.suffix == ".eml" for path in files)
    levels = [level for (level,) in plant.rows(Ticket.escalation_level)]
    assert levels == [2] * tickets


def die_and_come_back(plant, point):
    """Let a worker die at the point, start another, and wait until all is done; returns how the first one ended."""
    worker = plant.start_ready_worker(point)
    plant.open_ticket()
    ended = worker.wait(30 * BUSY)
    plant.start_worker()
    wait_until(plant.settled, 30, f"everything done after {point}")
    for running in plant.workers:
        running.kill()
    return ended


@pytest.fixture(scope="module")
def deaths(new_plant):
    """Every point in a world of its own, three at a time: most of it is waiting."""
    plants = {point: new_plant() for point in POINTS}
    with ThreadPoolExecutor(3) as pool:
        yield plants, {point: pool.submit(die_and_come_back, plants[point], point) for point in POINTS}


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at(deaths, point):
    plants, ends = deaths
    assert ends[point].result() == -signal.SIGKILL, "the crash point was not reached"
    check_everything_happened_once(plants[point])


def test_a_worker_killed_again_and_again(plant):
    plant.start_ready_worker()
    for _ in range(5):
        plant.open_ticket()
    for _ in range(3):
        time.sleep(2.2)
        plant.workers[-1].send_signal(signal.SIGKILL)
        plant.start_worker()
    wait_until(lambda: plant.settled(5), 40, "everything done")
    check_everything_happened_once(plant, 5)


def test_a_standstill_is_made_up_for_within_ten_seconds(plant):
    first = plant.start_ready_worker()
    ticket = plant.open_ticket()
    wait_until(lambda: (plant.rows(OutboxEvent.processed_at) or [(None,)])[0][0], 15, "the clock runs")
    first.send_signal(signal.SIGKILL)
    time.sleep(6)
    back = datetime.now(UTC)
    plant.start_worker()
    wait_until(plant.settled, 30, "everything done")
    late = [(at - back).total_seconds() for at in plant.escalations(ticket)]
    assert max(late) < 10 * BUSY
    check_everything_happened_once(plant)


def test_two_workers_do_each_thing_once(plant):
    plant.start_worker()
    plant.start_worker()
    for _ in range(5):
        plant.open_ticket()
    wait_until(lambda: plant.settled(5), 40, "everything done")
    check_everything_happened_once(plant, 5)


def test_a_worker_waits_for_a_database_that_comes_later(plant, database):
    database.cluster.execute(f"ALTER DATABASE {plant.name} WITH ALLOW_CONNECTIONS false;")
    worker = plant.start_worker()
    time.sleep(3)
    assert worker.poll() is None
    database.cluster.execute(f"ALTER DATABASE {plant.name} WITH ALLOW_CONNECTIONS true;")
    plant.open_ticket()
    wait_until(plant.settled, 30, "everything done")
    check_everything_happened_once(plant)


def test_a_lost_database_is_waited_for(plant, database):
    worker = plant.start_ready_worker()
    plant.open_ticket()
    time.sleep(2.5)
    plant.engine.dispose()
    database.cluster.execute(f"ALTER DATABASE {plant.name} WITH ALLOW_CONNECTIONS false;")
    kill = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{plant.name}';"
    database.cluster.execute(kill)
    time.sleep(4)
    database.cluster.execute(f"ALTER DATABASE {plant.name} WITH ALLOW_CONNECTIONS true;")
    back = datetime.now(UTC)
    wait_until(plant.settled, 30, "everything done")
    assert worker.poll() is None
    assert all((at - back).total_seconds() < 10 * BUSY for (at,) in plant.rows(TicketEvent.at))
    check_everything_happened_once(plant)


def test_a_killed_temporal_server_goes_on_where_it_was(plant, temporal):
    worker = plant.start_ready_worker()
    ticket = plant.open_ticket()
    time.sleep(2.5)
    temporal.kill()
    during = plant.open_ticket()
    time.sleep(5)
    temporal.start()
    back = datetime.now(UTC)
    wait_until(lambda: plant.settled(2), 30, "everything done")
    assert worker.poll() is None
    late = [(at - back).total_seconds() for one in (ticket, during) for at in plant.escalations(one)]
    assert max(late) < 10 * BUSY
    check_everything_happened_once(plant, 2)


def test_a_worker_stops_when_it_is_told_to(plant):
    worker = plant.start_worker()
    plant.open_ticket()
    wait_until(plant.settled, 30, "everything done")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10 * BUSY) == 0
