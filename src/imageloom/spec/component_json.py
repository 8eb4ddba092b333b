"""A component as JSON: all that a form, a canvas or another program needs to know of it."""

from dataclasses import asdict

from imageloom.params import Params, describe
from imageloom.spec.component import Component
from imageloom.spec.run_settings import RunSettings


def component_to_json(component: Component) -> dict[str, object]:
    """Return everything that a component says of itself."""
    return {
        "name": component.name,
        "title": component.title,
        "help": component.help,
        "category": component.category,
        "version": component.version,
        "demand": component.demand,
        "inputs": [asdict(port) for port in component.inputs],
        "outputs": [asdict(port) for port in component.outputs],
        "parameters": parameters_to_json(component.params),
        "run_settings": parameters_to_json(RunSettings) if component.has_run_settings else [],
        "errors": [{"code": one.code, "type": one.__name__} for one in component.errors],
    }


def parameters_to_json(params: type[Params]) -> list[dict[str, object]]:
    """Return everything that is declared of parameters, in their order.

    Of each there are the attributes of ``ParameterDescription``; of ``shown_when`` the name of the
    other parameter and the values with which this one matters.
    """
    return [asdict(one) for one in describe(params)]
