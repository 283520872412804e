"""How fast SharedDenoising-v0 is, pictures and opinions aside.

    python benchmarks/scenario.py

Environment steps per second on one thread with a filled table (a synthetic one: only its shape
matters here), random actions, whole episodes with their resets; best of five repetitions.
"""

from __future__ import annotations

import time

import numpy as np

from allocator.scenarios.settings import MEMBERS
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.scenarios.synthetic import synthetic_experience

BATCHES = (1, 64, 256)
SECONDS = 1.0
REPETITIONS = 5


def steps_per_second(scenario: SharedDenoising, batch: int) -> float:
    """Environment steps (batch times slots) per second over whole episodes."""
    slots = scenario.settings.slots
    actions = np.random.default_rng(0).uniform(-1, 1, (slots, batch, scenario.actions.size))
    rng = np.random.default_rng(1)
    steps, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        scenario.begin(scenario.draw_many(rng, batch))
        for action in actions:
            scenario.step(action)
        steps += batch * slots
    return steps / (time.perf_counter() - started)


def main() -> None:
    """Print the table."""
    print(f"{'member':<10}" + "".join(f"{f'batch {batch}':>12}" for batch in BATCHES))
    for name, settings in MEMBERS.items():
        scenario = SharedDenoising(synthetic_experience(), settings)
        best = (
            max(steps_per_second(scenario, batch) for _ in range(REPETITIONS)) for batch in BATCHES
        )
        print(f"{name:<10}" + "".join(f"{speed:>12,.0f}" for speed in best))


if __name__ == "__main__":
    main()
