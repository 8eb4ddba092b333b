"""Training in the manner of torchvision's references (references/classification/train.py).

    python torchvision_train.py NETWORK FOLDER EPOCHS WORKERS OUT [--by-hand]

FOLDER holds train/CLASS/FILE and val/CLASS/FILE. Its defaults are the reference's: PIL pictures,
float32, SGD. With --by-hand it has what a person who knows torch adds: bfloat16 where the device
has it, channels last, and workers that live on between the epochs.
"""

import sys
from pathlib import Path

import torch
from networks import JOBS, MEAN, MIN_SCALE, STD, build, is_faster_in_bfloat16
from torch.utils.data import DataLoader
from torchvision import transforms as T
from torchvision.datasets import ImageFolder


def training_transforms(job):
    crop = (
        T.RandomCrop(job.size, padding=4)
        if job.is_small
        else T.RandomResizedCrop(job.size, scale=(MIN_SCALE, 1.0))
    )
    return T.Compose([crop, T.RandomHorizontalFlip(), *to_input()])


def validation_transforms(job):
    shrink = [] if job.is_small else [T.Resize(job.size * 256 // 224), T.CenterCrop(job.size)]
    return T.Compose([*shrink, *to_input()])


def to_input():
    return [T.PILToTensor(), T.ConvertImageDtype(torch.float), T.Normalize(MEAN, STD)]


def main(name, folder, epochs, workers, out, *options):
    job, by_hand, workers = JOBS[name], "--by-hand" in options, int(workers)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    memory_format = torch.channels_last if by_hand else torch.contiguous_format
    pictures = ImageFolder(f"{folder}/train", training_transforms(job))
    more = {
        "num_workers": workers,
        "persistent_workers": by_hand and workers > 0,
        "pin_memory": device.type == "cuda",
    }
    loader = DataLoader(pictures, job.batch_size, shuffle=True, **more)
    validation = DataLoader(
        ImageFolder(f"{folder}/val", validation_transforms(job)), job.batch_size, **more
    )
    network = build(job, len(pictures.classes)).to(device, memory_format=memory_format)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.001, momentum=0.9, weight_decay=1e-4)
    criterion = torch.nn.CrossEntropyLoss()

    def logits_of(inputs):
        inputs = inputs.to(device, non_blocking=True, memory_format=memory_format)
        enabled = by_hand and is_faster_in_bfloat16(device)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled):
            return network(inputs).float()

    for epoch in range(int(epochs)):
        network.train()
        for inputs, labels in loader:
            loss = criterion(logits_of(inputs), labels.to(device, non_blocking=True))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        network.eval()
        correct = 0
        with torch.inference_mode():
            for inputs, labels in validation:
                correct += (logits_of(inputs).argmax(1).cpu() == labels).sum().item()
        print(f"epoch {epoch + 1} top-1 {correct / len(validation.dataset):.4f}", flush=True)
        kept = {"model": network.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}
        torch.save(kept, Path(out) / "checkpoint.pth")


if __name__ == "__main__":
    main(*sys.argv[1:])
