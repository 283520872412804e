"""What was answered stays answered."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from qoe_service.cache import Vector, VectorCache
from qoe_service.judges.opinion_store import Keys, OpinionStore, opinion_vector
from qoe_service.provider import Question

ASKED = Question("You are Bo.", "How is it?", schema=None, sample=0)


class Slow(VectorCache):
    """A cache whose disk is busy until it is let go."""

    def __init__(self) -> None:
        super().__init__(None)
        self.free, self.begun = threading.Event(), threading.Event()
        self.batches: list[int] = []

    def put_many(self, vectors: Mapping[str, Vector]) -> bool:
        self.begun.set()
        self.free.wait(10)
        self.batches.append(len(vectors))
        return super().put_many(vectors)


def test_an_opinion_is_known_at_once_and_after_a_restart(tmp_path: Path) -> None:
    store = OpinionStore(VectorCache(tmp_path))
    opinion = opinion_vector(1 / 3, 0.1, None)
    store.keep("a", opinion)
    assert store.known(["a", "b"]).keys() == {"a"}
    assert store.just_heard("a") is opinion
    assert store.written()
    store.close()
    (later,) = OpinionStore(VectorCache(tmp_path)).known(["a"]).values()
    assert later.tobytes() == opinion.tobytes()


def test_what_comes_while_the_disk_is_busy_is_written_together() -> None:
    cache = Slow()
    store = OpinionStore(cache)
    store.keep("first", opinion_vector(1, 0, 1))
    cache.begun.wait(10)
    for number in range(20):
        store.keep(f"{number}", opinion_vector(2, 0, 1))
    assert not store.written(0.01)
    assert len(store.known(["first", *map(str, range(20))])) == 21
    cache.free.set()
    assert store.written(10)
    assert cache.batches == [1, 20]
    store.close()


@pytest.mark.parametrize("told", [True, False])
def test_what_a_disk_does_not_take_is_not_called_stored_and_is_given_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, told: bool
) -> None:
    cache = VectorCache(None)
    store = OpinionStore(cache)

    def fail(vectors: Mapping[str, Vector]) -> bool:
        if told:
            return False
        raise OSError("the disk is full")

    monkeypatch.setattr(cache, "put_many", fail)
    store.keep("a", opinion_vector(3, 0.1, 0.9))
    assert not store.written(10)
    assert told or "could not be kept" in caplog.text
    assert store.known(["a"]).keys() == {"a"}
    monkeypatch.undo()
    store.keep("b", opinion_vector(4, 0.1, 0.9))
    assert store.written(10)
    assert all(found is not None for found in cache.get_many(["a", "b"]))
    store.close()


def test_closing_gives_a_disk_a_last_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = VectorCache(None)
    store = OpinionStore(cache)
    monkeypatch.setattr(cache, "put_many", lambda vectors: False)
    store.keep("a", opinion_vector(3, 0.1, 0.9))
    assert not store.written(10)
    monkeypatch.undo()
    store.close()
    store.close()
    assert cache.get_many(["a"])[0] is not None


@pytest.mark.parametrize(
    "other",
    [
        Question("You are Amelia.", ASKED.user),
        Question(ASKED.system, "How was it?"),
        Question(ASKED.system, ASKED.user, schema="{}"),
        Question(ASKED.system, ASKED.user, sample=1),
        Question(f"{ASKED.system}H", ASKED.user[1:]),
    ],
)
def test_another_question_has_another_key(other: Question) -> None:
    keys = Keys({"model": "it"})
    assert keys.of(other, "picture") != keys.of(ASKED, "picture")


def test_another_picture_or_model_has_another_key() -> None:
    keys = Keys({"model": "it"})
    assert keys.of(ASKED, "picture") == Keys({"model": "it"}).of(ASKED, "picture")
    assert keys.of(ASKED, "picture") != keys.of(ASKED, "another")
    assert keys.of(ASKED, "picture") != Keys({"model": "other"}).of(ASKED, "picture")


def test_a_vector_keeps_the_absence_of_a_mass() -> None:
    assert np.isnan(opinion_vector(3, 0.3, None)[2])
    assert opinion_vector(3, 0.3, 0.9).dtype == np.float32
