"""Structured output: a JSON value that fits a schema, with the opinion wherever one fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.fake_provider.bell import WORDS

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Opinion:
    """What goes into the value: the score where a number is asked, a level where a choice is.

    words: what the levels are called, lowest first.
    """

    score: float
    level: int
    words: tuple[str, ...] = WORDS


def fill(schema: Schema, opinion: Opinion) -> Any:
    """A value that fits. Numbers are scores, stretched over the range that the schema gives."""
    return _fill(schema, opinion, schema)


def _fill(schema: Schema, opinion: Opinion, root: Schema) -> Any:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return _choice(schema["enum"], opinion)
    if deeper := _deeper(schema, root):
        return _fill(deeper, opinion, root)
    return _typed(schema, opinion, root)


def _typed(schema: Schema, opinion: Opinion, root: Schema) -> Any:
    match _type(schema):
        case "object":
            properties = schema.get("properties", {})
            return {name: _fill(part, opinion, root) for name, part in properties.items()}
        case "array":
            count = max(1, schema.get("minItems", 1))
            return [_fill(schema.get("items", {}), opinion, root) for _ in range(count)]
        case "integer":
            return round(_stretched(schema, opinion.level))
        case "number":
            return round(_stretched(schema, opinion.score), 3)
        case "boolean":
            return opinion.level >= 3
        case "null":
            return None
        case _:
            return f"It looks {WORDS[opinion.level - 1]} to me."[: schema.get("maxLength")]


def _deeper(schema: Schema, root: Schema) -> Schema | None:
    """What a reference or a choice of schemas leads to."""
    if "$ref" in schema:
        found = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return found
    choices: list[Schema] = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf") or []
    return next((choice for choice in choices if choice.get("type") != "null"), None)


def _type(schema: Schema) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    return kind if isinstance(kind, str) else next(k for k in kind if k != "null")


def _choice(choices: list[Any], opinion: Opinion) -> Any:
    """The level among the choices, by digit or word; else the choice as far up as the level is."""
    word = opinion.words[opinion.level - 1].lower()
    for choice in choices:
        if choice == opinion.level or str(choice).lower() in (word, str(opinion.level)):
            return choice
    return choices[round((opinion.level - 1) / 4 * (len(choices) - 1))]


def _stretched(schema: Schema, value: float) -> float:
    lowest = schema.get("minimum", schema.get("exclusiveMinimum", 1))
    highest = schema.get("maximum", schema.get("exclusiveMaximum", 5))
    return float(lowest + (highest - lowest) * (value - 1) / 4)
