"""Keys guard what judges; health stays open."""

from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from qoe_service.client import ProblemReply, QoEClient
from qoe_service.settings import Settings

KEYS = ("first-key", "second-kéy")


@pytest.fixture(scope="module")
def guarded_url(serve, pixel_scorer):
    keys = tuple(map(SecretStr, KEYS))
    with serve(pixel_scorer, Settings(tiers=("pixel",), cache=None, api_keys=keys)) as url:
        yield url


@pytest.mark.parametrize("key", [None, "", "first-ke", "first-key2", "FIRST-KEY"])
@pytest.mark.parametrize("path", ["/v1/personas", "/v1/judges"])
def test_without_a_known_key_nothing_is_told(guarded_url, key, path):
    headers = {} if key is None else {"X-API-Key": key}
    response = httpx.get(guarded_url + path, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.headers["content-type"] == "application/problem+json"
    assert not any(known in response.text for known in KEYS)


def test_a_body_is_not_read_before_the_key(guarded_url):
    assert httpx.post(f"{guarded_url}/v1/score", content=b"not JSON").status_code == 401


@pytest.mark.parametrize(
    "headers", [{"X-API-Key": "first-key"}, {"Authorization": "Bearer first-key"}]
)
def test_a_known_key_opens(guarded_url, headers):
    assert httpx.get(f"{guarded_url}/v1/judges", headers=headers).status_code == 200


def test_health_needs_no_key(guarded_url):
    assert httpx.get(f"{guarded_url}/health/live").status_code == 200
    assert httpx.get(f"{guarded_url}/health/ready").status_code == 200


def test_the_client_shows_its_key(guarded_url):
    with QoEClient(guarded_url, api_key="first-key") as client:
        assert client.judges()[0].tier == "pixel"
    with QoEClient(guarded_url, api_key="wrong") as client:
        with pytest.raises(ProblemReply) as problem:
            client.judges()
        assert problem.value.status == 401
