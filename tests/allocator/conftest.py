from __future__ import annotations

import numpy as np
import pytest

from allocator.experiments.findings import (
    Findings,
    GeneratorCounts,
    LearningCurve,
    OracleCounts,
    Outcomes,
    Seconds,
)


def outcomes(reward: float, runs: int = 3) -> Outcomes:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.01, (runs, 6))
    user_qoe = reward + 0.05 + rng.normal(0, 0.02, (runs, 6, 4))
    user_qoe[:, 0, 0] = np.nan
    return Outcomes(
        reward=reward + noise,
        qoe=reward + 0.05 + noise,
        energy_j=5000 + 100 * noise,
        latency_s=40 + noise,
        budget_used=0.9 + noise,
        user_qoe=user_qoe,
        user_persona=np.arange(24).reshape(6, 4) % 5,
        budget_j=np.full(6, 6000.0),
        joule_price=np.full(6, 1e-3),
        slots=10,
    )


@pytest.fixture
def findings() -> Findings:
    curve = LearningCurve(
        steps=np.array([0, 10, 20]),
        updates=np.array([0, 40, 80]),
        learning_s=np.outer([1.0, 1.1, 0.9], [0, 30, 60]),
        reward=np.linspace(0, 1, 9).reshape(3, 3),
    )
    return Findings(
        name="a <b> & c",
        judges=("clip: some-clip", "pixel: <measures>"),
        personas=("Ada", "Bo & <co>", "Cy", "Di", "Ed"),
        outcomes={
            "gddpg": outcomes(0.6),
            "ddpg": outcomes(0.5),
            "random": outcomes(0.2),
            "greedy": outcomes(0.65, runs=1),
            "optimum": outcomes(0.7, runs=1),
        },
        curves={"gddpg": curve, "ddpg": curve},
        decision_s={"gddpg": 2e-3, "ddpg": 5e-4},
        oracle=OracleCounts(requests=10, judgments=400, cached=300, failed=2, masked=1),
        generator=GeneratorCounts(
            pictures=50, denoising_steps_run=300, denoising_steps_unshared=500
        ),
        seconds=Seconds(total=100, generating=20, judging=10, collecting=30, learning=60),
        manifest={"command": "allocator demo"},
    )
