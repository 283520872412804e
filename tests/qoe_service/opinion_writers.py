"""Processes that use one cache folder as the service does, for `test_cache_durability` to kill."""

from __future__ import annotations

import sys
import time
from hashlib import blake2b
from itertools import count
from pathlib import Path

from qoe_service.cache import Vector, VectorCache
from qoe_service.judges.opinion_store import OpinionStore, opinion_vector

BURST = 25
MEETINGS = 60


def opinion_of(key: str) -> Vector:
    """The one right opinion of a key."""
    digest = blake2b(key.encode(), digest_size=8).digest()
    return opinion_vector(1 + 4 * int.from_bytes(digest[:4]) / 2**32, digest[4] / 256, None)


def key_of(name: str, number: int) -> str:
    return f"opinion/{name}/{number}"


def write_bursts(store: OpinionStore, name: str) -> None:
    """Store bursts for ever; a line for each one that is stored."""
    for burst in count():
        for number in range(BURST):
            key = key_of(name, BURST * burst + number)
            store.keep(key, opinion_of(key))
        assert store.written()
        print(burst, flush=True)


def meet(store: OpinionStore, me: str, other: str) -> None:
    """Store an opinion and wait for the other's, many times."""
    for number in range(MEETINGS):
        store.keep(key_of(me, number), opinion_of(key_of(me, number)))
        assert store.written()
        keys = [key_of(other, earlier) for earlier in range(number + 1)]
        until_s = time.monotonic() + 15
        while len(found := store.known(keys)) < len(keys):
            assert time.monotonic() < until_s, f"{len(keys) - len(found)} opinions are not seen"
            time.sleep(0.0005)
        assert all(found[key].tobytes() == opinion_of(key).tobytes() for key in keys)


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    opened = OpinionStore(VectorCache(Path(sys.argv[1])))
    match sys.argv[2:]:
        case [name]:
            write_bursts(opened, name)
        case [me, other]:
            meet(opened, me, other)
    opened.close()
