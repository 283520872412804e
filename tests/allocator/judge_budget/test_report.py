"""Whoever reads a run's results learns what its judge calls bought, and when not to trust it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from allocator.cli.terminal import tell
from allocator.experiments.findings import Findings
from allocator.experiments.standings import standings_of
from allocator.experiments.summary import summary
from allocator.judge_budget.audit import HeldOut, look
from allocator.judge_budget.report import BudgetReport


def report(promised: float) -> BudgetReport:
    rng = np.random.default_rng(0)

    def held_out(promised: float) -> HeldOut:
        judged = rng.uniform(0.2, 0.8, 60)
        return HeldOut(judged + rng.normal(promised, 0.04, 60), np.full(60, 0.04), judged)

    seen = look(held_out(0.0), held_out(promised), shown=9000, looks=1)
    return BudgetReport(limit=100, calls=90, shown=9000, taught=70, failed=2, looks=(seen,))


def test_words_tell_share_errors_and_alarm() -> None:
    calm, parted = report(0.0).in_words(), report(0.2).in_words()
    assert "90 of 100 judge calls, 1.00% of the 9000 pictures shown; 2 failed" in calm
    assert "60 held-out judgments (RMSE 0.04" in calm
    assert calm.endswith("no alarm")
    assert "ALARM" in parted


def test_a_summary_and_the_terminal_tell_of_alarms(
    findings: Findings, capsys: pytest.CaptureFixture[str]
) -> None:
    warned = replace(findings, budgets={"ddpg": (report(0.0), report(0.2), report(0.0))})
    told = json.loads(json.dumps(summary(warned, standings_of(warned)), allow_nan=False))
    assert [run["alarm"] for run in told["judge_calls"]["ddpg"]] == [False, True, False]
    assert told["judge_calls"]["ddpg"][0]["calls"] == 90
    tell(warned, Path("out"), as_json=False)
    shown = " ".join(capsys.readouterr().out.split())
    assert "ddpg: at most 90 judge calls a run" in shown
    assert "parted in 1 of 3 runs, do not trust them" in shown


def test_without_a_budget_nothing_is_told_of_one(findings: Findings) -> None:
    assert summary(findings, standings_of(findings))["judge_calls"] == {}
