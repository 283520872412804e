"""`qoe personas check`: are the files right?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from qoe_service.cli.options import AsJson
from qoe_service.cli.shell import ExitCode, errors_explained

Files = Annotated[
    list[Path] | None,
    typer.Argument(help="Files or folders. Default: the folder of QOE_PERSONAS."),
]


def check_personas(files: Files = None, as_json: AsJson = False) -> None:
    """Check the files of personas, fragments and populations.

    Each error is told as file:line:column, with the includes that lead there.
    """
    from qoe_service.persona_check import files_in, problems_in
    from qoe_service.personas import shipped_folder
    from qoe_service.settings import Settings

    with errors_explained():
        paths = files or [Settings().personas or shipped_folder()]
        problems = problems_in(paths)
    if as_json:
        told = [asdict(problem) for problem in problems]
        typer.echo(json.dumps({"ok": not problems, "problems": told}))
    elif problems:
        typer.echo("\n".join(map(str, problems)), err=True)
    else:
        typer.echo(_counted(files_in(paths)))
    if problems:
        raise typer.Exit(ExitCode.NEGATIVE)


def _counted(files: Sequence[Path]) -> str:
    from qoe_service.persona_check import kind_of

    counts = Counter(map(kind_of, files))
    told = (
        f"{count} {kind.removesuffix('s')} file{'' if count == 1 else 's'}"
        for kind, count in counts.items()
    )
    return f"{' and '.join(told)} {'is' if len(files) == 1 else 'are'} right"
