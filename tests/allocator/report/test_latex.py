"""The table is LaTeX that compiles, whatever agents and experiments are called."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from allocator.experiments.findings import Findings
from allocator.experiments.standings import standings_of
from allocator.report.latex import SPECIAL, escaped, latex_table


def table(findings: Findings) -> list[str]:
    return latex_table(findings, standings_of(findings)).splitlines()


def test_special_characters_are_escaped() -> None:
    assert escaped("50% of a_b & {c} #1 $x$") == r"50\% of a\_b \& \{c\} \#1 \$x\$"
    assert escaped("a\\b~c^d") == r"a\textbackslash{}b\textasciitilde{}c\textasciicircum{}d"
    assert escaped("two\nlines") == "two lines"


@given(text=st.text())
def test_nothing_special_survives_escaping(text) -> None:
    told = escaped(text)
    for written in sorted(SPECIAL.values(), key=len, reverse=True):
        told = told.replace(written, "")
    assert not set(told) & set(SPECIAL)
    assert "\n" not in told


def test_every_row_fills_every_column(findings: Findings) -> None:
    lines = table(findings)
    begin = next(line for line in lines if line.startswith(r"\begin{tabular}"))
    columns = len(re.fullmatch(r"\\begin\{tabular\}\{@\{\}(l?r*)@\{\}\}", begin)[1])
    rows = [line for line in lines if line.endswith(r"\\") and "multicolumn" not in line]
    assert len(rows) == 2 + 2 * len(findings.outcomes)
    assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {columns}
    assert f"\\multicolumn{{{columns}}}" in lines[-2]


def test_groups_and_rules_are_balanced(findings: Findings) -> None:
    lines = [line for line in table(findings) if not line.startswith("%")]
    body = "\n".join(lines)
    bare = re.sub(r"\\[\\{}%&#$_]", "", body)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert lines[0].startswith(r"\begin{tabular}")
    assert lines[-1] == r"\end{tabular}"
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert lines.count(rule) == 1


def test_what_does_not_learn_is_marked_as_deciding_for_free(findings: Findings) -> None:
    lines = table(findings)
    assert any(line.startswith(r"optimum$^\dagger$ &") for line in lines)
    assert any(line.startswith("G-DDPG &") and "& 2.00 &" in line for line in lines)
    assert "decides for free" in lines[-2]


def test_a_strange_name_stays_in_its_comment(findings: Findings) -> None:
    lines = table(replace(findings, name="one\n\\end{tabular}"))
    assert lines[0] == "% one \\end{tabular}: needs the package booktabs."


def test_without_our_agent_the_standings_are_told_alone(findings: Findings) -> None:
    rivals = replace(
        findings,
        outcomes={name: each for name, each in findings.outcomes.items() if name != "gddpg"},
        curves={"ddpg": findings.curves["ddpg"]},
    )
    assert "gains" not in "\n".join(table(rivals))
