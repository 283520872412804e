"""Settings from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from qoe_service.settings import Settings


def test_lists_are_comma_separated_and_empty_means_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QOE_TIERS", "clip, pixel,")
    monkeypatch.setenv("QOE_API_KEYS", "key-1,key-2")
    monkeypatch.setenv("QOE_CACHE", "")
    settings = Settings()
    assert settings.tiers == ("clip", "pixel")
    assert [key.get_secret_value() for key in settings.api_keys] == ["key-1", "key-2"]
    assert settings.cache is None
    assert "key-1" not in repr(settings)


def test_the_defaults_follow_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Settings().cache == tmp_path / "persona-qoe"


@pytest.mark.parametrize(("name", "value"), [("QOE_TIERS", ","), ("QOE_BATCH_SIZE", "0")])
def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()
