"""The page that documents the settings is kept by this test."""

from __future__ import annotations

from pathlib import Path

from qoe_service.settings import Settings
from qoe_service.settings_table import settings_table

PAGE = Path(__file__).parents[2] / "docs" / "service.md"


def test_the_page_has_the_settings_as_they_are() -> None:
    assert settings_table() in PAGE.read_text(encoding="utf-8"), (
        "put the output of `python -m qoe_service.settings_table` into docs/service.md"
    )


def test_every_setting_says_what_it_sets() -> None:
    assert all(field.description for field in Settings.model_fields.values())
