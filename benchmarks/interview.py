"""What an interview takes and finds: `python -m benchmarks.interview`.

People drawn from the norm are interviewed over HTTP by way of the fake provider, which runs in a
process of its own: with each instrument by a judge that follows the traits it is told, then with
the shorter one by a judge that ignores them and by one that wants to look good. Every statement is
put twice, so that 32 people and 20 statements are 1,280 questions.

The targets are r of at least 0.9 for every trait and a mean gap to the others of at least 0.5 with
the first judge, `fails` for the other two, and 20 seconds for 32 people and the Mini-IPIP.
"""

from __future__ import annotations

import argparse
import time

from benchmarks.provider_process import running_provider
from qoe_service.interview.instruments import Instrument, load_instrument
from qoe_service.interview.interviewing import interview
from qoe_service.interview.report import Interview
from qoe_service.judges import Deadline
from qoe_service.population import sample_population
from qoe_service.settings import Settings

NORM = "sapa-bfi25-adults"
LEAST_R, LEAST_GAP, MOST_S = 0.9, 0.5, 20.0
INTERVIEWS = (
    ("honest", "mini-ipip"),
    ("honest", "ipip-50"),
    ("ignores-persona", "mini-ipip"),
    ("desirability", "mini-ipip"),
)


def timed(mood: str, instrument: Instrument, people: int, seed: int) -> tuple[Interview, float]:
    """An interview with nothing known from before, and how many seconds it took."""
    personas = sample_population(NORM, people, seed=seed).personas
    with running_provider("--mood", mood) as url:
        settings = Settings(
            vlm_model="fake-vlm", vlm_base_url=url, openai_api_key="any", cache=None
        )
        began_s = time.perf_counter()
        found = interview(settings, "vlm", personas, instrument, run="run", deadline=Deadline())
        return found, time.perf_counter() - began_s


def told(found: Interview) -> str:
    """The figures of an interview in a line."""
    rs = [r.point for r in (trait.figures.convergent for trait in found.traits) if r is not None]
    r_said = f"r {min(rs):.2f} to {max(rs):.2f}" if rs else "no r"
    gap = found.panel.gap
    gap_said = "no gap" if gap is None else f"gap {gap.point:.2f} ({gap.low:.2f}, {gap.high:.2f})"
    return f"{found.verdict.value:8} {r_said:15} {gap_said:24}"


def reached(mood: str, found: Interview) -> bool:
    """Whether the judge was seen through."""
    if mood != "honest":
        return found.verdict == "fails"
    rs = [trait.figures.convergent for trait in found.traits]
    gap = found.panel.gap
    followed = all(r is not None and r.point >= LEAST_R for r in rs)
    return found.verdict == "holds" and followed and gap is not None and gap.point >= LEAST_GAP


def main() -> None:
    """All interviews, each against its target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=32)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    missed = []
    for mood, name in INTERVIEWS:
        found, took_s = timed(mood, load_instrument(name), chosen.people, chosen.seed)
        print(f"{mood:16} {name:10} {told(found)} {found.calls:,} calls, {took_s:.1f} s")
        slow = name == "mini-ipip" and took_s > MOST_S
        missed += [f"{mood}, {name}"] * (slow or not reached(mood, found))
    print(f"MISSED: {'; '.join(missed)}" if missed else "all targets are reached")


if __name__ == "__main__":
    main()
