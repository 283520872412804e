"""The standings as a LaTeX table: a tabular for `\\input{table.tex}`, with booktabs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from allocator.experiments.decision_cost import DECIDER_POWER_W
from allocator.experiments.findings import OURS, Findings
from allocator.experiments.intervals import Interval
from allocator.experiments.standings import Duel, Standing, Standings, Summary
from allocator.report.names import label

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # at a line's beginning it would open an optional argument
}
FREE = r"$^\dagger$"
NOTHING = ("--", "")

Cell = tuple[str, str]
"""What stands in an agent's first line, and below it in brackets."""


def escaped(text: str) -> str:
    """Text as LaTeX shows it, whatever it holds; a line break becomes a space."""
    return "".join(SPECIAL.get(character, character) for character in " ".join(text.split()))


def latex_table(findings: Findings, standings: Standings) -> str:
    """The file's content: comments that say what is in it, and one complete tabular."""
    duels = standings.duels.get(OURS, {})
    heads = _standing_heads() + (_duel_heads() if duels else [])
    rows = [_row(agent, standings.agents[agent], duels) for agent in standings.order]
    return "\n".join(
        [
            *_comments(findings, standings, against=bool(duels)),
            rf"\begin{{tabular}}{{@{{}}l{'r' * (len(heads) - 1)}@{{}}}}",
            r"\toprule",
            *_lines(heads),
            r"\midrule",
            "\n\\addlinespace\n".join(rows),
            r"\bottomrule",
            rf"\multicolumn{{{len(heads)}}}{{@{{}}l@{{}}}}{{\footnotesize {FREE}\,does not learn, "
            r"and decides for free.}\\",
            r"\end{tabular}",
            "",
        ]
    )


def _comments(findings: Findings, standings: Standings, *, against: bool) -> list[str]:
    told = [
        f"{' '.join(findings.name.split())}: needs the package booktabs.",
        "Interquartile mean over the training runs; below it the 95 % stratified bootstrap "
        "interval over runs and episodes.",
        f"Learners' decisions are charged, at {DECIDER_POWER_W:.0f} W while deciding.",
    ]
    if against:
        told.append(
            f"Last columns: {label(OURS)} against the agent of the row, paired on the episodes."
        )
    if standings.caution:
        told.append(standings.caution)
    return [f"% {line}" for line in told]


def _standing_heads() -> list[Cell]:
    return [
        ("Agent", ""),
        ("Reward", ""),
        ("Share of", r"optimum, \%"),
        ("Worst", "run"),
        ("Worst", "persona"),
        ("Jain", "index"),
        ("Energy,", "kJ"),
        ("Decision,", "ms"),
    ]


def _duel_heads() -> list[Cell]:
    ours = escaped(label(OURS))
    return [(ours, r"gains, \%"), ("Gap", r"closed, \%"), (ours, "wins, $P$")]


def _row(agent: str, standing: Standing, duels: Mapping[str, Duel]) -> str:
    told = standing.quantities
    decision_s = standing.decision_s
    cells = [
        (escaped(label(agent)) + (FREE if decision_s is None else ""), ""),
        _summary(told["reward"], 3),
        _interval(standing.share_of_optimum, 1, scale=100),
        (_number(standing.runs[0], 3), ""),
        _summary(told["worst_persona"], 3),
        _summary(told["jain"], 3),
        _summary(told["energy_j"], 1, scale=1e-3),
        NOTHING if decision_s is None else (f"{1000 * decision_s:.2f}", ""),
    ]
    return "\n".join(_lines(cells + (_duel(duels.get(agent)) if duels else [])))


def _duel(duel: Duel | None) -> list[Cell]:
    if duel is None:
        return [NOTHING] * 3
    return [
        _interval(duel.relative_gain, 1, scale=100),
        _interval(duel.gap_closed, 0, scale=100),
        _interval(duel.improvement_probability, 2),
    ]


def _summary(told: Summary, digits: int, *, scale: float = 1.0) -> Cell:
    return _interval(Interval(told.iqm, told.low, told.high), digits, scale=scale)


def _interval(told: Interval | None, digits: int, *, scale: float = 1.0) -> Cell:
    if told is None:
        return NOTHING
    point, low, high = (
        _number(scale * value, digits) for value in (told.point, told.low, told.high)
    )
    return point, rf"{{\scriptsize [{low}, {high}]}}"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "$-$")


def _lines(cells: Sequence[Cell]) -> list[str]:
    return [" & ".join(line) + r" \\" for line in zip(*cells, strict=True)]
