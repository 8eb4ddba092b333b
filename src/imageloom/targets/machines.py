"""Machines without a scheduler: this one leads, and people have others join it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from imageloom.launch.network import addresses
from imageloom.params import parameter
from imageloom.spec.target import (
    INTERFACE_VARIABLE,
    TARGETS,
    JobStatus,
    Limits,
    Target,
    Work,
)
from imageloom.spec.target_kind import TARGET_KINDS, TargetKind, TargetOptions

MAX_NODES: Final = 64


class MachinesOptions(TargetOptions):
    """Options of targets of the kind ``machines``."""

    max_nodes: int = parameter(
        MAX_NODES,
        help="Most machines for one job, this one among them.",
        unit="machines",
        gt=0,
        le=100_000,
    )
    processing_units_per_node: int | None = parameter(  # type: ignore[assignment]  # None: ask
        None,
        help="Most processes on each machine: its GPUs or, without any, its cores. By default as "
        "many as this machine has.",
        unit="processes",
        gt=0,
        le=100_000,
    )
    interface: str = parameter(
        "",
        help="Network interface of the machine that leads by which the others reach it, such as "
        "eth0. Without it each training names one with --interface.",
    )


class MachinesTarget:
    """Starts a job as a process of this machine, which lets other machines join it.

    Args:
        name: What a person calls it.
        options: What they set.
        here: Gives the target that starts processes of this machine. Jobs of both share its GPUs.
        environment: May name a network interface for trainings that name none.
    """

    title = "Machines without a scheduler"
    help = "This machine leads; others join it, each by the command 'imageloom agent join'."

    def __init__(
        self,
        name: str,
        options: MachinesOptions,
        here: Callable[[], Target],
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.name = name
        self._environment = environment
        self._options = options
        self._here = here

    @property
    def limits(self) -> Limits:
        """As many machines as a person says; the rest is as on this one, which leads."""
        here = self._here().limits
        units = self._options.processing_units_per_node
        return replace(
            here,
            nodes=self._options.max_nodes,
            processing_units_per_node=units or here.processing_units_per_node,
            interfaces=tuple(addresses()),
            interface=self._options.interface or self._environment.get(INTERFACE_VARIABLE, ""),
        )

    def require_reachable(self) -> None:
        """Return: this machine is here, and the others come when there is something to join."""

    def start(self, folder: Path, work: Work, *, lock: int | None = None) -> None:
        """Start the process that leads.

        Raises:
            ImageloomError: As the target of this machine.
        """
        interface = self._options.interface
        more = {INTERFACE_VARIABLE: interface} if interface else {}
        with_interface = replace(work, environment={**work.environment, **more})
        self._here().start(folder, with_interface, lock=lock)

    def status(self, folder: Path) -> JobStatus:
        """Say what became of the process that leads."""
        return self._here().status(folder)

    def end_signal(self, folder: Path) -> int | None:
        """Return a descriptor that becomes readable when the process that leads ends."""
        return self._here().end_signal(folder)

    def stop(self, folder: Path, *, at_once: bool) -> None:
        """Stop the process that leads; it sees to the others."""
        self._here().stop(folder, at_once=at_once)


def make(name: str, options: TargetOptions) -> Target:
    """Return a target of this kind."""
    assert isinstance(options, MachinesOptions)
    return MachinesTarget(name, options, here=lambda: TARGETS.get("local"))


TARGET_KINDS.declare(
    "machines",
    TargetKind(
        name="machines",
        title=MachinesTarget.title,
        help=MachinesTarget.help,
        options=MachinesOptions,
        make=make,
    ),
)
TARGETS.declare("machines", make("machines", MachinesOptions()))
