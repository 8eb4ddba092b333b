"""The global random generators of Python, NumPy and torch, lent to a run and given back."""

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch


@contextlib.contextmanager
def lent_generators() -> Iterator[None]:
    """Let the body seed and use the global generators; afterwards they are as they were."""
    python, legacy_numpy = random.getstate(), np.random.get_state()
    devices = range(torch.cuda.device_count())
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(legacy_numpy)


def seed_generators(seed: int) -> None:
    """Start all global generators from one seed, any 64-bit integer."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
