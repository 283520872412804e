"""The numbers of an experiment for programs: `summary.json`, `curves.json`, `outcomes.npz`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from allocator.experiments.decision_cost import DECIDER_POWER_W
from allocator.experiments.findings import QUANTITIES, Findings
from allocator.experiments.standings import (
    Standing,
    Standings,
    charged_outcomes,
    learning_seconds,
)


def summary(findings: Findings, standings: Standings) -> dict[str, Any]:
    """The content of `summary.json`; every interval is a 95 % one around the IQM over the runs."""
    return {
        "name": findings.name,
        "judges": list(findings.judges),
        "agents": {
            agent: _agent(standings.agents[agent]) | _training(findings, agent)
            for agent in standings.order
        },
        "duels": {
            ours: {theirs: asdict(duel) for theirs, duel in duels.items()}
            for ours, duels in standings.duels.items()
        },
        "decider_power_w": DECIDER_POWER_W,
        "oracle": asdict(findings.oracle),
        "generator": asdict(findings.generator),
        "seconds": asdict(findings.seconds),
        "judge_calls": {
            agent: [budget.plain() for budget in budgets]
            for agent, budgets in findings.budgets.items()
        },
        "manifest": dict(findings.manifest),
    }


def curves(findings: Findings) -> dict[str, Any]:
    """The content of `curves.json`: every run's curve, its decisions not charged."""
    return {
        agent: {quantity: values.tolist() for quantity, values in vars(curve).items()}
        for agent, curve in findings.curves.items()
    }


def raw_outcomes(findings: Findings) -> dict[str, Any]:
    """The arrays of `outcomes.npz`, named `agent/quantity`: (runs, episodes), users' QoE (runs,
    episodes, users). Decisions are charged as everywhere; `reward_deciding_free` is without."""
    arrays: dict[str, Any] = {}
    for agent, outcomes in charged_outcomes(findings).items():
        for quantity in (*QUANTITIES, "user_qoe"):
            arrays[f"{agent}/{quantity}"] = getattr(outcomes, quantity)
        arrays[f"{agent}/reward_deciding_free"] = findings.outcomes[agent].reward
    same_for_all = next(iter(findings.outcomes.values()))
    for quantity in ("user_persona", "budget_j", "joule_price"):
        arrays[quantity] = getattr(same_for_all, quantity)
    return arrays | {"personas": np.array(findings.personas)}


def _agent(standing: Standing) -> dict[str, Any]:
    return {quantity: asdict(told) for quantity, told in standing.quantities.items()} | {
        "runs": standing.runs,
        "worst_served": standing.worst_served,
        "share_of_optimum": asdict(standing.share_of_optimum),
        "share_of_way_to_optimum": asdict(standing.share_of_way),
        "decision_s": standing.decision_s,
    }


def _training(findings: Findings, agent: str) -> dict[str, Any]:
    """What a run of a learner took: see it beside a rival's that got more steps."""
    if agent not in findings.curves:
        return {}
    curve = findings.curves[agent]
    return {
        "training": {
            "steps": int(curve.steps[-1]),
            "updates": int(curve.updates[-1]),
            "seconds": learning_seconds(curve),
        }
    }
