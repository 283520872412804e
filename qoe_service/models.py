"""The CLIPs that `QOE_CLIP` can name: which there are, which are on this machine, fetching one.

Weights stay where open_clip looks for them, so a model that was pulled is found by the service
and by anything else on the machine.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from qoe_service.errors import QoEError

if TYPE_CHECKING:
    from qoe_service.judges.encoder import Encoder

TINYWORLD = "tinyworld"

OPEN_CLIP_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""What a model's repository on the hub holds where open_clip's table names no file."""


class UnknownModel(QoEError):
    """No CLIP of this name; the text has the nearest ones."""


class DownloadFailed(QoEError):
    """The weights could not be fetched."""


class UnusableModel(QoEError):
    """The CLIP is here but does not load, or does not see."""


@dataclass(frozen=True)
class ClipModel:
    """One CLIP as `QOE_CLIP` names it."""

    name: str
    here: bool
    """Whether its weights are on this machine."""
    note: str = ""


def clip_models(part: str = "") -> tuple[ClipModel, ...]:
    """tinyworld, then open_clip's checkpoints, of those whose name has `part` in it."""
    models = (_tinyworld(), *(_checkpoint(model, tag) for model, tag in _checkpoints()))
    return tuple(model for model in models if part.lower() in model.name.lower())


def pull(name: str) -> Encoder:
    """Fetch a CLIP unless it is here, and try it on a canary. Progress is shown on stderr.

    Raises:
        UnknownModel: open_clip knows no such checkpoint.
        DownloadFailed: the weights could not be fetched.
        UnusableModel: they are here, but the model does not load or does not see.
    """
    if name != TINYWORLD:
        _download(*_known(name))
    return _tried(name)


def _tinyworld() -> ClipModel:
    from tinyworld.clip import WEIGHTS, load_clip
    from tinyworld.scenes import ACTIONS, PLACES, STYLES, SUBJECTS

    world = (
        f"64x64 drawings of {len(PLACES)} places, {len(SUBJECTS)} casts of subjects, "
        f"{len(ACTIONS)} actions, {len(STYLES)} styles; nothing else"
    )
    if not (WEIGHTS / "clip.safetensors").is_file():
        return ClipModel(TINYWORLD, here=False, note=world)
    return ClipModel(TINYWORLD, here=True, note=f"revision {load_clip().revision}; {world}")


def _checkpoint(model: str, tag: str) -> ClipModel:
    return ClipModel(f"{model}/{tag}", here=_weights(model, tag) is not None)


def _checkpoints() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = _open_clip().list_pretrained()
    return found


def _known(name: str) -> tuple[str, str]:
    names = {f"{model}/{tag}": (model, tag) for model, tag in _checkpoints()}
    if name in names:
        return names[name]
    near = difflib.get_close_matches(name, [*names, TINYWORLD], n=3, cutoff=0.4)
    hint = f"; the nearest are {', '.join(near)}" if near else ""
    raise UnknownModel(f"open_clip has no CLIP {name!r}{hint}; `qoe models list` shows all")


def _download(model: str, tag: str) -> None:
    open_clip = _open_clip()
    try:
        open_clip.download_pretrained(open_clip.get_pretrained_cfg(model, tag))
    except OSError as error:  # open_clip makes one of whatever the hub raises
        raise DownloadFailed(
            f"{model}/{tag} could not be downloaded ({_short(error)}); "
            "check the network, or set HF_ENDPOINT to a mirror that can be reached"
        ) from error


def _tried(name: str) -> Encoder:
    from qoe_service.images import Picture
    from qoe_service.judges.encoder import load_encoder

    canary = Picture(np.full((64, 64, 3), 128, dtype=np.uint8))
    try:
        encoder = load_encoder(name, "cpu")
        seen = encoder.pictures(np.stack([encoder.prepare(canary)]))
        said = encoder.texts(["a picture"])
    except Exception as error:  # damaged weights break a model in any way
        raise UnusableModel(_advice(name, _short(error))) from error
    if not (np.isfinite(seen).all() and np.isfinite(said).all()):
        raise UnusableModel(_advice(name, "it gives no finite numbers"))
    return encoder


def _advice(name: str, flaw: str) -> str:
    file = None if name == TINYWORLD else _weights(*_known(name))
    remedy = f"delete {file} and pull again" if file else "install persona-qoe again"
    return f"{name} is here but cannot be used ({flaw}); {remedy}"


def _weights(model: str, tag: str) -> Path | None:
    """The file in the hub's cache from which open_clip would load a checkpoint, if it is there."""
    from huggingface_hub import try_to_load_from_cache

    repository, _, file = _open_clip().get_pretrained_cfg(model, tag)["hf_hub"].rpartition("/")
    named = (f"{file.rpartition('.')[0]}.safetensors", file)
    for candidate in named if file else OPEN_CLIP_FILES:
        found = try_to_load_from_cache(repository, candidate)
        if isinstance(found, str):
            return Path(found)
    return None


def _open_clip() -> ModuleType:
    from tinyworld.torchvision_operators import ensure_operators

    ensure_operators()
    import open_clip

    module: ModuleType = open_clip
    return module


def _short(error: Exception) -> str:
    """The last line of an error, which is where the hub says what happened."""
    lines = str(error).strip().splitlines()
    return (lines[-1] if lines else type(error).__name__)[:200]
