"""`allocator scenarios`: what a scenario is like before anybody learns."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import typer

from allocator.cli.ending import explained
from allocator.cli.options import (
    AsJson,
    Episodes,
    Scenario,
    Service,
    Table,
    chosen_source,
    known_member,
)


def scenarios(
    scenario: Scenario = "standard",
    episodes: Episodes = 64,
    service: Service = None,
    table: Table = None,
    as_json: AsJson = False,
) -> None:
    """A scenario's card: what chance, a constant, greed and the optimum make of it."""
    from rich.console import Console
    from rich.table import Table as RichTable

    from allocator.experiments.evaluation import as_compared
    from allocator.scenarios.card import scenario_card

    folder = Path("runs/scenarios")
    with explained(), closing(chosen_source(service, table, folder).open()) as source:
        played_in = as_compared(source.experience, known_member(scenario))
        card = scenario_card(played_in, name=scenario, episodes=episodes)
    if as_json:
        typer.echo(json.dumps(asdict(card)))
        return
    shown = RichTable(title=f"{card.scenario}, {card.episodes} held-out episodes", box=None)
    for head in ("", "way", "return", "QoE", "energy, J", "budget", "latency, s"):
        shown.add_column(head, justify="right" if head else "left", no_wrap=True)
    for row in card.rows:
        reward = row.total_reward
        shown.add_row(
            row.name,
            f"{row.progress:.0%}",
            f"{reward.point:.2f} [{reward.low:.2f}, {reward.high:.2f}]",
            f"{row.qoe:.3f}",
            f"{row.energy_j:,.0f}",
            f"{row.budget_used:.0%}",
            f"{row.latency_s:.1f}",
        )
    Console().print(shown)
    typer.echo("way: from random to the optimum; budget: how much of it was spent.")
    typer.echo(f"No policy returns more than {card.bound:.2f}; the optimum is {card.gap:.2%} away.")
