"""Which tokens of a vocabulary begin an answer that is a level of the scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from qoe_service.errors import JudgeUnavailable
from qoe_service.judges.extraction import choose_levels, first_visible, visible
from qoe_service.judges.questions import WORDS, Levels


class Tokenizer(Protocol):
    """What has to be known of a tokenizer."""

    def tokenize(self, text: str) -> Sequence[str]:
        """The tokens of a text, as they stand in the vocabulary."""
        ...

    def get_vocab(self) -> Mapping[str, int]:
        """Every token with its place in the logits."""
        ...


@dataclass(frozen=True)
class LevelTokens:
    """Levels, and for each of them the places of its tokens in the logits."""

    levels: Levels
    places: tuple[tuple[int, ...], ...]


def level_tokens(tokenizer: Tokenizer) -> LevelTokens:
    """The words where their first tokens tell them apart, else the digits.

    A token is a level's if it is the level, in any case and spacing, or if the level as it is
    listed begins with it; what else might grow into a level, such as F or B, says too little.

    Raises:
        JudgeUnavailable: if the vocabulary has a level in no way at all.
    """
    levels = choose_levels({word: tokenizer.tokenize(word) for word in WORDS.labels})
    vocabulary = [(visible(token), place) for token, place in tokenizer.get_vocab().items()]
    places: list[tuple[int, ...]] = []
    for label in levels.labels:
        begins = _begins(tokenizer, label, levels)
        said = [
            place
            for token, place in vocabulary
            if token in begins or token.casefold() == label.casefold()
        ]
        if not said:
            raise JudgeUnavailable(f"no token of the model begins the answer {label!r}")
        places.append(tuple(said))
    return LevelTokens(levels, tuple(places))


def _begins(tokenizer: Tokenizer, label: str, levels: Levels) -> set[str]:
    spelled = {first_visible(tokenizer.tokenize(text)) for text in (label, f" {label}")}
    return {begin for begin in spelled if begin and len(levels.begun_by(begin)) == 1}
