"""From what a person asks to a run directory from which training can start, or go on.

Everything that can be refused is refused here, before any compute.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from imageloom.data.images.crop_check import require_crops_fit
from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.shared_groups import notice_on_shared_groups
from imageloom.data.loading.copy_size import copy_side
from imageloom.data.loading.sampler import steps_per_epoch
from imageloom.errors import (
    Detail,
    InvalidDatasetError,
    LessThanOrEqualToError,
    ParameterParsingError,
)
from imageloom.events import Control, EventSink
from imageloom.files.home import expand_home
from imageloom.files.publish import appearing_directory
from imageloom.models.architecture import check_input
from imageloom.models.initial_network import initial_network
from imageloom.models.model_directory import (
    UntrainedModel,
    as_untrained,
    load_trained,
    load_untrained,
    make_untrained,
)
from imageloom.models.params import ModelParams
from imageloom.models.record import TRAINED, library_versions
from imageloom.models.stored_model import read_kind
from imageloom.preprocessing import (
    Transforms,
    check_same_classes,
    output_size,
    transforms_to_json,
)
from imageloom.scoring.model_in_use import model_path
from imageloom.system.wording import some
from imageloom.training.checkpoints.checkpoint import save_checkpoint
from imageloom.training.checkpoints.loop_state import LoopState
from imageloom.training.equal_pictures import notices_on_equal_pictures
from imageloom.training.freeze import freeze
from imageloom.training.generators import seed_generators
from imageloom.training.input_transforms import choose_transforms
from imageloom.training.optimizer import make_optimizer, refuse_idle_layer_decay
from imageloom.training.params import TrainParams
from imageloom.training.possible_batch_sizes import possible_batch_sizes
from imageloom.training.run.directory import RunDirectory, now
from imageloom.training.run.record import FORMAT_VERSION, TrainingRecord
from imageloom.training.sampling import refuse_unfit_sampling
from imageloom.training.schedule import make_schedule
from imageloom.training.weight_average import average_of


@dataclass(frozen=True)
class Plan:
    """A training run that was checked and may start.

    Attributes:
        validation: Labelled by the training pictures' class list.
        transforms: For training pictures.
        inference: For validation pictures, and kept in the trained model.
        processes: How many train together.
        notices: What a person should know before looking at the figures.
        finds_batch_size: Whether the batch size was to be found; the parameters have what was.
    """

    model: UntrainedModel
    training: ImageDirectory
    validation: ImageDirectory
    transforms: Transforms
    inference: Transforms
    params: TrainParams
    processes: int = 1
    notices: tuple[str, ...] = ()
    finds_batch_size: bool = False

    def with_batch_size(self, batch_size: int) -> "Plan":
        """Return the plan with the batch size that was found."""
        params = self.params.replace(batch_size=batch_size)
        _check_parameters(self.training, params, self.processes)
        return replace(self, params=params)


def make_plan(
    model: UntrainedModel,
    training: ImageDirectory,
    validation: ImageDirectory,
    params: TrainParams,
    *,
    processes: int = 1,
) -> Plan:
    """Check that model, pictures and parameters fit together.

    A batch size that is to be found is the least of those possible at first.

    Raises:
        NotLabeledDatasetError: Training or validation pictures lack labels.
        InvalidDatasetError: No pictures, fewer than two classes, a class without pictures, class
            lists that differ, transforms without a fixed size, or pictures too small for a crop
            or for the network.
        ParameterError: A parameter does not fit the others, the number of pictures or the
            transforms.
    """
    finds_batch_size = params.batch_size == "auto"
    if finds_batch_size:
        least = possible_batch_sizes(len(training), processes)[-1]
        params = params.replace(batch_size=least)
    _check_pictures(training, "the training pictures")
    _check_pictures(validation, "the validation pictures")
    check_same_classes(training.classes, validation.classes, what="the validation pictures")
    _check_kinds(training, validation)
    _check_classes(training)
    transforms, inference = choose_transforms(training, validation, params)
    _check_parameters(training, params, processes)
    if params.picture_cache == "resized":
        copy_side(transforms)
    require_crops_fit(training, transforms, "training pictures")
    require_crops_fit(validation, inference, "validation pictures")
    size = output_size(inference)
    assert size is not None, "choose_transforms ends in a size"
    # A frozen body's BatchNorm uses its running statistics, so a batch of one is no problem there.
    batch_size = 2 if params.freeze == "body" else params.pictures_per_batch
    check_input(model.architecture, len(training.classes), input_size=size, batch_size=batch_size)
    return Plan(
        model=model,
        training=training,
        validation=validation.with_classes(training.classes),
        transforms=transforms,
        inference=inference,
        params=params,
        processes=processes,
        notices=(
            *notices_on_equal_pictures(training, validation),
            *notice_on_shared_groups(training, validation),
            *_everywhere(training),
        ),
        finds_batch_size=finds_batch_size,
    )


def create_run(plan: Plan, run: RunDirectory, on_event: EventSink) -> None:
    """Publish a run directory that holds all that training needs, with its first checkpoint.

    The folder appears in one step: a run either exists and can be resumed, or does not exist.
    The global random generators are seeded; they are the caller's to restore.

    Raises:
        FailedToWriteOutputsError: The place is taken or cannot be written.
    """
    seed_generators(plan.params.seed)
    network = initial_network(plan.model, plan.training.classes, on_event=on_event)
    freeze(network, plan.model.architecture, plan.params)
    optimizer = make_optimizer(network, plan.params, plan.model.architecture)
    with appearing_directory(run.path) as partial:
        new = RunDirectory(partial)
        plan.training.with_transforms(plan.transforms).save(new.training_images)
        plan.validation.with_transforms(plan.inference).save(new.validation_images)
        new.write(record_of(plan))
        new.checkpoints.mkdir()
        average = average_of(network, plan.params)
        save_checkpoint(new.checkpoints, LoopState(), network, optimizer, average=average)
        new.log.parent.mkdir()
        new.events.touch()


def find_model(
    model: UntrainedModel | Path | str, params: ModelParams, control: Control
) -> UntrainedModel:
    """Return what training starts from, for a network's name, a model or a model directory.

    A name that is also a folder here means the folder; a run directory means its model.

    Raises:
        UnknownNameError: It is neither a folder nor the name of a network.
        ParameterParsingError: Options for making a network are given beside a directory.
        InvalidModelDirectoryError: The directory is no model directory, or is damaged.
        ImageloomError: As ``make_untrained``.
    """
    if isinstance(model, UntrainedModel):
        return model
    path = expand_home(model)
    if not path.exists():
        return make_untrained(str(model), params, control=control)
    if params != ModelParams():
        raise ParameterParsingError(
            f"{path} is a model directory, which has its options and weights already.",
            hint="Leave the options for making a network out, or give a network's name.",
            reason="model-has-options",
        )
    path = model_path(path)
    if read_kind(path) == TRAINED:
        return as_untrained(load_trained(path, on_event=control.on_event))
    return load_untrained(path, on_event=control.on_event)


def _check_pictures(images: ImageDirectory, what: str) -> None:
    images.require_pictures(f"to use as {what}")
    images.require_labels(what)


def _check_kinds(training: ImageDirectory, validation: ImageDirectory) -> None:
    if training.has_several_labels == validation.has_several_labels:
        return
    several, one = "training", "validation"
    if validation.has_several_labels:
        several, one = one, several
    raise InvalidDatasetError(
        f"The {several} pictures may have several labels each, but the {one} pictures have one.",
        hint="Convert both in one way, or split one image directory with 'imageloom data split'.",
        reason="label-kinds-differ",
    )


def _everywhere(training: ImageDirectory) -> tuple[str, ...]:
    names = [name for name, number in training.counts.items() if number == len(training)]
    if not training.has_several_labels or not names:
        return ()
    return (
        f"Every training picture has {some([*map(repr, names)])}: what has none of it cannot be "
        "learned from them.",
    )


def _check_classes(training: ImageDirectory) -> None:
    if len(training.classes) == 1 and training.has_several_labels:
        (label,) = training.classes
        raise InvalidDatasetError(
            f"The training pictures have no label but {label!r}; training with several labels "
            "needs at least 2.",
            hint="Add pictures that have others. Where it is the only one to be learned, make two "
            f"classes of it: write {label!r} or 'other' for each picture, and convert without "
            "--labels several.",
            reason="one-class",
        )
    if len(training.classes) < 2:
        raise InvalidDatasetError(
            f"The training pictures have one class, {training.classes[0]!r}; training needs at "
            "least 2 classes.",
            hint="Put the pictures of each class in a sub-folder with the class's name.",
            reason="one-class",
        )
    empty = [name for name, count in training.counts.items() if count == 0]
    if empty:
        raise InvalidDatasetError(
            f"{len(empty)} of {len(training.classes)} classes have no training picture: "
            f"{some([*map(repr, empty)])}.",
            hint="Add pictures of them, or convert the folder again without these classes.",
            reason="empty-class",
            details={"classes": empty[:100]},
        )


def _check_parameters(training: ImageDirectory, params: TrainParams, processes: int) -> None:
    if processes > 1 and params.device.partition(":")[2]:
        raise ParameterParsingError(
            f'device is "{params.device}", but {processes} processes need a GPU each.',
            hint="Use --device auto or cuda, which give each process its own.",
            details={"parameter": "device", "value": params.device},
        )
    refuse_unfit_sampling(training, params)
    refuse_idle_layer_decay(params)
    most = len(training) // processes
    if params.pictures_per_batch > most:
        raise _too_few_pictures(len(training), params.pictures_per_batch, processes, most)
    make_schedule(
        params,
        peak=params.learning_rate,
        steps_per_epoch=steps_of(training, params, processes),
    )


def _too_few_pictures(
    images: int, batch_size: int, processes: int, most: int
) -> LessThanOrEqualToError:
    details: dict[str, Detail] = {"parameter": "batch_size", "value": batch_size, "bound": most}
    if processes == 1:
        message = f"batch_size is {batch_size}, but there are {images} training pictures."
        return LessThanOrEqualToError(
            message, hint=f"Use --batch-size {most} or less.", details=details
        )
    return LessThanOrEqualToError(
        f"batch_size is {batch_size} on each of {processes} processes, which makes "
        f"{batch_size * processes} pictures a step, but there are {images} training pictures.",
        hint=f"Use --batch-size {most} or less."
        if most
        else f"Use at most {images} processes (--processes-per-node).",
        details=details,
    )


def steps_of(training: ImageDirectory, params: TrainParams, processes: int) -> int:
    """Return the optimizer steps of one epoch of a run that began with so many processes."""
    return steps_per_epoch(
        len(training), params.pictures_per_batch, params.accumulation_steps, processes
    )


def peak_rate(params: TrainParams, processes: int) -> float:
    """Return the highest learning rate of a run that began with so many processes."""
    return params.learning_rate * processes if params.scale_learning_rate else params.learning_rate


def record_of(plan: Plan) -> TrainingRecord:
    """Return what ``run.json`` says of a plan whose run starts now."""
    content = {
        "format_version": FORMAT_VERSION,
        "kind": "run",
        "state": "running",
        "started": now(),
        "ended": None,
        "seconds": 0.0,
        "epochs_done": 0,
        "best_epoch": 0,
        "asked": plan.params.model_dump()
        | ({"batch_size": "auto"} if plan.finds_batch_size else {}),
        "processes": plan.processes,
        "model": {
            "architecture": plan.model.architecture.to_json(),
            "normalisation": plan.model.normalisation.model_dump(mode="json"),
            "initial_weights": plan.model.source.model_dump(),
        },
        "resolved": {
            "image_size": output_size(plan.inference),
            "batch_size": plan.params.pictures_per_batch,
            "images_per_step": plan.params.pictures_per_batch
            * plan.params.accumulation_steps
            * plan.processes,
            "learning_rate": peak_rate(plan.params, plan.processes),
            "steps_per_epoch": steps_of(plan.training, plan.params, plan.processes),
            "transforms": transforms_to_json(plan.transforms),
            "inference_transforms": transforms_to_json(plan.inference),
        },
        "data": {
            "training": _record_of_images(plan.training),
            "validation": _record_of_images(plan.validation),
        },
        "notices": list(plan.notices),
        "versions": library_versions(),
        "metrics": {},
    }
    return TrainingRecord.model_validate(content)


def _record_of_images(images: ImageDirectory) -> dict[str, object]:
    return {
        "root": str(images.root),
        "images": len(images),
        "classes": list(images.classes),
        "images_per_class": images.counts,
        "digest": images.digest,
        "left_out": len(images.rejected),
        "left_out_reasons": images.left_out,
    }
