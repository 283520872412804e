"""Personas of known traits, and what the fake judge answers for them, without a network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qoe_service.interview.administering import Sheets
from qoe_service.interview.asking import ItemAsking, interview_prompt, manners_of
from qoe_service.interview.instruments import Instrument
from qoe_service.interview.report import Interview, report
from qoe_service.interview.wording import not_to_be_asked
from qoe_service.judges.tier_map_file import JudgeIdentity
from qoe_service.norms import norm
from qoe_service.persona import TRAITS, Persona, Traits
from tests.fake_provider import Mood, score_of_question

JUDGE = JudgeIdentity(
    tier="vlm", name="a-model", revision="at-home", prompt="judge-image@1.1.0+abc", calibration=None
)


def drawn_people(count: int, seed: int) -> tuple[Persona, ...]:
    """People of the norm, of whom nothing but their traits is known."""
    rng = np.random.default_rng(seed)
    drawn = rng.multivariate_normal(np.zeros(5), norm("sapa-bfi25-adults").correlation, size=count)
    vectors = drawn.clip(-4, 4).round(3)
    return tuple(made_person(f"p{number}", vector) for number, vector in enumerate(vectors))


def made_person(name: str, z: Sequence[float], about: str = "Somebody.") -> Persona:
    traits = Traits(**dict(zip(TRAITS, map(float, z), strict=True)))
    return Persona(id=name, name="Kim", traits=traits, norm="sapa-bfi25-adults", about=about)


def sheets_of(answers: np.ndarray, answered: float = 1.0) -> Sheets:
    """Answers (A, P, I) that came from nowhere."""
    return Sheets(
        answers=answers, answered=answered, left_out={}, failures={}, extraction="logprobs",
        questions=answers.size, cached=0, calls=0, tokens=0,
    )  # fmt: skip


def answers_in(
    mood: Mood, people: Sequence[Persona], instrument: Instrument, manner: int = 0
) -> np.ndarray:
    """What the fake judge in this mood has in mind, (2, P, I), when it is asked in a manner."""
    asking = ItemAsking(interview_prompt(), manners_of(instrument)[manner])
    answers = np.full((2, len(people), len(instrument.statements)), np.nan)
    for row, person in enumerate(people):
        unasked = not_to_be_asked(person, instrument)
        for column, statement in enumerate(instrument.statements):
            for turn in (0, 1) if column not in unasked else ():
                question = asking.question(person, statement.text, turn)
                answers[turn, row, column] = score_of_question(
                    question.system, question.user, mood=mood
                )
    return answers


def interviewed_in(mood: Mood, people: Sequence[Persona], instrument: Instrument) -> Interview:
    """The report of an interview with the fake judge in this mood."""
    return reported(answers_in(mood, people, instrument), people, instrument)


def reported(
    answers: np.ndarray, people: Sequence[Persona], instrument: Instrument, answered: float = 1.0
) -> Interview:
    return report(JUDGE, instrument, people, sheets_of(answers, answered), template="a-template")
