"""Which personas look: those of a list, a panel drawn, or all of them."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qoe_service.errors import DuplicateId, PanelTooLarge
from qoe_service.persona import Persona
from qoe_service.personas import Registry
from qoe_service.population import Population


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


def choose_panel(
    registry: Registry,
    asked: Sequence[str | Persona] | None,
    size: int | None,
    population: Population | None = None,
) -> Panel:
    """The panel of a request: a list of names and personas, drawn by size, or everybody.

    Raises:
        DuplicateId: if a persona is given twice, or a new one bears the id of a known one.
        PanelTooLarge: if there are fewer personas than `size`.
    """
    if asked is not None:
        return _listed(registry.by_id(), asked)
    if population is not None:
        return _of(population.panel(size))
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


def _listed(known: Mapping[str, Persona], asked: Sequence[str | Persona]) -> Panel:
    names = tuple(each if isinstance(each, str) else each.id for each in asked)
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DuplicateId(f"personas are named twice: {', '.join(twice)}; name each once")
    inline = {each.id: each for each in asked if isinstance(each, Persona)}
    taken = sorted(inline.keys() & known.keys())
    if taken:
        raise DuplicateId(
            f"the service has personas of its own called {', '.join(taken)}; give yours other ids"
        )
    people = {**known, **inline}
    unknown = {name: _stranger(name, known) for name in names if name not in people}
    return Panel(names, tuple(people[name] for name in names if name in people), unknown)


def _stranger(name: str, known: Mapping[str, Persona]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "GET /v1/personas lists them"
    return f"no persona {name!r}; {hint}"
