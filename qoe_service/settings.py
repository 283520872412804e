"""Everything that can be configured, in one place: environment variables that begin with QOE_."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "persona-qoe"


class Settings(BaseSettings):
    """The service's settings. Lists are comma-separated: `QOE_TIERS=clip,pixel`."""

    model_config = SettingsConfigDict(env_prefix="QOE_", frozen=True, extra="forbid")

    tiers: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("clip", "pixel"), min_length=1, description="The ladder of judges, best first."
    )
    clip: str = Field(
        default="tinyworld",
        description="CLIP model: 'tinyworld', or open_clip's 'model/pretrained' such as "
        "'ViT-B-32/laion2b_s34b_b79k'; 'ViT-B-32/random' has random weights, for benchmarks.",
    )
    device: str = Field(default="cpu", description="Where CLIP runs: 'cpu', 'cuda', 'cuda:1'.")
    cache: Path | None = Field(
        default_factory=_default_cache, description="Folder of the cache; empty: memory only."
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

    @field_validator("cache", "personas", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("cache", "personas")
    @classmethod
    def _expand_home(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser()
