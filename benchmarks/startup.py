"""How long a shell waits for help: `python benchmarks/startup.py`.

Every command runs in a fresh interpreter, the commands taking turns, after one warm-up each.
Target: median under 0.3 s.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

TARGET_S = 0.3
COMMANDS = {
    "python (nothing imported)": ["-c", "pass"],
    "qoe --help": ["-m", "qoe_service.cli", "--help"],
    "qoe score --help": ["-m", "qoe_service.cli", "score", "--help"],
    "qoe personas --help": ["-m", "qoe_service.cli", "personas", "--help"],
}


def measure(runs: int) -> dict[str, list[float]]:
    """Seconds of every run, by command."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for arguments in COMMANDS.values():
        _run(arguments)
    for _ in range(runs):
        for name, arguments in COMMANDS.items():
            seconds[name].append(_run(arguments))
    return seconds


def _run(arguments: list[str]) -> float:
    start_s = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40)
    runs = parser.parse_args().runs
    print(
        f"{'command':28} {'median':>8} {'p90':>8} {'worst':>8}   target {TARGET_S} s, {runs} runs"
    )
    for name, seconds in measure(runs).items():
        p90 = statistics.quantiles(seconds, n=10)[-1]
        print(f"{name:28} {statistics.median(seconds):8.3f} {p90:8.3f} {max(seconds):8.3f}")


if __name__ == "__main__":
    main()
