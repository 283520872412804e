"""Who looks: named personas, personas brought along, panels drawn from all or from a population."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import numpy as np
import pytest
from pydantic import ValidationError

from qoe_service.client import ProblemReply, QoEClient
from qoe_service.errors import DuplicateId, PanelTooLarge, UnknownPopulation
from qoe_service.items import make_item
from qoe_service.judges.ladder import Ladder
from qoe_service.judges.pixel import PixelJudge
from qoe_service.panel import choose_panel
from qoe_service.personas import Registry
from qoe_service.population import sample_population
from qoe_service.population_files import FOLDER, population_yaml
from qoe_service.schemas import MAX_PANEL, RewardItem, RewardsRequest, ScoreRequest
from qoe_service.scoring import Scorer

POPULATION = sample_population("ipip-neo-120", 60, seed=7, age=(21, 40))
STRANGER = POPULATION.personas[0]


@pytest.fixture(scope="module")
def registry(persona_folder: Path) -> Registry:
    return Registry(persona_folder)


@pytest.fixture(scope="module")
def scorer(persona_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("with-population")
    shutil.copytree(persona_folder, folder, dirs_exist_ok=True)
    (folder / FOLDER).mkdir()
    (folder / FOLDER / "adults.yaml").write_text(population_yaml(POPULATION))
    with Scorer(Ladder([PixelJudge()]), Registry(folder)) as scorer:
        yield scorer


@pytest.fixture(scope="module")
def url(serve, scorer, settings):
    with serve(scorer, settings) as url:
        yield url


@pytest.fixture(scope="module")
def client(url):
    with QoEClient(url) as client:
        yield client


@pytest.fixture
def items(pictures):
    return tuple(make_item(p, "a slope", id=str(n)) for n, p in enumerate(pictures))


def test_a_list_keeps_its_order_and_the_places_of_the_unknown(registry) -> None:
    panel = choose_panel(registry, ["bo", STRANGER, "nobody", "amelia"], None)
    assert panel.names == ("bo", "p0001", "nobody", "amelia")
    assert [persona.id for persona in panel.personas] == ["bo", "p0001", "amelia"]
    assert panel.columns == [0, 1, 3]
    assert set(panel.unknown) == {"nobody"}


@pytest.mark.parametrize("asked", [["bo", "bo"], [STRANGER, STRANGER], [STRANGER, "p0001"]])
def test_nobody_is_named_twice(registry, asked) -> None:
    with pytest.raises(DuplicateId, match="named twice"):
        choose_panel(registry, asked, None)


def test_nobody_new_bears_the_id_of_a_known_persona(registry) -> None:
    double = STRANGER.model_copy(update={"id": "amelia"})
    with pytest.raises(DuplicateId, match="personas of its own called amelia; give yours other"):
        choose_panel(registry, ["bo", double], None)


def test_a_population_gives_balanced_panels(registry) -> None:
    panel = choose_panel(registry, None, 8, POPULATION)
    assert panel.personas == POPULATION.panel(8)
    assert len(choose_panel(registry, None, None, POPULATION).personas) == 60
    with pytest.raises(PanelTooLarge, match="this population of 60"):
        choose_panel(registry, None, 61, POPULATION)


def test_a_persona_brought_along_judges_as_one_of_the_services(
    scorer, registry, tmp_path, items
) -> None:
    """Its content is who it is, and not where it came from."""
    shutil.copy(registry.folder / "bo.yaml", tmp_path)
    amelia = registry.by_id()["amelia"]
    with Scorer(Ladder([PixelJudge()]), Registry(tmp_path)) as without_amelia:
        brought = without_amelia.score(ScoreRequest(items=items, personas=("bo", amelia)))
    known = scorer.score(ScoreRequest(items=items, personas=("bo", "amelia")))
    assert brought == known
    assert brought.results[0].judgments[1].provenance.persona == amelia.content_hash


def test_people_of_a_population_are_asked_the_same_way_everywhere(
    scorer, client, items, pictures
) -> None:
    drawn = ScoreRequest(items=items, population="adults", panel=4)
    brought = ScoreRequest(items=items, personas=POPULATION.panel(4))
    assert client.score(drawn) == scorer.score(drawn) == scorer.score(brought)
    prompts = ["a slope"] * len(items)
    rewards = client.rewards(pictures, prompts, population="adults", panel=4)
    assert rewards == scorer.rewards(pictures, prompts, population="adults", panel=4)
    assert rewards == client.rewards(pictures, prompts, personas=POPULATION.panel(4))
    files = tuple(RewardItem(image=item.image, prompt=item.prompt) for item in items)
    request = RewardsRequest(items=files, population="adults", panel=4)
    assert rewards == client.rewards_of_files(request) == scorer.rewards_of_files(request)
    assert len(rewards.personas) == 4


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        ({"population": "adult", "panel": 4}, "unknown-population", "did you mean 'adults'"),
        ({"population": "adults", "panel": 61}, "panel-too-large", "gives 60 at most"),
        (
            {"personas": (STRANGER.model_copy(update={"id": "bo"}),)},
            "duplicate-id",
            "personas of its own called bo",
        ),
    ],
)
def test_wrong_panels_are_problems(client, items, asked, code, told) -> None:
    with pytest.raises(ProblemReply, match=told) as problem:
        client.score(ScoreRequest(items=items, **asked))
    assert problem.value.status == 422
    assert problem.value.type.endswith(code)


def told_of(**changes: object) -> dict[str, object]:
    return STRANGER.model_dump(mode="json") | changes


@pytest.mark.parametrize(
    ("personas", "location", "message"),
    [
        ([told_of(about="x" * 601)], "personas[0].inline.about", "at most 600 characters"),
        ([told_of(traits={"openness": 9})], "personas[0].inline.traits.openness", "less than"),
        ([told_of(norm="mars")], "personas[0].inline.norm", "'sapa-bfi25-adults' or"),
        (["bo", told_of(age=33)], "personas[1].inline.age", "Extra inputs"),
        ([told_of(id="No!")], "personas[0].inline.id", "match pattern"),
        ([7], "personas[0].inline", "should be an object"),
        ([], "personas", "at least 1 item"),
        ([told_of(id=f"q{n}") for n in range(MAX_PANEL + 1)], "personas", "at most 256 items"),
    ],
)
def test_a_wrong_persona_is_told_with_its_place(url, items, personas, location, message) -> None:
    body = ScoreRequest(items=items[:1]).model_dump(mode="json") | {"personas": personas}
    answer = httpx.post(f"{url}/v1/score", json=body)
    assert answer.status_code == 422
    flaws = {flaw["location"]: flaw["message"] for flaw in answer.json()["errors"]}
    assert message in flaws[location]


@pytest.mark.parametrize("other", [{"panel": 2}, {"population": "adults"}])
def test_there_is_one_way_to_name_the_judges(items, other) -> None:
    with pytest.raises(ValidationError, match="not both"):
        ScoreRequest(items=items, personas=("bo",), **other)


def test_a_population_is_asked_for_by_name_and_never_by_path(scorer, items) -> None:
    with pytest.raises(ValidationError, match="match pattern"):
        ScoreRequest(items=items, population="../adults")
    with pytest.raises(UnknownPopulation):
        scorer.rewards(
            np.zeros((1, 32, 32, 3), np.uint8), ["x"], population="../populations/adults"
        )
