"""Which tokens count for which level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from qoe_service.errors import JudgeUnavailable
from qoe_service.judges.level_tokens import level_tokens
from qoe_service.judges.questions import DIGITS, WORDS


@dataclass
class Listed:
    """A tokenizer that splits as it is told, and knows nothing else."""

    splits: Mapping[str, tuple[str, ...]]
    also: tuple[str, ...] = ()
    known: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        listed = [*self.also, *(token for tokens in self.splits.values() for token in tokens)]
        self.known = {token: place for place, token in enumerate(dict.fromkeys(listed))}

    def tokenize(self, text: str) -> tuple[str, ...]:
        return self.splits.get(text, ("<unk>",))

    def get_vocab(self) -> dict[str, int]:
        return self.known


WHOLE = {word: (word,) for word in WORDS.labels} | {f" {w}": (f"Ġ{w}",) for w in WORDS.labels}


def tokens_of(tokenizer: Listed) -> dict[str, set[str]]:
    found = level_tokens(tokenizer)
    named = {place: token for token, place in tokenizer.get_vocab().items()}
    return {
        label: {named[place] for place in places}
        for label, places in zip(found.levels.labels, found.places, strict=True)
    }


def test_a_level_counts_in_any_case_and_spacing() -> None:
    also = ("good", "GOOD", "▁Good", "Ġgood", "Ċgood", "Goods", "Go", "G", "##Good")
    found = tokens_of(Listed(WHOLE, also))
    assert found["Good"] == {"Good", "ĠGood", "good", "GOOD", "▁Good", "Ġgood", "Ċgood"}


def test_of_a_level_that_is_split_its_first_token_counts() -> None:
    splits = {**WHOLE, "Excellent": ("Ex", "cellent"), " Excellent": ("ĠEx", "cellent")}
    found = tokens_of(Listed(splits, ("ex", "EX", "E", "Exc")))
    assert found["Excellent"] == {"Ex", "ĠEx"}
    assert found["Bad"] == {"Bad", "ĠBad"}


def test_a_space_of_its_own_is_no_beginning() -> None:
    splits = {**WHOLE, "Poor": ("▁", "P", "oor"), " Poor": ("▁", "P", "oor")}
    assert tokens_of(Listed(splits))["Poor"] == {"P"}


def test_digits_stand_in_where_words_share_a_token() -> None:
    digits = {digit: (digit,) for digit in DIGITS.labels}
    splits = {**WHOLE, "Poor": ("<unk>",), "Fair": ("<unk>",), **digits}
    assert tokens_of(Listed(splits, ("▁5", "55"))) == {
        **{digit: {digit} for digit in "4321"},
        "5": {"5", "▁5"},
    }


def test_a_vocabulary_without_any_level_is_refused() -> None:
    with pytest.raises(JudgeUnavailable, match="begins the answer '5'"):
        level_tokens(Listed({}, ("a", "b")))
