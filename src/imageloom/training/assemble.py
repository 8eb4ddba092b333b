"""From a run directory to the things that the loop works with."""

import contextlib
import os
import warnings
from collections.abc import Iterator
from dataclasses import replace

import torch

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.loading.loader import PictureLoader
from imageloom.distributed.exchange_clock import ExchangeClock
from imageloom.distributed.group import Group
from imageloom.distributed.ranks import Ranks
from imageloom.errors import InvalidDatasetError
from imageloom.events import CancelToken, Notice
from imageloom.models.architecture import build_network
from imageloom.models.compute import Compute, choose_compute, choose_workers
from imageloom.preprocessing import Transforms, output_size
from imageloom.scoring.reading import reading_by
from imageloom.training.batch_parts import BatchParts
from imageloom.training.freeze import freeze, training_mode_setter
from imageloom.training.label_kinds import criterion_of
from imageloom.training.optimizer import make_optimizer
from imageloom.training.params import TrainParams
from imageloom.training.picture_copies import picture_cache_of
from imageloom.training.prepare import peak_rate, steps_of
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.events import RunReporter
from imageloom.training.run.pictures import open_pictures
from imageloom.training.run.record import TrainingRecord
from imageloom.training.schedule import make_schedule
from imageloom.training.session import Session
from imageloom.training.step import Stepper
from imageloom.training.weight_average import average_of


def compute_of(params: TrainParams, ranks: Ranks) -> Compute:
    """Return where one process of a run computes: of several, each has a GPU of its own.

    Raises:
        ImageloomError: As ``choose_compute``.
    """
    compute = choose_compute(params.device, params.precision)
    if ranks.is_alone or not compute.is_gpu:
        return compute
    # srun --gpus-per-task shows each process none but its own; two on one GPU are refused later.
    number = 0 if torch.cuda.device_count() == 1 else ranks.local_rank
    return choose_compute(f"cuda:{number}", params.precision)


def agreed_compute(compute: Compute, group: Group) -> Compute:
    """Return where this process computes, in an arithmetic that all processes can do."""
    choices = group.gather([float(compute.precision == "bfloat16")])
    has_all_of_them = all(choice == 1.0 for (choice,) in choices)
    return compute if has_all_of_them else replace(compute, precision="float32")


@contextlib.contextmanager
def assembled_session(
    run: RunDirectory, reporter: RunReporter, cancel: CancelToken, compute: Compute, group: Group
) -> Iterator[Session]:
    """Yield the session of a run, with a network of random weights; reading processes end with it.

    Raises:
        ImageloomError: The pictures' record or the parameters do not fit any more.
    """
    record = run.read()
    params, processes = record.params, record.processes
    training, validation = open_pictures(run)
    workers = _workers(training, params, compute, reporter, group.ranks)
    # Training and validation keep pictures, in each process of this machine.
    reading = reading_by(
        workers, compute, passes=params.epochs, holders=2 * group.ranks.local_world_size
    )
    if group.ranks.is_first:
        _record_resolved(run, compute, workers)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_deterministic(params, reporter))
        cache = picture_cache_of(
            training, transforms_of(training), params, group.ranks, reporter.forward
        )
        loaders = [
            stack.enter_context(
                contextlib.closing(
                    PictureLoader(
                        images,
                        transforms_of(images),
                        seed=params.seed,
                        reading=reading,
                        cache=own_cache,
                        on_event=reporter.forward,
                    )
                )
            )
            # Validation is exact: it reads the pictures themselves.
            for images, own_cache in ((training, cache), (validation, None))
        ]
        architecture = record.architecture
        network = compute.place(build_network(architecture, len(training.classes)))
        freeze(network, architecture, params)
        criterion = criterion_of(training, params, compute)
        yield Session(
            params=params,
            processes=processes,
            run=run,
            stepper=Stepper(
                network=network,
                criterion=criterion,
                optimizer=make_optimizer(network, params, architecture),
                compute=compute,
                group=group,
                reducing=group.wrap(network),
                parts=_parts(record, criterion, reporter) if group.ranks.is_alone else None,
                exchange=None if group.ranks.is_alone else ExchangeClock(network, compute.device),
            ),
            schedule=make_schedule(
                params,
                peak=peak_rate(params, processes),
                steps_per_epoch=steps_of(training, params, processes),
            ),
            training=training,
            validation=validation,
            training_loader=loaders[0],
            validation_loader=loaders[1],
            normalisation=record.model.normalisation,
            set_training_mode=training_mode_setter(network, architecture, params),
            average=average_of(network, params),
            reporter=reporter,
            cancel=cancel,
        )


def _parts(
    record: TrainingRecord, criterion: torch.nn.Module, reporter: RunReporter
) -> BatchParts | None:
    """Return what cuts batches for which memory does not suffice; not where one was asked for."""
    if not record.finds_batch_size:
        return None
    return BatchParts(criterion, lambda text: reporter.notice(Notice("warning", text)))


def _record_resolved(run: RunDirectory, compute: Compute, workers: int) -> None:
    more = {"device": _device_text(compute), "precision": compute.precision, "workers": workers}
    run.update(resolved=run.read().resolved.model_copy(update=more))


def transforms_of(images: ImageDirectory) -> Transforms:
    """Return the transforms that a run's own image directory carries."""
    if images.transforms is None:
        raise InvalidDatasetError(
            "The run's image directory carries no transforms.",
            hint="It was changed after the run began. Start the run again.",
            reason="no-transforms",
        )
    return images.transforms


def _workers(
    training: ImageDirectory,
    params: TrainParams,
    compute: Compute,
    reporter: RunReporter,
    ranks: Ranks,
) -> int:
    size = output_size(transforms_of(training)) or 1
    batch_bytes = reader_batch_bytes(params, size)
    workers, why = choose_workers(
        params.workers, compute, batch_bytes, ranks.local_world_size, ranks.core_sharers
    )
    if why:
        reporter.notice(Notice("warning", why))
    return workers


def reader_batch_bytes(params: TrainParams, image_size: int) -> int:
    """Return what a batch takes in shared memory, for a reader of training and one of validation.

    Both stay alive between epochs; batches of validation are twice as large.
    """
    return params.pictures_per_batch * 3 * image_size * image_size * 3


def _device_text(compute: Compute) -> str:
    if compute.is_gpu:
        return f"{compute.device} ({torch.cuda.get_device_name(compute.device)})"
    return f"cpu ({torch.get_num_threads()} threads)"


@contextlib.contextmanager
def _deterministic(params: TrainParams, reporter: RunReporter) -> Iterator[None]:
    """Use only operations that repeat their bits, or say which one does not."""
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    # Without the switch cuDNN may choose the fastest algorithm by trying them.
    torch.backends.cudnn.benchmark = not params.deterministic
    if params.deterministic:
        # Without it cuBLAS may add up in another order each time. It is read once, at first use.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if params.deterministic or before[0]:  # torch imports its compiler to tell it, too
        torch.use_deterministic_algorithms(params.deterministic, warn_only=True)
    try:
        with warnings.catch_warnings(record=params.deterministic) as caught:
            if params.deterministic:
                warnings.simplefilter("always")
            yield
        # Once each: an operation warns at every step.
        for text in dict.fromkeys(str(warning.message).split("\n")[0] for warning in caught or []):
            reporter.notice(Notice("warning", text))
    finally:
        if params.deterministic or before[0]:
            torch.use_deterministic_algorithms(before[0], warn_only=warn_only)
        torch.backends.cudnn.benchmark = before[1]
