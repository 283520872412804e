"""How fast SharedDenoising-v0 is, pictures and opinions aside: `python benchmarks/scenario.py`.

Environment steps per second on one thread with a filled table (a synthetic one: only its shape
matters here), random actions, whole episodes with their resets. By processor time, so that other
work on the machine does not count but for what it takes of the caches; median of nine repetitions.
Goal: 300,000 at 256 environments.
"""

from __future__ import annotations

import time

import numpy as np

from allocator.scenarios.settings import MEMBERS
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.scenarios.synthetic import synthetic_experience

BATCHES = (1, 64, 256)
SECONDS, REPETITIONS = 0.5, 9
GOAL = 300_000
"""At the last of the batches."""


def steps_per_second(scenario: SharedDenoising, batch: int) -> float:
    """Environment steps (batch times slots) per second over whole episodes."""
    slots = scenario.settings.slots
    actions = np.random.default_rng(0).uniform(-1, 1, (slots, batch, scenario.actions.size))
    rng = np.random.default_rng(1)
    steps, started = 0, time.process_time()
    while time.process_time() - started < SECONDS:
        scenario.begin(scenario.draw_many(rng, batch))
        for action in actions:
            scenario.step(action)
        steps += batch * slots
    return steps / (time.process_time() - started)


def main() -> None:
    """Print the table and what became of the goal."""
    print(f"{'member':<10}" + "".join(f"{f'batch {batch}':>12}" for batch in BATCHES) + "   goal")
    for name, settings in MEMBERS.items():
        scenario = SharedDenoising(synthetic_experience(), settings)
        speeds = [
            float(np.median([steps_per_second(scenario, batch) for _ in range(REPETITIONS)]))
            for batch in BATCHES
        ]
        reached = f"   {speeds[-1] / GOAL:.0%} of {GOAL:,}"
        print(f"{name:<10}" + "".join(f"{speed:>12,.0f}" for speed in speeds) + reached)


if __name__ == "__main__":
    main()
