"""What each piece of reading and of a step takes, and what was tried in its place.

    python benchmarks/speed/bench_pieces.py --pictures PHOTOS --full --rounds 5

Pieces of reading are milliseconds of processor time for one picture with one thread, over all
photos; those between two pictures are timed alone, each after a photo was decoded, because the
decoder leaves none of their code in the processor's caches. Pieces of a step are milliseconds on
the wall with all cores. Which of the rows the product takes, and why not the others, stands in
docs/experiments.md.
"""

import contextlib
import hashlib
import io
import itertools
import random
import time

import numpy as np
import simplejpeg
import torch
import torchvision
from networks import MIN_SCALE
from PIL import Image
from report import parser_of, publish
from rounds import Found, in_turn, median_and_spread, table
from torchvision.io import ImageReadMode, decode_jpeg
from torchvision.transforms.v2 import functional as F

from imageloom.data.decoding.decode import decode_rgb
from imageloom.data.decoding.jpeg import first_rows, read_jpeg_header
from imageloom.data.loading.random_numbers import Draw
from imageloom.data.loading.random_operations import random_crop, random_part
from imageloom.data.loading.resize import BILINEAR, resized
from imageloom.models.compute import Compute, is_faster_in_bfloat16
from imageloom.preprocessing import IMAGENET_NORMALISATION, RandomCrop, RandomResizedCrop
from imageloom.system.allocator import kept_for_the_next

SIZE, BATCH = 224, 16
KEPT = "step of resnet18, 16 pictures, memory kept"


def reading(photos):
    """Return pieces by name; each takes the bytes of a photo, or ignores them."""
    whole = [decode_rgb(photo) for photo in photos]
    turns, numbers = itertools.cycle(whole), random.Random(1)

    def part():
        """Return 300 x 280 pixels, or what there is, of some photo."""
        return next(turns)[:, :280, :300]

    def through_planes(_):
        size = [SIZE, SIZE]
        scaled = F.resize(part(), size, interpolation=BILINEAR, antialias=True)
        return scaled.permute(1, 2, 0).contiguous()

    def top_rows(photo):
        """Decode down to where a random part ends, as random resized crops are drawn."""
        header = read_jpeg_header(photo)
        height = round(header.height * numbers.uniform(0.08, 1) ** 0.5)
        bottom = numbers.randrange(height, header.height + 1)
        return simplejpeg.decode_jpeg(first_rows(photo, header, bottom), "RGB", strict=False)

    return {
        "SHA-256": lambda photo: hashlib.sha256(photo).digest(),
        "markers of a JPEG file": read_jpeg_header,
        "decode, Pillow": lambda photo: np.asarray(Image.open(io.BytesIO(photo)).convert("RGB")),
        "decode, torchvision": lambda photo: decode_jpeg(
            torch.frombuffer(bytearray(photo), dtype=torch.uint8), mode=ImageReadMode.RGB
        ),
        "decode, simplejpeg": lambda photo: simplejpeg.decode_jpeg(photo, "RGB", strict=False),
        "decode, simplejpeg, rows of a part": top_rows,
        "decode, simplejpeg, half as wide and high": lambda photo: simplejpeg.decode_jpeg(
            photo, "RGB", min_height=1, min_width=1, min_factor=2, strict=False
        ),
        "scale 300 x 280 to 224, through planes": through_planes,
        "scale 300 x 280 to 224, channels last": lambda _: (
            resized(part(), [SIZE, SIZE]).permute(1, 2, 0).contiguous()
        ),
    }


def between_pictures(photos):
    """Return pieces by name that take nothing, and that take longer after a decoder."""
    whole = [decode_rgb(photo) for photo in photos]
    turns, seeds = itertools.cycle(whole), itertools.count()
    crop = RandomResizedCrop(size=SIZE, min_scale=MIN_SCALE)
    small_turns = itertools.cycle([resized(image_CHW, [32, 32]) for image_CHW in whole])
    small_crop = RandomCrop(size=32, padding=4)

    def drawn(kind):
        draw = kind(next(seeds))
        return random_part(crop, 375, 500, draw), draw.happens(0.5)

    def part():
        return next(turns)[:, :280, :300]

    def by_torchvision():
        part_1CHW = part()[None].contiguous(memory_format=torch.channels_last)
        return F.resize(part_1CHW, [SIZE, SIZE], interpolation=BILINEAR, antialias=True)

    def padded_then_cut():
        draw = Draw(next(seeds))
        padded_CHW = F.pad(next(small_turns), [small_crop.padding] * 4)
        top, left = draw.integer(0, 9), draw.integer(0, 9)
        return padded_CHW[:, top : top + 32, left : left + 32].permute(1, 2, 0).contiguous()

    def cut_at_once():
        part_CHW = random_crop(small_crop, next(small_turns), Draw(next(seeds)))
        return part_CHW.permute(1, 2, 0).contiguous()

    return {
        "draw a part and a flip, torch": lambda: drawn(TorchsDraw),
        "draw a part and a flip, NumPy": lambda: drawn(Draw),
        "scale by torchvision's function": by_torchvision,
        "scale by torch's": lambda: resized(part(), [SIZE, SIZE]),
        "random crop of 32 px, padded and then cut": padded_then_cut,
        "random crop of 32 px, cut at once": cut_at_once,
    }


class TorchsDraw:
    """Draws as torchvision's transforms do, but from a generator of its own."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def uniform(self, low, high):
        return torch.empty(1).uniform_(low, high, generator=self.generator).item()

    def integer(self, low, high):
        return int(torch.randint(low, high, (1,), generator=self.generator).item())

    def happens(self, probability):
        return bool(torch.rand(1, generator=self.generator) < probability)


def step():
    """Return pieces by name; none takes anything."""
    planes = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)
    last = planes.contiguous(memory_format=torch.channels_last)
    compute = Compute(torch.device("cpu"), "float32")
    mean, std = (
        torch.tensor(values).view(1, 3, 1, 1)
        for values in (IMAGENET_NORMALISATION.mean, IMAGENET_NORMALISATION.std)
    )
    levels = torch.arange(256.0).view(1, 256) / 255
    levels = ((levels - mean.view(3, 1)) / std.view(3, 1)).flatten()

    def by_channels():
        values = planes.to(torch.float32, memory_format=torch.channels_last)
        return values.div_(255).sub_(mean).div_(std)

    def by_levels():
        places = last.permute(0, 2, 3, 1).to(torch.int32) + torch.tensor([0, 256, 512])
        return levels.index_select(0, places.flatten())

    def one_by_one():
        return [compute.inputs(image_1CHW, IMAGENET_NORMALISATION) for image_1CHW in last.split(1)]

    pieces = {
        "normalise 16 pictures, channel by channel": by_channels,
        "normalise 16 pictures, a table of 256 levels": by_levels,
        "normalise 16 pictures, row by row, one after the other": one_by_one,
        "normalise 16 pictures, row by row": lambda: compute.inputs(last, IMAGENET_NORMALISATION),
    }
    network = torchvision.models.resnet18().to(memory_format=torch.channels_last)
    for parameter in network.parameters():
        parameter.grad = torch.randn_like(parameter)
    gradients = [parameter.grad for parameter in network.parameters()]
    pieces["norm of resnet18's gradient"] = lambda: float(torch.nn.utils.get_total_norm(gradients))
    for name, options in (
        ("parameter by parameter", {"foreach": False}),
        ("fused", {"fused": True}),
    ):
        optimizer = torch.optim.SGD(
            network.parameters(), lr=1e-6, momentum=0.9, weight_decay=1e-4, nesterov=True, **options
        )
        pieces[f"SGD of resnet18, {name}"] = optimizer.step
    take = a_step(network, last)
    pieces["step of resnet18, 16 pictures, memory given back to the kernel"] = take
    pieces[KEPT] = take
    return pieces


def a_step(network, images):
    """Return what takes a step of training; freed memory goes where the allocator sends it."""
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6, momentum=0.9, fused=True)
    inputs, labels = images.float(), torch.arange(len(images))
    is_bfloat16 = is_faster_in_bfloat16(torch.device("cpu"))

    def take():
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_bfloat16):
            loss = torch.nn.functional.cross_entropy(network(inputs), labels)
        loss.backward()
        optimizer.step()

    return take


def main():
    parser = parser_of(__doc__)
    arguments = parser.parse_args()
    if not arguments.pictures:
        parser.error("--pictures is needed.")
    files = sorted(arguments.pictures.rglob("*.[jJ][pP]*[gG]"))[: 125 if arguments.full else 20]
    photos, found = [file.read_bytes() for file in files], Found()
    threads, pieces = torch.get_num_threads(), step()
    for _, name in in_turn(list(pieces), arguments.rounds):
        with kept_for_the_next() if name == KEPT else contextlib.nullcontext():
            pieces[name]()
            began = time.perf_counter()
            for _ in range(10):
                pieces[name]()
            found.add(name, ms=(time.perf_counter() - began) * 100)
    torch.set_num_threads(1)
    pieces = reading(photos)
    for _, name in in_turn(list(pieces), arguments.rounds):
        began = time.thread_time()
        for photo in photos:
            pieces[name](photo)
        found.add(name, ms=(time.thread_time() - began) / len(photos) * 1000)
    pieces = between_pictures(photos)
    for _, name in in_turn(list(pieces), arguments.rounds):
        seconds = 0.0
        for photo in photos:
            decode_rgb(photo)
            began = time.thread_time()
            pieces[name]()
            seconds += time.thread_time() - began
        found.add(f"between two pictures: {name}", ms=seconds / len(photos) * 1000)
    rows = [[name, median_and_spread(found.of(name, "ms"), 3)] for name in found.names()]
    mean_bytes = sum(map(len, photos)) / len(photos)
    about = (
        f"{len(photos)} photos of {mean_bytes / 1000:.0f} kB on average; {threads} threads for the "
        f"pieces of a step; median of {arguments.rounds} (least to most)."
    )
    publish("pieces", arguments, parser, ["# Pieces", about, table(["", "ms"], rows)])


if __name__ == "__main__":
    main()
