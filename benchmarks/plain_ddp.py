"""The training of bench_processes.py as a plain script for torchrun: DDP as a tutorial has it.

    torchrun --standalone --nproc-per-node 2 benchmarks/plain_ddp.py TRAINING VALIDATION

It prints the pictures per second of each epoch, over all ranks, and the seconds of the whole.
"""

import os
import sys
import time

import torch
import torch.distributed as dist
import torchvision
from torch.nn.parallel import DistributedDataParallel
from torchvision.transforms import v2

EPOCHS, BATCH, RATE, SIZE = 3, 32, 0.01, 128


def main(training, validation):
    dist.init_process_group("gloo")
    world_size = dist.get_world_size()
    torch.manual_seed(1)
    to_input = [
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ]
    augment = v2.Compose([v2.RandomResizedCrop(SIZE), v2.RandomHorizontalFlip(), *to_input])
    plain = v2.Compose([v2.Resize(SIZE), v2.CenterCrop(SIZE), *to_input])
    pictures = torchvision.datasets.ImageFolder(training, augment)
    sampler = torch.utils.data.DistributedSampler(pictures)
    loader = torch.utils.data.DataLoader(pictures, BATCH // world_size, sampler=sampler)
    test = torchvision.datasets.ImageFolder(validation, plain)
    test_loader = torch.utils.data.DataLoader(
        test, 2 * BATCH, sampler=torch.utils.data.DistributedSampler(test, shuffle=False)
    )
    network = torchvision.models.resnet18(num_classes=len(pictures.classes))
    network = network.to(memory_format=torch.channels_last)
    wrapped = DistributedDataParallel(network)
    optimizer = torch.optim.SGD(
        wrapped.parameters(), lr=RATE, momentum=0.9, weight_decay=1e-4, nesterov=True
    )
    criterion = torch.nn.CrossEntropyLoss()
    for epoch in range(EPOCHS):
        sampler.set_epoch(epoch)
        wrapped.train()
        began = time.monotonic()
        for inputs, labels in loader:
            inputs = inputs.to(memory_format=torch.channels_last)
            loss = criterion(wrapped(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        rate = len(pictures) / (time.monotonic() - began)
        if dist.get_rank() == 0:
            print(f"epoch {epoch + 1} images/s {rate:.2f}", flush=True)
        wrapped.eval()
        with torch.no_grad():
            for inputs, _ in test_loader:
                wrapped(inputs.to(memory_format=torch.channels_last))
    dist.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    main(*sys.argv[1:])
