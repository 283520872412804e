"""`qoe`: serve the service, ask it from the shell, look after personas.

Heavy imports stand inside the commands, so that `qoe --help` answers at once.
"""

from __future__ import annotations

import typer

from qoe_service.cli import cache, judges, models, personas, report, service

_EXIT_CODES = (
    "Exit codes: 0 done; 1 the answer is no (nothing could be judged, a persona file is wrong); "
    "2 called wrongly (options, settings, a refused request); 3 the service, or what is to be "
    "downloaded, cannot be reached."
)

app = typer.Typer(
    help="A panel of Big-Five personas says how good the experience of a picture is.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(service.serve)
app.command()(service.score)
app.command()(report.report)
app.add_typer(judges.app, name="judges")
app.add_typer(personas.app, name="personas")
app.add_typer(models.app, name="models")
app.add_typer(cache.app, name="cache")
