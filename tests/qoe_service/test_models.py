"""Listing and fetching CLIPs; the hub is replaced by a folder, everything else is open_clip's."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from qoe_service.cli import app
from qoe_service.cli.shell import ExitCode
from qoe_service.models import UnusableModel, clip_models, pull
from tinyworld.torchvision_operators import ensure_operators

ensure_operators()
import huggingface_hub  # noqa: E402
import open_clip  # noqa: E402
import open_clip.factory as factory  # noqa: E402
import open_clip.pretrained as checkpoints  # noqa: E402

REPOSITORY, WEIGHTS = "nobody/toy-clip", "open_clip_model.safetensors"
TOY = {
    "embed_dim": 8,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 1, "layers": 1},
}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A folder in the hub's place that holds `toy-clip/drawn`; what is fetched lands in a cache."""
    for table in ("_MODEL_CONFIGS", "_MODEL_CONFIG_PATHS"):
        monkeypatch.setattr(factory, table, getattr(factory, table).copy())
    config = tmp_path / "toy-clip.json"
    config.write_text(json.dumps(TOY))
    open_clip.add_model_config(config)
    entry = checkpoints._pcfg(hf_hub=f"{REPOSITORY}/")
    monkeypatch.setitem(checkpoints._PRETRAINED, "toy-clip", {"drawn": entry})
    remote, cache = tmp_path / "remote", tmp_path / "cache"
    remote.mkdir()
    cache.mkdir()
    save_file(open_clip.create_model("toy-clip").state_dict(), remote / WEIGHTS)

    def fetch(repo_id: str, filename: str, **_) -> str:
        if not (remote / filename).is_file():
            raise ConnectionError(f"nothing answers for {repo_id}/{filename}")
        return shutil.copy(remote / filename, cache / filename)

    def cached(repo_id: str, filename: str, **_) -> str | None:
        found = cache / filename
        return str(found) if repo_id == REPOSITORY and found.is_file() else None

    monkeypatch.setattr(checkpoints, "hf_hub_download", fetch)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", cached)
    return remote


def qoe(*arguments: str):
    return CliRunner().invoke(app, ["models", *arguments], env={"COLUMNS": "200"})


def test_tinyworld_stands_first_and_every_checkpoint_of_open_clip_follows():
    names = [model.name for model in clip_models()]
    assert names[0] == "tinyworld"
    assert set(names[1:]) == {"/".join(pair) for pair in open_clip.list_pretrained()}


def test_the_list_can_be_narrowed(hub):
    listed = qoe("list", "TOY")
    assert "toy-clip/drawn" in listed.stdout
    assert "ViT" not in listed.stdout
    assert qoe("list", "no-such-clip").exit_code == ExitCode.NEGATIVE


def test_pulling_fetches_the_weights_and_says_how_to_use_them(hub):
    before = json.loads(qoe("list", "toy-clip", "--json").stdout)
    pulled = qoe("pull", "toy-clip/drawn")
    after = json.loads(qoe("list", "toy-clip", "--json").stdout)
    assert (before["here"], after["here"]) == (False, True)
    assert pulled.exit_code == ExitCode.DONE, pulled.stderr
    assert pulled.stdout == "QOE_CLIP=toy-clip/drawn\n"


def test_what_was_pulled_is_the_model_of_the_hub(hub):
    encoder = pull("toy-clip/drawn")
    assert (encoder.name, encoder.revision) == ("toy-clip", "drawn")
    assert encoder.texts(["a dog"]).shape == (1, 8)


def test_no_network_is_told_and_has_its_own_code(hub):
    (hub / WEIGHTS).unlink()
    pulled = qoe("pull", "toy-clip/drawn")
    assert pulled.exit_code == ExitCode.UNREACHABLE
    assert len(pulled.stderr.splitlines()) == 1
    for told in ("toy-clip/drawn", "nothing answers", "HF_ENDPOINT"):
        assert told in pulled.stderr


def test_damaged_weights_are_told_with_the_file_to_delete(hub):
    (hub / WEIGHTS).write_bytes(b"half a file")
    with pytest.raises(UnusableModel, match=f"delete .*{WEIGHTS} and pull again"):
        pull("toy-clip/drawn")
    assert qoe("pull", "toy-clip/drawn").exit_code == ExitCode.NEGATIVE


def test_weights_that_give_no_numbers_are_unusable(hub):
    weights = open_clip.create_model("toy-clip").state_dict()
    nothing = {name: tensor.fill_(torch.nan) for name, tensor in weights.items()}
    save_file(nothing, hub / WEIGHTS)
    with pytest.raises(UnusableModel, match="no finite numbers"):
        pull("toy-clip/drawn")


def test_an_unknown_name_meets_the_nearest_ones():
    pulled = qoe("pull", "ViT-B-32/laion2b_s34b")
    assert pulled.exit_code == ExitCode.WRONG_CALL
    assert "ViT-B-32/laion2b_s34b_b79k" in pulled.stderr


def test_tinyworld_is_here_and_knows_its_world():
    (tinyworld,) = clip_models("tinyworld")
    weights = Path(__file__).parents[2] / "tinyworld" / "weights" / "clip.safetensors"
    assert tinyworld.here == weights.is_file()
    assert "5 places" in tinyworld.note
    digest = hashlib.sha256(weights.read_bytes()).hexdigest() if weights.is_file() else ""
    assert digest[:12] in tinyworld.note
