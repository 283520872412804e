"""Where the limiter of concurrent calls settles: `python -m benchmarks.limiter`.

Simulated in virtual time: 200 callers that never rest, calls of a second (gamma, shape 4), refusals
that take 0.05 s, 64 places at most. Told are the mean limit and its range in the second half of
400 seconds, the calls served a second, the share refused, and when the limit was first no more
than one above a hard one.
"""

from __future__ import annotations

import numpy as np

from tests.qoe_service.provider.conftest import VirtualLoop, run_virtually
from tests.qoe_service.provider.test_concurrency import Server, limits_of

SECONDS, CALLERS = 400, 200
EVERY_S = 0.25


def settled(server: Server, start: int) -> str:
    """The figures of one simulation, as a row."""

    async def simulated(loop: VirtualLoop) -> list[int]:
        return await limits_of(loop, server, start=start, seconds=SECONDS, callers=CALLERS)

    limits = np.array(run_virtually(simulated))
    late = limits[len(limits) // 2 :]
    found = np.flatnonzero(limits <= server.most + 1)
    served = server.served / SECONDS
    refused = server.refused / (server.refused + server.served)
    return (
        f"limit {late.mean():5.1f} ({late.min()} to {late.max()}), {served:5.1f} served a second, "
        f"{refused:5.1%} refused"
        + (f", found after {EVERY_S * found[0]:g} s" if start > 16 else "")
    )


def main() -> None:
    """Refusals at random, then hard limits."""
    for share in (0.0, 0.01, 0.03, 0.1, 0.3):
        print(f"{share:4.0%} refused at random   {settled(Server(refusing=share), 16)}")
    for most in (4, 16):
        for start in (16, 64):
            row = settled(Server(most=most), start)
            print(f"at most {most:2}, from {start:2}      {row}")


if __name__ == "__main__":
    main()
