"""The systems that train, each as the command that a person would type for its best speed."""

from dataclasses import dataclass
from pathlib import Path

import torch
from networks import JOBS, MEAN, MIN_SCALE, STD, Job, is_faster_in_bfloat16
from pictures import NUM_CLASSES, linked_copy
from watched import HERE

PEERS = HERE / "peers"
_AMP = ("--amp", "--amp-dtype", "bfloat16")
CEILING, OURS = "ceiling", "imageloom"


@dataclass(frozen=True)
class Training:
    """What is to be trained.

    Attributes:
        name: Of the network, in ``JOBS``.
        folder: Pictures as ``train/CLASS/FILE`` and ``val/CLASS/FILE``.
        out: Empty folder for what the system writes.
        epochs: Passes over the pictures.
        steps: Of one epoch; the pictures are whole batches.
        device: ``cpu`` or ``cuda``.
        workers: Processes that read, of the others.
        our_workers: Of Imageloom, or None for its own choice.
        timm_train: train.py of timm's repository.
    """

    name: str
    folder: Path
    out: Path
    epochs: int
    steps: int
    device: str
    workers: int
    our_workers: int | None
    timm_train: Path | None

    @property
    def job(self) -> Job:
        return JOBS[self.name]

    @property
    def usual_words(self):
        return [self.name, self.folder, self.epochs, self.workers, self.out]


def ceiling(wish):
    return [PEERS / "ceiling.py", wish.name, wish.steps, wish.epochs, NUM_CLASSES]


def imageloom(wish):
    job = wish.job
    return [
        *("-m", "imageloom", "train", "--model", job.network, "--data", wish.folder),
        *("--out", wish.out / "run", "--epochs", wish.epochs, "--patience", wish.epochs),
        *("--batch-size", job.batch_size, "--image-size", job.size),
        *("--stem", "small" if job.is_small else "standard"),
        *([] if wish.our_workers is None else ["--workers", wish.our_workers]),
    ]


def torchvision(wish):
    return [PEERS / "torchvision_train.py", *wish.usual_words]


def torchvision_by_hand(wish):
    return [*torchvision(wish), "--by-hand"]


def timm(wish):
    job = wish.job
    network = f"{job.network}_small" if job.is_small else job.network
    return [
        *(PEERS / "timm_train.py", wish.timm_train, "--data-dir", wish.folder),
        *("--train-split", "train", "--val-split", "val", "--num-classes", NUM_CLASSES),
        *("--model", network, "--img-size", job.size, "--batch-size", job.batch_size),
        *("--epochs", wish.epochs, "--workers", wish.workers, "--device", wish.device),
        *("--channels-last", *(_AMP if is_faster_in_bfloat16(torch.device(wish.device)) else ())),
        *("--opt", "sgd", "--lr", 0.001, "--sched", "step", "--warmup-epochs", 0),
        *("--scale", MIN_SCALE, 1.0, "--train-interpolation", "bilinear", "--color-jitter", 0),
        *("--mean", *MEAN, "--std", *STD, "--smoothing", 0),
        *("--checkpoint-hist", 1, "--output", wish.out),
        *(["--pin-mem"] if wish.device == "cuda" else []),
    ]


def fastai(wish):
    return [PEERS / "fastai_train.py", *wish.usual_words]


def ultralytics(wish):
    # It writes a list of the pictures beside them, and would not look at them a second time.
    name, folder, *rest = wish.usual_words
    return [PEERS / "ultralytics_train.py", name, linked_copy(folder, wish.out / "own"), *rest]


SYSTEMS = {
    CEILING: ceiling,
    OURS: imageloom,
    "torchvision": torchvision,
    "torchvision by hand": torchvision_by_hand,
    "timm": timm,
    "fastai": fastai,
    "ultralytics": ultralytics,
}
