"""The page holds everything it shows, tells missing answers from bad ones, and needs no network."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from allocator.catalogue import ERROR_LEVELS
from allocator.experiments import (
    Findings,
    GeneratorCounts,
    LearningCurve,
    OracleCounts,
    Outcomes,
    Seconds,
)
from allocator.report.contact_sheet import ContactSheet, Row, as_html
from allocator.report.drawing import by_updates
from allocator.report.figures import learning_curves
from allocator.report.page import compose
from allocator.report.pictures import contact_sheets, distinct_personas, picture_figures
from allocator.scenarios.synthetic import synthetic_experience
from allocator.standings import standings_of


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


class Reader(HTMLParser):
    """Collects tags that must be closed, and every address the page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        if tag in ("div", "table", "tr", "figure", "section", "svg", "main", "tbody"):
            self.open.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_endtag(self, tag) -> None:
        if tag in ("div", "table", "tr", "figure", "section", "svg", "main", "tbody"):
            assert self.open.pop() == tag


def test_page_is_well_formed_and_refers_to_nothing_outside(findings: Findings) -> None:
    experience = synthetic_experience(0)

    def draw(plans):
        return np.full((len(plans), 8, 8, 3), 128, np.uint8)

    page = compose(
        findings,
        standings_of(findings),
        contact_sheets(experience, draw),
        picture_figures(experience),
    )
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert all(address.startswith(("data:", "#")) for address in reader.addresses)
    assert not re.search(r"url\(https?:", page)
    assert "a &lt;b&gt; &amp; c" in page
    assert page.count("data:image/png") == 4 * 10 + 2 * len(ERROR_LEVELS)


def test_figures_take_their_colours_from_the_page(findings: Findings) -> None:
    svg = learning_curves(
        findings.curves, {"optimum": 0.7}, along=by_updates, x_label="updates", title="Learning"
    )
    assert "var(--accent-0)" in svg
    assert "var(--ink)" in svg
    assert not re.search(r"#0[0-9a]0[0-9]0[0-9]\b", svg)
    assert "G-DDPG" in svg


def test_a_missing_opinion_is_shown_as_missing_and_not_as_bad() -> None:
    row = Row(
        label="a man",
        detail="",
        pictures=np.zeros((2, 4, 4, 3), np.uint8),
        rewards=np.array([[0.0], [np.nan]]),
    )
    sheet = as_html(ContactSheet("t", "e", ("0", "1"), ("Bo",), (row,)))
    assert sheet.count("Bo: 1.0 of 5") == 1  # reward 0 is the lowest grade
    assert sheet.count("Bo gave no answer") == 1


def test_personas_shown_differ_from_each_other() -> None:
    traits = np.array([[0.0, 0], [0.1, 0], [3, 0], [0, 3], [3.1, 0]])
    assert set(distinct_personas(traits, 3)) == {0, 3, 4}
