"""Which personas look: named ones, a drawn panel, or all of them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qoe_service.errors import DuplicateId, PanelTooLarge
from qoe_service.personas import Persona, Registry


@dataclass(frozen=True)
class Panel:
    """The personas asked for, in order; those nobody knows keep their place."""

    names: tuple[str, ...]
    personas: tuple[Persona, ...]
    """The known ones, in order."""
    unknown: Mapping[str, str]
    """Why a name has no persona."""

    @property
    def columns(self) -> list[int]:
        """Where the known personas stand among `names`."""
        return [index for index, name in enumerate(self.names) if name not in self.unknown]


def choose_panel(registry: Registry, names: Sequence[str] | None, size: int | None) -> Panel:
    """The panel of a request: by name, drawn by size, or everybody.

    Raises:
        DuplicateId: if a name is given twice.
        PanelTooLarge: if there are fewer personas than `size`.
    """
    if names is not None:
        return _named(registry.by_id(), tuple(names))
    people = registry.all()
    if size is None:
        return _of(people)
    if size > len(people):
        raise PanelTooLarge(
            f"a panel of {size} was asked for; there are {len(people)} personas, ask for that many "
            "or fewer"
        )
    return _of(registry.panel(size))


def _of(people: tuple[Persona, ...]) -> Panel:
    return Panel(tuple(persona.id for persona in people), people, {})


def _named(known: Mapping[str, Persona], names: tuple[str, ...]) -> Panel:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DuplicateId(f"personas are named twice: {', '.join(twice)}; name each once")
    unknown = {name: _stranger(name, known) for name in names if name not in known}
    return Panel(names, tuple(known[name] for name in names if name in known), unknown)


def _stranger(name: str, known: Mapping[str, Persona]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "GET /v1/personas lists them"
    return f"no persona {name!r}; {hint}"
