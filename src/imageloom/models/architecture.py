"""Which network is meant, as data, and the network itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import imageloom.models.families  # noqa: F401 - declares every family
from imageloom.errors import (
    GreaterThanOrEqualToError,
    ImageloomError,
    NotInRangeValueError,
    ParameterError,
    UnknownNameError,
    unknown_name,
)
from imageloom.models.family import FAMILIES, Family, Variant
from imageloom.models.params import ModelParams
from imageloom.params import Value

if TYPE_CHECKING:
    from torch import nn

    from imageloom.models.input_check import InputFacts


@dataclass(frozen=True)
class Architecture:
    """A network without its weights and without its number of classes.

    Attributes:
        family: Name in ``FAMILIES``.
        variant: Name of the network: ``resnet18``, ``timm/convnext_tiny``.
        options: Value of every option that the family has, also where it is the default, so
            that a stored model does not change when a default does. Not to be changed.
    """

    family: str
    variant: str
    options: Mapping[str, Value]

    @property
    def title(self) -> str:
        """What a person reads: ``ResNet-18``, ``DenseNet-121 with the small stem``."""
        _, variant = find_variant(self.variant)
        small = " with the small stem" if self.options.get("stem") == "small" else ""
        return variant.title + small

    @property
    def params(self) -> ModelParams:
        """The options as parameters; ``weights`` is not among them and has its default."""
        return ModelParams.parse(self.options)

    def to_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"family": self.family, "variant": self.variant, "options": dict(self.options)}


def variant_names() -> tuple[str, ...]:
    """Return the names of all listed networks; ``timm/NAME`` has many more than its few here."""
    return tuple(variant.name for family in FAMILIES for variant in family.variants)


def find_variant(name: str) -> tuple[Family, Variant]:
    """Return the network with this name, and its family.

    Raises:
        UnknownNameError: There is none; the hint names the nearest of all families.
        EnvironmentUnsuitableError: Its family needs a package that is not installed.
    """
    for family in FAMILIES:
        for variant in family.variants:
            if variant.name == name and family.find is None:
                return family, variant
        if family.find is not None and name.startswith(f"{family.name}/"):
            return family, family.find(name)
    unknown = unknown_name("network", name, variant_names())
    searchable = [f"{family.name}/NAME" for family in FAMILIES if family.find is not None]
    raise UnknownNameError(
        unknown.message,
        hint=f"{unknown.hint} Others: {', '.join(searchable)}.",
        details=unknown.details,
    )


def resolve_architecture(name: str, params: ModelParams) -> Architecture:
    """Return the network that a name and parameters mean.

    Raises:
        UnknownNameError: No network has this name.
        NotInRangeValueError: An option is set that this network does not have.
        EnvironmentUnsuitableError: The network needs a package that is not installed.
    """
    family, variant = find_variant(name)
    for option, field in ModelParams.model_fields.items():
        value = getattr(params, option)
        if option in family.options or option == "weights" or value == field.default:
            continue
        having = [other.title for other in FAMILIES if option in other.options]
        raise NotInRangeValueError(
            f"{option} is {value!r}, but {name} is made by {family.title}, which has no such "
            f"option, so it must be {field.default!r}.",
            hint=f"Leave --{option.replace('_', '-')} out, or choose a network of "
            f"{' or '.join(having)}.",
            reason="option-not-available",
            details={"parameter": option, "value": value, "name": name},
        )
    options = {option: getattr(params, option) for option in family.options}
    return Architecture(family=family.name, variant=variant.name, options=options)


def architecture_from_json(content: object, error: type[ImageloomError]) -> Architecture:
    """Read an architecture that may come from a stranger.

    Raises:
        ImageloomError: Of class ``error``: a part is missing or unknown; the message lists the
            networks there are.
        EnvironmentUnsuitableError: The network needs a package that is not installed.
    """
    if not isinstance(content, Mapping) or set(content) != {"family", "variant", "options"}:
        raise error(
            "The architecture needs exactly 'family', 'variant' and 'options'.",
            reason="bad-architecture",
        )
    name, options = content["variant"], content["options"]
    if not isinstance(name, str) or not isinstance(options, Mapping):
        raise error(
            "The architecture's variant must be text and its options an object.",
            reason="bad-architecture",
        )
    try:
        family, variant = find_variant(name)
        ModelParams.parse(options)
    except ParameterError as problem:
        raise error(
            f"The architecture is not known here: {problem.message}",
            hint=problem.hint,
            reason="unknown-architecture",
        ) from problem
    if content["family"] != family.name or set(options) != set(family.options):
        raise error(
            f"The architecture of {name} needs the family {family.name!r} and exactly the options "
            f"{', '.join(family.options)}; it has the family {content['family']!r} and "
            f"{', '.join(map(str, options)) or 'none'}.",
            reason="bad-architecture",
        )
    return Architecture(family=family.name, variant=variant.name, options=dict(options))


def build_network(architecture: Architecture, num_classes: int) -> nn.Module:
    """Return the network with random weights, float32, in training mode, on torch's own device.

    Random weights come from torch's global generator, which the caller seeds: the same seed gives
    the same bits. Input is float32 [B, 3, H, W], output logits [B, num_classes].
    """
    family = FAMILIES.get(architecture.family)
    return family.build(architecture.variant, architecture.params, num_classes)


def check_input(
    architecture: Architecture, num_classes: int, input_size: int, batch_size: int
) -> InputFacts:
    """Check that a network can be trained on square pictures of a size, in batches of a size.

    The network runs in training mode on torch's ``meta`` device, which has shapes and no memory:
    it takes well under a second, for pictures of any size. Nothing random is drawn.

    Args:
        architecture: The network.
        num_classes: Classes, at least 1.
        input_size: Side of the pictures in pixels.
        batch_size: Pictures per step and process.

    Raises:
        InvalidDatasetError: The pictures are too small for the network, or it takes one size only;
            the message has the least size that works.
        GreaterThanOrEqualToError: The batch is 1 and BatchNorm would see one value per channel.
    """
    from imageloom.models.input_check import try_input
    from imageloom.models.shapes_only import shapes_only
    from imageloom.system.compiler_left_out import not_asked_for

    with shapes_only():
        network = build_network(architecture, num_classes)
    asked = (network, architecture.title, num_classes, input_size)
    try:
        with not_asked_for():
            facts = try_input(*asked)
    except ImportError:  # of a network, or of a torch, that asks the compiler for more
        facts = try_input(*asked)
    if batch_size == 1 and not facts.allows_single_picture:
        raise GreaterThanOrEqualToError(
            f"batch_size is 1, but must be at least 2: {architecture.title} at {input_size} px "
            "normalises over the batch, and one picture leaves one value.",
            hint="Use a batch size of 2 or more, or larger pictures.",
            reason="batch-norm",
            details={"parameter": "batch_size", "value": 1, "bound": 2, "input_size": input_size},
        )
    return facts


def head_parameters(architecture: Architecture, network: nn.Module) -> tuple[str, ...]:
    """Return the names of the parameters that turn features into one number per class.

    All others are the body, which stays when a network learns other classes.

    Args:
        architecture: What the network was built from.
        network: The bare network, not wrapped for distribution or compilation.
    """
    modules = FAMILIES.get(architecture.family).head_modules(network)
    return tuple(
        name
        for name, _ in network.named_parameters()
        if any(name.startswith(f"{module}.") for module in modules)
    )


def layer_numbers(architecture: Architecture, network: nn.Module) -> Mapping[str, int]:
    """Return the number of each parameter's layer by name, from 0 at the pictures upwards.

    ResNet and DenseNet have six layers whatever their depth: the stem, four stages, and the
    classification layer (with DenseNet's last norm). Networks of timm have those that timm tells
    apart, which are mostly single blocks; so 0.75 for each is less for the stem than it is here.

    Args:
        architecture: What the network was built from.
        network: The bare network, not wrapped for distribution or compilation.

    Raises:
        NotInRangeValueError: Networks of this family have no such order.

    Source:
        timm's ``group_matcher`` with ``coarse=True`` for ResNet and DenseNet; for networks of timm
        as its ``param_groups_layer_decay``.
    """
    family = FAMILIES.get(architecture.family)
    if family.layers is None:
        raise NotInRangeValueError(
            f"layer_decay needs to know the layers of a network, which {family.title} does not "
            "tell.",
            hint="Leave --layer-decay out, or choose a network of "
            f"{' or '.join(other.title for other in FAMILIES if other.layers is not None)}.",
            reason="no-layers",
            details={"parameter": "layer_decay", "name": architecture.variant},
        )
    return family.layers(network)
