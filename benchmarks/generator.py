"""How fast pictures are drawn: per denoising step by batch size, and with and without sharing.

    python benchmarks/generator.py [--users 32] [--groups 8] [--shared-steps 5] [--repeats 3]

Random weights do, since speed does not depend on what was learnt. One thread, timed by processor
time, so that other work on the machine does not count. "Unshared" draws as many pictures, each
under a seed of its own so that nothing is common, in batches as large as the plans allow.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from allocator.diffusion.generator import Generator
from allocator.diffusion.pictures import PictureStore
from allocator.plan import DenoisingPlan, Handoff, Segment, shared_then_personal
from tinyworld.captions import plain_caption
from tinyworld.diffusion import LatentDiffusion, random_diffusion
from tinyworld.scenes import sample_scene

TOTAL_STEPS = 10
BATCHES = (1, 4, 16, 64)


def seconds(repeats: int, work: Callable[[], object]) -> list[float]:
    """Processor times of repeated runs, the first of which is thrown away."""
    times = []
    for _ in range(repeats + 1):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return times[1:]


def draw(diffusion: LatentDiffusion, plans: Sequence[DenoisingPlan]) -> Generator:
    """Draw the plans with nothing in store."""
    generator = Generator(diffusion, PictureStore())
    generator.run(plans)
    return generator


def prompts(count: int) -> list[str]:
    """Prompts of chance."""
    rng = np.random.default_rng(0)
    return [plain_caption(sample_scene(rng)) for _ in range(count)]


def batch_plans(batch: int) -> list[DenoisingPlan]:
    """Plans without anything in common: one batch a step."""
    return [
        DenoisingPlan(seed, (Segment("edge", "tinyworld", prompt, TOTAL_STEPS),))
        for seed, prompt in enumerate(prompts(batch))
    ]


def group_plans(users: int, groups: int, shared_steps: int) -> list[DenoisingPlan]:
    """Users in equal groups, each group with a public prompt and a seed."""
    own, public = prompts(users), prompts(users + groups)[users:]
    return [
        shared_then_personal(
            seed=user % groups,
            public_prompt=public[user % groups],
            own_prompt=own[user],
            shared_steps=shared_steps,
            total_steps=TOTAL_STEPS,
            handoff=Handoff(),
        )
        for user in range(users)
    ]


def solo_plans(plans: Sequence[DenoisingPlan]) -> list[DenoisingPlan]:
    """The same work without a common beginning: every plan under a seed of its own."""
    return [DenoisingPlan(seed, p.segments, p.handoffs) for seed, p in enumerate(plans)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=32)
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--shared-steps", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    told = parser.parse_args()
    torch.set_num_threads(1)
    diffusion = random_diffusion(0)

    report: dict[str, object] = {"command": vars(told), "ms_per_picture_and_step": {}}
    for batch in BATCHES:
        plans = batch_plans(batch)
        times = seconds(told.repeats, lambda plans=plans: draw(diffusion, plans))
        per_step_ms = [1e3 * t / (batch * TOTAL_STEPS) for t in times]
        report["ms_per_picture_and_step"][batch] = spread(per_step_ms)
    shared = group_plans(told.users, told.groups, told.shared_steps)
    for name, plans in (("shared", shared), ("unshared", solo_plans(shared))):
        times = seconds(told.repeats, lambda plans=plans: draw(diffusion, plans))
        report[f"{name}_pictures_per_s"] = spread([told.users / t for t in times])
        report[f"{name}_steps_run"] = draw(diffusion, plans).counts.denoising_steps_run
    print(json.dumps(report, indent=1))


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and greatest of the repeats."""
    ordered = {"median": np.median(values), "least": min(values), "greatest": max(values)}
    return {name: round(float(value), 3) for name, value in ordered.items()}


if __name__ == "__main__":
    main()
