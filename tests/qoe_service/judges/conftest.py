"""The fake provider, and chat judges that ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from qoe_service.judges.chat import ChatJudge
from tests.fake_provider import Behaviour, FakeProvider
from tests.qoe_service.judges.chatting import Judging, Setting


@pytest.fixture(scope="session")
def running_provider() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def provider(running_provider: FakeProvider) -> FakeProvider:
    """The fake provider, behaving well and remembering nothing."""
    running_provider.start()
    running_provider.behave(**Behaviour().model_dump())
    running_provider.script()
    running_provider.forget_traffic()
    return running_provider


@pytest.fixture
def judging(provider: FakeProvider) -> Iterator[Callable[..., Judging]]:
    """`judging(**changes of Setting)`; what was built is closed afterwards."""
    built: list[ChatJudge] = []

    def build(**changes: object) -> Judging:
        built.append(Setting(provider, **changes).build())
        return Judging(built[-1], provider)

    yield build
    for judge in built:
        judge.close()
