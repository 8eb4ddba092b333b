"""Which training pictures an epoch reads, and in which order."""

import numpy as np
import numpy.typing as npt

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.loading.balanced_order import balanced_order
from imageloom.data.loading.sampler import epoch_order
from imageloom.errors import ParameterParsingError
from imageloom.preprocessing.similar_names import quoted
from imageloom.system.wording import count
from imageloom.training.params import TrainParams


def order_of_epoch(
    training: ImageDirectory, params: TrainParams, epoch: int
) -> npt.NDArray[np.int64]:
    """Return the rows that an epoch reads, in order: as many as there are pictures, always.

    Args:
        training: All with labels, and some of each class.
        params: ``sampling`` and ``seed``.
        epoch: From 0.
    """
    if params.sampling == "shuffled":
        return epoch_order(len(training), params.seed, epoch)
    classes = len(training.classes)
    return balanced_order(training.labels, classes, seed=params.seed, epoch=epoch)


def refuse_double_balance(params: TrainParams) -> None:
    """Refuse class weights beside balanced sampling: rare classes would count twice as much more.

    Raises:
        ParameterParsingError: Both are asked for.
    """
    if params.sampling == "balanced" and params.class_weights == "balanced":
        raise ParameterParsingError(
            'sampling and class_weights are both "balanced": each makes all classes count alike, '
            "and the two together would let rare ones count more than frequent ones.",
            hint="Leave --sampling or --class-weights out.",
            reason="balanced-twice",
            details={"parameter": "sampling", "value": "balanced"},
        )


def epoch_text(training: ImageDirectory, params: TrainParams) -> str:
    """Return a sentence on what a balanced epoch holds; empty where it holds each picture once."""
    if params.sampling == "shuffled":
        return ""
    counts = training.counts
    images, classes = len(training), len(counts)
    least, most = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    share = images / classes
    return (
        f"Balanced sampling: an epoch reads {count(images, 'picture')}, {share:,.4g} of each of "
        f"{classes:,} classes. Of {quoted(least)}, which has {counts[least]:,}, each comes "
        f"{share / counts[least]:,.3g} times; of {quoted(most)}, which has {counts[most]:,}, "
        f"{100 * min(1.0, share / counts[most]):.3g} % come. Validation reads each of its pictures "
        "once."
    )
