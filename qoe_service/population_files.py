"""Population files: many personas in one YAML or JSON text, written and read back.

In the personas' folder they stand in `populations/`; a file's name is what requests call it.
"""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from qoe_service.errors import PersonaFileError, PersonaProblem
from qoe_service.persona import Persona
from qoe_service.persona_documents import WHOLE_EXPONENTIAL, why_unreadable
from qoe_service.population import Population

try:
    from yaml import CSafeDumper as Dumper
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # PyYAML without libyaml: the same, about ten times as slow
    from yaml import SafeDumper as Dumper  # type: ignore[assignment]
    from yaml import SafeLoader  # type: ignore[assignment]

Location = tuple[int | str, ...]

FOLDER = "populations"
MAX_FILE_BYTES = 64 * 2**20
MAX_TOLD = 20
"""Problems of one file: what is wrong with one persona is often wrong with all."""


class Loader(SafeLoader):
    """Reads numbers as persona files do."""


Loader.add_implicit_resolver(*WHOLE_EXPONENTIAL)


def population_json(population: Population) -> str:
    """The population as a JSON document on one line."""
    return orjson.dumps(_content(population)).decode()


def population_yaml(population: Population) -> str:
    """The population as a YAML document, a few lines for each persona."""
    body = yaml.dump(
        _content(population),
        Dumper=Dumper,
        sort_keys=False,
        default_flow_style=None,
        allow_unicode=True,
        width=10**6,
    )
    return f"# {summary(population)}\n{body}"


def summary(population: Population) -> str:
    """What a population is, in a line."""
    about = "" if population.age is None else f", age {population.age[0]}-{population.age[1]}"
    told = f"{len(population.personas)} people on the norm {population.norm}{about}"
    if population.spread == 1:
        return told
    return (
        f"{told}, spread {population.spread:g}: with their weights worth "
        f"{population.effective_size:.0f} people as they are"
    )


def read_population(path: Path) -> Population:
    """The population of a file.

    Raises:
        PersonaFileError: with what is wrong, and where.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"larger than {MAX_FILE_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        message = f"unreadable: {why_unreadable(error)}"
        raise PersonaFileError([PersonaProblem(str(path), 1, 1, message)]) from error
    return parse_population(text, source=str(path))


def parse_population(text: str, *, source: str) -> Population:
    """The population that a YAML or JSON text describes; `source` names the text in errors.

    Raises:
        PersonaFileError: with what is wrong, and where.
    """
    content = _parsed(text, source)
    if isinstance(content, dict):  # a list is no tuple where everything is strict
        content = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
    try:
        # Strict: a text that looks like a number, or `yes` for 1, is a slip of the pen.
        return Population.model_validate(content, strict=True)
    except ValidationError as error:
        root = _composed(text)
        problems = [
            _at(source, _mark(root, details["loc"]), _said(details))
            for details in error.errors(include_url=False)[:MAX_TOLD]
        ]
        raise PersonaFileError(problems) from None


def _content(population: Population) -> dict[str, Any]:
    told = population.model_dump(mode="json", exclude={"personas"}, exclude_none=True)
    people = [
        persona.model_dump(mode="json", exclude={"norm"}, exclude_defaults=True)
        for persona in population.personas
    ]
    return {**told, "personas": people}


def _parsed(text: str, source: str) -> Any:
    if text.lstrip().startswith("{"):
        return _parsed_json(text, source)
    try:
        loader = Loader(text)
        root = loader.get_single_node()
        flaws = list(_flaws(root, source, set()))
        content = None if root is None or flaws else loader.construct_document(root)
    except Exception as error:  # what a tag that does not fit its value raises, depends on the tag
        mark = getattr(error, "problem_mark", None)
        message = f"not valid YAML: {getattr(error, 'problem', None) or error}"
        raise PersonaFileError([_at(source, mark, message)]) from None
    if flaws:
        raise PersonaFileError(flaws[:MAX_TOLD])
    return content


def _parsed_json(text: str, source: str) -> Any:
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        problem = PersonaProblem(source, error.lineno, error.colno, f"not valid JSON: {error.msg}")
        raise PersonaFileError([problem]) from None
    twice = _key_given_twice(text)
    if twice is not None:
        flaws = list(_flaws(_composed(text), source, set()))
        raise PersonaFileError(
            flaws[:MAX_TOLD] or [_at(source, None, f"key {twice!r} is given twice")]
        )
    return content


def _key_given_twice(text: str) -> str | None:
    """Any such key of a JSON text; where it stands takes much longer to find out."""
    found: list[str] = []

    def look(pairs: list[tuple[str, object]]) -> None:
        found.extend(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)

    try:
        json.loads(text, object_pairs_hook=look)
    except RecursionError:  # nothing so deep is a population, as will be told
        return None
    return found[0] if found else None


def _composed(text: str) -> yaml.Node | None:
    """Where the keys stand, which YAML can tell of almost every JSON text."""
    try:
        return yaml.compose(text, Loader=Loader)
    except (yaml.YAMLError, RecursionError):  # then every problem is at the beginning
        return None


def _flaws(node: yaml.Node | None, source: str, met: set[int]) -> Iterator[PersonaProblem]:
    """Keys given twice, and aliases, by which a small text can describe an endless one."""
    if id(node) in met:
        mark = None if node is None else node.start_mark
        yield _at(source, mark, "an alias (*) stands for this; write it out")
        return
    met.add(id(node))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if str(key.value) in seen:
                yield _at(source, key.start_mark, f"key {key.value!r} is given twice")
            seen.add(str(key.value))
            yield from _flaws(value, source, met)
    elif isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            yield from _flaws(entry, source, met)


def _said(details: ErrorDetails) -> str:
    location = details["loc"]
    dotted = ".".join(map(str, location))
    match details["type"]:
        case "missing":
            return f"{dotted}: is required but not given"
        case "extra_forbidden":
            known = _known_keys(location[:-1])
            near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            return f"{dotted}: unknown key; {hint}"
        case "model_type":
            return f"{dotted or 'a population'}: must be a mapping of keys to values"
    message = details["msg"].removeprefix("Value error, ")
    return f"{dotted}: {message}" if dotted else message


def _known_keys(parents: Location) -> list[str]:
    model: Any = Population
    if parents[:1] == ("personas",):
        model, parents = Persona, parents[2:]
    for parent in parents:
        model = model.model_fields[str(parent)].annotation
    return list(model.model_fields)


def _mark(node: yaml.Node | None, location: Location) -> yaml.Mark | None:
    """Where a key, or the nearest one around it, stands."""
    mark = None if node is None else node.start_mark
    for part in location:
        match node:
            case yaml.MappingNode():
                found = next((pair for pair in node.value if pair[0].value == part), None)
            case yaml.SequenceNode() if isinstance(part, int) and part < len(node.value):
                found = (node.value[part], node.value[part])
            case _:
                found = None
        if found is None:
            break
        mark, node = found[0].start_mark, found[1]
    return mark


def _at(source: str, mark: yaml.Mark | None, message: str) -> PersonaProblem:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return PersonaProblem(source, line, column, message)
