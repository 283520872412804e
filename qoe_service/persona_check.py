"""Checking files before a server meets them: personas, fragments and populations, all together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from qoe_service.errors import PersonaFileError, PersonaProblem, Place
from qoe_service.persona_documents import problem_at
from qoe_service.persona_files import check_fragment, folder_problems, persona_files, read_persona


def _check_population(file: Path) -> None:
    from qoe_service.population_files import read_population  # half a second, mostly not needed

    read_population(file)


_CHECK_IN: dict[str, Callable[[Path], None]] = {
    "fragments": check_fragment,
    "populations": _check_population,
}
"""What the files of these folders are; anywhere else a file is that of a persona."""


def files_in(paths: Iterable[Path]) -> list[Path]:
    """The files, each once, and of folders all that are to be right before a server reads them.

    Those are its personas and populations, and the fragments whether anybody includes them or not.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _files_of(path) if path.is_dir() else [path]:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def problems_in(paths: Sequence[Path]) -> list[PersonaProblem]:
    """Everything that is wrong with files and folders, by themselves and with one another."""
    problems = [p for path in paths if path.is_dir() for p in folder_problems(path)]
    named: dict[str, Place] = {}
    for file in files_in(paths):
        check = _CHECK_IN.get(kind_of(file))
        problems.extend(_problems(check, file) if check else _persona_problems(file, named))
    return problems


def kind_of(file: Path) -> str:
    """`personas`, `fragments` or `populations`."""
    folder = file.absolute().parent.name
    return folder if folder in _CHECK_IN else "personas"


def _files_of(folder: Path) -> Iterator[Path]:
    yield from persona_files(folder)
    for below in _CHECK_IN:
        yield from sorted((folder / below).glob("*.yaml"))


def _problems(check: Callable[[Path], None], file: Path) -> Sequence[PersonaProblem]:
    try:
        check(file)
    except PersonaFileError as error:
        return error.problems
    return ()


def _persona_problems(file: Path, named: dict[str, Place]) -> Sequence[PersonaProblem]:
    """What is wrong with a persona's file; `named` has the ids of those before it."""
    reading = read_persona(file)
    if reading.persona is None:
        return reading.problems
    name, (here, *_) = reading.persona.id, reading.named_at
    other = named.setdefault(name, here)
    return () if other == here else (problem_at((here,), f"id {name!r} is taken by {other}"),)
