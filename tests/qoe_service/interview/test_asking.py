"""What a persona is asked: its portrait, one statement, the five options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qoe_service.interview.asking import (
    ItemAsking,
    OtherPortrait,
    check_same_portrait,
    interview_prompt,
    judge_template,
    manners_of,
)
from qoe_service.interview.instruments import load_instrument
from qoe_service.judges.questions import TEMPLATES, Asking
from qoe_service.personas import Registry
from qoe_service.prompt_files import shipped_prompts
from tests.fake_provider.reading import ACCURACIES, read_question
from tests.fake_provider.traits import traits_of

MINI = load_instrument("mini-ipip")
DIGITS, STRUCTURED, OWN = manners_of(MINI)
PROMPT = interview_prompt()
BO = Registry().by_id()["bo"]
STATEMENT = "Have a vivid imagination."


def ask(manner=DIGITS, turn: int = 0):
    return ItemAsking(PROMPT, manner).question(BO, STATEMENT, turn)


@pytest.mark.parametrize("tier", TEMPLATES)
@pytest.mark.parametrize("turn", [0, 1])
def test_a_persona_is_told_the_same_of_itself_as_when_it_judges(tier: str, turn: int) -> None:
    judging = Asking(judge_template(tier)).question(BO, wish="a cat")
    assert ask(turn=turn).system.split("\n\n")[0] == judging.system.split("\n\n")[0]


@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize("manner", [DIGITS, STRUCTURED, OWN], ids=lambda one: one.name)
def test_the_questions_own_words_describe_nobody(manner, turn: int) -> None:
    portrait, *rest = ask(manner, turn).system.split("\n\n")
    assert not any(traits_of("\n\n".join(rest)).values())
    assert any(traits_of(portrait).values())


def test_one_statement_is_asked_with_its_options_as_digits() -> None:
    question = ask()
    assert "<statement>\nHave a vivid imagination.\n</statement>" in question.user
    assert "exactly one of: 5, 4, 3, 2, 1. 5 is very accurate, 4 is moderately" in question.system
    assert (question.schema, question.pictures) == (None, ())


def test_the_second_time_words_and_the_order_of_options_are_others() -> None:
    first, second = ask(turn=0), ask(turn=1)
    assert "exactly one of: 1, 2, 3, 4, 5. 1 is very inaccurate, 2 is moder" in second.system
    assert first.system.split("\n\n")[1] != second.system.split("\n\n")[1]
    assert first.user.splitlines()[:3] == second.user.splitlines()[:3]
    assert first.user != second.user


@pytest.mark.parametrize("manner", [STRUCTURED, OWN])
def test_without_probabilities_the_options_are_words_of_a_schema(manner) -> None:
    schema = json.loads(ask(manner).schema)
    assert schema["properties"]["level"]["enum"] == list(reversed(MINI.options))
    assert read_question(ask(manner).system, ask(manner).user, ()).levels == ACCURACIES
    assert [manner.levels.grade(option) for option in MINI.options] == [1, 2, 3, 4, 5]


def test_all_is_asked_at_temperature_0_unless_a_model_allows_none() -> None:
    assert (DIGITS.decoding.temperature, STRUCTURED.decoding.temperature) == (0.0, 0.0)
    assert DIGITS.decoding.log_probabilities
    assert OWN.decoding.temperature is None


def test_a_folder_without_the_template_gets_the_shipped_one(tmp_path: Path) -> None:
    assert interview_prompt(tmp_path).tag == PROMPT.tag
    text = (shipped_prompts() / "interview-item.md").read_text(encoding="utf-8")
    (tmp_path / "interview-item.md").write_text(text.replace("1.0.0", "1.0.1"), encoding="utf-8")
    assert interview_prompt(tmp_path).tag != PROMPT.tag


def test_a_judge_that_is_told_of_the_persona_otherwise_is_not_this_interviews(tmp_path) -> None:
    text = (shipped_prompts() / "judge-image.md").read_text(encoding="utf-8")
    own = text.replace("- Character: {{{traits}}}.", "- You are {{{traits}}}.")
    (tmp_path / "judge-image.md").write_text(own, encoding="utf-8")
    with pytest.raises(OtherPortrait, match=r"in different words \('- Character: "):
        check_same_portrait(PROMPT, judge_template("vlm", tmp_path))
    check_same_portrait(PROMPT, judge_template("vlm"))
