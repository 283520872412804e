"""Print the settings as the table of docs/service.md: `python -m qoe_service.settings_table`."""

from __future__ import annotations

import sys

from pydantic.fields import FieldInfo

from qoe_service.settings import Settings

PER_MACHINE = {
    "cache": "`$XDG_CACHE_HOME/persona-qoe`",
    "calibration": "`$XDG_CACHE_HOME/persona-qoe-calibration.json`",
    "golden": "`$XDG_CACHE_HOME/persona-qoe-golden.json`",
    "interviews": "`$XDG_CACHE_HOME/persona-qoe-interviews.json`",
}
"""Defaults that differ from one machine to the next, in words."""


def settings_table() -> str:
    """A Markdown table: variable, default, what it sets."""
    rows = (
        f"| `{_variable(name, field)}` | {_default(name, field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    )
    return "\n".join(("| variable | default | sets |", "|---|---|---|", *rows)) + "\n"


def _variable(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    return alias if isinstance(alias, str) else f"QOE_{name.upper()}"


def _default(name: str, field: FieldInfo) -> str:
    if name in PER_MACHINE:
        return PER_MACHINE[name]
    match field.default:
        case None | ():
            return "unset"
        case tuple(parts):
            return f"`{','.join(parts)}`"
    return f"`{field.default}`"


if __name__ == "__main__":
    sys.stdout.write(settings_table())
