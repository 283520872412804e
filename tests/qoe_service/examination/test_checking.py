"""Judges that drift, obey or are well, examined over real HTTP, and the files of what they said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from qoe_service.cli import app
from qoe_service.cli.shell import ExitCode
from qoe_service.examination.checking import Examined, examine
from qoe_service.examination.golden import CLEAN, golden_set
from qoe_service.examination.hearing import fresh_judge, hear
from qoe_service.examination.obedience import obedience
from qoe_service.examination.probes import probes
from qoe_service.examination.refresh import said_now
from qoe_service.examination.stored import (
    GoldenFile,
    GoldenFileError,
    GoldenValues,
    Said,
    read_golden_file,
    store_golden_values,
)
from qoe_service.examination.verdicts import Finding, Verdict, drift, injection
from qoe_service.settings import Settings
from tests.fake_provider import FakeProvider, Mood

SECONDS = 60.0


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


@pytest.fixture(scope="module")
def honest(provider: FakeProvider) -> Examined:
    """The examination of a VLM that follows its rule and nothing else."""
    return examine(_settings(provider), "vlm", (), seconds=SECONDS)


@pytest.fixture(scope="module")
def obedient(provider: FakeProvider) -> dict[str, Finding]:
    """What is found of a VLM that does as it is told, by check."""
    golden = golden_set()
    cases = [golden.cases[row].case for row in golden.rows(CLEAN)[:2]]
    provider.behave(mood=Mood.OBEYS)
    with fresh_judge(_settings(provider), "vlm") as judge:
        found = obedience(judge, probes(), cases=cases, panel=golden.people[:2], seconds=SECONDS)
    provider.behave(mood=Mood.HONEST)
    return {finding.check: finding for finding in injection("vlm", found)}


def _settings(provider: FakeProvider, **changes: object) -> Settings:
    return Settings(
        tiers=("vlm",), vlm_model="fake-vlm", vlm_base_url=provider.url, openai_api_key="any",
        cache=None, most_concurrency=64, concurrency=32, **changes,
    )  # fmt: skip


def test_an_honest_judge_passes_all_but_what_was_never_stored(honest: Examined) -> None:
    found = honest.examination
    verdicts = {each.check: each.verdict for each in found.findings}
    assert verdicts.pop("drift") is Verdict.NOT_STORED
    # Its rule knows brightness, colour and sharpness: noise is as colourful as a fairground.
    assert verdicts.pop("clean above damaged") is Verdict.FAILED
    assert set(verdicts.values()) == {Verdict.PASSED}, found.findings
    assert found.calls > 500
    assert found.tokens > 0


@pytest.mark.parametrize("check", ["orders in prompts", "any writing in pictures"])
def test_an_obedient_judge_is_seen_to_move_far_and_an_honest_one_not(
    honest: Examined, obedient: dict[str, Finding], check: str
) -> None:
    steadfast = next(each for each in honest.examination.findings if each.check == check)
    assert (obedient[check].verdict, steadfast.verdict) == (Verdict.FAILED, Verdict.PASSED)
    assert obedient[check].figures["low"] > 0.25
    assert obedient[check].figures["worst"] > 1.5
    assert steadfast.figures["mean"] < 0.25


def test_who_takes_any_writing_for_an_order_heeds_none_in_particular(obedient) -> None:
    assert obedient["orders in pictures"].verdict is Verdict.PASSED


def test_a_judge_that_became_another_has_drifted(honest: Examined, provider: FakeProvider) -> None:
    before = honest.values
    assert before is not None
    stored, golden = GoldenFile(judges=(before,)), golden_set()
    assert drift(before, golden, [stored]).verdict is Verdict.PASSED
    provider.behave(mood=Mood.DESIRABILITY)
    after = said_now(_settings(provider), "vlm")
    provider.behave(mood=Mood.HONEST)
    found = drift(after, golden, [stored])
    assert found.verdict is Verdict.FAILED
    assert found.figures["compared"] == len(golden.cases) * len(golden.people)
    apart = np.abs(after.scores_of(golden) - before.scores_of(golden))
    assert found.figures["mean"] == pytest.approx(apart.mean())


def test_a_remote_judge_is_asked_anew_each_time(provider: FakeProvider, tmp_path: Path) -> None:
    settings = _settings(provider).model_copy(update={"cache": tmp_path})
    golden, asked = golden_set(), []
    for _ in range(2):
        with fresh_judge(settings, "vlm") as judge:
            judge.check()
            provider.forget_traffic()
            hear(judge, [golden.cases[0].case, golden.cases[1].case], golden.people, SECONDS)
            asked.append(provider.traffic.requests)
    assert asked == [2 * len(golden.people)] * 2
    assert list(tmp_path.iterdir()) == []


def test_a_judge_that_is_not_there_is_not_judged(provider: FakeProvider) -> None:
    settings = _settings(provider).model_copy(update={"vlm_base_url": "http://127.0.0.1:9/v1"})
    (finding,) = examine(settings, "vlm", (), seconds=5).examination.findings
    assert (finding.check, finding.verdict) == ("ready", Verdict.NOT_JUDGED)


@pytest.fixture(scope="module")
def pixel_values() -> GoldenValues:
    return said_now(Settings(tiers=("pixel",), cache=None), "pixel")


def _with_cases(values: GoldenValues, change: Callable[[Said], Said]) -> GoldenFile:
    cases = {name: change(said) for name, said in values.cases.items()}
    return GoldenFile(judges=(values.model_copy(update={"cases": cases}),))


def test_a_changed_drawing_is_not_taken_for_a_changed_judge(pixel_values) -> None:
    golden = golden_set()

    def redrawn(said: Said) -> Said:
        return said.model_copy(update={"fingerprint": "another", "scores": (1.0,) * 4})

    first, *_ = pixel_values.cases
    one = dict(pixel_values.cases) | {first: redrawn(pixel_values.cases[first])}
    stored = GoldenFile(judges=(pixel_values.model_copy(update={"cases": one}),))
    found = drift(pixel_values, golden, [stored])
    assert found.verdict is Verdict.PASSED
    assert "1 cases left out" in found.said
    assert found.figures["compared"] == (len(golden.cases) - 1) * len(golden.people)
    all_redrawn = drift(pixel_values, golden, [_with_cases(pixel_values, redrawn)])
    assert all_redrawn.verdict is Verdict.NOT_STORED


@pytest.mark.parametrize("shift", [0.15, 0.6])
def test_shifted_scores_are_drift(pixel_values, shift: float) -> None:
    def shifted(said: Said) -> Said:
        scores = tuple(score + shift for score in said.scores or ())
        return said.model_copy(update={"scores": scores})

    found = drift(pixel_values, golden_set(), [_with_cases(pixel_values, shifted)])
    assert found.verdict is Verdict.FAILED
    assert found.figures["mean"] == pytest.approx(shift)


def test_a_score_that_is_no_longer_given_is_drift(pixel_values) -> None:
    silent = {
        name: said.model_copy(update={"scores": None, "errors": None})
        for name, said in pixel_values.cases.items() if name.startswith("03")
    }  # fmt: skip
    now = pixel_values.model_copy(update={"cases": dict(pixel_values.cases) | silent})
    found = drift(now, golden_set(), [GoldenFile(judges=(pixel_values,))])
    assert found.verdict is Verdict.FAILED
    assert found.figures["lost"] == len(silent) * len(golden_set().people)


def test_another_revision_is_told_by_name(pixel_values) -> None:
    judge = pixel_values.judge.model_copy(update={"revision": "0"})
    stored = GoldenFile(judges=(pixel_values.model_copy(update={"judge": judge}),))
    found = drift(pixel_values, golden_set(), [stored])
    assert found.verdict is Verdict.NOT_STORED
    assert "the revision of pixel was '0' and is '1'" in found.said


def test_values_are_kept_beside_those_of_other_judges(pixel_values, tmp_path: Path) -> None:
    file = tmp_path / "new" / "golden.json"
    elder = pixel_values.judge.model_copy(update={"revision": "0"})
    other = pixel_values.model_copy(update={"judge": elder})
    store_golden_values(file, [other])
    store_golden_values(file, [pixel_values])
    store_golden_values(file, [pixel_values])
    assert read_golden_file(file).judges == (other, pixel_values)
    assert [path.name for path in file.parent.iterdir()] == ["golden.json"]


def test_a_damaged_file_is_explained(tmp_path: Path) -> None:
    file = tmp_path / "golden.json"
    file.write_text('{"version": 1, "judges": 3}')
    with pytest.raises(GoldenFileError, match=r"judges.*--accept"):
        read_golden_file(file)
    assert read_golden_file(tmp_path / "none.json") == GoldenFile()


@pytest.fixture
def qoe(monkeypatch, tmp_path):
    """Run `qoe ARGUMENTS` with the pixel judge."""
    monkeypatch.setenv("QOE_TIERS", "pixel")
    monkeypatch.setenv("QOE_CACHE", "")
    monkeypatch.setenv("QOE_GOLDEN", str(tmp_path / "golden.json"))
    monkeypatch.setenv("COLUMNS", "160")
    return lambda *arguments: CliRunner().invoke(app, ["judges", "check", *arguments])


def test_the_shipped_pixel_judge_is_well(qoe) -> None:
    shown = qoe()
    assert shown.exit_code == ExitCode.DONE, shown.output
    for words in ("drift", "batch against alone", "clean above damaged", "95 % interval"):
        assert words in shown.stdout


def test_a_judge_nobody_knows_is_not_well_until_it_is_accepted(qoe, monkeypatch) -> None:
    monkeypatch.setattr("qoe_service.judges.pixel.PixelJudge.revision", "another")
    assert qoe().exit_code == ExitCode.NEGATIVE
    assert "nothing stored" in qoe().stdout
    assert qoe("--accept").exit_code == ExitCode.DONE
    assert qoe().exit_code == ExitCode.DONE


def test_accepting_makes_a_judge_known_and_drift_is_told_by_the_exit_code(qoe, tmp_path) -> None:
    file = tmp_path / "mine.json"
    assert qoe("--accept", "--reference", str(file)).exit_code == ExitCode.DONE
    stored = read_golden_file(file)
    (values,) = stored.judges
    moved = _with_cases(
        values, lambda said: said.model_copy(update={"scores": (5.0, 1.0, 5.0, 1.0)})
    )
    file.write_text(moved.model_dump_json())
    shown = qoe("--reference", str(file), "--json")
    assert shown.exit_code == ExitCode.NEGATIVE
    found = {each["check"]: each["verdict"] for each in json.loads(shown.stdout)["findings"]}
    assert found["drift"] == "failed"
    assert found["orders in prompts"] == "passed"


def test_a_wrong_call_is_told(qoe, monkeypatch) -> None:
    assert qoe("--tier", "oracle").exit_code == ExitCode.WRONG_CALL
    monkeypatch.setenv("QOE_GOLDEN", "")
    assert qoe("--accept").exit_code == ExitCode.WRONG_CALL
