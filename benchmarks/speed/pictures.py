"""Folders of real pictures in the sizes that a benchmark needs, each file with bytes of its own."""

import contextlib
import itertools
import shutil
import sys
import tarfile
from pathlib import Path

NUM_CLASSES = 10
JPEG_START, JPEG_COMMENT = b"\xff\xd8", b"\xff\xfe"


def folders_for(job, counts, arguments):
    """Write the pictures of a job below ``arguments.work``, where they are not there yet.

    Args:
        job: Of ``networks.JOBS``.
        counts: Pictures of each part, such as ``{"train": 1008, "val": 200}``.
        arguments: With ``pictures``, ``small_pictures`` and ``work``, as ``report.parser_of``.

    Returns:
        A folder of ``PART/CLASS/FILE``.
    """
    kind = "small" if job.is_small else "photos"
    out = arguments.work / "_".join([kind, *map(str, counts.values())])
    if job.is_small:
        return small_folders(arguments.small_pictures, out, counts)
    return photo_folders(arguments.pictures, out, counts)


def photo_folders(photos, out, counts):
    """Write ``out/PART/CLASS/FILE`` from a few photos and return ``out``.

    The photos are taken again and again until there are enough. Each copy gets a JPEG comment of
    its own, so that no system can know two of them for the same picture; the pixels stay the same.

    Args:
        photos: Folder of JPEG files, at any depth.
        out: Folder to write; taken as it is where it is there.
        counts: Pictures of each part, such as ``{"train": 1008, "val": 200}``.
    """
    if photos is None or not photos.is_dir():
        sys.exit(
            "--pictures must name a folder of JPEG photos; those of ImageNet are 500 x 375 pixels "
            f"and 110 KB. It is: {photos}"
        )
    files = sorted(one for one in photos.rglob("*") if one.suffix.lower() in (".jpg", ".jpeg"))
    if not files:
        sys.exit(f"{photos} holds no .jpg or .jpeg file.")
    if out.is_dir():
        return out
    contents = [file.read_bytes() for file in files]
    numbers = itertools.count()
    with whole(out) as unfinished:
        for part, count in counts.items():
            for number in range(count):
                content = with_comment(contents[number % len(contents)], next(numbers))
                write(
                    unfinished / part / f"class{number % NUM_CLASSES}", f"{number:07}.jpg", content
                )
    return out


def with_comment(jpeg, number):
    """Return a JPEG file with a comment that holds a number."""
    assert jpeg.startswith(JPEG_START), "not a JPEG file"
    text = f"{number:016}".encode("ascii")
    comment = JPEG_COMMENT + (len(text) + 2).to_bytes(2, "big") + text
    return JPEG_START + comment + jpeg[len(JPEG_START) :]


def small_folders(source, out, counts):
    """Write ``out/PART/CLASS/FILE`` from a folder or .tar of ``train/CLASS/FILE``; return ``out``.

    Classes get equally many, in the order of their files.
    """
    if source is None or not source.exists():
        sys.exit(
            "--small-pictures must name a folder or .tar of train/CLASS/FILE, such as CIFAR-10 as "
            f"files. It is: {source}"
        )
    if out.is_dir():
        return out
    reader = _from_archive if source.is_file() else _from_folder
    total = sum(counts.values())
    by_class = {}
    for name, suffix, read in reader(source):
        kept = by_class.setdefault(name, [])
        if len(kept) * NUM_CLASSES < total + NUM_CLASSES * len(counts):
            kept.append((suffix, read()))
    names = sorted(by_class)
    queues = {name: iter(by_class[name]) for name in names}
    with whole(out) as unfinished:
        for part, count in counts.items():
            for number in range(count):
                name = names[number % len(names)]
                suffix, content = next(queues[name])
                write(unfinished / part / name, f"{number:07}{suffix}", content)
    return out


@contextlib.contextmanager
def whole(folder):
    """Yield a folder to fill, which takes this name when the body has ended."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    yield unfinished
    unfinished.rename(folder)


def write(folder, name, content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def _from_folder(source):
    for file in sorted((source / "train").glob("*/*")):
        yield file.parent.name, file.suffix, file.read_bytes


def _from_archive(source):
    with tarfile.open(source) as archive:
        for member in archive:
            path = Path(member.name)
            if member.isfile() and len(path.parts) >= 3 and path.parts[-3] == "train":
                yield path.parent.name, path.suffix, archive.extractfile(member).read


def linked_copy(folder, out):
    """Return a copy of a folder whose files are hard links: for systems that write beside them."""
    for file in folder.rglob("*"):
        if file.is_file():
            target = out / file.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.hardlink_to(file)
    return out
