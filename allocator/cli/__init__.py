"""`allocator`: train agents, hold them against each other, and the demo.

Heavy imports stand inside the commands, so that `allocator --help` answers at once.
"""

from __future__ import annotations

import typer

from allocator.cli import card, comparing, demo, learners

_EXIT_CODES = (
    "Exit codes: 0 done; 1 it failed (nothing could be judged, a run broke off); "
    "2 called wrongly, or with other settings than what lies in --out; 3 the QoE service cannot "
    "be reached; 130 ended by Ctrl-C or SIGTERM, and what was done is kept."
)

app = typer.Typer(
    help="Allocators for an AI-generated-content edge, taught by a panel of personas.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(comparing.compare)
app.command()(learners.train)
app.command()(learners.evaluate)
app.command()(card.scenarios)
