"""Where a model of transformers lies on this machine, and which version of it that is.

Nothing is ever fetched: a service must not begin to load gigabytes because of a typing error.
"""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from qoe_service.errors import JudgeUnavailable

CONTENT = frozenset({".safetensors", ".json", ".jinja", ".model", ".txt"})
"""Endings of files on which an answer may depend: weights, configuration, vocabulary, template."""

_COMMIT = re.compile("[0-9a-f]{40}")


def model_folder(name: str) -> Path:
    """The folder that is named, or the hub's cache of the repository of that name.

    Raises:
        JudgeUnavailable: if there is neither.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except HFValidationError as error:
        raise JudgeUnavailable(
            f"there is no folder {name!r}, nor can a model on the hub have that name; "
            "set QOE_LOCAL_VLM_MODEL to one of both"
        ) from error
    except LocalEntryNotFoundError as error:
        raise JudgeUnavailable(
            f"the model {name!r} is not on this machine; `hf download {name}` fetches it, "
            "or set QOE_LOCAL_VLM_MODEL to the folder that holds it"
        ) from error


def revision_of(folder: Path) -> str:
    """The commit of a folder in the hub's cache, of any other the hash of what is in it.

    A name such as 'main' would stay the same while the model changes.
    """
    if folder.parent.name == "snapshots" and _COMMIT.fullmatch(folder.name):
        return folder.name
    files = sorted(file for file in folder.iterdir() if file.suffix in CONTENT and file.is_file())
    digest = hashlib.sha256()
    with ThreadPoolExecutor() as pool:  # hashing leaves the interpreter free
        for file, of_file in zip(files, pool.map(_sha256, files), strict=True):
            digest.update(f"{len(file.name)} {file.name}".encode() + of_file)
    return digest.hexdigest()


def _sha256(file: Path) -> bytes:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").digest()
