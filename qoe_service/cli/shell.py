"""How `qoe` ends and what it prints: exit codes, one-line errors, tables or JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import RenderableType

    from qoe_service.client import QoEClient
    from qoe_service.scoring import Scorer


class ExitCode(IntEnum):
    """What the shell is told."""

    DONE = 0
    NEGATIVE = 1
    WRONG_CALL = 2
    UNREACHABLE = 3


@contextmanager
def errors_explained() -> Iterator[None]:
    """Errors of the user's making as one line and an exit code, everything else as a traceback."""
    from pydantic import ValidationError

    from qoe_service.errors import PersonaFileError, QoEError

    try:
        yield
    except PersonaFileError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(ExitCode.NEGATIVE) from None
    except ValidationError as error:
        flaws = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        fail("; ".join(flaws), ExitCode.WRONG_CALL)
    except (OSError, QoEError) as error:
        fail(str(error), _exit_code(error))


def _exit_code(error: Exception) -> ExitCode:
    from qoe_service.client import ServiceUnreachable
    from qoe_service.errors import Overloaded
    from qoe_service.models import DownloadFailed, UnusableModel

    match error:
        case ServiceUnreachable() | DownloadFailed() | Overloaded():
            return ExitCode.UNREACHABLE
        case UnusableModel():
            return ExitCode.NEGATIVE
    return ExitCode.WRONG_CALL


def fail(message: str, code: ExitCode) -> NoReturn:
    """One line on stderr, and out."""
    typer.echo(f"qoe: {message}", err=True)
    raise typer.Exit(code)


def print_json(*messages: BaseModel) -> None:
    """One JSON document a line."""
    for message in messages:
        typer.echo(message.model_dump_json())


def show(renderable: RenderableType) -> None:
    """For people."""
    from rich.console import Console

    Console(file=sys.stdout).print(renderable)


def judges_at(server: str | None, api_key: str | None) -> QoEClient | Scorer:
    """The service at this address, or judges in this process if there is none."""
    if server is not None:
        from qoe_service.client import QoEClient

        return QoEClient(server, api_key=api_key)
    from qoe_service.scoring import Scorer
    from qoe_service.settings import Settings

    return Scorer.from_settings(Settings())
