"""Tables of ratings, and CSV files of them: read strictly, wrong rows named by line and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qoe_service.errors import UnusableRatings
from qoe_service.ratings import Ratings, RatingsFileError, read_ratings, read_sessions

NO = np.nan


def read(folder: Path, text: str | bytes) -> Ratings:
    data = text.encode() if isinstance(text, str) else text
    (folder / "ratings.csv").write_bytes(data)
    return read_ratings(folder / "ratings.csv")


def test_a_file_becomes_a_table_in_its_own_order(tmp_path: Path) -> None:
    text = (
        '\ufeffscore,rater,item,age\r\n4,bo,"dog, wet",30\r\n2.5,amelia,cat,\r\n\r\n,bo,cat,1\r\n'
    )
    ratings = read(tmp_path, text)
    assert ratings.items == ("dog, wet", "cat")
    assert ratings.raters == ("bo", "amelia")
    np.testing.assert_array_equal(ratings.scores, [[4, NO], [NO, 2.5]])
    assert ratings.count == 2


def test_sessions_are_kept_apart_or_taken_together(tmp_path: Path) -> None:
    text = "item,rater,score,session\na,x,2,mon\na,x,4,tue\na,y,3,mon\nb,x,,tue\nb,y,5,tue\n"
    ratings = read(tmp_path, text)
    np.testing.assert_array_equal(ratings.scores, [[3, 3], [NO, 5]])
    sessions = read_sessions(tmp_path / "ratings.csv")
    assert list(sessions) == ["mon", "tue"]
    np.testing.assert_array_equal(sessions["mon"].scores, [[2, 3], [NO, NO]])
    np.testing.assert_array_equal(sessions["tue"].scores, [[4, NO], [NO, 5]])
    assert sessions["tue"].items == ratings.items


def test_every_bad_row_is_named_by_line_and_column(tmp_path: Path) -> None:
    rows = [
        "item,rater,score",
        "a,x,3",
        "a,x,4",
        "a,y,good",
        "a,y,6",
        "a,y,0.5",
        "a,y,nan",
        "a,y,inf",
        ",y,3",
        "a, ,3",
        "a,y",
        "a,y,3,4",
    ]
    with pytest.raises(RatingsFileError) as error:
        read(tmp_path, "\n".join(rows))
    told = [line.removeprefix(f"{tmp_path}/ratings.csv:") for line in str(error.value).splitlines()]
    assert [line.partition(":")[0] for line in told] == [str(number) for number in range(3, 13)]
    assert "x rates a already in line 2" in told[0]
    for line in told[1:6]:
        assert "column score" in line
        assert "number from 1 to 5" in line
    assert "column item: is empty" in told[6]
    assert "column rater: is empty" in told[7]
    assert "number of fields" in told[8]


def test_many_bad_rows_are_counted(tmp_path: Path) -> None:
    with pytest.raises(RatingsFileError, match="and 30 more lines"):
        read(tmp_path, "item,rater,score\n" + "a,x,9\n" * 50)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no column item, no column rater, no column score"),
        ("item;rater;score\na;x;3\n", "with commas"),
        ("item,score\na,3\n", "no column rater; the first line must be"),
        ("item,rater,score\n", "no ratings"),
        ("item,rater,score\na,x,\n", "no ratings"),
        (b"item,rater,score\na,\xff,3\n", "not UTF-8"),
        ('item,rater,score\na,"x,3\n', "not CSV"),
        ("item,rater,score,score\na,x,3,4\n", "column score is there twice"),
    ],
)
def test_what_is_no_table_of_ratings_is_refused(
    tmp_path: Path, text: str | bytes, told: str
) -> None:
    with pytest.raises(RatingsFileError, match=told):
        read(tmp_path, text)


def test_a_table_that_is_nearly_all_gaps_is_refused_before_it_is_made(tmp_path: Path) -> None:
    diagonal = "".join(f"i{n},r{n},3\n" for n in range(5_000))
    with pytest.raises(RatingsFileError, match="5000 items by 5000 raters in 1 sessions"):
        read(tmp_path, "item,rater,score\n" + diagonal)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_ratings(tmp_path / "none.csv")


names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.dictionaries(st.tuples(names, names), st.floats(1, 5), min_size=1, max_size=12))
def test_what_is_written_is_what_is_read(
    tmp_path: Path, cells: dict[tuple[str, str], float]
) -> None:
    import csv

    with (tmp_path / "ratings.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["item", "rater", "score"])
        writer.writerows([item, rater, score] for (item, rater), score in cells.items())
    ratings = read_ratings(tmp_path / "ratings.csv")
    assert ratings.count == len(cells)
    for (item, rater), score in cells.items():
        row, column = ratings.items.index(item), ratings.raters.index(rater)
        assert ratings.scores[row, column] == score


def test_a_table_cannot_be_changed() -> None:
    scores = np.array([[3.0, 4.0]])
    ratings = Ratings(("a",), ("x", "y"), scores)
    scores[0, 0] = 1
    assert ratings.scores[0, 0] == 3
    with pytest.raises(ValueError, match="read-only"):
        ratings.scores[0, 0] = 1


def test_parts_of_a_table() -> None:
    ratings = Ratings(("a", "b", "c"), ("x", "y"), np.array([[3, NO], [NO, NO], [NO, NO]]))
    rated = ratings.rated()
    assert (rated.items, rated.raters) == (("a",), ("x",))
    assert ratings.of_item(0).tolist() == [3]
    assert ratings.of_item(1).size == 0
    assert ratings.means() == {"a": 3}
    assert ratings.at([2, 0], [1]).items == ("c", "a")


@pytest.mark.parametrize(
    ("items", "raters", "scores", "told"),
    [
        (("a",), ("x", "y"), [[3.0]], r"\(1, 1\); 1 items by 2 raters"),
        (("a", "a"), ("x",), [[3.0], [4.0]], "items share a name: a"),
        (("a",), ("x", "x"), [[3.0, 4.0]], "raters share a name: x"),
        ((), ("x",), np.zeros((0, 1)), "no item"),
        (("a",), ("x",), [[5.5]], "x rated a 5.5"),
        (("a",), ("x",), [[np.inf]], "x rated a inf"),
    ],
)
def test_a_table_that_is_none_is_refused(
    items: tuple[str, ...], raters: tuple[str, ...], scores: list[list[float]], told: str
) -> None:
    with pytest.raises(UnusableRatings, match=told):
        Ratings(items, raters, np.array(scores))
