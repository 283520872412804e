"""`python -m tests.fake_provider --port 0`: the fake provider as a process; prints its base URL.

    python -m tests.fake_provider run qoe judges

serves for as long as a command runs, whose QOE_VLM_ settings name it.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading

from tests.fake_provider import Behaviour, FakeProvider, Misbehaviour, Mix, Mood
from tests.fake_provider.server import MODEL


def main() -> None:
    """Serve until interrupted or terminated."""
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.command[:1] not in ([], ["run"]) or arguments.command == ["run"]:
        parser.error("after the options comes nothing, or `run` and a command")
    behaviour = Behaviour(
        mix=Mix.even(arguments.failing, arguments.kinds),
        mood=arguments.mood,
        service_time_s=arguments.service_time,
        concurrency_limit=arguments.limit,
    )
    provider = FakeProvider(
        behaviour,
        api_key=arguments.key,
        host=arguments.host,
        port=arguments.port,
        seed=arguments.seed,
    )
    with provider:
        if arguments.command:
            sys.exit(_run(arguments.command[1:], provider.url))
        _until_stopped(provider.url)


def _run(command: list[str], url: str) -> int:
    """A command's exit code; it finds the provider by the settings of `qoe serve`."""
    named = {"QOE_VLM_MODEL": f"{MODEL}@{url}", "OPENAI_API_KEY": "any"}
    return subprocess.run(command, env=os.environ | named, check=False).returncode


def _until_stopped(url: str) -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    print(url, flush=True)
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
    parser.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        metavar="run COMMAND",
        help="serve for as long as this command runs",
    )
    return parser


if __name__ == "__main__":
    main()
