"""What every message, and everything that is read from a file, has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Wire(BaseModel):
    """A message: immutable, and an unknown key is an error rather than a silent loss."""

    model_config = ConfigDict(extra="forbid", frozen=True)
