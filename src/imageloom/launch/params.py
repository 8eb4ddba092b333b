"""On how many machines and processes a training runs, and what becomes of it when one dies."""

import os
import re
from collections.abc import Mapping
from typing import Final, Self

from imageloom.errors import LessThanOrEqualToError, ParameterParsingError
from imageloom.params import Params, parameter
from imageloom.spec.scale import Scale
from imageloom.system.machine import GPUS_VARIABLE, processing_units, visible_gpus
from imageloom.system.wording import count

DEFAULT_WAIT_S: Final = 600.0
_NUMBER: Final = re.compile(r"\s*[+-]?[0-9]+\s*")
_RANGE: Final = re.compile(r"([0-9]{1,9}):([0-9]{1,9})")


class LaunchParams(Params):
    """How a training is spread over machines and processes.

    ``nodes`` may be written as ``MIN:MAX``, as for torchrun, which sets ``min_nodes`` as well.
    """

    nodes: int = parameter(
        1,
        help="Machines that train together. MIN:MAX lets them come and go: training goes on with "
        "those that are there, from the last checkpoint.",
        unit="machines",
        gt=0,
        le=100_000,
    )
    min_nodes: int | None = parameter(
        None,
        help="Fewest machines that go on; without it all of them must be there.",
        unit="machines",
        gt=0,
        le=100_000,
        affects_output=False,
    )
    processes_per_node: int = parameter(
        1,
        help="Processes that train together on each machine, one for each GPU. A run that is "
        "resumed keeps its number unless another one is given.",
        unit="processes",
        gt=0,
        le=100_000,
    )
    max_restarts: int = parameter(
        0,
        help="How often all processes are started again from the last checkpoint when one of them "
        "was killed or hangs, or a machine is lost that must be there. Errors of the training "
        "itself are never tried again.",
        unit="restarts",
        ge=0,
        le=1_000_000,
        affects_output=False,
    )
    interface: str = parameter(
        "",
        help="Network interface, such as eth0, by which several machines reach each other. It "
        "must lead to a network that you trust: gradients are neither encrypted nor signed.",
        affects_output=False,
    )
    wait_for_nodes: float = parameter(
        DEFAULT_WAIT_S,
        help="How long to wait until enough machines are there.",
        unit="s",
        gt=0,
        le=31_536_000,
        affects_output=False,
    )

    @classmethod
    def parse(cls, values: Mapping[str, object]) -> Self:
        """Return the parameter set for values from a form, a flag or a JSON file.

        Raises:
            ParameterError: A subclass that fits the first problem; the message lists them all.
        """
        nodes = values.get("nodes")
        if isinstance(nodes, str) and not _RANGE.fullmatch(nodes) and not _NUMBER.fullmatch(nodes):
            raise ParameterParsingError(
                f'nodes is "{nodes}", but must be a whole number, or two as MIN:MAX.',
                hint="For example 2, or 1:3 for machines that may come and go.",
                details={"parameter": "nodes", "value": nodes},
            )
        parts = _RANGE.fullmatch(nodes) if isinstance(nodes, str) else None
        fewest = 0
        if parts is not None:
            fewest, most = (int(part) for part in parts.groups())
            values = {**values, "nodes": most}
            if values.get("min_nodes") is None:
                values["min_nodes"] = fewest
        params = super().parse(values)
        if parts is not None and params.min_nodes != fewest:
            raise ParameterParsingError(
                f'nodes is "{nodes}", so at least {count(fewest, "machine")} must be there, but '
                f"min_nodes is {params.min_nodes}.",
                hint="Leave one of the two out: --nodes MIN:MAX says both.",
                details={"parameter": "min_nodes", "value": params.min_nodes},
            )
        fewest = params.scale.min_nodes
        if fewest > params.nodes:
            raise LessThanOrEqualToError(
                f"min_nodes is {fewest:,}, but there are at most {count(params.nodes, 'machine')}.",
                hint=f"Use at most {params.nodes:,}, or more --nodes.",
                details={
                    "parameter": "min_nodes",
                    "value": fewest,
                    "bound": params.nodes,
                },
            )
        return params

    @classmethod
    def of(
        cls, scale: Scale, *, interface: str = "", wait_for_nodes: float = DEFAULT_WAIT_S
    ) -> Self:
        """Return what launches a training on so many machines and processes."""
        return cls(
            nodes=scale.max_nodes,
            min_nodes=scale.min_nodes,
            processes_per_node=scale.processes_per_node,
            max_restarts=scale.max_restarts,
            interface=interface,
            wait_for_nodes=wait_for_nodes,
        )

    @property
    def scale(self) -> Scale:
        """On how many machines and processes."""
        fewest = self.nodes if self.min_nodes is None else self.min_nodes
        return Scale(fewest, self.nodes, self.processes_per_node, self.max_restarts)

    def changed_by(self, given: Mapping[str, object]) -> Self:
        """Return the same launch where nothing else is given; ``nodes`` stand without a minimum.

        Raises:
            ParameterError: As ``parse``.
        """
        kept = self.model_dump()
        if "nodes" in given:
            del kept["min_nodes"]
        return self.parse({**kept, **given})

    @property
    def resume_words(self) -> tuple[str, ...]:
        """The options of ``--resume`` with which a run goes on as it did.

        Without them a run of several machines would go on on one, and nobody would restart it. How
        many processes a run on one machine began with stands in its record.
        """
        restarts = ("--max-restarts", f"{self.max_restarts}") if self.max_restarts else ()
        if self.nodes == 1:
            return restarts
        words = ["--nodes", self.scale.node_range(":")]
        words += ["--processes-per-node", f"{self.processes_per_node}"]
        words += ["--interface", self.interface] if self.interface else []
        if self.wait_for_nodes != DEFAULT_WAIT_S:
            words += ["--wait-for-nodes", f"{self.wait_for_nodes:.15g}"]
        return (*words, *restarts)


def require_processes(processes: int) -> None:
    """Refuse more processes than this machine has processing units.

    Raises:
        LessThanOrEqualToError: There are fewer GPUs or, without any, cores.
    """
    units = processing_units(os.environ)
    if processes <= units:
        return
    has_gpu = bool(visible_gpus(os.environ))
    on_cores = f" To train on the cores instead, set {GPUS_VARIABLE} to nothing." if has_gpu else ""
    raise LessThanOrEqualToError(
        f"{processes:,} processes per node, but this machine has "
        f"{count(units, 'GPU' if has_gpu else 'core')}.",
        hint=f"Use at most {units:,}.{on_cores}",
        details={"parameter": "processes_per_node", "value": processes, "bound": units},
    )
