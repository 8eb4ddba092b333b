"""Groups, such as one animal or one patient, whose pictures stand in two parts: a leak."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imageloom.data.images.directory import ImageDirectory
from imageloom.preprocessing.similar_names import quoted, twin_form
from imageloom.system.wording import count, some


def shared_groups(images: ImageDirectory, other: ImageDirectory) -> list[str]:
    """Return the groups that both have, as they come in ``other``."""
    groups = pc.unique(other.index.column("group")).drop_null()
    known = pc.unique(images.index.column("group")).drop_null()
    return list(groups.filter(pc.is_in(groups, value_set=known)).to_pylist())


def notice_on_shared_groups(training: ImageDirectory, validation: ImageDirectory) -> Iterator[str]:
    """Yield a sentence if validation pictures are of groups that training has too."""
    names = shared_groups(training, validation)
    if names:
        value_set = pa.array(names, type=pa.string())
        number = pc.sum(pc.is_in(validation.index.column("group"), value_set=value_set)).as_py()
        yield (
            f"{number:,} of {count(len(validation), 'validation picture')} "
            f"({100 * number / len(validation):.3g} %) are of {count(len(names), 'group')} that "
            f"training has too: {some(list(map(quoted, names)))}. Validation figures will look "
            "better than they are. Divide anew with 'imageloom data split --by-group'."
        )


def notice_on_torn_groups(images: ImageDirectory, part_N: npt.NDArray[np.int8]) -> Iterator[str]:
    """Yield a sentence if pictures of one group come into several parts of a split.

    Args:
        images: What is split.
        part_N: int8, the part of each of the N pictures.
    """
    table = pa.table({"group": images.index.column("group"), "part": part_N})
    table = table.filter(pc.is_valid(table.column("group")))
    parts = table.group_by("group", use_threads=False).aggregate([("part", "count_distinct")])
    torn = parts.filter(pc.greater(parts.column("part_count_distinct"), 1)).column("group")
    if len(torn):
        yield (
            f"{len(torn):,} of {count(len(parts), 'group')} {'is' if len(torn) == 1 else 'are'} "
            f"torn between the parts: {some(list(map(quoted, torn.to_pylist())))}. Figures on the "
            "second part will look better than they are. Keep groups together with --by-group."
        )


def notices_on_groups(images: ImageDirectory) -> Iterator[str]:
    """Yield what a person should know of groups before a split keeps them together."""
    groups = images.index.column("group")
    if 0 < groups.null_count < len(groups):
        yield (
            f"{count(groups.null_count, 'picture has', 'pictures have')} no group: a split takes "
            "each for a group of its own, so what belongs together may be torn."
        )
    alike: dict[str, list[str]] = {}
    for name in pc.unique(groups).drop_null().to_pylist():
        alike.setdefault(twin_form(name), []).append(name)
    twins = [names for names in alike.values() if len(names) > 1]
    if twins:
        shown = [" and ".join(map(quoted, names[:2])) for names in twins]
        yield (
            f"{count(len(twins), 'group has', 'groups have')} several spellings, which a split "
            f"takes for different groups: {some(shown)}."
        )
