"""How a command ends: exit codes, and errors as a line that says what to do."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer

from allocator.training.interruption import Interrupted, unwinding


class ExitCode(IntEnum):
    """What the shell is told."""

    DONE = 0
    FAILED = 1
    WRONG_CALL = 2
    UNREACHABLE = 3
    INTERRUPTED = 130


@contextmanager
def explained(*, next_time: str = "run again with") -> Iterator[None]:
    """Expected failures become a line on stderr and an exit code; anything else is a bug.

    Ctrl-C and SIGTERM close everything that is open; `next_time` says what the same command then
    does when it is given again.
    """
    from allocator.experience import UnjudgedError
    from allocator.experiments.evaluation import NothingJudgedError
    from allocator.service_process import ServiceNotReadyError
    from allocator.training.crew import WorkerLostError
    from allocator.training.missing import MissingPackageError
    from allocator.training.run_files import OtherOrderError, UnreadableFileError
    from qoe_service.client import ServiceUnreachable
    from qoe_service.errors import QoEError

    try:
        with unwinding():
            yield
    except Interrupted:
        again = shlex.join(["allocator", *sys.argv[1:]])
        _leave(f"ended; {next_time}:\n  {again}", ExitCode.INTERRUPTED)
    except (ServiceUnreachable, ServiceNotReadyError) as error:
        _leave(error, ExitCode.UNREACHABLE)
    except (OtherOrderError, MissingPackageError) as error:
        _leave(error, ExitCode.WRONG_CALL)
    except (
        NothingJudgedError,
        UnjudgedError,
        UnreadableFileError,
        WorkerLostError,
        QoEError,
        FileNotFoundError,
    ) as error:
        _leave(error, ExitCode.FAILED)


def _leave(error: Exception | str, code: ExitCode) -> None:
    typer.echo(f"allocator: {error}", err=True)
    raise typer.Exit(code)
