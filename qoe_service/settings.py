"""Everything that can be configured, in one place: environment variables that begin with QOE_."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "persona-qoe"


def _default_calibration() -> Path:
    return _default_cache().with_name("persona-qoe-calibration.json")


def _default_golden() -> Path:
    return _default_cache().with_name("persona-qoe-golden.json")


def _default_interviews() -> Path:
    return _default_cache().with_name("persona-qoe-interviews.json")


CHAT_TIERS = ("vlm", "llm")
"""The judges that are asked over a network."""

MODEL_TIERS = (*CHAT_TIERS, "local_vlm")
"""The judges that need a model, named in the settings."""

LOCAL_TIERS = ("clip", "pixel")
"""The judges that need nobody else."""


class Settings(BaseSettings):
    """The service's settings. Lists are comma-separated: `QOE_TIERS=clip,pixel`."""

    model_config = SettingsConfigDict(
        env_prefix="QOE_", frozen=True, extra="forbid", populate_by_name=True
    )

    tiers: Annotated[tuple[str, ...], NoDecode] = Field(
        default=LOCAL_TIERS,
        min_length=1,
        description="The ladder of judges, best first; unset, `vlm`, `llm` and `local_vlm` stand "
        "in front of these once they have a model.",
    )
    vlm_model: str | None = Field(
        default=None,
        description="The model that sees pictures: 'model@address' of an OpenAI-compatible "
        "endpoint, such as 'llava@http://127.0.0.1:11434/v1'; a name of OpenAI's; or "
        "'provider:model' of LangChain.",
    )
    vlm_base_url: str | None = Field(
        default=None, description="Its endpoint, where `QOE_VLM_MODEL` gives the name alone."
    )
    vlm_api_key: SecretStr | None = Field(
        default=None, description="Its key; unset: `OPENAI_API_KEY`, or the provider's own."
    )
    vlm_input_price: float = Field(default=0.0, ge=0, description="Money for a million tokens in.")
    vlm_output_price: float = Field(
        default=0.0, ge=0, description="Money for a million tokens out."
    )
    llm_model: str | None = Field(
        default=None, description="The model that reads a description of the picture, likewise."
    )
    llm_base_url: str | None = Field(default=None, description="Its endpoint, likewise.")
    llm_api_key: SecretStr | None = Field(default=None, description="Its key.")
    llm_input_price: float = Field(default=0.0, ge=0, description="Money for a million tokens in.")
    llm_output_price: float = Field(
        default=0.0, ge=0, description="Money for a million tokens out."
    )
    local_vlm_model: str | None = Field(
        default=None,
        description="A vision-language model of transformers that runs here: its folder, or its "
        "name on the hub if `hf download` has fetched it.",
    )
    local_vlm_batch: int = Field(
        default=8, ge=1, description="Questions in one forward of that model."
    )
    openai_api_key: SecretStr | None = Field(
        default=None,
        validation_alias="OPENAI_API_KEY",
        description="Key for every OpenAI-compatible endpoint that has none of its own.",
    )
    samples: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Answers a judgment is the mean of, where a model gives no probabilities.",
    )
    concurrency: int = Field(
        default=16, ge=1, description="Calls to a model at a time, at first; it adapts."
    )
    most_concurrency: int = Field(
        default=64, ge=1, description="Calls to a model at a time, at most."
    )
    attempt_timeout_s: float = Field(
        default=30.0, ge=2, description="The longest that one call to a model may take."
    )
    budget_tokens: int | None = Field(
        default=None,
        ge=0,
        description="Tokens that a run (`run_id`) may use in all processes that share "
        "`QOE_CACHE`; what others have in flight just then may come on top. Unset: no limit.",
    )
    budget_cost: float | None = Field(
        default=None, ge=0, description="Money that a run may spend, likewise; unset: no limit."
    )
    record: Path | None = Field(
        default=None, description="Folder in which every run's judgments are recorded."
    )
    replay: Path | None = Field(
        default=None,
        description="Folder of records that answer instead of judges, as they answered then.",
    )
    prompts: Path | None = Field(
        default=None, description="Folder of the judges' templates; unset: the ones shipped."
    )
    clip: str = Field(
        default="tinyworld",
        description="CLIP model: 'tinyworld', or open_clip's 'model/pretrained' such as "
        "'ViT-B-32/laion2b_s34b_b79k'; 'ViT-B-32/random' has random weights, for benchmarks.",
    )
    device: str = Field(
        default="cpu",
        description="Where CLIP and `QOE_LOCAL_VLM_MODEL` run: 'cpu', 'cuda', 'cuda:1'.",
    )
    cache: Path | None = Field(
        default_factory=_default_cache, description="Folder of the cache; empty: memory only."
    )
    calibration: Path | None = Field(
        default_factory=_default_calibration,
        description="File of the maps that tell lower tiers on the first one's scale, as `qoe "
        "judges calibrate` makes them; empty: every tier keeps its own.",
    )
    golden: Path | None = Field(
        default_factory=_default_golden,
        description="File of what your own judges said of the golden set, as `qoe judges check "
        "--accept` stores it; empty: only what is shipped is known.",
    )
    interviews: Path | None = Field(
        default_factory=_default_interviews,
        description="File of which judges play their personas, as `qoe personas interview` found; "
        "empty: nothing is kept, and no judgment tells.",
    )
    cache_bytes: int = Field(default=2**30, ge=2**20, description="Size limit of the folder.")
    cache_entries: int = Field(default=65_536, ge=0, description="Entries also held in memory.")
    personas: Path | None = Field(
        default=None, description="Folder of persona files; unset: the ones shipped."
    )
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(), description="Keys that callers must present; empty: no key needed."
    )
    max_items: int = Field(default=256, ge=1, description="Items in one request.")
    max_body_bytes: int = Field(default=128 * 2**20, ge=1, description="Bytes in one request.")
    max_image_bytes: int = Field(default=20 * 2**20, ge=1, description="Bytes in one picture file.")
    max_pixels: int = Field(default=25_000_000, ge=256, description="Width times height.")
    min_side: int = Field(default=16, ge=1, description="Shortest side of a picture, in pixels.")
    max_prompt_characters: int = Field(
        default=2_000, ge=1, description="Longest prompt; a longer one is `bad_prompt`."
    )
    default_deadline_ms: int | None = Field(
        default=50_000, ge=1, description="Deadline of requests that name none."
    )
    concurrent_requests: int = Field(default=16, ge=1, description="Requests judged at a time.")
    waiting_requests: int = Field(default=256, ge=0, description="Requests in line; more get 429.")
    batch_size: int = Field(default=64, ge=1, description="Pictures in one CLIP forward.")
    batch_window_s: float = Field(
        default=0.003,
        ge=0,
        le=1,
        description="How long a forward waits for company. More fills batches, adds latency.",
    )

    @field_validator("tiers", "api_keys", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator(
        *("cache", "calibration", "golden", "interviews", "personas"),
        *("prompts", "record", "replay"),
        *(f"{tier}_model" for tier in MODEL_TIERS),
        *(f"{tier}_{what}" for tier in CHAT_TIERS for what in ("base_url", "api_key")),
        *("openai_api_key", "budget_tokens", "budget_cost", "default_deadline_ms"),
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="before")
    @classmethod
    def _named_models_come_first(cls, given: dict[str, Any]) -> dict[str, Any]:
        if "tiers" in given:
            return given
        named = tuple(tier for tier in MODEL_TIERS if given.get(f"{tier}_model"))
        return given | {"tiers": named + LOCAL_TIERS}

    @model_validator(mode="before")
    @classmethod
    def _names_are_taken_off_their_addresses(cls, given: dict[str, Any]) -> dict[str, Any]:
        taken: dict[str, str] = {}
        for tier in CHAT_TIERS:
            found = re.fullmatch(r"(.+?)@(https?://.+)", given.get(f"{tier}_model") or "")
            if found is None:
                continue
            if given.get(f"{tier}_base_url"):
                key = f"QOE_{tier.upper()}"
                raise ValueError(f"{key}_MODEL names an address and so does {key}_BASE_URL")
            taken |= {f"{tier}_model": found[1], f"{tier}_base_url": found[2]}
        return given | taken

    @model_validator(mode="after")
    def _starts_below_the_most(self) -> Self:
        if self.concurrency > self.most_concurrency:
            raise ValueError(
                f"QOE_CONCURRENCY is {self.concurrency}, more than QOE_MOST_CONCURRENCY "
                f"({self.most_concurrency})"
            )
        return self

    @model_validator(mode="after")
    def _records_or_replays(self) -> Self:
        if self.record is not None and self.replay is not None:
            raise ValueError("QOE_RECORD and QOE_REPLAY are both set; unset one of them")
        return self

    @field_validator(
        *("cache", "calibration", "golden", "interviews", "personas"),
        *("prompts", "record", "replay"),
    )
    @classmethod
    def _expand_home(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser()
