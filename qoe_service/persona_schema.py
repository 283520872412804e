"""Write the JSON schema of persona files, which editors use to complete and check them.

python -m qoe_service.persona_schema
"""

from __future__ import annotations

import json

from qoe_service.personas import SCHEMA_FILE, persona_schema, shipped_folder


def main() -> None:
    """Write the schema beside the personas."""
    text = json.dumps(persona_schema(), indent=2) + "\n"
    (shipped_folder() / SCHEMA_FILE).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
