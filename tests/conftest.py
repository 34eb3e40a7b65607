"""Settings of the whole suite."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Threads of OpenMP sleep while they wait for one another. By default they spin, and where several processes share the
# cores, as they do here, most of the time goes there. It is read when torch and scikit-learn are loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# The same examples on every run; deadlines mean little on shared machines.
settings.register_profile(
    "qloom",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("qloom")
