"""The cache: what comes back, what survives, and that nothing in it can run."""

from __future__ import annotations

import pickle
import sqlite3
import threading
from pathlib import Path
from typing import ClassVar

import diskcache
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qoe_service.cache import VectorCache, decode_vector, encode_vector

VECTOR = np.linspace(-1, 1, 141, dtype=np.float32)


def open_then_close(folder: Path, key: str) -> np.ndarray | None:
    cache = VectorCache(folder)
    (found,) = cache.get_many([key])
    cache.close()
    return found


@given(arrays(np.float32, st.integers(0, 50), elements=st.floats(width=32)))
def test_a_vector_survives_the_json_bit_for_bit(vector: np.ndarray) -> None:
    assert decode_vector(encode_vector(vector)).tobytes() == vector.tobytes()


def test_vectors_outlive_the_process_that_made_them(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path)
    cache.put_many({"a": VECTOR, "large": np.tile(VECTOR, 500)})
    cache.close()
    again = VectorCache(tmp_path)
    a, nothing, large = again.get_many(["a", "nothing", "large"])
    assert np.array_equal(a, VECTOR)
    assert nothing is None
    assert np.array_equal(large, np.tile(VECTOR, 500))
    assert (again.statistics().hits, again.statistics().misses) == (2, 1)
    again.close()


def test_without_a_folder_it_remembers_as_much_as_it_may() -> None:
    cache = VectorCache(None, memory_entries=2)
    for key in "abc":
        cache.put_many({key: VECTOR.copy()})
        cache.get_many(["a"])
    assert [found is not None for found in cache.get_many(["a", "b", "c"])] == [True, False, True]


def test_clearing_forgets_on_disk_too(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path)
    cache.put_many({"a": VECTOR})
    cache.clear()
    assert cache.get_many(["a"]) == [None]
    cache.close()
    assert open_then_close(tmp_path, "a") is None


def test_two_caches_on_one_folder_see_each_other(tmp_path: Path) -> None:
    one, other = VectorCache(tmp_path), VectorCache(tmp_path)
    one.put_many({"a": VECTOR})
    assert np.array_equal(other.get_many(["a"])[0], VECTOR)
    one.close()
    other.close()


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path)

    def write(number: int) -> None:
        for index in range(20):
            cache.put_many({f"{number}-{index}": VECTOR + number})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cache.close()
    again = VectorCache(tmp_path)
    found = again.get_many([f"{n}-{i}" for n in range(6) for i in range(20)])
    again.close()
    assert all(vector is not None for vector in found)


class Bomb:
    """Unpickling this leaves a trace."""

    fell: ClassVar[list[str]] = []

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Bomb.fell.append, ("boom",)


def test_a_pickle_planted_in_the_folder_is_never_opened(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path)
    cache.put_many({"a": VECTOR})
    cache.close()
    with sqlite3.connect(tmp_path / "cache.db") as database:
        database.execute(
            "UPDATE Cache SET mode = ?, value = ?",
            (diskcache.core.MODE_PICKLE, sqlite3.Binary(pickle.dumps(Bomb()))),
        )
    database.close()
    assert open_then_close(tmp_path, "a") is None
    assert Bomb.fell == []


def test_a_damaged_entry_costs_the_entry_and_not_the_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = VectorCache(tmp_path)
    cache.put_many({"a": VECTOR})
    cache.close()
    with sqlite3.connect(tmp_path / "cache.db") as database:
        database.execute("UPDATE Cache SET value = ?", (sqlite3.Binary(b"{rubbish"),))
    database.close()
    assert open_then_close(tmp_path, "a") is None
    assert "could not be read" in caplog.text


def test_what_is_handed_out_cannot_be_changed_by_its_reader() -> None:
    cache = VectorCache(None)
    cache.put_many({"a": VECTOR.copy()})
    (found,) = cache.get_many(["a"])
    assert found is not None
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1
