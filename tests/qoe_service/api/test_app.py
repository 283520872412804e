"""What is wrong with a request as a whole is a problem document, whatever it is."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from qoe_service.api.__main__ import openapi_text
from qoe_service.api.app import create_app
from qoe_service.api.errors import Problem
from qoe_service.items import make_item
from qoe_service.judges import UnavailableJudge
from qoe_service.judges.ladder import Ladder
from qoe_service.judges.pixel import PixelJudge
from qoe_service.personas import Registry, shipped_folder
from qoe_service.schemas import ScoreReply, ScoreRequest
from qoe_service.scoring import Scorer

ITEM = {"id": "a", "image": "", "prompt": "a slope"}
OPENAPI_FILE = Path(__file__).parents[3] / "docs" / "openapi.json"


class Caller:
    """Requests to an application without a socket."""

    def __init__(self, app) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def __call__(self, method: str, path: str, **options) -> httpx.Response:
        async def call() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://qoe") as http:
                return await http.request(method, path, **options)

        return asyncio.run(call())


@pytest.fixture
def call(pixel_scorer, settings):
    return Caller(create_app(pixel_scorer, settings))


def problem_in(response: httpx.Response) -> Problem:
    assert response.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate_json(response.content)
    assert problem.status == response.status_code
    assert problem.detail
    return problem


def test_the_root_leads_to_the_docs(call):
    assert call("GET", "/").headers["location"] == "/docs"
    assert call("GET", "/docs").status_code == 200


def test_liveness(call):
    assert call("GET", "/health/live").json() == {"status": "live"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/scores", 404), ("GET", "/v1/score", 405), ("DELETE", "/v1/judges", 405)],
)
def test_no_such_route_or_method(call, method, path, status):
    problem = problem_in(call(method, path))
    assert problem.status == status
    assert path in problem.detail


@pytest.mark.parametrize("path", ["/v1/score", "/v1/rewards", "/v1/personas/validate"])
def test_another_content_type_is_told_what_to_send(call, path):
    problem = problem_in(
        call("POST", path, content=b"<xml/>", headers={"Content-Type": "text/xml"})
    )
    assert problem.status == 415
    assert "text/xml" in problem.detail


@pytest.mark.parametrize("path", ["/v1/score", "/v1/rewards"])
def test_a_body_beyond_the_limit_is_refused_announced_or_not(call, path, settings):
    big = b" " * (settings.max_body_bytes + 1)

    async def chunks():
        yield big

    headers = {"Content-Type": "application/json"}
    for content in (big, chunks()):
        problem = problem_in(call("POST", path, content=content, headers=headers))
        assert problem.status == 413
        assert str(settings.max_body_bytes) in problem.detail


def test_a_text_too_long_for_a_persona_is_refused(call):
    headers = {"Content-Type": "application/yaml"}
    problem = problem_in(
        call("POST", "/v1/personas/validate", content=b" " * 2**20, headers=headers)
    )
    assert (problem.status, "a persona is a short text" in problem.detail) == (413, True)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff", b'{"items": []}'])
def test_a_body_that_is_no_request(call, body):
    headers = {"Content-Type": "application/json"}
    problem = problem_in(call("POST", "/v1/score", content=body, headers=headers))
    assert problem.status == 422
    assert problem.errors


@pytest.mark.parametrize(
    ("change", "location", "item"),
    [
        ({"prompt": 3}, "items[1].prompt", "b"),
        ({"colour": "red"}, "items[1].colour", "b"),
        ({"context": {"delay_s": -1}}, "items[1].context.delay_s", "b"),
        ({"id": ""}, "items[1].id", ""),
        ({"id": 7}, "items[1].id", None),
    ],
)
def test_a_flaw_names_item_and_field(call, change, location, item):
    body = {"items": [ITEM, {**ITEM, "id": "b", **change}]}
    (flaw,) = problem_in(call("POST", "/v1/score", json=body)).errors
    assert (flaw.location, flaw.item) == (location, item)


def test_personas_and_panel_exclude_each_other(call):
    body = {"items": [ITEM], "personas": ["bo"], "panel": 2}
    problem = problem_in(call("POST", "/v1/score", json=body))
    assert "not both" in problem.detail


def test_a_problem_does_not_send_the_picture_back(call):
    body = {"items": [{**ITEM, "image": ["A" * 10_000]}]}
    assert len(call("POST", "/v1/score", json=body).content) < 1_000


@pytest.mark.parametrize(
    "parts",
    [
        {"pictures": b"x"},
        {"request": b"{}", "pictures": b"x"},
        {"request": b'{"prompts": ["a"]}'},
        {"request": b'{"prompts": ["a"]}', "pictures": b"PK\x03\x04"},
    ],
)
def test_a_part_that_is_missing_or_wrong_is_named(call, parts):
    files = {name: (name, content) for name, content in parts.items()}
    assert problem_in(call("POST", "/v1/rewards", files=files)).status == 422


def test_a_multipart_body_that_cannot_be_read(call):
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        response = call("POST", "/v1/rewards", content=b"--y", headers={"Content-Type": kind})
        assert problem_in(response).status in {400, 422}


def test_a_bug_is_a_problem_too_and_the_service_lives_on(call, pixel_scorer, monkeypatch):
    def broken(request):
        raise RuntimeError("secret detail")

    with monkeypatch.context() as patched:
        patched.setattr(pixel_scorer, "score", broken)
        problem = problem_in(call("POST", "/v1/score", json={"items": [ITEM]}))
    assert problem.status == 500
    assert "secret" not in problem.detail
    assert call("GET", "/health/ready").json()["status"] == "ready"


def test_pictures_as_named_parts_are_judged_like_base64(call, pictures, png_bytes):
    item = make_item(png_bytes, "a slope", id="a")
    plain = call("POST", "/v1/score", content=ScoreRequest(items=(item,)).model_dump_json(),
                 headers={"Content-Type": "application/json"})  # fmt: skip
    request = ScoreRequest(items=(item.model_copy(update={"image": "photo"}),))
    files = {
        "request": ("request.json", request.model_dump_json().encode()),
        "photo": ("photo.png", png_bytes),
    }
    assert call("POST", "/v1/score", files=files).json() == plain.json()
    del files["photo"]
    assert "photo" in problem_in(call("POST", "/v1/score", files=files)).detail


def test_personas_and_judges_are_told(call):
    assert [persona["id"] for persona in call("GET", "/v1/personas").json()] == [
        "amelia", "bo", "chidi",
    ]  # fmt: skip
    assert [judge["tier"] for judge in call("GET", "/v1/judges").json()] == ["pixel"]


@pytest.mark.parametrize(
    ("ladder", "status", "code"),
    [
        ((PixelJudge(),), "ready", 200),
        ((UnavailableJudge("clip", "clip", "no weights"), PixelJudge()), "degraded", 200),
        ((UnavailableJudge("clip", "clip", "no weights"),), "unavailable", 503),
    ],
)
def test_readiness_tells_which_tiers_judge(ladder, status, code, persona_folder, settings):
    with Scorer(Ladder(ladder), Registry(persona_folder)) as scorer:
        response = Caller(create_app(scorer, settings))("GET", "/health/ready")
    assert response.status_code == code
    assert response.json()["status"] == status


def test_a_persona_text_is_checked_line_by_line(call, persona_folder):
    def validate(text: str) -> dict:
        headers = {"Content-Type": "application/yaml"}
        response = call("POST", "/v1/personas/validate", content=text.encode(), headers=headers)
        assert response.status_code == 200
        return response.json()

    right = (persona_folder / "bo.yaml").read_text()
    assert validate(right)["persona"]["id"] == "bo"
    wrong = validate(right.replace("openness", "opennes"))
    assert not wrong["ok"]
    line = right.splitlines().index(next(s for s in right.splitlines() if "openness" in s)) + 1
    assert (line, 3) in {(flaw["line"], flaw["column"]) for flaw in wrong["errors"]}
    assert not validate("traits: [1, 2\n")["ok"]


def test_a_persona_object_is_checked_line_by_line_too(call, persona_folder):
    def validate(text: str) -> dict:
        headers = {"Content-Type": "application/json"}
        response = call("POST", "/v1/personas/validate", content=text, headers=headers)
        assert response.status_code == 200
        return response.json()

    persona = call("GET", "/v1/personas").json()[1]
    assert validate(json.dumps(persona)) == {"ok": True, "persona": persona, "errors": []}
    persona["viewing"]["devise"] = "phone"
    text = json.dumps(persona, indent=1)
    (flaw,) = validate(text)["errors"]
    assert flaw["message"] == "viewing.devise: unknown key; did you mean 'device'?"
    assert text.splitlines()[flaw["line"] - 1][flaw["column"] - 1 :].startswith('"devise"')
    (flaw,) = validate('{"id": ')["errors"]
    assert "not valid JSON" in flaw["message"]


def test_a_text_to_check_includes_what_the_service_has(pixel_scorer, settings, persona_folder):
    folder = shipped_folder()
    call = Caller(create_app(pixel_scorer, settings.model_copy(update={"personas": folder})))

    def validate(include: str) -> dict:
        text = (persona_folder / "bo.yaml").read_text() + f"include: [{include}]\n"
        headers = {"Content-Type": "application/yaml"}
        return call("POST", "/v1/personas/validate", content=text, headers=headers).json()

    assert validate("fragments/viewing-desk.yaml")["ok"]
    for include, told in (
        ("../pyproject.toml", "leads out"),
        ("/etc/passwd", "leads out"),
        ("fragments/none.yaml", "cannot be read: No such file"),
        ("amelia.yaml", "amelia.yaml:2:1: id: belongs to a person"),
    ):
        checked = validate(include)
        assert any(told in flaw["message"] for flaw in checked["errors"]), checked
        assert str(folder) not in json.dumps(checked)
        assert {flaw["column"] for flaw in checked["errors"]} == {11}


@pytest.mark.parametrize("text", ["a: &a {b: *a}", "? [a]: b", "name: !!bool x", "[" * 9_000])
def test_no_text_to_check_brings_the_service_down(call, text):
    headers = {"Content-Type": "text/yaml"}
    response = call("POST", "/v1/personas/validate", content=text, headers=headers)
    assert response.status_code == 200
    assert not response.json()["ok"]


def test_a_score_over_http_is_what_the_schema_says(call, png_bytes):
    body = ScoreRequest(items=(make_item(png_bytes, "a slope", id="a"),)).model_dump(mode="json")
    reply = ScoreReply.model_validate(call("POST", "/v1/score", json=body).json())
    assert reply.results[0].mos.n == 3


def test_the_committed_schema_is_the_generated_one():
    message = "the API changed; run: python -m qoe_service.api > docs/openapi.json"
    assert json.loads(OPENAPI_FILE.read_text()) == json.loads(openapi_text()), message
