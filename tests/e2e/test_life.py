# SPDX-License-Identifier: Apache-2.0
"""
Anything in any order, with real packets: calls of all kinds, what their users do, what operators do and what breaks,
drawn from a seed. SRTPGW_LIFE_SEED repeats one; SRTPGW_LIFE_SECONDS makes it longer.
"""

import os
import random

from lab.gateway import Neighbourhood
from lab.life import Life

SECONDS = 60


def test_random_life():
    seed = int(os.environ.get("SRTPGW_LIFE_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"# seed {seed}", flush=True)
    with Neighbourhood() as lab:
        life = Life(lab, seed)
        life.run(float(os.environ.get("SRTPGW_LIFE_SECONDS") or SECONDS))
        life.gateway.stop()
