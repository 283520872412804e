"""The page holds everything it shows, tells missing answers from bad ones, and needs no network."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np

from allocator.catalogue import ERROR_LEVELS
from allocator.experiments.findings import Findings
from allocator.experiments.standings import standings_of
from allocator.report.contact_sheet import ContactSheet, Row, as_html
from allocator.report.drawing import by_updates
from allocator.report.figures import learning_curves
from allocator.report.page import compose
from allocator.report.pictures import contact_sheets, distinct_personas, picture_figures
from allocator.scenarios.synthetic import synthetic_experience


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
    assert "Fewer than 5 runs" in page
    assert page.count("data:image/png") == 4 * 10 + 2 * len(ERROR_LEVELS)


def test_figures_take_their_colours_from_the_page(findings: Findings) -> None:
    svg = learning_curves(
        findings.curves,
        {"optimum": 0.7},
        along=by_updates,
        x_label="updates",
        title="Learning",
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
