"""An experience under a hard budget of judge calls: judged where it matters, estimated elsewhere.

Some calls are made before training, where their answers tell most about the whole catalogue; the
others in rounds while it goes on, where they tell most about what is shown to users. A share is
kept for judgments that are never taught, see `audit.py`.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np

from allocator.arrays import Floats, Indices
from allocator.catalogue import Catalogue
from allocator.experience import RecordedExperience, UnjudgedError
from allocator.judge_budget.asked import Asked, Purpose
from allocator.judge_budget.asking import ROUNDS, Quota, most_telling
from allocator.judge_budget.audit import HeldOut, Look, look
from allocator.judge_budget.panel import Panel
from allocator.judge_budget.report import BudgetReport
from allocator.judge_budget.sight import Sight
from allocator.judge_budget.surrogate import Surrogate, fit, views_of
from allocator.training.loop_cost import LoopCost

logger = logging.getLogger(__name__)

FIRST_CALLS, LARGEST_BATCH = 64, 256
"""Calls before the first fit, and between two fits."""

CANDIDATES, REFERENCES = 1024, 640
"""Questions that are weighed against each other, and places that are to be known from them."""


class BudgetedExperience:
    """Answers by judged opinions where there are any, by the surrogate elsewhere.

    A judgment that failed stays null: its place is NaN to the learner and is not asked for again.

    Args:
        panel: who is asked, with the budget.
        sight: the catalogue of the panel, as it is seen.
        shown: how many pictures the whole training will show to users.
        seed: of what is drawn by lot. Two runs alike in all these ask the same.

    Call `survey` (or `put_back`) before anything else.
    """

    def __init__(self, panel: Panel, sight: Sight, *, shown: int, seed: int) -> None:
        if sight.shape != panel.catalogue.shape:
            raise ValueError(
                f"the sight is of a catalogue of shape {sight.shape}, the panel judges one of "
                f"shape {panel.catalogue.shape}: look at this one "
                "(allocator.judge_budget.sight.see)"
            )
        self._panel = panel
        self._views = views_of(sight, panel.traits)
        self._expected = shown
        self._rng = np.random.default_rng(seed)
        self._asked = Asked.nothing()
        self._visits = np.zeros(int(np.prod(self.shape)))
        self._answers = np.full_like(self._visits, np.nan)
        self._shown = self._rounds = self._surveyed = 0
        self._looks: list[Look] = []
        self._judging_s = 0.0
        self._quota = Quota.of(panel.calls.limit)

    @property
    def catalogue(self) -> Catalogue:
        """That of the panel."""
        return self._panel.catalogue

    @property
    def personas(self) -> tuple[str, ...]:
        """The panel's ids."""
        return self._panel.personas

    @property
    def traits(self) -> Floats:
        """(personas, 5) z-scores of the panel."""
        return self._panel.traits

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the table."""
        return (*self.catalogue.shape, len(self.personas))

    def survey(self) -> None:
        """Ask what is asked before training. Raises UnjudgedError if nobody answers."""
        with self._waiting():
            self._survey()

    def rewards(self, places: Indices) -> Floats:
        """Judged or estimated rewards at these places; NaN where a judgment failed."""
        due = self._expected * (self._rounds + 1) / (ROUNDS + 1)
        if self._rounds < ROUNDS and self._shown >= due:
            with self._waiting():
                self._round()
        np.add.at(self._visits, places.ravel(), 1.0)
        self._shown += places.size
        return self._answers.take(places)

    def estimates(self) -> RecordedExperience:
        """All that would be answered now, as a table of its own: looking it up asks nobody."""
        return self._table(self._answers)

    @cached_property
    def seen_before_training(self) -> RecordedExperience:
        """The estimates after the survey: what agents are shown of the catalogue all along."""
        first = self._asked.first(self._surveyed)
        return self._table(_answers(self._fitted(first), first))

    def finish(self) -> BudgetReport:
        """Spend what is kept for the last look, take it, and tell how it went."""
        if len(self._looks) <= ROUNDS:
            self._audit_policy()
        calls = self._panel.calls
        return BudgetReport(
            limit=calls.limit,
            calls=calls.spent,
            shown=self._shown,
            taught=len(self._asked.answered(Purpose.TEACHING)[0]),
            failed=int(np.isnan(self._asked.opinions).sum()),
            looks=tuple(self._looks),
        )

    def cost(self) -> LoopCost:
        """What asking has cost; the surrogate's learning counts as judging."""
        return self._panel.cost() + LoopCost(judging_s=self._judging_s)

    def state(self) -> dict[str, Any]:
        """All that it has come to, as arrays and a text."""
        numbers = {
            "shown": self._shown,
            "rounds": self._rounds,
            "surveyed": self._surveyed,
            "spent": self._panel.calls.spent,
            "random": self._rng.bit_generator.state,
            "looks": [asdict(each) for each in self._looks],
        }
        return vars(self._asked) | {"visits": self._visits, "numbers": json.dumps(numbers)}

    def put_back(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` told of an experience like this; nobody is asked."""
        numbers = json.loads(state["numbers"])
        self._asked = Asked(state["places"], state["opinions"], state["purposes"])
        self._visits = state["visits"].copy()
        self._shown, self._rounds = numbers["shown"], numbers["rounds"]
        self._surveyed = numbers["surveyed"]
        self._panel.calls.spent = numbers["spent"]
        self._rng.bit_generator.state = numbers["random"]
        self._looks = [Look.from_plain(each) for each in numbers["looks"]]
        self._learn()

    def _survey(self) -> None:
        self._ask(self._by_lot(self._quota.random_audit), Purpose.RANDOM_AUDIT)
        self._ask(self._by_lot(min(FIRST_CALLS, self._quota.survey)), Purpose.TEACHING)
        left = self._quota.survey - FIRST_CALLS
        while left > 0:
            self._learn()
            batch = min(left, LARGEST_BATCH, len(self._asked))
            self._ask(self._most_telling(batch, self._possible), Purpose.TEACHING)
            left -= batch
        self._learn()
        self._surveyed = len(self._asked)

    def _round(self) -> None:
        """Audit what the policy now likes, then learn more of it."""
        self._audit_policy()
        left = self._quota.rounds[self._rounds]
        while left > 0:
            batch = min(left, LARGEST_BATCH)
            self._ask(self._most_telling(batch, self._liked()), Purpose.TEACHING)
            self._learn()
            left -= batch
        self._visits[:] = 0
        self._rounds += 1

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._judging_s += time.perf_counter() - started

    def _audit_policy(self) -> None:
        """With the surrogate that the policy has been following until now."""
        count = self._quota.policy_audits[len(self._looks)]
        self._ask(self._drawn(count, self._unasked * self._visits), Purpose.POLICY_AUDIT)
        taken = look(
            self._held_out(Purpose.RANDOM_AUDIT),
            self._held_out(Purpose.POLICY_AUDIT),
            shown=self._shown,
            looks=ROUNDS + 1,
        )
        self._looks.append(taken)
        if taken.alarm:
            logger.warning(
                "after %d pictures the surrogate is wrong where the policy goes: it promises %+.3f "
                "more than judges give there, %+.3f elsewhere; do not trust what is learnt from it",
                taken.shown,
                taken.at_policy.promised,
                taken.at_random.promised,
            )

    def _ask(self, places: Indices, purpose: Purpose) -> None:
        places = places[: self._panel.calls.left]  # repeated attempts may have cost some
        opinions = self._panel.judge(places)
        self._asked = self._asked.plus(places, opinions, purpose)
        self._answers[places] = opinions

    def _learn(self) -> None:
        self._surrogate = self._fitted(self._asked)
        self._answers = _answers(self._surrogate, self._asked)

    def _fitted(self, asked: Asked) -> Surrogate:
        places, opinions = asked.answered(Purpose.TEACHING)
        if not len(places):
            raise UnjudgedError(
                f"the panel answered none of {len(asked)} questions; check that the QoE service "
                "is ready (GET /health/ready)"
            )
        return fit(self._views, *self._pairs(places), opinions)

    def _held_out(self, purpose: Purpose) -> HeldOut:
        places, opinions = self._asked.answered(purpose)
        predicted = self._surrogate.predict(*self._pairs(places))
        return HeldOut(predicted.mean, predicted.sd, opinions)

    def _most_telling(self, count: int, weight: Floats) -> Indices:
        """The questions that tell most about places drawn by weight; half of them among those."""
        half = CANDIDATES // 2
        candidates = np.union1d(
            self._drawn(half, self._unasked * weight), self._drawn(half, self._unasked)
        )
        about = self._rng.choice(len(weight), REFERENCES, p=weight / weight.sum())
        pairs = self._pairs(candidates)
        best = most_telling(
            self._surrogate.covariance(pairs, pairs),
            self._surrogate.covariance(pairs, self._pairs(about)),
            self._surrogate.noise_sd(*pairs),
            count,
        )
        return candidates[best]

    def _by_lot(self, count: int) -> Indices:
        return self._drawn(count, self._unasked)

    def _drawn(self, count: int, weight: Floats) -> Indices:
        """So many different places by weight, or as many as have any."""
        count = min(count, int((weight > 0).sum()))
        if not count:
            return np.empty(0, np.intp)
        return self._rng.choice(len(weight), count, replace=False, p=weight / weight.sum())

    def _liked(self) -> Floats:
        """What has been shown since the last round, as weights."""
        return self._visits if self._visits.any() else self._possible

    @cached_property
    def _possible(self) -> Floats:
        """1 for places that a picture can be at: who branches at 0 has no error to choose."""
        possible = np.ones(self.shape)
        possible[:, :, 0, 1:] = 0.0
        return possible.ravel()

    @property
    def _unasked(self) -> Floats:
        unasked = self._possible.copy()
        unasked[self._asked.places] = 0.0
        return unasked

    def _pairs(self, places: Indices) -> tuple[Indices, Indices]:
        """Numbers of pictures, and of personas."""
        picture, persona = np.divmod(places, len(self.personas))
        return picture, persona

    def _table(self, answers: Floats) -> RecordedExperience:
        table = answers.reshape(self.shape).copy()
        return RecordedExperience(self.catalogue, self.personas, self.traits, table)


def _answers(surrogate: Surrogate, asked: Asked) -> Floats:
    """(places,) judged where asked, failures included; estimated elsewhere."""
    answers = surrogate.table().ravel()
    answers[asked.places] = asked.opinions
    return answers
