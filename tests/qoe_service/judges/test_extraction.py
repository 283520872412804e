"""From an answer to a score: the expected value is one, and what is not an answer never is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from qoe_service.judges.extraction import (
    ROUNDING_SPREAD,
    Reading,
    choose_levels,
    distinct_first_tokens,
    expected_grade,
    merge_samples,
    score_from_json,
    score_from_levels,
)
from qoe_service.judges.questions import DIGITS, WORDS, Levels
from qoe_service.provider import Answer, CallFailed, FailureKind, TokenChoice

GRADES = np.array([5.0, 4.0, 3.0, 2.0, 1.0])

shares_of_levels = st.lists(st.floats(0.001, 1), min_size=5, max_size=5).map(
    lambda weights: np.array(weights) / sum(weights)
)


def place(**probabilities: float) -> tuple[TokenChoice, ...]:
    return tuple(TokenChoice(token, math.log(p)) for token, p in probabilities.items())


def tokens(*chosen: str) -> tuple[tuple[TokenChoice, ...], ...]:
    return tuple((TokenChoice(token, 0.0),) for token in chosen)


def graded(shares: np.ndarray, mass: float = 1.0, levels: Levels = WORDS) -> Answer:
    """An answer whose first place has these shares of the levels and the rest elsewhere."""
    first = [
        TokenChoice(label, math.log(mass * share))
        for label, share in zip(levels.labels, shares, strict=True)
    ]
    rest = [TokenChoice("The", math.log(1 - mass))] if mass < 1 else []
    return Answer(levels.labels[int(np.argmax(shares))], (tuple(first + rest),))


def unreadable(call, *args, **kwargs) -> str:
    with pytest.raises(CallFailed) as caught:
        call(*args, **kwargs)
    assert caught.value.kind is FailureKind.UNREADABLE
    return caught.value.reason


def test_the_expected_grade_of_a_hand_computed_distribution() -> None:
    answer = Answer("Good", (place(Good=0.6, Fair=0.2, Excellent=0.1, The=0.1),))
    reading = score_from_levels(answer)
    assert reading.mass == pytest.approx(0.9)
    assert reading.score == pytest.approx((0.6 * 4 + 0.2 * 3 + 0.1 * 5) / 0.9)  # 35/9
    assert reading.spread == pytest.approx(math.sqrt((6 * 1 + 2 * 64 + 1 * 100) / 9 / 81))
    assert reading.extraction == "logprobs"


@given(shares_of_levels, st.floats(0.8001, 1))
def test_the_score_is_the_mean_of_the_renormalised_shares(shares, mass: float) -> None:
    reading = score_from_levels(graded(shares, mass))
    assert reading.score == pytest.approx(shares @ GRADES)
    assert reading.mass == pytest.approx(mass)
    assert 1 <= reading.score <= 5
    assert 0 <= reading.spread <= 2


@given(shares_of_levels, st.integers(1, 4), st.floats(0.01, 1))
def test_probability_that_moves_to_a_better_level_raises_the_score(shares, at, part) -> None:
    moved = shares.copy()
    moved[at] -= part * shares[at]
    moved[at - 1] += part * shares[at]
    assume(moved[at] > 0)
    before, after = score_from_levels(graded(shares)), score_from_levels(graded(moved))
    assert after.score > before.score
    assert after.score - before.score == pytest.approx(part * shares[at])


@given(shares_of_levels, st.sampled_from([WORDS, DIGITS]))
def test_the_same_shares_give_the_same_score_in_words_and_digits(shares, levels) -> None:
    words = score_from_levels(graded(shares)).score
    assert score_from_levels(graded(shares, levels=levels), levels).score == words


def test_all_the_spellings_of_a_level_count_for_it() -> None:
    good = {"Good": 0.4, " good": 0.2, "GOOD": 0.1, "Go": 0.1}
    bad = {"▁Bad": 0.1, "ĠBad": 0.1}
    reading = score_from_levels(Answer("Good", (place(**good, **bad),)))
    assert reading.mass == pytest.approx(1)
    assert reading.score == pytest.approx(0.8 * 4 + 0.2 * 1)


def test_a_token_repeated_by_the_server_counts_once() -> None:
    first = (*place(Good=0.5, Bad=0.5), TokenChoice("Good", math.log(0.5)))
    assert score_from_levels(Answer("Good", (first,))).score == pytest.approx(2.5)


def test_rounding_never_leaves_the_scale() -> None:
    first = (TokenChoice("Excellent", -0.192), TokenChoice("Good", -35.83))
    assert score_from_levels(Answer("Excellent", (first,))).score == 5  # the plain sum: 5 + 1e-15


def test_a_token_that_may_begin_two_levels_counts_for_neither() -> None:
    levels = Levels(("Great", "Good", "Fair", "Poor", "Bad"))
    reading = score_from_levels(Answer("Good", (place(Good=0.7, Gr=0.2, G=0.1),)), levels)
    assert reading.mass == pytest.approx(0.9)
    assert reading.score == pytest.approx((0.7 * 4 + 0.2 * 5) / 0.9)


def test_words_that_only_begin_like_a_level_do_not_count() -> None:
    first = place(Good=0.85, Fairly=0.05, Badly=0.05, Exactly=0.05)
    assert score_from_levels(Answer("Good", (first,))).mass == pytest.approx(0.85)


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("Good", ()),
        (" Good", (" ",)),
        ("**Good**", ("**",)),
        ('"Good"', ('"',)),
        ("\nGood", ("\n",)),
    ],
)
def test_decoration_before_the_level_is_passed_over(text: str, before: tuple[str, ...]) -> None:
    answer = Answer(text, (*tokens(*before), place(Good=0.75, Fair=0.25), *tokens(".")))
    assert score_from_levels(answer).score == pytest.approx(3.75)


def test_a_word_split_by_the_tokenizer_is_read_at_its_first_token() -> None:
    first = place(Ex=0.75, P=0.25)
    answer = Answer("Excellent", (first, *tokens("cell", "ent")))
    assert score_from_levels(answer).score == pytest.approx(0.75 * 5 + 0.25 * 2)
    assert score_from_levels(Answer("Ex", (first,))).score == pytest.approx(4.25)


@pytest.mark.parametrize(
    "text", ["Good.", "GOOD", "Good\n\nIt shows a cat.", "Good. It shows a cat."]
)
def test_what_is_said_after_a_level_that_stands_alone_changes_nothing(text: str) -> None:
    assert score_from_levels(Answer(text, (place(Good=1.0),))).score == 4


PROSE = [
    "",
    "   ",
    "**",
    "The picture is good.",
    "Fairly bad",
    "Good grief, no",
    "Poor quality pictures cannot be graded",
    "I cannot help with that.",
    "I'm sorry, but I can't judge pictures of people.",
    "<think>Good</think>",
    "F",
    "B",
    "A+",
    "Excellently",
    "Good/Fair",
    "goodness",
]
NUMBERS = [
    "7",
    "0",
    "6",
    "-1",
    "4.5",
    "4,5",
    "10",
    "45",
    "4/5",
    "1-5",
    "½",
    "⁴",
    "٤",
    "NaN",
    "inf",
    "1e0",
]


@pytest.mark.parametrize("text", PROSE + NUMBERS)
@pytest.mark.parametrize("levels", [WORDS, DIGITS], ids=["words", "digits"])
def test_no_score_is_read_from_anything_else_however_sure_the_tokens(text, levels) -> None:
    unreadable(score_from_json, Answer(text), levels)
    for label in levels.labels:
        unreadable(score_from_levels, Answer(text, tokens(label)), levels)


@given(st.text(), st.sampled_from([WORDS, DIGITS]))
def test_no_text_is_the_json_asked_for_by_luck(text: str, levels: Levels) -> None:
    unreadable(score_from_json, Answer(text), levels)


@pytest.mark.parametrize(
    "probabilities", [[math.nan, 0.9, 0, 0, 0], [0.7, 0, 0, 0, 0], [0.9, 0.9, 0, 0, 0]]
)
def test_probabilities_that_are_no_distribution_over_the_levels_have_no_mean(probabilities) -> None:
    unreadable(expected_grade, probabilities, WORDS)


def test_too_little_probability_on_the_levels_is_refused() -> None:
    answer = Answer("Good", (place(Good=0.5, A=0.3, The=0.2),))
    assert "only 0.500 of the probability" in unreadable(score_from_levels, answer)
    assert score_from_levels(answer, least_mass=0.5).score == 4


@pytest.mark.parametrize(
    "choices",
    [
        (),
        ((),),
        tokens(" ", "\n"),
        ((TokenChoice("Good", math.nan),),),
        ((TokenChoice("Good", 0.5),),),
        ((TokenChoice("Good", math.inf),),),
        ((TokenChoice("Good", -math.inf),),),
        ((TokenChoice("Good", -0.1), TokenChoice(" Good", -0.1)),),
        tokens("I", "Good"),
    ],
)
def test_probabilities_that_are_missing_or_impossible_are_refused(choices) -> None:
    unreadable(score_from_levels, Answer("Good", choices))


@given(st.floats(-0.2, 0), shares_of_levels)
def test_a_common_factor_on_all_levels_leaves_the_score(shift: float, shares) -> None:
    plain = graded(shares)
    shifted = Answer(
        plain.text,
        (tuple(TokenChoice(c.token, c.log_probability + shift) for c in plain.choices[0]),),
    )
    one, other = score_from_levels(plain), score_from_levels(shifted)
    assert other.score == pytest.approx(one.score)
    assert other.mass == pytest.approx(one.mass * math.exp(shift))


@pytest.mark.parametrize("text", ['{"level": "Good"}', ' {"level":"good"}\n'])
def test_a_json_answer_is_read(text: str) -> None:
    assert score_from_json(Answer(text)) == Reading(4, ROUNDING_SPREAD, None, "structured")


@pytest.mark.parametrize(
    "text",
    [
        '{"level": "Good"',
        '{"level": "Great"}',
        '{"level": 4}',
        '{"level": null}',
        '{"level": ["Good"]}',
        '{"level": "Good", "reason": "nice"}',
        '{"level": "Bad", "level": "Excellent"}',
        '{"grade": "Good"}',
        '["Good"]',
        '"Good"',
        'Here you are: {"level": "Good"}',
        "[" * 100_000,
    ],
)
def test_json_that_was_not_asked_for_is_refused(text: str) -> None:
    reason = unreadable(score_from_json, Answer(text))
    assert len(reason) < 400


def sampled(*scores: float) -> list[Reading]:
    return [Reading(score, ROUNDING_SPREAD, None, "structured") for score in scores]


def test_the_mean_of_samples_and_its_standard_error() -> None:
    merged = merge_samples(sampled(2, 4, 4, 5))
    assert merged.score == 3.75
    assert merged.standard_error == pytest.approx(np.std([2, 4, 4, 5], ddof=1) / 2)
    assert (merged.samples, merged.mass, merged.extraction) == (4, None, "structured")


def test_equal_samples_are_not_certainty() -> None:
    assert merge_samples(sampled(4)).standard_error == ROUNDING_SPREAD
    assert merge_samples(sampled(4, 4, 4, 4)).standard_error == pytest.approx(ROUNDING_SPREAD / 2)


def test_the_captured_mass_of_samples_is_their_mean() -> None:
    readings = [Reading(4, 0.5, mass, "logprobs") for mass in (0.8, 1.0)]
    assert merge_samples(readings).mass == pytest.approx(0.9)


def test_what_cannot_be_merged_is_refused() -> None:
    for readings in ([], [*sampled(4), Reading(4, 0.5, 1.0, "logprobs")]):
        with pytest.raises(ValueError, match="at least one reading"):
            merge_samples(readings)


def test_levels_are_words_where_their_first_tokens_differ() -> None:
    whole = {word: (word,) for word in WORDS.labels}
    split = {**whole, "Excellent": ("▁", "Ex", "cellent"), "Poor": ("P", "oor")}
    assert choose_levels(whole) is WORDS
    assert choose_levels(split) is WORDS


@pytest.mark.parametrize(
    "change",
    [
        {"Poor": ("F", "oor"), "Fair": ("F", "air")},
        {"Poor": ()},
        {"Poor": ("▁", " ")},
        {"Poor": ("<unk>",)},
        {"Poor": ("Fair",)},
    ],
)
def test_digits_are_chosen_where_the_first_tokens_tell_nothing(change) -> None:
    tokens_by_word = {word: (word,) for word in WORDS.labels} | change
    assert not distinct_first_tokens(tokens_by_word)
    assert choose_levels(tokens_by_word) is DIGITS
