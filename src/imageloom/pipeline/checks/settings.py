"""Problems of run settings: what a node asks of its target, and what the target has."""

import os
from collections.abc import Iterator, Mapping
from typing import Final

from imageloom.errors import ImageloomError, unknown_name
from imageloom.params import describe
from imageloom.pipeline.checks.nodes import named, value_errors, value_problem
from imageloom.pipeline.checks.problems import Problem, ProblemKind
from imageloom.pipeline.graph.graph import Node
from imageloom.spec.component import Component
from imageloom.spec.run_settings import RunSettings
from imageloom.spec.target import Limits
from imageloom.spec.target_limits import excesses, interface_problem
from imageloom.system.wording import count
from imageloom.tracking.choose import require_trackers

_BEYOND: Final = {
    "nodes": (ProblemKind.TOO_MANY_NODES, "node_count"),
    "processes_per_node": (ProblemKind.TOO_MANY_PROCESSES, "processes_per_node"),
}


def setting_problems(
    node: Node, component: Component, limits: Mapping[str, Limits]
) -> Iterator[Problem]:
    """Yield what is wrong with where, and on how many processes, a node is to run."""
    known = tuple(one.name for one in describe(RunSettings))
    for name in [one for one in node.settings if one not in known]:
        unknown = unknown_name("run setting", name, known)
        yield value_problem(ProblemKind.UNKNOWN_SETTING, node, component, name, unknown)
    values = {name: value for name, value in node.settings.items() if name in known}
    errors = list(value_errors(RunSettings, values))
    for name, error in errors:
        yield value_problem(ProblemKind.BAD_SETTING, node, component, name, error)
    if not errors:
        yield from _limit_problems(node, component, RunSettings.parse(values), limits)


def _limit_problems(
    node: Node, component: Component, settings: RunSettings, limits: Mapping[str, Limits]
) -> Iterator[Problem]:
    if settings.target not in limits:
        unknown = unknown_name("target", settings.target, tuple(limits))
        yield value_problem(ProblemKind.UNKNOWN_TARGET, node, component, "target", unknown)
    if not component.has_run_settings:
        yield from _settings_not_taken(node, component, settings)
        return
    if settings.target in limits:
        yield from _beyond_target(node, component, settings, limits[settings.target])
    yield from _tracker_problems(node, component, settings)


def _settings_not_taken(
    node: Node, component: Component, settings: RunSettings
) -> Iterator[Problem]:
    asked = {
        "node_count": (settings.node_count > 1, f"a node count of {settings.node_count:,}"),
        "processes_per_node": (
            settings.processes_per_node > 1,
            f"{settings.processes_per_node:,} processes per node",
        ),
        "min_node_count": (
            (settings.min_node_count or 1) > 1,
            f"at least {settings.min_node_count} nodes",
        ),
        "max_restarts": (settings.max_restarts > 0, count(settings.max_restarts, "restart")),
        "track": (bool(settings.track), f"the trackers {', '.join(settings.track)}"),
    }
    for name in [name for name, (is_asked, _) in asked.items() if is_asked]:
        yield Problem(
            ProblemKind.SETTINGS_NOT_TAKEN,
            f"{named(node, component)} asks for {asked[name][1]}, but this component "
            f"{'trains nothing' if name == 'track' else 'always runs as 1 process'}.",
            hint=f"Remove {name} from its run settings.",
            node=node.id,
            parameter=name,
        )


def _tracker_problems(node: Node, component: Component, settings: RunSettings) -> Iterator[Problem]:
    """Yield what a tracker lacks, which would else be missed after hours of training."""
    try:
        require_trackers(settings.track, os.environ)
    except ImageloomError as error:
        yield Problem(
            ProblemKind.TRACKER,
            f"{named(node, component)}: {error.message}",
            hint=error.hint,
            node=node.id,
            parameter="track",
        )


def _beyond_target(
    node: Node, component: Component, settings: RunSettings, limits: Limits
) -> Iterator[Problem]:
    for excess in excesses(limits, settings.target, settings.scale):
        kind, parameter = _BEYOND[excess.what]
        yield Problem(
            kind,
            f"{named(node, component)} asks for {excess.asked}, but {excess.there}.",
            hint=excess.hint,
            node=node.id,
            parameter=parameter,
        )
    nodes = settings.node_count
    if problem := interface_problem(limits, settings.target, nodes=nodes):
        yield Problem(
            ProblemKind.NO_INTERFACE,
            f"{named(node, component)} asks for a node count of {nodes:,}, but {problem}.",
            hint=f"Set 'interface' of the target to one of these: "
            f"{', '.join(limits.interfaces or ())}.",
            node=node.id,
            parameter="target",
        )
