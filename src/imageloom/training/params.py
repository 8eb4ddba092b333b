"""Parameters of training, with the defaults that users of the old designer know."""

from typing import Literal

from pydantic import model_validator

from imageloom.params import Params, parameter
from imageloom.training.recipes import RECIPES, Recipe

Optimizer = Literal["sgd", "adamw"]
ClassWeights = Literal["none", "balanced"]
Sampling = Literal["shuffled", "balanced"]
Freeze = Literal["none", "body"]
Fit = Literal["crop", "letterbox", "squash"]
Augmentation = Literal["none", "light", "standard", "trivialaugment", "randaugment"]
PictureCacheChoice = Literal["off", "resized"]
Decay = Literal["polynomial", "cosine"]
Precision = Literal["auto", "float32", "bfloat16"]


class TrainParams(Params):
    """How a network is trained.

    What is not given has the value of the recipe, and then of the default.
    """

    recipe: Recipe = parameter(
        "designer",
        help="Published values for what is not given: designer (the defaults here), finetune (from "
        "published weights), scratch (from random weights, many photos), small (pictures such as "
        "CIFAR's).",
        section="Training",
    )
    epochs: int = parameter(
        5,
        help="Passes over all training pictures.",
        unit="epochs",
        gt=0,
        le=1_000_000,
        section="Training",
    )
    batch_size: int | Literal["auto"] = parameter(
        16,
        help="Pictures per step and process; 'auto' finds the largest that fits into memory: a "
        "power of two up to 1024, on a CPU 32, and a tenth of the pictures.",
        unit="images",
        gt=0,
        le=1_000_000,
        section="Training",
    )

    @model_validator(mode="before")
    @classmethod
    def _follow_recipe(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        name = values.get("recipe")
        return {**RECIPES.get(name, {}), **values} if isinstance(name, str) else values

    @property
    def pictures_per_batch(self) -> int:
        """The batch size of a run, for which one was found where it was to be found."""
        assert self.batch_size != "auto", "a run's record says what was found"
        return self.batch_size

    warmup_epochs: float = parameter(
        0.0,
        help="Epochs in which the rate rises linearly to the learning rate; fractions are allowed.",
        title="Warmup step number",
        unit="epochs",
        ge=0,
        section="Optimizer",
    )
    learning_rate: float = parameter(
        0.001, help="Highest rate of the optimizer.", ge=2.2e-16, le=2.0, section="Optimizer"
    )
    learning_rate_decay: Decay = parameter(
        "polynomial",
        help="How the learning rate falls after the warm-up: with the square of what is left of "
        "the run, or as a cosine, which stays high for longer.",
        section="Optimizer",
    )
    layer_decay: float = parameter(
        1.0,
        help="Learning rate of each layer as a part of that of the next one towards the classes, "
        "such as 0.75, so that what published weights know of edges and shapes changes least; 1 "
        "is one rate for all.",
        gt=0,
        le=1,
        section="Optimizer",
    )
    scale_learning_rate: bool = parameter(
        True,
        help="Multiply the learning rate by the number of processes that train together.",
        section="Optimizer",
    )
    seed: int = parameter(
        1,
        help="Start of all random numbers: weights, order, augmentation.",
        title="Random seed",
        ge=-(2**63),
        lt=2**63,
        section="Training",
    )
    patience: int = parameter(
        3,
        help="Stop after this many epochs without a lower validation loss.",
        unit="epochs",
        gt=0,
        le=1_000_000,
        section="Training",
    )
    print_frequency: int = parameter(
        10,
        help="Record training figures every so many steps.",
        affects_output=False,
        unit="steps",
        gt=0,
        le=1_000_000_000,
        section="Records",
    )
    optimizer: Optimizer = parameter(
        "sgd", help="SGD with Nesterov momentum 0.9, or AdamW.", section="Optimizer"
    )
    weight_decay: float = parameter(
        1e-4, help="Strength of weight decay.", ge=0, le=1, section="Optimizer"
    )
    decay_norm_and_bias: bool = parameter(
        False,
        help="Apply weight decay to norms and biases too, as the old designer did.",
        section="Optimizer",
    )
    class_weights: ClassWeights = parameter(
        "none",
        help="'balanced' weighs each class by the inverse of its number of pictures.",
        section="Loss",
    )
    sampling: Sampling = parameter(
        "shuffled",
        help="'balanced' reads as many pictures of each class in an epoch, which stays as long: of "
        "rare classes each several times, of frequent ones a part.",
        section="Training",
    )
    label_smoothing: float = parameter(
        0.0, help="Share of the target spread over all classes.", ge=0, lt=1, section="Loss"
    )
    focal_gamma: float = parameter(
        0.0,
        help="Let pictures that are named well already count less, as 2 does in the focal loss; 0 "
        "is cross-entropy.",
        ge=0,
        le=10,
        section="Loss",
    )
    mixup_alpha: float = parameter(
        0.0,
        help="Blend pairs of training pictures and their labels (mixup): at 0.2 mostly a little, "
        "at 1 by any part; 0 does not. For long trainings.",
        ge=0,
        le=10,
        section="Loss",
    )
    cutmix_alpha: float = parameter(
        0.0,
        help="Paste a part of one training picture into another and share out the label (CutMix); "
        "1 makes all sizes alike, 0 does not. With mixup, one of them for each batch.",
        ge=0,
        le=10,
        section="Loss",
    )
    average_decay: float = parameter(
        0.0,
        help="Validate and publish a running mean of the weights, of which the old mean counts so "
        "much in each step, such as 0.999; 0 takes the weights themselves.",
        ge=0,
        lt=1,
        section="Optimizer",
    )
    accumulation_steps: int = parameter(
        1,
        help="Batches whose gradients are joined before a step.",
        unit="batches",
        gt=0,
        le=100_000,
        section="Optimizer",
    )
    freeze: Freeze = parameter(
        "none", help="'body' trains only the classification layer.", section="Training"
    )
    calibrate: bool = parameter(
        False,
        help="At the end, divide what the network says by a temperature that fits the validation "
        "pictures, so that its probabilities say how often it is right.",
        section="Training",
    )
    image_size: int | None = parameter(
        None,
        help="Side of the network's input. By default 224, or the pictures' own size when that is "
        "smaller. Not used when the training pictures carry transforms.",
        unit="pixels",
        ge=1,
        le=8192,
        section="Pictures",
    )
    fit: Fit = parameter(
        "crop",
        help="How a picture is made square: cut the middle out, add bars, or change proportions.",
        section="Pictures",
    )
    augmentation: Augmentation = parameter(
        "standard",
        help="Random changes to training pictures: none, light (small shifts; for text and "
        "digits), standard (random part, mirrored or not), or standard and then TrivialAugment "
        "or RandAugment (shape and colour; for long trainings).",
        section="Pictures",
    )
    picture_cache: PictureCacheChoice = parameter(
        "off",
        help="'resized' decodes each training picture once and keeps a copy a little larger than "
        "the network's input, from which all epochs and later runs cut; for photos that take "
        "longer to decode than to learn from.",
        section="Pictures",
    )
    precision: Precision = parameter(
        "auto",
        help="Arithmetic of the network; 'auto' takes bfloat16 where it is faster.",
        section="Machine",
    )
    device: str = parameter("auto", help="'auto', 'cpu', 'cuda' or 'cuda:N'.", section="Machine")
    workers: int = parameter(
        -1,
        help="Processes that read pictures; 0 reads in threads of the one that trains; -1 "
        "chooses: 0 on a CPU, one per core on a GPU, at most 16.",
        affects_output=False,
        ge=-1,
        le=1024,
        section="Machine",
    )
    checkpoint_minutes: float = parameter(
        5.0,
        help="Longest time between two checkpoints.",
        unit="minutes",
        affects_output=False,
        gt=0,
        section="Records",
    )
    deterministic: bool = parameter(
        False,
        help="Use only operations that give the same bits each time, also on a GPU.",
        section="Machine",
    )
