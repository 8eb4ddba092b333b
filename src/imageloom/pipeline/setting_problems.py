"""Problems of run settings: what a node asks of its target, and what the target has."""

from collections.abc import Iterator, Mapping

from imageloom.errors import unknown_name
from imageloom.params import describe
from imageloom.pipeline.graph import Node
from imageloom.pipeline.node_problems import named, value_errors
from imageloom.pipeline.problems import Problem, ProblemKind
from imageloom.spec.component import Component
from imageloom.spec.run_settings import RunSettings
from imageloom.spec.target import Limits
from imageloom.wording import count


def setting_problems(
    node: Node, component: Component, limits: Mapping[str, Limits]
) -> Iterator[Problem]:
    """Yield what is wrong with where, and on how many processes, a node is to run."""
    known = tuple(one.name for one in describe(RunSettings))
    for name in [one for one in node.settings if one not in known]:
        unknown = unknown_name("run setting", name, known)
        yield Problem(
            ProblemKind.UNKNOWN_SETTING,
            f"{named(node, component)}: {unknown.message}",
            hint=unknown.hint,
            node=node.id,
            parameter=name,
        )
    values = {name: value for name, value in node.settings.items() if name in known}
    errors = list(value_errors(RunSettings, values))
    for name, error in errors:
        yield Problem(
            ProblemKind.BAD_SETTING,
            f"{named(node, component)}: {error.message}",
            hint=error.hint,
            node=node.id,
            parameter=name,
        )
    if not errors:
        yield from _limit_problems(node, component, RunSettings.parse(values), limits)


def _limit_problems(
    node: Node, component: Component, settings: RunSettings, limits: Mapping[str, Limits]
) -> Iterator[Problem]:
    if settings.target not in limits:
        unknown = unknown_name("target", settings.target, tuple(limits))
        yield Problem(
            ProblemKind.UNKNOWN_TARGET,
            f"{named(node, component)}: {unknown.message}",
            hint=unknown.hint,
            node=node.id,
            parameter="target",
        )
    if not component.has_run_settings:
        yield from _settings_not_taken(node, component, settings)
    elif settings.target in limits:
        yield from _beyond_target(node, component, settings, limits[settings.target])


def _settings_not_taken(
    node: Node, component: Component, settings: RunSettings
) -> Iterator[Problem]:
    asked = {
        "node_count": f"a node count of {settings.node_count:,}",
        "processes_per_node": f"{settings.processes_per_node:,} processes per node",
    }
    for name, words in asked.items():
        if getattr(settings, name) > 1:
            yield Problem(
                ProblemKind.SETTINGS_NOT_TAKEN,
                f"{named(node, component)} asks for {words}, but this component always runs as "
                "1 process.",
                hint=f"Remove {name} from its run settings.",
                node=node.id,
                parameter=name,
            )


def _beyond_target(
    node: Node, component: Component, settings: RunSettings, limits: Limits
) -> Iterator[Problem]:
    if settings.node_count > limits.nodes:
        yield Problem(
            ProblemKind.TOO_MANY_NODES,
            f"{named(node, component)} asks for a node count of {settings.node_count:,}, but "
            f"target {settings.target!r} has {count(limits.nodes, 'node')}.",
            hint=f"Use at most {limits.nodes:,}.",
            node=node.id,
            parameter="node_count",
        )
    if settings.processes_per_node > limits.processing_units_per_node:
        units = count(limits.processing_units_per_node, "processing unit")
        yield Problem(
            ProblemKind.TOO_MANY_PROCESSES,
            f"{named(node, component)} asks for {settings.processes_per_node:,} processes per "
            f"node, but a node of target {settings.target!r} has {units}.",
            hint=f"Use at most {limits.processing_units_per_node:,}.",
            node=node.id,
            parameter="processes_per_node",
        )
