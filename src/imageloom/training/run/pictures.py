"""The pictures of a run: where it says that they lie, or where a person says so now."""

from dataclasses import replace
from pathlib import Path

from imageloom.data.images.directory import ImageDirectory, load_image_directory
from imageloom.data.moved import Roots, open_moved
from imageloom.errors import InvalidDatasetError
from imageloom.events import Control
from imageloom.files.publish import publishing_directory
from imageloom.training.run.directory import RunDirectory


def open_pictures(run: RunDirectory) -> tuple[ImageDirectory, ImageDirectory]:
    """Return a run's training and validation pictures.

    Raises:
        InvalidDatasetError: As ``load_image_directory``; where the pictures are gone, it says how
            to go on with them in another place.
    """
    try:
        return load_image_directory(run.training_images), load_image_directory(
            run.validation_images
        )
    except InvalidDatasetError as problem:
        if problem.reason == "root-missing":
            problem.hint = (
                "Were they moved? Say where they lie now, with --root (in Python: root). Otherwise "
                "mount or restore that folder."
            )
            problem.resume = replace(run.resume, more=("--root", "NEW"))
        raise


def open_validation(run: RunDirectory, root: Roots, *, control: Control) -> ImageDirectory:
    """Return a run's validation pictures, from where they lie now; the run stays as it is.

    Args:
        run: The run directory.
        root: Where they lie now, as ``open_images`` takes it; empty where they were not moved.
        control: Hears where they were found.

    Raises:
        ImageloomError: As ``open_images``.
    """
    if root:
        return open_moved(run.validation_images, root, control=control)
    return load_image_directory(run.validation_images)


def point_anew(run: Path, root: Roots, *, control: Control) -> None:
    """Find a run's pictures in other folders, prove them, and record that in the run.

    Nothing is written before all are proven. The run's two image directories and its record change
    one after the other, each in one step; after a kill in between, the same call does the rest.
    Their digests stay as they are. A completed run is left alone.

    Args:
        run: The run directory.
        root: Where the pictures lie now, as ``open_images`` takes it.
        control: Hears progress, and where the pictures were found; stops before anything is
            written.

    Raises:
        CannotResumeError: There is no run.
        OutputInUseError: Another process trains it.
        ImageloomError: As ``open_images``.
    """
    directory = RunDirectory(run)
    if directory.is_completed:
        return
    places = {"training": directory.training_images, "validation": directory.validation_images}
    with directory.locked():
        found = {name: open_moved(place, root, control=control) for name, place in places.items()}
        for name, images in found.items():
            with publishing_directory(places[name], replace=True) as partial:
                images.write_into(partial, root=str(images.root))
        data = directory.read().data.model_dump()
        for name, images in found.items():
            data[name]["root"] = str(images.root)
        directory.update(data=data)
