"""Those who do not learn: what everybody is measured from, played once and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from allocator.experiments import evaluation
from allocator.scenarios.policies import Played
from allocator.scenarios.shared_denoising import SharedDenoising
from allocator.training.order import plain
from allocator.training.run_files import load_arrays, save_arrays
from allocator.training.trained_run import arrays_of, played_of

REFERENCES = ("random", "constant", "equal-share", "greedy", "optimum")


def references(
    scenario: SharedDenoising,
    seeds: Sequence[int],
    random_seeds: Sequence[int],
    *,
    folder: Path,
    about: dict[str, object],
    advance: Callable[[int], None],
) -> dict[str, list[Played]]:
    """All of them on the held-out episodes `seeds`: random once a random seed, the others once.

    What `folder` holds of an earlier call is not played again. Raises OtherOrderError if that was
    `about` something else.
    """
    identity = plain(
        about | {"episodes": len(seeds), "scenario_settings": asdict(scenario.settings)}
    )

    def kept(name: str, play: Callable[[], Played]) -> Played:
        path = folder / f"{name}.npz"
        if path.is_file():
            return played_of(load_arrays(path, identity)[0])
        played = play()
        save_arrays(path, arrays_of(played), {}, identity)
        return played

    def uniform(seed: int) -> Callable[[], Played]:
        return lambda: evaluation.evaluate_random(scenario, seeds, seed=seed)

    played = {"random": [kept(f"random-{seed}", uniform(seed)) for seed in random_seeds]}
    advance(1)
    once: dict[str, Callable[[], Played]] = {
        "constant": lambda: evaluation.evaluate_best_constant(scenario, seeds, seed=0),
        "equal-share": lambda: evaluation.evaluate_equal_share(scenario, seeds),
        "greedy": lambda: evaluation.evaluate_greedy(scenario, seeds),
        "optimum": lambda: evaluation.evaluate_optimum(scenario, seeds),
    }
    for name, play in once.items():
        played[name] = [kept(name, play)]
        advance(1)
    return played
