"""YAML and JSON texts that remember where each of their keys stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from qoe_service.errors import PersonaFileError, PersonaProblem, Place

Location = tuple[int | str, ...]

MAX_FILE_BYTES = 65_536

WHOLE_EXPONENTIAL = (
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+[eE][-+]?\d+$"), list("-+0123456789"),
)  # fmt: skip
"""YAML 1.1, which PyYAML reads, takes 1e-3 for a text."""


@dataclass(frozen=True)
class Document:
    """A mapping of keys to values, and the place of each key.

    A place comes with the includes that lead to it: its own first, then that of the include that
    named its file, and so on to the persona file.
    """

    source: str
    content: Mapping[str, Any]
    places: Mapping[Location, tuple[Place, ...]]

    def problem(self, location: Location, message: str) -> PersonaProblem:
        """A problem at a key, or at the nearest one around it that the text has."""
        return problem_at(self.spot(location), message)

    def spot(self, location: Location) -> tuple[Place, ...]:
        """Where a key, or the nearest one around it, stands; with the includes that lead there."""
        around = (location[:end] for end in range(len(location), -1, -1))
        known = (self.places[each] for each in around if each in self.places)
        return next(known, (Place(self.source),))

    def over(self, under: Document) -> Document:
        """Both together: this one's keys win, and nested mappings are laid over each other."""
        content = _laid_over(self.content, under.content)
        return Document(self.source, content, {**under.places, **self.places})


def problem_at(spot: tuple[Place, ...], message: str) -> PersonaProblem:
    """A problem at a place, to which includes may lead."""
    here, *chain = spot
    return PersonaProblem(here.source, here.line, here.column, message, tuple(chain))


def read_yaml(text: str, source: str, chain: tuple[Place, ...] = ()) -> Document:
    """The mapping that a YAML text is; `chain` are the includes that lead to it.

    Raises:
        PersonaFileError: if it is not YAML, or no mapping, or gives a key twice.
    """
    try:
        loader = _PlainLoader(text)
        root = loader.get_single_node()
        content = None if root is None else loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        here = _place(source, mark) if mark else Place(source)
        message = f"not valid YAML: {error.problem or error.context}"
        raise PersonaFileError([problem_at((here, *chain), message)]) from None
    except Exception as error:  # what a tag that does not fit its value raises, depends on the tag
        message = f"not valid YAML: {error}"
        raise PersonaFileError([problem_at((Place(source), *chain), message)]) from None
    return _checked(root, content, source, chain)


def read_json(text: str, source: str) -> Document:
    """The mapping that a JSON text is.

    Raises:
        PersonaFileError: if it is not JSON, or no object, or gives a key twice.
    """
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        here = Place(source, error.lineno, error.colno)
        raise PersonaFileError([problem_at((here,), f"not valid JSON: {error.msg}")]) from None
    return _checked(_composed_json(text), content, source, ())


def _composed_json(text: str) -> yaml.Node | None:
    """Where the keys stand, which YAML can tell of almost every JSON text, except for tabs."""
    try:
        return _PlainLoader(text.replace("\t", " ")).get_single_node()
    except (yaml.YAMLError, RecursionError):  # then every problem is at the beginning
        return None


def bounded_text(path: Path) -> str:
    """The text of a file. Raises `OSError` or `ValueError` if it is none, or too large."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ValueError(f"larger than {MAX_FILE_BYTES} bytes; shorten it")
    if not path.is_file():
        raise ValueError("not a file")
    return path.read_text(encoding="utf-8")


def why_unreadable(error: Exception) -> str:
    """The reason without the path, which the place of the problem tells."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


class _PlainLoader(yaml.SafeLoader):
    """Without aliases, by which a small text can describe an endless one."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            reason = f"an alias (*{event.anchor}); write it out, or put it into a fragment"
            raise yaml.MarkedYAMLError(problem=reason, problem_mark=event.start_mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


_PlainLoader.add_implicit_resolver(*WHOLE_EXPONENTIAL)


def _checked(
    root: yaml.Node | None, content: Any, source: str, chain: tuple[Place, ...]
) -> Document:
    places: dict[Location, tuple[Place, ...]] = {}
    twice: list[PersonaProblem] = []
    for location, mark in _marks(root, ()):
        spot = (_place(source, mark), *chain)
        if location in places:
            twice.append(problem_at(spot, f"key {location[-1]!r} is given twice"))
        places[location] = spot
    if twice:
        raise PersonaFileError(twice)
    if not isinstance(content, dict):
        message = "must be a mapping of keys to values, as `qoe personas new` writes it"
        raise PersonaFileError([problem_at((Place(source), *chain), message)])
    return Document(source, content, places)


def _marks(node: yaml.Node | None, location: Location) -> Iterator[tuple[Location, yaml.Mark]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*location, str(key.value))
            yield place, key.start_mark
            yield from _marks(value, place)
    elif isinstance(node, yaml.SequenceNode):
        for index, entry in enumerate(node.value):
            place = (*location, index)
            yield place, entry.start_mark
            yield from _marks(entry, place)


def _place(source: str, mark: yaml.Mark) -> Place:
    return Place(source, mark.line + 1, mark.column + 1)


def _laid_over(over: Mapping[str, Any], under: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: _laid_over(over[key], value)
        for key, value in under.items()
        if isinstance(value, dict) and isinstance(over.get(key), dict)
    }
    return {**under, **over, **both}
