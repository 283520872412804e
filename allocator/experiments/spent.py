"""What all calls that worked on an experiment have spent on it together, besides its runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from allocator.training.loop_cost import LoopCost
from allocator.training.run_files import replacing


@dataclass(frozen=True)
class Spent:
    """calls: how often the command ran. seconds: wall-clock. cost: of the loop, in the process that
    gives orders and in surveys. commits: of the code that ran, each once."""

    calls: int = 0
    seconds: float = 0.0
    cost: LoopCost = field(default_factory=LoopCost)
    commits: tuple[str, ...] = ()

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.calls + other.calls,
            self.seconds + other.seconds,
            self.cost + other.cost,
            tuple(dict.fromkeys(self.commits + other.commits)),
        )

    def write(self, path: Path) -> None:
        """Keep it."""
        with replacing(path) as file:
            file.write(json.dumps(asdict(self)).encode())

    @classmethod
    def read(cls, path: Path) -> Spent:
        """What was kept; nothing, if nothing was."""
        if not path.is_file():
            return cls()
        told = json.loads(path.read_bytes())
        return cls(told["calls"], told["seconds"], LoopCost(**told["cost"]), tuple(told["commits"]))


@contextmanager
def kept_account(path: Path, spent: Callable[[], Spent]) -> Iterator[Callable[[], Spent]]:
    """Tells what was spent before and by this call until now; kept however the block ends. Of a
    call that is killed, only that it was made is kept."""
    before = Spent.read(path)
    (before + spent()).write(path)
    try:
        yield lambda: before + spent()
    finally:
        (before + spent()).write(path)
