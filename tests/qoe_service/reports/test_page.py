"""The page: complete, self-contained, and safe to open whatever items and raters are called."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from qoe_service.ratings import Ratings
from qoe_service.reports.page import compose
from qoe_service.reports.report import make_report
from tests.qoe_service.reports.studies import people, study, with_scores

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Checker(HTMLParser):
    """Whether tags close, and what addresses there are."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.addresses += [value for name, value in attrs if name in ("href", "src") and value]

    def handle_startendtag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in ("href", "src") and value]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def checked(page: str) -> Checker:
    found = Checker()
    found.feed(page)
    assert found.open == []
    return found


def whole_page() -> str:
    given = study(gaps=0.05)
    human = people(given)
    return compose(
        make_report(replace(given, human={"1": human, "2": people(given, seed=6)}, anchors=human))
    )


def test_nothing_is_fetched_from_anywhere():
    page = whole_page()
    assert not re.search(r"https?:|url\((?!#)|@import|//[a-z]", page)
    found = checked(page)
    assert found.addresses, "glyphs and markers are reused within the figures"
    assert all(address.startswith("#") for address in found.addresses)
    assert not found.tags & {"script", "link", "iframe", "img"}


def test_every_part_is_there_with_a_figure_of_its_own():
    page = whole_page()
    assert page.count("<svg") == 5
    for part in (
        "What this report cannot say", "Mean opinions", "Where differences come from",
        "Who rates how", "Who likes what", "Beside people", "How the ratings came about",
        "picture-3", "rater-7", "the published band", "a-clip", "sapa-bfi25-adults",
    ):  # fmt: skip
        assert part in page
    assert "$" not in page, "nothing of the template is left"


def test_figures_are_well_formed_and_take_their_colours_from_the_page():
    for svg in re.findall(r"<svg.*?</svg>", whole_page(), flags=re.S):
        ET.fromstring(svg)
        assert "#0a01" not in svg
        assert "var(--" in svg


def test_what_cannot_be_said_is_said_so_and_has_no_empty_figure():
    page = compose(make_report(with_scores(study(), np.array([[4.0]]))))
    checked(page)
    assert page.count("<svg") == 2
    assert "one opinion says nothing" in page
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.S).lower().split()
    assert "Beside people" not in page


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "$x^2$ $mean_opinions", "猫\u200b\x07 and & <b>", "a" * 300],
)
def test_names_are_text_whatever_is_in_them(name):
    given = study(items=6, raters=6)
    table = given.ratings
    named = Ratings((name, *table.items[1:]), (name, *table.raters[1:]), table.scores)
    page = compose(make_report(replace(given, sessions={"": named})))
    found = checked(page)
    assert not found.tags & {"script", "b"} - {"b"}
    assert "<script" not in page
    for svg in re.findall(r"<svg.*?</svg>", page, flags=re.S):
        ET.fromstring(svg)


def test_hundreds_of_items_and_raters_still_fit():
    page = compose(make_report(study(items=90, raters=80)))
    checked(page)
    assert "rank of 90" in page
    assert "rank of 80" in page
