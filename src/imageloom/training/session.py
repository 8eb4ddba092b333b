"""What the training loop works with."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import nn

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.loading.loader import PictureLoader
from imageloom.distributed.group import Group
from imageloom.events import CancelToken
from imageloom.models.compute import Compute
from imageloom.preprocessing import Normalisation
from imageloom.training.criterion import class_weights
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.events import RunReporter
from imageloom.training.schedule import Schedule
from imageloom.training.step import Stepper
from imageloom.training.weight_average import WeightAverage


@dataclass(frozen=True)
class Session:
    """What the loop works with and does not change.

    Attributes:
        set_training_mode: Puts the network into training mode, frozen parts excepted.
        processes: How many the run was started with; they need not be as many now.
        average: The mean of the weights that is validated and published, or None for the weights.
    """

    params: TrainParams
    processes: int
    run: RunDirectory
    stepper: Stepper
    schedule: Schedule
    training: ImageDirectory
    validation: ImageDirectory
    training_loader: PictureLoader
    validation_loader: PictureLoader
    normalisation: Normalisation
    set_training_mode: Callable[[], None]
    average: WeightAverage | None
    reporter: RunReporter
    cancel: CancelToken

    @property
    def compute(self) -> Compute:
        """Where the network computes."""
        return self.stepper.compute

    @property
    def validated_network(self) -> nn.Module:
        """What is validated after each epoch, and published of the best one."""
        return self.stepper.network if self.average is None else self.average.network

    @property
    def group(self) -> Group:
        """The processes that train together."""
        return self.stepper.group

    @property
    def picture_weights(self) -> npt.NDArray[np.float64] | None:
        """Weight of each training picture's class in the loss, or None for equal weights."""
        weights_K = class_weights(self.training, self.params)
        return None if weights_K is None else weights_K[self.training.labels]

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of one epoch."""
        return self.schedule.total_steps // self.params.epochs
