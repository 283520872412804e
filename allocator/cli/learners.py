"""`allocator train` and `allocator evaluate`: one learner."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from allocator.cli.ending import explained
from allocator.cli.options import (
    LEARNER_NAMES,
    AsJson,
    Episodes,
    JudgeCalls,
    Runs,
    Scenario,
    Service,
    Steps,
    Table,
    chosen_source,
    known_learner,
    known_member,
    limited,
)
from allocator.cli.terminal import progress, say


def train(
    learner: Annotated[str, typer.Argument(help=LEARNER_NAMES)] = "gddpg",
    seed: Annotated[
        int, typer.Option(min=0, help="Of the training episodes and the networks.")
    ] = 1,
    scenario: Scenario = "standard",
    steps: Steps = 24_000,
    service: Service = None,
    table: Table = None,
    judge_calls: JudgeCalls = None,
    out: Runs = Path("runs/train"),
    as_json: AsJson = False,
) -> None:
    """Train one learner; its checkpoint and TensorBoard log go into the folder.

    It can be ended at any time: the same command goes on from there, with the same result.
    """
    with explained(next_time="what was learnt is kept, and this goes on from there"):
        from allocator.agents.settings import tuned
        from allocator.training.order import TrainingOrder
        from allocator.training.train import steps_done
        from allocator.training.train import train as train_run

        order = TrainingOrder(
            learner=known_learner(learner),
            settings=tuned(learner),
            seed=seed,
            steps=steps,
            folder=out,
            scenario=known_member(scenario),
        )
        chosen = chosen_source(service, table, out)
        bought = limited(chosen, judge_calls, by_estimates=service is not None)
        with closing(bought.open()) as source:
            done = steps_done(order, source)
            if done:
                came = "is finished" if done >= steps else f"goes on after {done} of {steps} slots"
                typer.echo(f"{order.name} {came}: {out} holds it", err=True)
            with progress() as stages:
                stages.begin(f"training {order.name}", max(0, steps - done))
                run = train_run(order, source, stages.advance)
        seconds = run.seconds
        told: dict[str, Any] = {
            "learner": learner,
            "seed": seed,
            "checkpoint": str(order.checkpoint),
            "steps": run.steps.tolist(),
            "updates": run.updates.tolist(),
            "reward": run.reward.tolist(),
            "decision_s": run.decision_s,
            "seconds": {
                "collect": seconds.collect,
                "judge": seconds.judge,
                "learn": seconds.learn,
            },
        }
        shown = (
            f"reward {run.reward[-1]:.3f} a slot; collected {seconds.collect:.0f} s, "
            f"judged {seconds.judge:.0f} s, learnt {seconds.learn:.0f} s; a decision takes "
            f"{1e3 * run.decision_s:.2f} ms; saved {order.checkpoint}"
        )
        if run.budget is not None:
            told["judge_calls"] = run.budget.plain()
            shown += "\n" + run.budget.in_words()
        say(told, as_json, shown)


def evaluate(
    checkpoint: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    learner: Annotated[str, typer.Option(help=LEARNER_NAMES)] = "gddpg",
    scenario: Scenario = "standard",
    episodes: Episodes = 64,
    service: Service = None,
    table: Table = None,
    as_json: AsJson = False,
) -> None:
    """Play held-out episodes with a trained learner."""
    with explained():
        from allocator.agents.roster import load_learner
        from allocator.experiments.evaluation import as_compared, held_out_seeds
        from allocator.experiments.evaluation import evaluate as evaluate_learner

        trained = load_learner(known_learner(learner), checkpoint)
        with closing(chosen_source(service, table, checkpoint.parent).open()) as source:
            played_in = as_compared(source.experience, known_member(scenario))
            played = evaluate_learner(played_in, trained, held_out_seeds(episodes))
        told = {
            "reward": float(played.total_reward.mean()) / played_in.settings.slots,
            "qoe": float(played.qoe.mean()),
            "energy_j": float(played.energy_j.mean()),
            "latency_s": float(played.latency_s.mean()),
            "budget_used": float(played.budget_used.mean()),
            "episodes": episodes,
        }
        say(told, as_json, "\n".join(f"{name:<12} {value:.4g}" for name, value in told.items()))
