"""Training with the classification trainer of Ultralytics on a network of torchvision.

    python ultralytics_train.py NETWORK FOLDER EPOCHS WORKERS OUT

FOLDER holds train/CLASS/FILE and val/CLASS/FILE. A drawing as its yolo11-cls-resnet18.yaml takes
torchvision's network; its own classification layer stays (0.7 million parameters for ResNet-18, in
place of 5,130). Its bfloat16 and channels last are for GPUs only.
"""

import sys
from pathlib import Path

import torch
import yaml
from networks import JOBS, MIN_SCALE, with_small_stem
from torch import nn
from ultralytics import settings
from ultralytics.models.yolo.classify import ClassificationTrainer

FEATURES = {"resnet18": 512, "resnet50": 2048, "densenet121": 1024}


def drawing_of(job, out):
    """Write the network as Ultralytics reads it, and return the file."""
    # Without torchvision's last layers: of a ResNet the pooling too, which the head has.
    cut = 1 if job.network.startswith("densenet") else 2
    backbone = [-1, 1, "TorchVision", [FEATURES[job.network], job.network, None, True, cut]]
    drawing = {"nc": 1000, "backbone": [backbone], "head": [[-1, 1, "Classify", ["nc"]]]}
    file = Path(out) / "network-cls.yaml"
    file.write_text(yaml.safe_dump(drawing))
    return file


def plain_augmentation(job):
    """Return the options with which pictures are cropped and mirrored, as in the other systems."""
    return {
        "imgsz": job.size,
        "scale": 1 - MIN_SCALE,
        "auto_augment": None,
        "hsv_h": 0.0,
        "hsv_s": 0.0,
        "hsv_v": 0.0,
        "erasing": 0.0,
    }


class Trainer(ClassificationTrainer):
    is_small = False

    def get_model(self, cfg=None, weights=None, verbose=True):
        network = super().get_model(cfg, weights, verbose)
        if self.is_small:
            stem = with_small_stem(nn.Module())
            layers = network.model[0].m
            layers[0], layers[3] = stem.conv1, stem.maxpool
        return network


def main(name, folder, epochs, workers, out):
    # Its tracker would write weights, as pickles, and a database into the folder it is called from.
    settings.update({"sync": False, "mlflow": False})
    job, has_gpu = JOBS[name], torch.cuda.is_available()
    Trainer.is_small = job.is_small
    trainer = Trainer(
        overrides={
            "model": str(drawing_of(job, out)),
            "data": folder,
            "epochs": int(epochs),
            "batch": job.batch_size,
            "nbs": job.batch_size,  # a step per batch, as the others
            **plain_augmentation(job),
            "workers": int(workers),
            "device": "0" if has_gpu else "cpu",
            "amp": "bf16" if has_gpu else False,
            "pretrained": False,
            "optimizer": "SGD",
            "lr0": 0.001,
            "warmup_epochs": 0,
            "plots": False,
            "project": out,
            "name": "run",
        }
    )
    trainer.train()


if __name__ == "__main__":
    main(*sys.argv[1:])
