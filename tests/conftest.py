from __future__ import annotations

import os

from hypothesis import settings

# One thread a process: on few cores torch's threads get in each other's way (and in the way of
# the servers that tests start), so that small models run many times slower with two.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Whoever uses the service on this machine must not have changed what tests see.
for name in [name for name in os.environ if name.startswith("QOE_")]:
    del os.environ[name]
os.environ |= {"QOE_CALIBRATION": "", "QOE_GOLDEN": "", "QOE_INTERVIEWS": ""}

# Tests are about behaviour; how long an example takes depends on who else uses the machine.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
