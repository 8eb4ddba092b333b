"""Reads batches for training in one process with one thread; says how many it made how fast.

    python load.py PIPELINE FOLDER SIZE BATCH

FOLDER holds train/CLASS/FILE. Every pipeline ends in float32 that a network takes: a random part of
each picture in the size (at 32 pixels a shifted one where the system has that), mirrored or not,
normalised. Two batches pass before time is taken. Each system is asked as its own training asks it.
Imageloom says besides what each part of its reading took, all batches together.
"""

import collections
import itertools
import json
import sys
import time
from pathlib import Path

import torch
from networks import MEAN, MIN_SCALE, STD, Job

CPU = torch.device("cpu")
WARM_UP = 2
parts = collections.Counter()  # seconds of each
READ_AHEAD = {"timm": 1}  # batches that are read when another one is handed out


def torchvision(folder, job):
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision_train import training_transforms

    pictures = ImageFolder(folder / "train", training_transforms(job))
    return (inputs for inputs, _ in DataLoader(pictures, job.batch_size, shuffle=True))


def timm(folder, job):
    from timm.data import create_dataset, create_loader

    loader = create_loader(
        create_dataset("", root=folder, split="train", is_training=True),
        input_size=(3, job.size, job.size),
        batch_size=job.batch_size,
        is_training=True,
        scale=(MIN_SCALE, 1.0),
        color_jitter=0.0,
        interpolation="bilinear",
        mean=MEAN,
        std=STD,
        num_workers=0,
        persistent_workers=False,
        device=CPU,
    )
    return (inputs for inputs, _ in loader)


def fastai(folder, job):
    from fastai_train import loaders

    return (inputs for inputs, _ in loaders(folder, job, workers=0).train)


def ultralytics(folder, job):
    from ultralytics.cfg import get_cfg
    from ultralytics.data import ClassificationDataset, build_dataloader
    from ultralytics_train import plain_augmentation

    options = get_cfg(overrides=plain_augmentation(job))
    pictures = ClassificationDataset(str(folder / "train"), options, augment=True, prefix="train")
    loader = build_dataloader(pictures, job.batch_size, workers=0, device=CPU)
    return (batch["img"] for batch in itertools.islice(loader, len(loader)))


def imageloom(folder, job, *, is_cached=False):
    from imageloom import TrainParams, open_images
    from imageloom.data.loading.loader import BatchKey, PictureLoader, sequential_batches
    from imageloom.models.compute import choose_compute
    from imageloom.preprocessing import IMAGENET_NORMALISATION
    from imageloom.training.input_transforms import choose_transforms

    images = open_images(folder / "train")
    transforms, _ = choose_transforms(images, images, TrainParams(image_size=job.size))
    keys = [BatchKey(0, tuple(rows)) for rows in sequential_batches(len(images), job.batch_size)]
    cache = cache_for(transforms, folder) if is_cached else None
    loader = PictureLoader(images, transforms, seed=1, cache=cache)
    if is_cached:  # the first epoch makes the copies
        assert sum(len(batch.labels_B) for batch in loader.batches(keys)) == len(images)
    compute = choose_compute("cpu", "float32")
    for batch in loader.batches(keys):
        parts.update(vars(batch.times))
        yield compute.inputs(batch.images_BCHW, IMAGENET_NORMALISATION)


def imageloom_cached(folder, job):
    return imageloom(folder, job, is_cached=True)


def cache_for(transforms, folder):
    from imageloom.data.loading.copy_size import copy_side
    from imageloom.data.loading.picture_cache import PictureCache

    return PictureCache(folder.with_name("picture-cache"), copy_side(transforms), 100 * 2**30)


PIPELINES = {
    one.__name__: one
    for one in (torchvision, timm, fastai, ultralytics, imageloom, imageloom_cached)
}


def main(name, folder, size, batch_size):
    job = Job("", int(size), int(batch_size), is_small=int(size) <= 32)
    batches = PIPELINES[name](Path(folder), job)
    for inputs in itertools.islice(batches, WARM_UP):
        assert inputs.shape[1:] == (3, job.size, job.size), inputs.shape
        assert inputs.dtype == torch.float32, inputs.dtype
    parts.clear()
    torch.set_num_threads(1)  # some of them set it when they are imported
    began, began_cpu = time.monotonic(), time.process_time()
    ready = READ_AHEAD.get(name, 0) * job.batch_size
    images = sum(len(inputs) for inputs in batches) - ready
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - began_cpu
    measured = {"images": images, "seconds": seconds, "cpu_seconds": cpu_seconds, "parts": parts}
    print(json.dumps(measured))


if __name__ == "__main__":
    main(*sys.argv[1:])
