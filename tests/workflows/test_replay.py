"""Recorded histories run through today's code: a change that breaks living workflows fails here.

Record one with `bin/record-history <workflow id> <case>`; change a running workflow with `workflow.patched`.
"""

import asyncio
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from portal.workflows.registry import WORKFLOWS, workflow_names
from portal.workflows.tickets.shared import AdvanceClock, ClockRun
from portal.workflows.tickets.workflows import ATTEMPT, TicketClockWorkflow

HISTORIES = Path(__file__).parent / "histories"
CASES = sorted(HISTORIES.glob("*/*.json"))


def history(path):
    return WorkflowHistory.from_json(f"replay-{path.stem}", path.read_text(encoding="utf-8"))


def test_every_workflow_has_recorded_histories():
    assert {path.parent.name for path in CASES} == workflow_names()


def test_histories_name_no_machine():
    for path in CASES:
        recorded = path.read_text(encoding="utf-8")
        assert "stackTrace" not in recorded, path
        assert "site-packages" not in recorded, path


@pytest.mark.temporal
@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_replay(run, path):
    replayer = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter)
    result = run(replayer.replay_workflow(history(path), raise_on_replay_failure=False))
    assert result.replay_failure is None


@workflow.defn(name="TicketClock", sandboxed=False)
class SleepsFirst(TicketClockWorkflow):
    @workflow.init
    def __init__(self, run: ClockRun) -> None:
        super().__init__(run)

    @workflow.run
    async def run(self, run: ClockRun) -> None:
        await asyncio.sleep(1)
        await super().run(run)


@workflow.defn(name="TicketClock", sandboxed=False)
class AsksSomethingElse(TicketClockWorkflow):
    @workflow.init
    def __init__(self, run: ClockRun) -> None:
        super().__init__(run)

    @workflow.run
    async def run(self, run: ClockRun) -> None:
        state = self._state
        wake = AdvanceClock(state.tenant_id, state.ticket_id, state.cycle, workflow.now())
        await workflow.execute_activity("tickets.renamed", wake, start_to_close_timeout=ATTEMPT)


@pytest.mark.temporal
@pytest.mark.parametrize("broken", [SleepsFirst, AsksSomethingElse])
def test_a_changed_order_is_found(run, broken):
    path = HISTORIES / "TicketClock" / "climbed.json"
    replayer = Replayer(
        workflows=[broken], workflow_runner=UnsandboxedWorkflowRunner(), data_converter=pydantic_data_converter
    )
    result = run(replayer.replay_workflow(history(path), raise_on_replay_failure=False))
    assert result.replay_failure is not None
