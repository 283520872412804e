"""How fast SharedDenoising-v0 is, pictures and opinions aside.

    python benchmarks/scenario.py

Environment steps per second with a filled table (a synthetic one: only its shape matters here),
random actions, whole episodes with their resets, for growing batches; best of five repetitions.
"""

from __future__ import annotations

import time

import numpy as np

from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.scenarios.synthetic import synthetic_experience

BATCHES = (1, 64, 256)
SECONDS = 1.0
REPETITIONS = 5


def steps_per_second(scenario: SharedDenoising, batch: int) -> float:
    """Environment steps (batch times slots) per second over whole episodes."""
    slots = scenario.settings.slots
    actions = np.random.default_rng(0).uniform(-1, 1, (slots, batch, scenario.actions.size))
    steps, seed, started = 0, 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        scenario.reset(range(seed, seed + batch))
        for action in actions:
            scenario.step(action)
        steps, seed = steps + batch * slots, seed + batch
    return steps / (time.perf_counter() - started)


def main() -> None:
    """Print the table."""
    scenario = SharedDenoising(synthetic_experience())
    print(f"{'batch':>6}  {'env steps/s':>12}")
    for batch in BATCHES:
        best = max(steps_per_second(scenario, batch) for _ in range(REPETITIONS))
        print(f"{batch:>6}  {best:>12,.0f}")


if __name__ == "__main__":
    main()
