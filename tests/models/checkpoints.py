"""What training scripts of others save, built by hand with the keys that each of them writes."""

import argparse
import collections
import datetime
import pathlib

import numpy as np
import torch


def wrapped(state, prefix):
    """Return a state dict as a wrapper names it."""
    return collections.OrderedDict((prefix + name, tensor) for name, tensor in state.items())


def averaged(state):
    """Return the weights that an average would have: other ones."""
    return collections.OrderedDict(
        (name, tensor + 1 if tensor.is_floating_point() else tensor)
        for name, tensor in state.items()
    )


def optimizer_state():
    """Return the state of a real optimizer after one step, its numbers as a script leaves them."""
    layer = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=float(np.float64(0.1)))
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return optimizer.state_dict()


def torchvision_reference(state):
    """references/classification/train.py with --model-ema."""
    average = wrapped(averaged(state), "module.")
    average["n_averaged"] = torch.tensor(7)
    args = argparse.Namespace(
        model="resnet18", data_path=pathlib.Path("/data"), lr=0.5, mixup_alpha=0.2, device="cuda"
    )
    return {
        "model": state,
        "optimizer": optimizer_state(),
        "lr_scheduler": {"base_lrs": [0.5], "last_epoch": 3, "_last_lr": [np.float64(0.1)]},
        "epoch": 3,
        "args": args,
        "model_ema": average,
        "scaler": {"scale": 65536.0, "growth_factor": 2.0},
    }


def timm_train(state):
    """The CheckpointSaver of timm with --model-ema."""
    return {
        "epoch": 3,
        "arch": "resnet18",
        "state_dict": state,
        "optimizer": optimizer_state(),
        "version": 2,
        "args": argparse.Namespace(model="resnet18", mean=None, input_size=[3, 224, 224]),
        "state_dict_ema": averaged(state),
        "metric": 71.5,
    }


def lightning(state, attribute="model."):
    """Trainer.save_checkpoint of a LightningModule that keeps the network in an attribute."""
    started = datetime.datetime(2024, 5, 1, tzinfo=datetime.UTC)
    return {
        "epoch": 3,
        "global_step": 400,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": {
            **wrapped(state, attribute),
            "criterion.weight": torch.ones(3),
            "accuracy.tp": torch.tensor(5),
        },
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"current": {"ready": 4}}}},
        "callbacks": {
            "ModelCheckpoint{'monitor': 'loss'}": {
                "best_model_score": torch.tensor(0.25),
                "best_model_path": "/runs/best.ckpt",
                "kth_best_models": collections.defaultdict(list),
            }
        },
        "optimizer_states": [optimizer_state()],
        "lr_schedulers": [],
        "hparams_name": "kwargs",
        "hyper_parameters": {"lr": 0.1, "root": pathlib.Path("/data"), "started": started},
    }


def composer(state):
    """A Composer checkpoint of a ComposerClassifier."""
    return {
        "state": {"model": wrapped(state, "module."), "run_name": "x", "timestamp": {"epoch": 3}},
        "rng": [{"python": (3, (1, 2), None), "numpy": ("MT19937", np.arange(4), 1, 0, 0.0)}],
    }


def openmmlab(state):
    """An MMPretrain checkpoint, whose head stands outside of the backbone."""
    body = {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}
    head = {"head.fc.weight": state["fc.weight"], "head.fc.bias": state["fc.bias"]}
    return {"meta": {"epoch": 3}, "state_dict": {**wrapped(body, "backbone."), **head}}
