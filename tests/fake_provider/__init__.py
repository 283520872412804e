"""A judge that is not one: a real HTTP server that speaks the chat-completions protocol.

It scores pictures by a hidden rule (`rule`), so that a client wired wrongly is told from one wired
right, and misbehaves on command (`misbehaviour`), so that a client is seen to bear it.

    request -> protocol -> reading -> moods (rule) -> bell -> answers -> delivery -> bytes
                              |
                           sight, traits

`python -m tests.fake_provider --port 0` runs it as a process; in a test:

    with FakeProvider() as provider:
        client = OpenAI(base_url=provider.url, api_key="any")
"""

from tests.fake_provider.behaviour import Behaviour
from tests.fake_provider.misbehaviour import Misbehaviour, Mix
from tests.fake_provider.moods import Mood, score_of_question
from tests.fake_provider.reading import Reading
from tests.fake_provider.rule import hidden_score
from tests.fake_provider.running import FakeProvider
from tests.fake_provider.traffic import TrafficReport

__all__ = [
    "Behaviour",
    "FakeProvider",
    "Misbehaviour",
    "Mix",
    "Mood",
    "Reading",
    "TrafficReport",
    "hidden_score",
    "score_of_question",
]
