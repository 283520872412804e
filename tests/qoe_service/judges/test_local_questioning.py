"""Batches, deadlines, sharing and isolation, with a model whose answers are plain."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image

from qoe_service.cache import VectorCache
from qoe_service.errors import JudgeUnavailable
from qoe_service.images import Picture
from qoe_service.judges import Deadline, Failure
from qoe_service.judges.inquiry import Ask
from qoe_service.judges.local_questioning import CLOSED, LocalQuestioning
from qoe_service.judges.opinion_store import OpinionStore
from qoe_service.judges.perception import Percept
from qoe_service.judges.questions import WORDS
from qoe_service.provider import Question
from qoe_service.schemas import Status

EVEN = (0.2, 0.2, 0.2, 0.2, 0.2)


class Plain:
    """Answers as the question says, waits at a gate, and remembers what it was asked."""

    levels = WORDS

    def __init__(self, most: int = 1_000) -> None:
        self.batches: list[list[str]] = []
        self.gate, self.entered = threading.Event(), threading.Event()
        self.gate.set()
        self.most = most

    def probabilities(self, asked: Sequence[tuple[Question, Image.Image]]) -> np.ndarray:
        self.batches.append([question.user for question, _ in asked])
        self.entered.set()
        self.gate.wait(10)
        if len(asked) > self.most:
            raise torch.OutOfMemoryError("out of memory")
        if any(question.user == "poison" for question, _ in asked):
            raise ValueError("poison")
        told = {"nan": (np.nan,) * 5, "prose": (0.1, 0.1, 0.1, 0.1, 0.1), "best": (1, 0, 0, 0, 0)}
        return np.array([told.get(question.user, EVEN) for question, _ in asked])

    @property
    def asked(self) -> list[str]:
        return [user for batch in self.batches for user in batch]


class Learner:
    """As much of an inquiry as is needed: what came of each question."""

    def __init__(self) -> None:
        self.learned: dict[str, object] = {}

    def learn(self, key: str, answer: object) -> None:
        self.learned[key] = answer

    def score(self, key: str) -> float:
        answer = self.learned[key]
        assert not isinstance(answer, Failure), answer
        return float(answer[0])

    def failure(self, key: str) -> Failure:
        answer = self.learned[key]
        assert isinstance(answer, Failure)
        return answer


def ask(*names: str) -> list[Ask]:
    percept = Percept("grey", picture=Picture(np.zeros((16, 16, 3), dtype=np.uint8)))
    return [Ask(name, Question("", name), percept) for name in names]


@pytest.fixture
def model() -> Plain:
    return Plain()


@pytest.fixture
def store() -> Iterator[OpinionStore]:
    store = OpinionStore(VectorCache(None))
    yield store
    store.close()


@pytest.fixture
def questioning(model: Plain, store: OpinionStore) -> Iterator[LocalQuestioning]:
    questioning = LocalQuestioning(model, store, max_batch=2, window_s=0)
    yield questioning
    model.gate.set()
    questioning.close()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as threads:
        yield threads


Asked = tuple[Learner, Future[int]]


def later(
    threads: ThreadPoolExecutor, questioning: LocalQuestioning, s: float, *names: str
) -> Asked:
    """Ask on a thread of its own, with so many seconds."""
    learner, deadline = Learner(), Deadline(time.monotonic() + s)
    return learner, threads.submit(questioning.ask_all, ask(*names), learner, deadline)


def test_answers_are_expected_grades_and_kept_with_their_mass(
    questioning: LocalQuestioning, store: OpinionStore
) -> None:
    learner = Learner()
    assert questioning.ask_all(ask("best", "even"), learner, Deadline()) == 2
    assert (learner.score("best"), learner.score("even")) == (5, 3)
    assert store.known(["even"])["even"] == pytest.approx([3, np.sqrt(2), 1])


def test_bad_questions_fail_alone_and_are_not_kept(
    questioning: LocalQuestioning, store: OpinionStore, model: Plain
) -> None:
    learner = Learner()
    questioning.ask_all(ask("a", "poison", "nan", "prose", "best"), learner, Deadline())
    assert (learner.score("a"), learner.score("best")) == (3, 5)
    poison, nan, prose = (learner.failure(name) for name in ("poison", "nan", "prose"))
    assert poison == Failure(Status.JUDGE_UNAVAILABLE, "the model failed on this question: poison")
    assert nan == Failure(Status.JUDGE_UNAVAILABLE, "the model gave no finite answer")
    assert prose.status is Status.UNREADABLE_ANSWER
    assert "only 0.500 of the probability is on the levels, not 0.8" in prose.reason
    assert set(store.known(list(learner.learned))) == {"a", "best"}


def test_a_batch_that_does_not_fit_into_memory_is_halved(store: OpinionStore) -> None:
    model = Plain(most=2)
    questioning = LocalQuestioning(model, store, max_batch=8, window_s=0.2)
    learner, names = Learner(), [f"q{n}" for n in range(8)]
    questioning.ask_all(ask(*names), learner, Deadline())
    questioning.close()
    assert [learner.score(name) for name in names] == [3] * 8
    assert max(map(len, model.batches)) > 2


class Tensor:
    """Counts how many of its kind are alive."""

    alive = 0

    def __init__(self) -> None:
        Tensor.alive += 1

    def __del__(self) -> None:
        Tensor.alive -= 1


class Heavy(Plain):
    """Fails with tensors in its hands."""

    def __init__(self) -> None:
        super().__init__(most=1)
        self.alive_before: list[int] = []

    def probabilities(self, asked: Sequence[tuple[Question, Image.Image]]) -> np.ndarray:
        self.alive_before.append(Tensor.alive)
        inputs = [Tensor() for _ in asked]
        answers = super().probabilities(asked)
        del inputs
        return answers


def test_the_memory_of_a_failed_batch_is_free_while_its_halves_are_tried(
    store: OpinionStore,
) -> None:
    model = Heavy()
    questioning = LocalQuestioning(model, store, max_batch=4, window_s=0.2)
    questioning.ask_all(ask("a", "b", "c", "d"), Learner(), Deadline())
    questioning.close()
    assert len(model.alive_before) > 4
    assert set(model.alive_before) == {0}


def test_equal_questions_of_concurrent_requests_are_put_once(
    questioning: LocalQuestioning, model: Plain, threads: ThreadPoolExecutor
) -> None:
    model.gate.clear()
    requests = [later(threads, questioning, 20, "a", "b", f"own {n}") for n in range(4)]
    assert model.entered.wait(10)
    model.gate.set()
    anew = [request.result(20) for _, request in requests]
    assert sorted(model.asked) == ["a", "b", "own 0", "own 1", "own 2", "own 3"]
    assert sum(anew) == 6
    for number, (learner, _) in enumerate(requests):
        assert [learner.score(name) for name in ("a", "b", f"own {number}")] == [3, 3, 3]


def test_what_was_answered_a_moment_ago_is_not_put_again(
    questioning: LocalQuestioning, model: Plain
) -> None:
    for _ in range(2):
        learner = Learner()
        questioning.ask_all(ask("a"), learner, Deadline())
        assert learner.score("a") == 3
    assert model.asked == ["a"]


def test_what_is_done_in_time_counts_and_the_rest_is_not_begun(
    questioning: LocalQuestioning, model: Plain, store: OpinionStore, threads: ThreadPoolExecutor
) -> None:
    learner = Learner()
    questioning.ask_all(ask("a", "b"), learner, Deadline())
    model.gate.clear()
    learner, request = later(threads, questioning, 0.3, "a", "b", "c", "d", "e", "f")
    request.result(20)
    assert (learner.score("a"), learner.score("b")) == (3, 3)
    assert {learner.failure(name).status for name in "cdef"} == {Status.DEADLINE}
    model.gate.set()
    questioning.ask_canary(ask("canary")[0], Deadline())  # stands behind them all
    begun = set(model.asked) - {"canary"}
    assert {"a", "b", "c"} <= begun < {*"abcdef"}
    assert set(store.known(list("cdef"))) == begun - {"a", "b"}  # late, but known from now on


def test_whoever_waits_longest_decides_how_long_a_question_is_wanted(
    questioning: LocalQuestioning, model: Plain, threads: ThreadPoolExecutor
) -> None:
    model.gate.clear()
    later(threads, questioning, 20, "first")
    assert model.entered.wait(10)
    hasty, gives_up = later(threads, questioning, 0.2, "shared", "hasty only")
    patient, is_answered = later(threads, questioning, 20, "shared")
    gives_up.result(20)
    model.gate.set()
    is_answered.result(20)
    assert hasty.failure("shared").status is Status.DEADLINE
    assert patient.score("shared") == 3
    questioning.ask_canary(ask("canary")[0], Deadline())
    assert "hasty only" not in model.asked


class Lingering(Plain):
    """Says when it has begun with "slow", and lingers over it."""

    def __init__(self) -> None:
        super().__init__()
        self.slow_has_begun, self.may_end = threading.Event(), threading.Event()

    def probabilities(self, asked: Sequence[tuple[Question, Image.Image]]) -> np.ndarray:
        answers = super().probabilities(asked)
        if any(question.user == "slow" for question, _ in asked):
            self.slow_has_begun.set()
            self.may_end.wait(10)
        return answers


def test_a_question_that_was_dropped_is_put_anew_for_whoever_asks_next(
    store: OpinionStore, threads: ThreadPoolExecutor
) -> None:
    model = Lingering()
    questioning = LocalQuestioning(model, store, max_batch=2, window_s=0)
    model.gate.clear()
    later(threads, questioning, 20, "first")
    assert model.entered.wait(10)
    _, gives_up = later(threads, questioning, 0.2, "shared")
    gives_up.result(20)
    later(threads, questioning, 20, "slow")
    while len(questioning._in_flight) < 3:
        time.sleep(0.001)
    model.gate.set()
    assert model.slow_has_begun.wait(10)  # in one batch with "shared", which came too late
    patient, is_answered = later(threads, questioning, 20, "shared")
    while questioning._batcher._waiting_rows < 1 and not is_answered.done():
        time.sleep(0.001)
    model.may_end.set()
    is_answered.result(20)
    questioning.close()
    assert patient.score("shared") == 3


def test_the_canary_is_put_each_time_and_never_kept(
    questioning: LocalQuestioning, model: Plain, store: OpinionStore
) -> None:
    (canary,) = ask("canary")
    questioning.ask_canary(canary, Deadline())
    questioning.ask_canary(canary, Deadline())
    assert model.asked == ["canary", "canary"]
    assert not store.known(["canary"])
    for name, reason in (("prose", "only 0.500"), ("poison", "poison")):
        with pytest.raises(JudgeUnavailable, match=reason):
            questioning.ask_canary(ask(name)[0], Deadline())
    model.gate.clear()
    with pytest.raises(JudgeUnavailable, match="deadline"):
        questioning.ask_canary(canary, Deadline.after_ms(50))


def test_after_closing_nothing_is_asked_and_nobody_hangs(
    questioning: LocalQuestioning, model: Plain, threads: ThreadPoolExecutor
) -> None:
    model.gate.clear()
    learner, request = later(threads, questioning, 20, "a", "b", "c")
    assert model.entered.wait(10)
    closing = threads.submit(questioning.close)
    time.sleep(0.05)
    model.gate.set()
    closing.result(20)
    request.result(20)
    assert learner.score("a") == 3
    assert learner.failure("c") == CLOSED
    late = Learner()
    assert questioning.ask_all(ask("d"), late, Deadline()) == 1
    assert late.failure("d") == CLOSED
    with pytest.raises(JudgeUnavailable, match="closed"):
        questioning.ask_canary(ask("canary")[0], Deadline())
    questioning.close()
