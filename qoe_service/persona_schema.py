"""Write the JSON schemas of persona files and fragments, which editors use to complete and check.

python -m qoe_service.persona_schema
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from qoe_service.persona_fragments import INCLUDE, MAX_INCLUDES
from qoe_service.persona_problems import PERSONAL
from qoe_service.personas import SCHEMA_FILE, Persona, shipped_folder
from qoe_service.schemas import TRAITS

FRAGMENT_SCHEMA_FILE = "fragments/fragment.schema.json"

_INCLUDE = {
    "description": "Fragments that say what this file does not, relative to it; later ones win "
    "over earlier ones.",
    "items": {"pattern": r"^[^/].*\.yaml$", "type": "string"},
    "maxItems": MAX_INCLUDES,
    "title": "Include",
    "type": "array",
}


def schemas() -> Mapping[str, dict[str, Any]]:
    """The schemas under the names of their files in the personas' folder."""
    return {SCHEMA_FILE: persona_schema(), FRAGMENT_SCHEMA_FILE: fragment_schema()}


def persona_schema() -> dict[str, Any]:
    """What a persona file may say: all of a persona, unless fragments say some of it."""
    schema = _of_parts()
    shared = [key for key in schema["required"] if key not in PERSONAL]
    complete = {"properties": {"traits": {"required": [*TRAITS]}}, "required": shared}
    return schema | {
        "required": [*PERSONAL],
        "if": {"required": [INCLUDE]},
        "else": complete,
    }


def fragment_schema() -> dict[str, Any]:
    """What a fragment may say: anything of a persona but who it is."""
    schema = _of_parts()
    shared = {name: part for name, part in schema["properties"].items() if name not in PERSONAL}
    described = {"description": "What several personas have in common.", "title": "Fragment"}
    return {key: part for key, part in schema.items() if key != "required"} | {
        "properties": shared,
        **described,
    }


def _of_parts() -> dict[str, Any]:
    """The model's schema with `include`, and nothing required within a mapping."""
    schema = Persona.model_json_schema()
    del schema["$defs"]["Traits"]["required"]
    schema["properties"][INCLUDE] = _INCLUDE
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def main() -> None:
    """Write the schemas beside the personas and the fragments."""
    for name, schema in schemas().items():
        text = json.dumps(schema, indent=2) + "\n"
        (shipped_folder() / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
