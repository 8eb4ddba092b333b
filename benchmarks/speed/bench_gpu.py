"""What a GPU makes of a network's step, and whether it should decode the pictures too.

    python benchmarks/speed/bench_gpu.py --pictures PHOTOS --full --rounds 3

The step of ResNet-50 on ready tensors, bfloat16, channels last, 256 pictures of 224 px: as it is,
with each kind of optimizer, compiled, and compiled with CUDA graphs, with the seconds until the
first step has ended. Then decoding photos: with all cores, as Imageloom does, and on the GPU, as
torchvision does with nvJPEG. Training from files on a GPU is bench_train.py's, with --networks
resnet50-256.

Without a GPU nothing is measured. --device cpu tries the script out there, in small sizes.
"""

import functools
import os
import time
from concurrent.futures import ThreadPoolExecutor

import simplejpeg
import torch
from networks import JOBS
from report import parser_of, publish
from rounds import Found, in_turn, median_and_spread, table
from steps import step_speed
from torchvision.io import ImageReadMode, decode_jpeg

STEPS = {
    "step, optimizer parameter by parameter": {"foreach": False},
    "step, foreach optimizer": {"foreach": True},
    "step, fused optimizer": {"fused": True},
    "step, fused optimizer, compiled": {"fused": True, "mode": "default"},
    "step, fused optimizer, CUDA graphs": {"fused": True, "mode": "reduce-overhead"},
}
DECODED_AT_ONCE = 64


def decoded_by_cores(photos, pool):
    """Decode photos with all cores."""
    decode = functools.partial(simplejpeg.decode_jpeg, colorspace="RGB", strict=False)
    list(pool.map(decode, photos))


def decoded_by_gpu(photos, device):
    """Decode photos on the GPU, so many at once as a call takes well."""
    tensors = [torch.frombuffer(bytearray(photo), dtype=torch.uint8) for photo in photos]
    for first in range(0, len(tensors), DECODED_AT_ONCE):
        few = tensors[first : first + DECODED_AT_ONCE]
        decode_jpeg(few, mode=ImageReadMode.RGB, device=device)
    torch.cuda.synchronize()


def decoding_speed(decode, photos):
    """Return images per second, after a first pass that is not counted."""
    decode(photos[:DECODED_AT_ONCE])
    began = time.perf_counter()
    decode(photos)
    return len(photos) / (time.perf_counter() - began)


def decoders(device, pool):
    """Return how photos are decoded, by what a reader calls it."""
    cores = {
        f"decode, simplejpeg, {pool._max_workers} threads": functools.partial(
            decoded_by_cores, pool=pool
        )
    }
    if device.type == "cpu":
        return cores
    return cores | {"decode, nvJPEG": functools.partial(decoded_by_gpu, device=device)}


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--network", choices=JOBS, help="in place of resnet50-256")
    parser.add_argument("--device", default="cuda")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print("bench_gpu.py: torch sees no GPU on this machine, so nothing was measured.")
        return
    job = JOBS[arguments.network or ("resnet50-256" if device.type == "cuda" else "resnet18")]
    num_steps = 50 if arguments.full else 5
    files = sorted(arguments.pictures.rglob("*.jpg")) + sorted(arguments.pictures.rglob("*.JPEG"))
    photos = [file.read_bytes() for file in files] * (20 if arguments.full else 1)
    found = Found()
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        decoding = decoders(device, pool)
        for number, name in in_turn([*STEPS, *decoding], arguments.rounds):
            if name in STEPS:
                speed, seconds = step_speed(job, device, num_steps, **STEPS[name])
                found.add(name, speed=speed, first=seconds)
            else:
                found.add(name, speed=decoding_speed(decoding[name], photos))
            print(number, name, median_and_spread(found.of(name, "speed")), flush=True)
    rows = [
        [name, *(median_and_spread(found.of(name, what)) for what in ("speed", "first"))]
        for name in found.names()
    ]
    sections = [
        "# A step and decoding on a GPU" if device.type == "cuda" else "# A step and decoding",
        f"{job.network}, {job.size} px, {job.batch_size} pictures per step, {num_steps} steps, "
        f"bfloat16; {len(photos):,} photos; median of {arguments.rounds} (least to most).",
        table(["", "images/s", "s until the first step ended"], rows),
    ]
    publish("gpu", arguments, parser, sections)


if __name__ == "__main__":
    main()
