"""Training with fastai's vision_learner, with the best that it has on the device.

    python fastai_train.py NETWORK FOLDER EPOCHS WORKERS OUT

FOLDER holds train/CLASS/FILE and val/CLASS/FILE. Its to_bf16() is for GPUs only, so on a CPU a
callback of four lines does the same; channels last is its own.
"""

import sys
from functools import partial

import torch
import torchvision
from fastai.callback.channelslast import ChannelsLast
from fastai.vision.all import (
    Callback,
    FlipItem,
    ImageDataLoaders,
    Normalize,
    OptimWrapper,
    RandomResizedCrop,
    accuracy,
    vision_learner,
)
from networks import JOBS, MEAN, MIN_SCALE, STD, build, is_faster_in_bfloat16

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Bfloat16(Callback):
    def before_batch(self):
        self.context = torch.autocast(DEVICE.type, dtype=torch.bfloat16)
        self.context.__enter__()

    def after_pred(self):
        self.learn.pred = self.pred.float()

    def after_loss(self):
        self.context.__exit__(None, None, None)


def loaders(folder, job, workers):
    """Return fastai's loaders of the pictures for training and for validation."""
    return ImageDataLoaders.from_folder(
        folder,
        train="train",
        valid="val",
        item_tfms=[RandomResizedCrop(job.size, min_scale=MIN_SCALE), FlipItem()],
        batch_tfms=[Normalize.from_stats(MEAN, STD)],
        bs=job.batch_size,
        num_workers=workers,
        device=DEVICE,
    )


def main(name, folder, epochs, workers, out):
    job = JOBS[name]

    def small(pretrained):
        assert not pretrained
        return build(job)

    # Where to cut off the last layers it knows of torchvision's own functions only.
    network = small if job.is_small else torchvision.models.get_model_builder(job.network)
    learner = vision_learner(
        loaders(folder, job, int(workers)),
        network,
        pretrained=False,
        metrics=accuracy,
        path=out,
        opt_func=partial(OptimWrapper, opt=torch.optim.SGD, momentum=0.9),
        cbs=[ChannelsLast, *([Bfloat16] if is_faster_in_bfloat16(DEVICE) else [])],
    )
    learner.fit(int(epochs), lr=0.001)
    learner.save("model")


if __name__ == "__main__":
    main(*sys.argv[1:])
