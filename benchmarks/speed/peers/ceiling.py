"""The step alone, on ready tensors in memory: what no system that reads pictures can be above.

    python ceiling.py NETWORK STEPS EPOCHS CLASSES [--score PRECISION]

The same arithmetic as the best of those that are compared: bfloat16 where it is faster,
channels last, fused SGD with Nesterov momentum. With --score it is inference, in float32 or
bfloat16, with batches of 64 pictures.
"""

import sys
import time

import torch
from networks import JOBS, build, is_faster_in_bfloat16

NUM_BATCHES, SCORE_BATCH = 4, 64


def main(name, steps, epochs, classes, *options):
    job = JOBS[name]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(1)
    network = build(job, int(classes)).to(device, memory_format=torch.channels_last)
    shape = (SCORE_BATCH if options else job.batch_size, 3, job.size, job.size)
    batches = [
        (
            torch.randn(shape, device=device).to(memory_format=torch.channels_last),
            torch.randint(int(classes), shape[:1], device=device),
        )
        for _ in range(NUM_BATCHES)
    ]
    epoch = [batches[number % NUM_BATCHES] for number in range(int(steps))]
    if options:
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=options[1] == "bfloat16"):
            score(network, epoch, int(epochs))
    else:
        train(network, device, epoch, int(epochs))


def train(network, device, batches, epochs):
    optimizer = torch.optim.SGD(
        network.parameters(), lr=0.001, momentum=0.9, weight_decay=1e-4, nesterov=True, fused=True
    )
    criterion = torch.nn.CrossEntropyLoss()
    is_bfloat16 = is_faster_in_bfloat16(device)
    for _ in range(epochs):
        network.train()
        for inputs, labels in batches:
            optimizer.zero_grad()
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=is_bfloat16):
                loss = criterion(network(inputs), labels)
            loss.backward()
            optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()


def score(network, batches, epochs):
    network.eval()
    for _ in range(epochs):
        began = time.monotonic()
        with torch.inference_mode():
            for inputs, _ in batches:
                network(inputs).softmax(1).cpu()
        seconds = time.monotonic() - began
        print(f"images/s {sum(len(labels) for _, labels in batches) / seconds:.2f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
