from __future__ import annotations

import pytest
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from qoe_service.errors import JudgeUnavailable
from qoe_service.provider.chat_models import chat_model

KEY = SecretStr("a-key")


@pytest.fixture(autouse=True)
def no_keys_around(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.delenv(name, raising=False)


def sent_by(model):
    """The parameters of a request, without its messages."""
    payload = model._get_request_payload("hello")
    return payload | payload.pop("extra_body", {})


def test_an_address_is_spoken_to_in_openais_protocol():
    model = chat_model("llava:13b", base_url="http://here/v1", seed=4, max_tokens=9)
    assert isinstance(model, ChatOpenAI)
    assert (model.openai_api_base, model.max_retries) == ("http://here/v1", 0)
    sent = sent_by(model)
    assert sent["model"] == "llava:13b"
    assert (sent["temperature"], sent["seed"], sent["max_tokens"]) == (0.0, 4, 9)
    assert (sent["logprobs"], sent["top_logprobs"]) == (True, 20)
    assert "max_completion_tokens" not in sent


@pytest.mark.parametrize("name", ["gpt-x", "openai:gpt-x"])
def test_a_plain_name_is_openais_own(name):
    sent = sent_by(chat_model(name, api_key=KEY, max_tokens=9, log_probabilities=False))
    assert sent["model"] == "gpt-x"
    assert sent["max_completion_tokens"] == 9
    assert not {"max_tokens", "logprobs", "top_logprobs", "seed"} & sent.keys()


def test_a_server_at_an_address_is_not_sent_the_key_in_the_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "precious")
    model = chat_model("any", base_url="http://here/v1")
    assert model.root_async_client.api_key != "precious"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gpt-x", "api_key"),
        ("anthropic:claude-x", "langchain.anthropic"),
        ("nobody:model", "nobody"),
    ],
)
def test_what_is_missing_is_named(name, reason):
    with pytest.raises(JudgeUnavailable, match=f"'{name}' could not be set up(.|\n)*{reason}"):
        chat_model(name)
