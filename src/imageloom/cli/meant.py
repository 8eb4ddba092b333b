"""What a person meant who wrote an option or a command as other programs call it."""

import difflib
from collections.abc import Collection
from typing import Final

import click

_EXTRA: Final = "Got unexpected extra argument"  # how click begins
_MOST: Final = 3
# Options of the training commands of timm, torchvision, Ultralytics, fastai and Hugging Face.
OPTIONS_ELSEWHERE: Final = {
    "--learning-rate": "--lr --lr0 --base-lr",
    "--learning-rate-decay": "--sched --scheduler --lr-scheduler --cos-lr",
    "--batch-size": "-b --batch --bs --train-batch-size",
    "--epochs": "-e --num-epochs --num-train-epochs --n-epochs",
    "--image-size": "--imgsz --img-size --input-size --size --crop-size --train-crop-size",
    "--weights": "--pretrained --initial-checkpoint",
    "--model": "-a --arch --architecture --model-name --network -m",
    "--data": "--data-dir --dataset --data-path -d",
    "--train": "--train-dir --training --train-data",
    "--validation": "--val --valid --val-dir --validation-dir --eval-data",
    "--out": "-o --output --output-dir --project --save --save-dir --experiment",
    "--optimizer": "--opt",
    "--weight-decay": "--wd",
    "--warmup-epochs": "--warmup --lr-warmup-epochs",
    "--precision": "--amp --amp-dtype --half --fp16 --bf16 --mixed-precision",
    "--device": "--gpu --gpus --cuda --cpu --no-cuda",
    "--workers": "-j --num-workers",
    "--label-smoothing": "--smoothing",
    "--mixup-alpha": "--mixup",
    "--cutmix-alpha": "--cutmix",
    "--augmentation": "--aa --auto-augment --augment",
    "--accumulation-steps": "--grad-accum-steps --gradient-accumulation-steps --accumulate",
    "--average-decay": "--model-ema --model-ema-decay --ema",
    "--checkpoint-minutes": "--save-period --save-steps --checkpoint-hist",
    "--print-frequency": "--log-interval --print-freq",
    "--processes-per-node": "--nproc-per-node --world-size --ngpus",
    "--track": "--log-wandb --wandb --tensorboard --report-to",
    "--to": "--format",
}
_FLAGS: Final = {word: flag for flag, words in OPTIONS_ELSEWHERE.items() for word in words.split()}


def explained(error: click.ClickException, commands: Collection[str]) -> click.ClickException:
    """Return an error of the command line that says what the person may have meant.

    Args:
        error: As click raised it.
        commands: All there are, as whole words, such as ``data convert``.

    Returns:
        The same error where nothing better can be said.
    """
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    meant = ""
    if isinstance(error, click.NoSuchOption) and ctx is not None:
        flags = {flag for param in ctx.command.params for flag in param.opts}
        flag = meant_option(error.option_name, flags)
        meant = f" Here it is {flag}." if flag else ""
    elif isinstance(error, click.exceptions.NoSuchCommand):
        names = [f"'imageloom {name}'" for name in meant_commands(error.command_name, commands)]
        meant = f" Did you mean {' or '.join(names)}?" if names else ""
    elif ctx is not None and error.message.startswith(_EXTRA):
        examples = getattr(ctx.command, "examples", ())
        meant = f". For example: {examples[0]}" if examples else ""
    return click.UsageError(f"{error.message}{meant}", ctx) if meant else error


def meant_option(written: str, flags: Collection[str]) -> str:
    """Return the option of a command that is called ``written`` elsewhere; empty without one.

    Args:
        written: As the person wrote it, without a value.
        flags: Those that the command has.
    """
    flag = _FLAGS.get(written.replace("_", "-"), "")
    return flag if flag in flags else ""


def meant_commands(written: str, commands: Collection[str]) -> list[str]:
    """Return commands, as whole words, of which one may have been meant; the likeliest first."""
    last = {name: name.rpartition(" ")[2] for name in commands}
    same = [name for name in commands if last[name] == written]
    near = difflib.get_close_matches(written, sorted(set(last.values()) - {written}), n=_MOST)
    return [*same, *(name for word in near for name in commands if last[name] == word)][:_MOST]
