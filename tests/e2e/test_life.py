# SPDX-License-Identifier: Apache-2.0
"""
Anything in any order, with real packets: calls of all kinds, what their users do, what operators do and what breaks,
drawn from a seed. SRTPGW_LIFE_SEED is another one than the test's own; SRTPGW_LIFE_SECONDS makes it longer.
"""

import os
import random

from lab.gateway import Neighbourhood
from lab.life import Life


def live(seed, seconds):
    seed = int(os.environ.get("SRTPGW_LIFE_SEED") or seed)
    print(f"# seed {seed}", flush=True)
    with Neighbourhood() as lab:
        life = Life(lab, seed)
        life.run(float(os.environ.get("SRTPGW_LIFE_SECONDS") or seconds))
        life.gateway.stop()


def test_a_life():
    """The same one each time: a machine that tests every change is no place to find out about a new one."""
    live(1, 60)


def long_test_another_life():
    live(random.SystemRandom().randrange(1 << 32), 600)
