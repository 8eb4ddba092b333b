"""Kinds of targets: what a person's file of targets can hold. Each kind is one file in targets/."""

from collections.abc import Callable
from dataclasses import dataclass

from imageloom.params import Params, parameter
from imageloom.registry import Registry
from imageloom.spec.target import Target


class TargetOptions(Params):
    """Options that targets of all kinds have; a kind adds its own."""

    max_nodes: int = parameter(
        1, help="Most machines for one job.", unit="machines", gt=0, le=100_000
    )
    processing_units_per_node: int = parameter(
        1,
        help="Most processes on each machine: its GPUs or, without any, its cores.",
        unit="processes",
        gt=0,
        le=100_000,
    )


@dataclass(frozen=True)
class TargetKind:
    """A way to run jobs, of which a person can have several targets.

    Attributes:
        name: What stands after ``kind =`` in the file.
        title: Its name for people.
        help: What it does, in one or two sentences.
        options: Its options.
        make: Makes a target of a name and of options, which are of the class ``options``. It asks
            nothing of the outside: whether the target can be reached is found out later.
    """

    name: str
    title: str
    help: str
    options: type[TargetOptions]
    make: Callable[[str, TargetOptions], Target]


TARGET_KINDS: Registry[TargetKind] = Registry("kind of target")
