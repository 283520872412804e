"""Print the API's OpenAPI schema: `python -m qoe_service.api > docs/openapi.json`."""

from __future__ import annotations

import json
import sys

from qoe_service.api.app import create_app
from qoe_service.scoring import Scorer
from qoe_service.settings import Settings


def openapi_text() -> str:
    """The schema as it is committed: sorted, so that a change of the API is a readable diff."""
    settings = Settings(tiers=("pixel",), cache=None)
    with Scorer.from_settings(settings) as scorer:
        document = create_app(scorer, settings).openapi()
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(openapi_text())
