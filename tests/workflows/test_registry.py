import pytest
from temporalio import workflow

from portal.workflows import registry, triggers


@workflow.defn(name="Undeclared")
class UndeclaredWorkflow:
    @workflow.run
    async def run(self) -> None:
        """Nothing."""

    @workflow.signal
    def poke(self) -> None:
        """Nobody may."""


@workflow.defn(name="UndeclaredUpdate")
class UndeclaredUpdateWorkflow:
    @workflow.run
    async def run(self) -> None:
        """Nothing."""

    @workflow.update
    def decide(self) -> None:
        """Nobody may."""


def test_every_signal_declares_who_sends_it():
    registry.require_senders()
    triggers.require_possible()


@pytest.mark.parametrize(
    ("kind", "name"), [(UndeclaredWorkflow, "Undeclared.poke"), (UndeclaredUpdateWorkflow, "UndeclaredUpdate.decide")]
)
def test_an_undeclared_signal_or_update_stops_the_start(kind, name):
    with pytest.raises(RuntimeError, match=name):
        registry.require_senders([*registry.WORKFLOWS, kind])


def test_a_declaration_for_nothing_stops_the_start(monkeypatch):
    monkeypatch.setitem(registry.SENDERS, ("TicketClock", "gone"), frozenset({registry.Sender.RELAY}))
    with pytest.raises(RuntimeError, match=r"TicketClock\.gone"):
        registry.require_senders()


def test_the_relay_sends_only_what_it_may(monkeypatch):
    monkeypatch.setitem(registry.SENDERS, ("TicketClock", "ticket_changed"), frozenset({registry.Sender.OPERATOR}))
    with pytest.raises(RuntimeError, match="may not send"):
        triggers.require_possible()


def test_a_trigger_names_a_workflow_that_exists(monkeypatch):
    lost = triggers.Trigger("Lost", lambda row: "", lambda row: None)
    monkeypatch.setitem(triggers.TRIGGERS, ("ticket", "ticket.lost"), (lost,))
    with pytest.raises(RuntimeError, match="Lost"):
        triggers.require_possible()


def test_a_note_sets_nothing_going():
    assert ("ticket", "ticket.note_added") not in triggers.TRIGGERS
