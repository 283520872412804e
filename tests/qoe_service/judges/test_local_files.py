"""Where a model lies, and which version of it that is. Nothing is fetched."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from qoe_service.errors import JudgeUnavailable
from qoe_service.judges.local_files import model_folder, revision_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text("{}")
    save_file({"weight": np.zeros(8, dtype=np.float32)}, tmp_path / "model.safetensors")
    return tmp_path


def test_a_folder_is_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    assert model_folder(str(folder)) == folder
    assert model_folder(f"~/{folder.name}") == folder


def test_a_name_is_found_in_the_hubs_cache_with_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "models--somebody--tiny"
    (repository / "snapshots" / COMMIT).mkdir(parents=True)
    (repository / "snapshots" / COMMIT / "config.json").write_text("{}")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    found = model_folder("somebody/tiny")
    assert found == repository / "snapshots" / COMMIT
    assert revision_of(found) == COMMIT


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("somebody/tiny", "`hf download somebody/tiny`"),
        ("/no/such/folder", "there is no folder '/no/such/folder'"),
    ],
)
def test_what_is_not_here_is_not_fetched(
    name: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: called.append(args))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(JudgeUnavailable, match=advice):
        model_folder(name)
    assert not called


def test_the_revision_changes_with_a_single_weight_and_with_the_template(folder: Path) -> None:
    revisions = [revision_of(folder)]
    (folder / "README.md").write_text("hello")
    assert revision_of(folder) == revisions[0]
    save_file({"weight": np.eye(1, 8, dtype=np.float32)[0]}, folder / "model.safetensors")
    revisions.append(revision_of(folder))
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    revisions.append(revision_of(folder))
    (folder / "chat_template.jinja").rename(folder / "other_template.jinja")
    revisions.append(revision_of(folder))
    assert len(set(revisions)) == 4
