"""How few judge calls are enough: the surrogate's error, and what a learner makes of it.

    python benchmarks/llm_budget.py [--seeds 3] [--steps 16000] [--calls 663 240] [--out FOLDER]

A judge call is one persona's judgment of one picture. Two judges are asked, each seen with its own
eyes or through others: the CLIP judge's recorded opinions, and the hidden rule of the tests' fake
vision-language model (brightness, colours, sharpness, wording, traits), which no CLIP embeds. The
eyes are the judge's own CLIP, which makes it easy, or the witness, a CLIP trained apart.

1. Errors of the surrogate on 4,000 opinions that it was not taught, by calls, for questions drawn
   by lot and for the most telling ones; and rivals of the same calls by lot.
2. DDPG on the easy scenario: every picture judged, or a budget for each run; both are compared by
   all true opinions on the same held-out episodes. Finished runs are kept and not trained again.

The first call draws the catalogue's 4,736 pictures (some minutes).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from allocator.agents.settings import tuned
from allocator.arrays import Floats, Indices
from allocator.experience import RecordedExperience
from allocator.experiments.intervals import mean_interval
from allocator.judge_budget.asking import most_telling
from allocator.judge_budget.audit import HeldOut, SurrogateError
from allocator.judge_budget.sight import Sight, see
from allocator.judge_budget.source import BudgetedSource
from allocator.judge_budget.surrogate import Prediction, Surrogate, fit, seen_of, views_of
from allocator.rlli import RecordedSource
from allocator.scenarios.data import shipped_experience, shipped_sight
from allocator.scenarios.settings import MEMBERS
from allocator.training.order import TrainingOrder
from allocator.training.train import train
from allocator.training.trained_run import TrainedRun
from benchmarks.surrogate_rivals import bootstrapped_ridges, small_networks

FIRST, CANDIDATES, REFERENCES, TESTED = 64, 1024, 640, 4000
SIZES = (64, 128, 256, 512, 1024, 2048)
JUDGES, EYES = ("clip", "rule"), ("own", "witness")
MEMBER = "easy"


@dataclass(frozen=True)
class Case:
    """One judge seen through one pair of eyes, kept in a file that a source can open."""

    judge: str
    eyes: str
    path: Path

    @property
    def name(self) -> str:
        seen = "CLIP" if self.eyes == "own" else "witness"
        return f"{'CLIP judge' if self.judge == 'clip' else 'hidden rule'}, {seen}'s eyes"

    @property
    def recorded(self) -> RecordedExperience:
        return RecordedExperience.load(self.path)

    @property
    def sight(self) -> Sight:
        return Sight.load(self.path.with_suffix(".sight.npz"))


def cases(folder: Path) -> dict[tuple[str, str], Case]:
    """All four, made where they are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {
        (judge, eyes): Case(judge, eyes, folder / f"{judge}-{eyes}.npz")
        for judge in JUDGES
        for eyes in EYES
    }
    if not all(case.path.is_file() for case in made.values()):
        make(made, folder)
    return made


def make(wanted: dict[tuple[str, str], Case], folder: Path) -> None:
    """Draw the pictures, look at them with both CLIPs, and have them judged by the rule."""
    from allocator.diffusion.generator import Generator
    from allocator.diffusion.pictures import PictureStore
    from tinyworld.clip import WEIGHTS, load_clip_from
    from tinyworld.diffusion import load_diffusion

    recorded = shipped_experience()
    generator = Generator(load_diffusion(), PictureStore(folder / "pictures"))
    witness = see(
        recorded.catalogue, generator, load_clip_from(WEIGHTS / "clip_witness.safetensors")
    )
    sights = {"own": Sight.load(shipped_sight()), "witness": witness}
    tables = {"clip": recorded.table, "rule": rule_table(recorded, generator)}
    for (judge, eyes), case in wanted.items():
        sights[eyes].save(case.path.with_suffix(".sight.npz"))
        replace(recorded, table=tables[judge]).save(case.path)


def rule_table(recorded: RecordedExperience, generator: Any) -> Floats:
    """What the fake vision-language model's hidden rule says of every picture."""
    from qoe_service.judges.persona_text import short_portrait
    from qoe_service.personas import Registry
    from tests.fake_provider.rule import score_of_sight
    from tests.fake_provider.sight import measure

    people = {person.id: short_portrait(person) for person in Registry().all()}
    texts = [f"{people[name].traits}. {people[name].who}" for name in recorded.personas]
    catalogue, table = recorded.catalogue, np.empty_like(recorded.table)
    for prompt, wish in enumerate(catalogue.prompts):
        cells = list(np.ndindex(catalogue.shape[1:]))
        drawn = [(seed, branch, level if branch else 0) for seed, branch, level in cells]
        pictures = generator.run([catalogue.plan(prompt, *cell) for cell in drawn])
        for cell, picture in zip(cells, pictures, strict=True):
            seen = measure(picture)
            scores = [score_of_sight(seen, wish, text) for text in texts]
            table[(prompt, *cell)] = (np.array(scores) - 1) / 4
    return table


class Questions:
    """All opinions of a case, some of them put aside to test by."""

    def __init__(self, case: Case, seed: int) -> None:
        recorded, sight = case.recorded, case.sight
        self.rng = np.random.default_rng(seed)
        self.opinions, self.personas = recorded.table.ravel(), len(recorded.personas)
        self.views, self.seen, self.traits = (
            views_of(sight, recorded.traits),
            seen_of(sight),
            recorded.traits,
        )
        possible = np.ones(recorded.shape, dtype=bool)
        possible[:, :, 0, 1:] = False
        shuffled = self.rng.permutation(np.flatnonzero(possible))
        self.tested, self.pool = shuffled[:TESTED], shuffled[TESTED:]

    def pairs(self, places: Indices) -> tuple[Indices, Indices]:
        return np.divmod(places, self.personas)

    def fitted(self, places: Indices) -> Surrogate:
        return fit(self.views, *self.pairs(places), self.opinions[places])

    def error(self, predicted: Prediction) -> SurrogateError:
        return SurrogateError.of(HeldOut(predicted.mean, predicted.sd, self.opinions[self.tested]))

    def most_telling(self, asked: Indices, count: int) -> Indices:
        surrogate = self.fitted(asked)
        others = np.setdiff1d(self.pool, asked)
        among = self.rng.choice(others, CANDIDATES, replace=False)
        about = self.pairs(self.rng.choice(self.pool, REFERENCES))
        pairs = self.pairs(among)
        covariances = surrogate.covariance(pairs, pairs), surrogate.covariance(pairs, about)
        return among[most_telling(*covariances, surrogate.noise_sd(*pairs), count)]


def by_lot(questions: Questions) -> Iterator[Indices]:
    for size in SIZES:
        yield questions.pool[:size]


def telling(questions: Questions) -> Iterator[Indices]:
    """As `BudgetedExperience` asks before training: at most 256 between two fits."""
    asked = questions.pool[:FIRST]
    for size in SIZES:
        while len(asked) < size:
            batch = min(256, len(asked), size - len(asked))
            asked = np.concatenate([asked, questions.most_telling(asked, batch)])
        yield asked


def tell_errors(made: dict[tuple[str, str], Case], seed: int) -> list[dict[str, Any]]:
    """Print and return the errors of every case."""
    told = []
    for case in made.values():
        spread = float(Questions(case, seed).opinions.std())
        print(f"\n{case.name}: RMSE (R2, rank correlation, within 95 %); opinions' SD {spread:.3f}")
        for name, ask in (("by lot", by_lot), ("most telling", telling)):
            questions = Questions(case, seed)
            for asked in ask(questions):
                error = questions.error(
                    questions.fitted(asked).predict(*questions.pairs(questions.tested))
                )
                told.append(tell_error(case, name, len(asked), error))
        for size in (256, 2048):
            told += tell_rivals(case, Questions(case, seed), size)
    return told


def tell_rivals(case: Case, questions: Questions, size: int) -> Iterator[dict[str, Any]]:
    places = questions.pool[:size]
    taught = (*questions.pairs(places), questions.opinions[places])
    networks = small_networks(questions.seen, questions.traits, *taught)
    ridges = bootstrapped_ridges(questions.views[1], *taught)
    for name, predict in (("8 networks, by lot", networks), ("8 ridges, by lot", ridges)):
        error = questions.error(predict(*questions.pairs(questions.tested)))
        yield tell_error(case, name, size, error)


def tell_error(case: Case, name: str, calls: int, error: SurrogateError) -> dict[str, Any]:
    print(
        f"  {name:<20} {calls:5d} calls  {error.rmse:.4f}  ({error.explained:.3f}, "
        f"{error.rank_correlation:.3f}, {error.within:.0%})",
        flush=True,
    )
    return {"case": case.name, "asked": name, "calls": calls, **vars(error)}


def order(folder: Path, seed: int, steps: int) -> TrainingOrder:
    return TrainingOrder(
        learner="ddpg",
        settings=tuned("ddpg"),
        seed=seed,
        steps=steps,
        folder=folder,
        scenario=MEMBER,
        curve_points=2,
    )


def tell_learning(
    made: dict[tuple[str, str], Case], options: argparse.Namespace
) -> list[dict[str, Any]]:
    """Print and return what each arm came to, beside judging every picture."""
    told = []
    arms = [
        (made["clip", "own"], options.calls),
        (made["clip", "witness"], options.calls[:1]),
        (made["rule", "witness"], options.calls[:1]),
    ]
    for case, budgets in arms:
        source = RecordedSource(case.path)
        unlimited = made[case.judge, "own"]
        full = runs(RecordedSource(unlimited.path), options.out / f"{case.judge}-full", options)
        told.append(tell_runs(case, None, full, full))
        for calls in budgets:
            folder = options.out / f"{case.judge}-{case.eyes}-{calls}"
            told.append(
                tell_runs(case, calls, runs(BudgetedSource(source, calls), folder, options), full)
            )
    return told


def runs(source: Any, folder: Path, options: argparse.Namespace) -> list[TrainedRun]:
    opened = source.open()
    return [
        train(order(folder, seed, options.steps), opened, lambda _: None)
        for seed in range(1, options.seeds + 1)
    ]


def tell_runs(
    case: Case, calls: int | None, trained: list[TrainedRun], full: list[TrainedRun]
) -> dict[str, Any]:
    slots = MEMBERS[MEMBER].slots
    reward, best = (
        np.array([run.played.total_reward.mean() / slots for run in each])
        for each in (trained, full)
    )
    lost = mean_interval(1 - reward / best, np.random.default_rng(0))
    shown = trained[0].order.pictures_shown
    told = {
        "case": case.name,
        "calls": calls or shown,
        "share": (calls or shown) / shown,
        "reward": reward.tolist(),
        "lost": vars(lost),
        "alarms": sum(run.budget is not None and run.budget.alarm for run in trained),
        "looks": [run.budget.looks[-1].at_random.rmse for run in trained if run.budget],
    }
    print(
        f"{case.name:<28} {told['calls']:6d} calls ({told['share']:7.2%})  reward "
        f"{reward.mean():.4f}  lost {lost.point:+.2%} [{lost.low:+.2%}, {lost.high:+.2%}]  "
        f"alarms {told['alarms']} of {len(trained)}",
        flush=True,
    )
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=16_000)
    parser.add_argument("--calls", type=int, nargs="+", default=[663, 240])
    parser.add_argument("--out", type=Path, default=Path("runs/llm_budget"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    made = cases(options.out / "cases")
    told = {"errors": tell_errors(made, seed=0)}
    shown = order(options.out, 1, options.steps).pictures_shown
    print(f"\nDDPG, {MEMBER}, {options.steps} slots: {shown} pictures are shown in a run")
    told["learning"] = tell_learning(made, options)
    (options.out / "llm_budget.json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
