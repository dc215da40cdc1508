"""Benchmarks: the platform against what a person would write by hand, in the same run on the same machine."""

import os

# As the platform has it for its children, so before anything loads OpenMP: threads that wait for each other actively take ten
# times as long on a machine that is busy otherwise, and a baseline with that handicap would flatter the platform.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
