"""Accuracy and speed of a training run next to the same recipe as a plain torch loop.

Both train ResNet-18 with the small stem on the same 5,000 pictures for 8 epochs, and are measured
on the same 2,000. The plain loop is written as a torch tutorial would: PIL, torchvision
transforms, DataLoader with shuffle, CrossEntropyLoss, SGD. Runs alternate, so that other load on
the machine meets both.

    python benchmarks/bench_textbook.py --train CIFAR/train --test CIFAR/test --out DIR

CIFAR is CIFAR-10 as one picture file per example in one folder per class.
"""

import argparse
import json
import time
from pathlib import Path

import torch
import torchvision
from PIL import Image
from torch import nn
from torchvision.transforms import v2

import imageloom
from imageloom import ModelParams, SplitParams, TrainParams

EPOCHS, BATCH, RATE = 8, 64, 0.05
PER_CLASS_TRAIN, PER_CLASS_TEST = 500, 200


def part(folder, per_class, out):
    """Return a stratified part of a folder, the same each time."""
    images = imageloom.open_images(folder)
    fraction = per_class * len(images.classes) / len(images)
    chosen, _ = imageloom.split(images, SplitParams(fraction=fraction, seed=1))
    assert set(chosen.counts.values()) == {per_class}
    if not out.exists():
        chosen.save(out)
    return chosen


def ours(seed, training, test, out, workers):
    """Train with Imageloom; return top-1 of the last epoch and seconds."""
    params = TrainParams(
        epochs=EPOCHS,
        batch_size=BATCH,
        learning_rate=RATE,
        warmup_epochs=1,
        patience=EPOCHS,
        seed=seed,
        workers=workers,
    )
    began = time.monotonic()
    result = imageloom.train(
        "resnet18", training, test, out, params=params, model_params=ModelParams(stem="small")
    )
    seconds = time.monotonic() - began
    rows = [json.loads(line) for line in (result.run / "events.jsonl").read_text().splitlines()]
    top1 = [row["value"] for row in rows if row["name"] == "Top-1 validation accuracy"]
    return top1[-1], result.metrics["Top-1 validation accuracy"], seconds


class Pictures(torch.utils.data.Dataset):
    def __init__(self, images, transform):
        self.files = [images.path(i).decode() for i in range(len(images))]
        self.labels = images.labels.tolist()
        self.transform = transform

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        return self.transform(Image.open(self.files[i]).convert("RGB")), self.labels[i]


def plain(seed, training, test, workers):
    """Train with a plain loop; return top-1 of the last epoch and seconds."""
    began = time.monotonic()
    torch.manual_seed(seed)
    to_input = [
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ]
    augment = [v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip()]
    loader = torch.utils.data.DataLoader(
        Pictures(training, v2.Compose(augment + to_input)), BATCH, shuffle=True, num_workers=workers
    )
    test_loader = torch.utils.data.DataLoader(
        Pictures(test, v2.Compose(to_input)), 2 * BATCH, num_workers=workers
    )
    network = torchvision.models.resnet18(num_classes=len(training.classes))
    network.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    network.maxpool = nn.Identity()
    network = network.to(memory_format=torch.channels_last)
    flat = [p for p in network.parameters() if p.ndim == 1]
    deep = [p for p in network.parameters() if p.ndim > 1]
    optimizer = torch.optim.SGD(
        [{"params": deep, "weight_decay": 1e-4}, {"params": flat, "weight_decay": 0}],
        lr=RATE,
        momentum=0.9,
        nesterov=True,
    )
    total, warm, step = EPOCHS * len(loader), len(loader), 0
    criterion = nn.CrossEntropyLoss()
    for _ in range(EPOCHS):
        network.train()
        for inputs, labels in loader:
            rate = (
                RATE * step / warm
                if step < warm
                else RATE * (1 - (step - warm) / (total - warm)) ** 2
            )
            for group in optimizer.param_groups:
                group["lr"] = rate
            inputs = inputs.to(memory_format=torch.channels_last)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = criterion(network(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
        network.eval()
        correct = 0
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            for inputs, labels in test_loader:
                inputs = inputs.to(memory_format=torch.channels_last)
                correct += (network(inputs).argmax(1) == labels).sum().item()
    return correct / len(test), time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--workers", type=int, default=0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    training = part(args.train, PER_CLASS_TRAIN, args.out / "training")
    test = part(args.test, PER_CLASS_TEST, args.out / "test")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for seed in args.seeds:
        last, best, seconds = ours(seed, training, test, args.out / f"seed-{seed}", args.workers)
        print(
            f"seed {seed} imageloom last {last:.4f} published {best:.4f} {seconds:.0f} s",
            flush=True,
        )
        last, seconds = plain(seed, training, test, args.workers)
        print(f"seed {seed} plain     last {last:.4f} {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
