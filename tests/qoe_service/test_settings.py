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
    monkeypatch.setenv("QOE_CALIBRATION", "")
    settings = Settings()
    assert settings.tiers == ("clip", "pixel")
    assert [key.get_secret_value() for key in settings.api_keys] == ["key-1", "key-2"]
    assert settings.cache is settings.calibration is None
    assert "key-1" not in repr(settings)


def test_the_defaults_follow_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("QOE_CALIBRATION")
    assert Settings().cache == tmp_path / "persona-qoe"
    assert Settings().calibration == tmp_path / "persona-qoe-calibration.json"


@pytest.mark.parametrize(("name", "value"), [("QOE_TIERS", ","), ("QOE_BATCH_SIZE", "0")])
def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()


def test_a_named_model_comes_first_unless_the_tiers_are_given() -> None:
    assert Settings().tiers == ("clip", "pixel")
    assert Settings(vlm_model="it").tiers == ("vlm", "clip", "pixel")
    assert Settings(vlm_model="it", llm_model="it").tiers == ("vlm", "llm", "clip", "pixel")
    assert Settings(local_vlm_model="it", llm_model="it").tiers == (
        *("llm", "local_vlm"),
        *("clip", "pixel"),
    )
    assert Settings(vlm_model="it", tiers=("pixel",)).tiers == ("pixel",)
    assert Settings(vlm_model="", local_vlm_model="").tiers == ("clip", "pixel")


@pytest.mark.parametrize(
    ("named", "model", "address"),
    [
        ("it@http://here:11434/v1", "it", "http://here:11434/v1"),
        ("org/it:2b@https://there/v1", "org/it:2b", "https://there/v1"),
        ("vertex:it@002", "vertex:it@002", None),
        ("it@002@http://me:key@here/v1", "it@002", "http://me:key@here/v1"),
    ],
)
def test_a_model_may_be_named_with_its_address(
    monkeypatch: pytest.MonkeyPatch, named: str, model: str, address: str | None
) -> None:
    monkeypatch.setenv("QOE_LLM_MODEL", named)
    settings = Settings()
    assert (settings.llm_model, settings.llm_base_url) == (model, address)
    assert settings.tiers == ("llm", "clip", "pixel")


def test_an_address_cannot_be_given_twice() -> None:
    with pytest.raises(ValidationError, match="QOE_VLM_MODEL names an address and so does"):
        Settings(vlm_model="it@http://here/v1", vlm_base_url="http://there/v1")


def test_keys_are_secret_and_openais_own_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret-1")
    monkeypatch.setenv("QOE_VLM_API_KEY", "secret-2")
    settings = Settings()
    assert settings.openai_api_key.get_secret_value() == "secret-1"
    assert settings.vlm_api_key.get_secret_value() == "secret-2"
    assert "secret" not in repr(settings)


def test_concurrency_cannot_start_above_its_most() -> None:
    with pytest.raises(ValidationError, match="QOE_MOST_CONCURRENCY"):
        Settings(concurrency=65)
