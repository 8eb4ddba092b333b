"""How long a process waits for the gradients of others, which its own work does not explain."""

import contextlib
import time
from collections.abc import Iterator

import torch
from torch import nn


class ExchangeClock:
    """Adds up the time from a process's own last gradient to the end of the exchange.

    Processes that share gradients all take as long as the slowest of them. What tells them apart is
    when their own gradients were there, and that is before the backward pass returns.

    Args:
        network: Its gradients are shared. The first parameter that learns is the last, or all but
            the last, to get its gradient.
        device: Where it computes. A GPU works behind the program's back, so its own clock is read.

    Attributes:
        seconds: Waited so far.
    """

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self.seconds = 0.0
        self._ready_at: float | None = None
        self._on_gpu = device.type == "cuda"
        if self._on_gpu:
            self._ready = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            self._shared = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        first = next((one for one in network.parameters() if one.requires_grad), None)
        if first is not None:
            first.register_post_accumulate_grad_hook(self._note_gradient)  # type: ignore[no-untyped-call]

    def _note_gradient(self, _parameter: torch.Tensor) -> None:
        self._ready_at = time.monotonic()
        if self._on_gpu:
            self._ready.record()

    def add_backward(self) -> None:
        """Add what a backward pass that shared its gradients waited, once it has been done."""
        ready_at, self._ready_at = self._ready_at, None
        if ready_at is None:  # a network that did not use its first parameter
            return
        if self._on_gpu:
            self._shared.record()
            self._shared.synchronize()
            self.seconds += self._ready.elapsed_time(self._shared) / 1000
        else:
            self.seconds += time.monotonic() - ready_at

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Add the time of the body, which waits for other processes."""
        began = time.monotonic()
        yield
        self.seconds += time.monotonic() - began
