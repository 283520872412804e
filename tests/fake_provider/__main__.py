"""`python -m tests.fake_provider --port 0`: the fake provider as a process; prints its base URL."""

from __future__ import annotations

import argparse
import signal
import threading

from tests.fake_provider import Behaviour, FakeProvider, Misbehaviour, Mix, Mood


def main() -> None:
    """Serve until interrupted or terminated."""
    arguments = _parser().parse_args()
    behaviour = Behaviour(
        mix=Mix.even(arguments.failing, arguments.kinds),
        mood=arguments.mood,
        service_time_s=arguments.service_time,
        concurrency_limit=arguments.limit,
    )
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    provider = FakeProvider(
        behaviour,
        api_key=arguments.key,
        host=arguments.host,
        port=arguments.port,
        seed=arguments.seed,
    )
    with provider:
        print(provider.url, flush=True)
        ended.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fake_provider", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--key", help="bearer key that callers must show")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mood", type=Mood, choices=list(Mood), default=Mood.HONEST)
    parser.add_argument("--failing", type=float, default=0.0, help="share of calls that go wrong")
    parser.add_argument(
        "--kinds",
        type=Misbehaviour,
        nargs="+",
        choices=list(Misbehaviour),
        default=list(Misbehaviour),
        help="the ways in which they go wrong, equally often",
    )
    parser.add_argument("--service-time", type=float, default=0.0, help="seconds a call")
    parser.add_argument("--limit", type=int, help="calls in flight above which it answers 429")
    return parser


if __name__ == "__main__":
    main()
