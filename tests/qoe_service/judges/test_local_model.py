"""Real architectures with random weights: what is read is what the model's own logits say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from qoe_service.errors import JudgeUnavailable
from qoe_service.images import Picture
from qoe_service.judges.local_model import LocalModel, load_local_model
from qoe_service.judges.perception import reduced
from qoe_service.judges.questions import DIGITS, WORDS, Asking, judge_prompt
from qoe_service.provider import Question
from tests.qoe_service.judges.chatting import PANEL, drawn_picture
from tests.qoe_service.judges.tiny_vlm import (
    DIGITS_LEAD,
    LEAD,
    USERS_ONLY,
    WORDS_LEAD,
    Tiny,
    transformers,
)

ASKING = Asking(judge_prompt("judge-image"))
FAMILIES = {
    "qwen2_vl": Tiny("qwen2_vl"),
    "llava": Tiny("llava", template=USERS_ONLY),
    "idefics3": Tiny("idefics3"),
}
NOTICEABLE = 1e-3


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return FAMILIES[request.param].saved_in(tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def model(folder: Path) -> Iterator[LocalModel]:
    model = load_local_model(str(folder), "cpu")
    yield model
    model.close()


def image(seed: int, size: tuple[int, int] = (64, 64)) -> Image.Image:
    return reduced(drawn_picture(seed)).resize(size)


def asked() -> list[tuple[Question, Image.Image]]:
    """Long and short questions about pictures of several shapes."""
    wishes = ("a dog", "a cat, a very old one, asleep on a chair in the last light of the day")
    sizes = ((64, 64), (48, 96), (96, 32))
    return [
        (ASKING.question(persona, wish=wish, waited_s=row), image(row, size))
        for row, size in enumerate(sizes)
        for wish in wishes
        for persona in PANEL[:2]
    ]


def own_probabilities(folder: Path, question: Question, shown: Image.Image) -> list[float]:
    """By a forward of the model as its documentation shows it, without padding or generation."""
    processor = transformers.AutoProcessor.from_pretrained(folder)
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder)
    picture, told = {"type": "image", "image": shown}, {"type": "text", "text": question.user}
    messages = [
        {"role": "system", "content": [{"type": "text", "text": question.system}]},
        {"role": "user", "content": [picture, told]},
    ]
    if processor.chat_template == USERS_ONLY:
        both = {"type": "text", "text": f"{question.system}\n\n{question.user}"}
        messages = [{"role": "user", "content": [picture, both]}]
    inputs = processor.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    with torch.no_grad():
        shares = model.eval()(**inputs).logits[0, -1].double().softmax(-1)
    spelled = {word: {word, word.lower()} for word in WORDS.labels}
    places = {
        word: [
            p
            for p in range(len(shares))
            if processor.tokenizer.decode([p]).strip() in spelled[word]
        ]
        for word in WORDS.labels
    }
    assert all(len(found) == 4 for found in places.values())  # with and without a space
    return [float(shares[found].sum()) for found in places.values()]


def test_a_level_is_as_probable_as_the_models_own_logits_say(
    folder: Path, model: LocalModel
) -> None:
    question, shown = asked()[-1]
    (found,) = model.probabilities([(question, shown)])
    assert found == pytest.approx(own_probabilities(folder, question, shown), abs=1e-5)
    assert 0.99 < found.sum() < 1 + 1e-9
    assert found.min() > 1e-5


def test_company_in_a_batch_and_its_order_change_nothing(model: LocalModel) -> None:
    questions = asked()
    together = model.probabilities(questions)
    alone = np.concatenate([model.probabilities([one]) for one in questions])
    print(f"\nbatch against alone: {np.abs(together - alone).max():.1e}")
    assert np.abs(together - alone).max() < 1e-5
    order = np.random.default_rng(1).permutation(len(questions))
    shuffled = model.probabilities([questions[index] for index in order])
    assert np.abs(shuffled - together[order]).max() < 1e-5
    assert np.abs(together - together[::-1]).max() > NOTICEABLE  # so that a mix-up would be seen


def test_persona_wish_wait_and_picture_all_reach_the_model(model: LocalModel) -> None:
    def ask(*, persona: int = 0, wish: str = "a dog", waited_s: float = 0, seed: int = 1) -> object:
        question = ASKING.question(PANEL[persona], wish=wish, waited_s=waited_s)
        return model.probabilities([(question, image(seed))])[0]

    plain = ask()
    for other in (ask(persona=1), ask(wish="a cat"), ask(waited_s=9), ask(seed=2)):
        assert np.abs(plain - other).max() > NOTICEABLE


def test_digits_are_read_where_the_words_share_their_tokens(tmp_path: Path) -> None:
    tiny = Tiny(vocabulary="words but two", leads=DIGITS_LEAD)
    model = load_local_model(str(tiny.saved_in(tmp_path)), "cpu")
    assert model.levels is DIGITS
    question = Asking(judge_prompt("judge-image"), levels=DIGITS).question(PANEL[0], wish="a dog")
    (found,) = model.probabilities([(question, image(1))])
    assert found.sum() > 0.99
    assert len(set(found.round(4))) == 5


def test_a_lead_of_the_best_level_makes_it_more_probable(tmp_path: Path) -> None:
    found = []
    for lead in (0.0, 1.0, 2.0):
        words = WORDS_LEAD | {"Excellent": LEAD + lead}
        folder = Tiny(leads=words).saved_in(tmp_path / str(lead))
        found.append(load_local_model(str(folder), "cpu").probabilities(asked()[:1])[0, 0])
    assert found == sorted(found)
    assert found[2] > found[0] + 0.2


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Tiny().saved_in(tmp_path_factory.mktemp("qwen"))


def test_a_question_longer_than_the_model_reads_is_refused(qwen: Path) -> None:
    model = load_local_model(str(qwen), "cpu")
    with pytest.raises(ValueError, match="the model reads 4096"):
        model.probabilities([(Question("Be Bo.", "why? " * 2_000), image(1))])


def test_a_picture_that_the_processor_refuses_raises(qwen: Path) -> None:
    sliver = reduced(Picture(np.zeros((16, 6_000, 3), dtype=np.uint8)))
    with pytest.raises(ValueError, match="aspect ratio"):
        load_local_model(str(qwen), "cpu").probabilities([(asked()[0][0], sliver)])


@pytest.fixture
def spoilt(qwen: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    for file in qwen.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_weights_that_are_missing_are_not_made_up(spoilt: Path) -> None:
    weights = load_file(spoilt / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, spoilt / "model.safetensors", {"format": "pt"})
    with pytest.raises(JudgeUnavailable, match=r"lack 1 of the weights, such as lm_head\.weight"):
        load_local_model(str(spoilt), "cpu")


def test_weights_of_another_shape_are_refused(spoilt: Path) -> None:
    weights = load_file(spoilt / "model.safetensors")
    weights["lm_head.weight"] = weights["lm_head.weight"][:-1].clone()
    save_file(weights, spoilt / "model.safetensors", {"format": "pt"})
    with pytest.raises(JudgeUnavailable, match="mismatched_sizes"):
        load_local_model(str(spoilt), "cpu")


def test_a_cut_off_download_is_told(spoilt: Path) -> None:
    (spoilt / "model.safetensors").unlink()
    with pytest.raises(JudgeUnavailable, match=r"could not be loaded: .*model\.safetensors"):
        load_local_model(str(spoilt), "cpu")


def test_a_model_of_another_kind_is_refused(spoilt: Path) -> None:
    config = json.loads((spoilt / "config.json").read_text())
    (spoilt / "config.json").write_text(json.dumps(config | {"model_type": "bert"}))
    with pytest.raises(JudgeUnavailable, match="could not be loaded"):
        load_local_model(str(spoilt), "cpu")


def test_a_device_that_is_not_there_is_told(qwen: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("it is there")
    with pytest.raises(JudgeUnavailable, match="could not be loaded"):
        load_local_model(str(qwen), "cuda")
