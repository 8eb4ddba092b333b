"""The step of a training on ready tensors, timed in this process."""

import statistics
import time

import torch
from networks import build

NUM_CLASSES = 1000


def step_speed(
    job,
    device,
    num_steps,
    *,
    mode=None,
    precision="bfloat16",
    memory_format=torch.channels_last,
    **optimizer_options,
):
    """Return images per second of the median step and the seconds until the first had ended.

    Args:
        job: Of ``networks.JOBS``.
        device: Of torch.
        num_steps: How many are timed, after three that are not.
        mode: How the network is compiled, or None.
        precision: ``bfloat16`` or ``float32``.
        memory_format: Of network and pictures.
        optimizer_options: Of SGD.
    """
    if mode is not None:
        torch.compiler.reset()
    torch.manual_seed(1)
    network = build(job, NUM_CLASSES).to(device, memory_format=memory_format)
    optimizer = torch.optim.SGD(
        network.parameters(), lr=0.001, momentum=0.9, weight_decay=1e-4, **optimizer_options
    )
    forward = network if mode is None else torch.compile(network, mode=mode)
    criterion = torch.nn.CrossEntropyLoss()
    shape = (job.batch_size, 3, job.size, job.size)
    inputs = torch.randn(shape, device=device).to(memory_format=memory_format)
    labels = torch.randint(NUM_CLASSES, shape[:1], device=device)

    def take_step():
        optimizer.zero_grad()
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            loss = criterion(forward(inputs), labels)
        loss.backward()
        optimizer.step()
        return loss.item()  # the host waits for it, as a loop that checks its loss must

    began = time.perf_counter()
    take_step()
    first_seconds = time.perf_counter() - began
    for _ in range(2):
        take_step()
    seconds = []
    for _ in range(num_steps):
        began = time.perf_counter()
        take_step()
        seconds.append(time.perf_counter() - began)
    return job.batch_size / statistics.median(seconds), first_seconds
