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


def refuse_unfit_sampling(training: ImageDirectory, params: TrainParams) -> None:
    """Refuse balanced sampling where it does not apply, or beside class weights.

    With both of them rare classes would count twice as much more. Where a picture may have several
    labels it belongs to no one class: what is read more often for one label brings others along.

    Raises:
        ParameterParsingError: It is asked for in such a case.
    """
    if params.sampling != "balanced":
        return
    if training.has_several_labels:
        raise ParameterParsingError(
            'sampling is "balanced", but the pictures may have several labels each: one that is '
            "read more often for a rare label brings its frequent ones along.",
            hint="Leave --sampling out; --class-weights balanced makes a label's pictures weigh as "
            "much as those without it.",
            reason="several-labels",
            details={"parameter": "sampling", "value": "balanced"},
        )
    if params.class_weights == "balanced":
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
