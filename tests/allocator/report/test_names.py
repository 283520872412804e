from __future__ import annotations

import pytest

from allocator.report.names import label, short_label


@pytest.mark.parametrize(
    ("agent", "written", "short"),
    [
        ("gddpg", "G-DDPG", "G-DDPG"),
        ("ddpg-x3", "DDPG, 3 x the steps", "DDPG ×3"),  # noqa: RUF001
        ("constant", "best constant", "best constant"),
        ("mine", "mine", "mine"),
    ],
)
def test_agents_are_written_as_people_know_them(agent: str, written: str, short: str) -> None:
    assert (label(agent), short_label(agent)) == (written, short)
