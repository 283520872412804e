from __future__ import annotations

import os

# One thread a process: on few cores torch's threads get in each other's way (and in the way of
# the servers that tests start), so that small models run many times slower with two.
os.environ.setdefault("OMP_NUM_THREADS", "1")
