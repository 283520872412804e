"""All files that an experiment leaves, made from its findings alone: no training is needed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from allocator.experiments.findings import Findings
from allocator.experiments.standings import standings_of
from allocator.experiments.summary import curves, raw_outcomes, summary
from allocator.report.contact_sheet import ContactSheet
from allocator.report.latex import latex_table
from allocator.report.page import PictureFigure, compose
from allocator.report.paper import write_paper_figures


def write_files(
    findings: Findings,
    folder: Path,
    *,
    sheets: Sequence[ContactSheet] = (),
    figures: Sequence[PictureFigure] = (),
) -> None:
    """Write everything into `folder`; the same findings give the same files.

    report.html for reading, summary.json and curves.json for programs, outcomes.npz with every
    run's every episode for other statistics, table.tex and figures/ for a paper.
    """
    folder.mkdir(parents=True, exist_ok=True)
    standings = standings_of(findings)
    (folder / "report.html").write_text(
        compose(findings, standings, sheets, figures), encoding="utf-8"
    )
    _write_json(summary(findings, standings), folder / "summary.json")
    _write_json(curves(findings), folder / "curves.json")
    np.savez_compressed(folder / "outcomes.npz", **raw_outcomes(findings))
    (folder / "table.tex").write_text(latex_table(findings, standings), encoding="utf-8")
    write_paper_figures(findings, standings, folder / "figures")


def _write_json(told: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", encoding="utf-8")
