"""A component: a kind of step with typed ports and parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from imageloom.errors import ImageloomError
from imageloom.events import CancelToken, EventSink
from imageloom.params import Params
from imageloom.registry import Registry
from imageloom.spec.run_settings import RunSettings

Category = Literal["Image data", "Transformations", "Models", "Training", "Scoring"]
Demand = Literal["light", "heavy"]


@dataclass(frozen=True)
class Port:
    """A place where an edge begins or ends.

    Attributes:
        name: Name in JSON and in Python: ``training``.
        type: Name of a port type.
        title: What a person reads.
        help: One sentence.
        optional: Of an input: whether the component runs without it.
        given_by: Of an output: the parameter that must be set for the output to be there, such as
            ``third_fraction``; empty when it always is.
    """

    name: str
    type: str
    title: str
    help: str
    optional: bool = False
    given_by: str = ""


@dataclass(frozen=True)
class Task:
    """One execution of a component: everything it may use.

    Attributes:
        params: An instance of the component's ``params``.
        inputs: Published directories by input port; optional ones that are not joined are absent.
        outputs: Where each output must be published, by output port; nothing is there yet.
        scratch: A folder that stays until the node completes: what a stopped execution left in it
            is there again when the same work is started again, in this run or a later one.
        record: A folder for what people read of this node run, such as a report.
        settings: Where and on how many processes it runs.
        base: Folder that relative paths in parameters start from.
        uploads: Folder of the uploaded files and folders, by name.
        on_event: Hears progress, metrics and notices.
        cancel: Stops it at the next safe point.
    """

    params: Params
    inputs: Mapping[str, Path]
    outputs: Mapping[str, Path]
    scratch: Path
    record: Path
    settings: RunSettings
    base: Path
    uploads: Path
    on_event: EventSink
    cancel: CancelToken


@dataclass(frozen=True)
class Outside:
    """What a component reads besides its inputs: where paths in its parameters start from.

    Attributes:
        base: Folder that relative paths start from.
        uploads: Folder of the uploaded files and folders.
    """

    base: Path
    uploads: Path


@dataclass(frozen=True)
class Component:
    """What the engine, a form and the docs need to know of a kind of step.

    Attributes:
        name: Name in JSON and in Python: ``train_pytorch_model``.
        title: What a person reads: ``Train PyTorch Model``.
        help: What it does, in one to three sentences.
        category: Its group in the palette.
        inputs: Input ports, from left to right.
        outputs: Output ports, from left to right.
        params: Its parameter set.
        run: Does the work: publishes every output, returns a content digest for those outputs
            whose meaning is less than their bytes (equal digests must mean equal to every reader)
            and raises ``ImageloomError``. Heavy libraries are imported inside it.
        version: Raised when the same inputs and parameters give another result; results of other
            versions are then not taken from the cache.
        errors: What ``run`` raises beyond failures of memory and disk, for the docs.
        demand: ``heavy`` components use a whole processing unit, so they wait for one.
        has_run_settings: Whether it can run on several processes.
        fingerprint: For a component that reads from outside the pipeline: a text that changes when
            what it reads does. It must be quick and raise ``ImageloomError`` if nothing is there.
        reads: For such a component: the file or folder that it reads. A run is refused whose
            workspace lies in there.
        rule: What values that are fine by themselves must keep together, where that is more than
            their defaults do: raises ``ParameterError`` with ``parameter`` in its details, and
            looks at nothing besides.
        renamed: Earlier parameter names and what they are called today, so that old pipelines open.
    """

    name: str
    title: str
    help: str
    category: Category
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    params: type[Params]
    run: Callable[[Task], Mapping[str, str]]
    version: int = 1
    errors: tuple[type[ImageloomError], ...] = ()
    demand: Demand = "light"
    has_run_settings: bool = False
    fingerprint: Callable[[Params, Outside], str] | None = None
    reads: Callable[[Params, Outside], Path] | None = None
    rule: Callable[[Params], None] | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)

    def input(self, name: str) -> Port | None:
        """Return the input port of that name, or None."""
        return next((port for port in self.inputs if port.name == name), None)

    def output(self, name: str) -> Port | None:
        """Return the output port of that name, or None."""
        return next((port for port in self.outputs if port.name == name), None)

    def given_outputs(self, params: Params) -> tuple[Port, ...]:
        """Return the outputs that are there with these parameters."""
        return tuple(
            port
            for port in self.outputs
            if not port.given_by or getattr(params, port.given_by) not in (None, False)
        )


COMPONENTS: Registry[Component] = Registry("component")
