"""All components, those of a person's own extensions among them."""

import imageloom.components
from imageloom.extensions import declare_all
from imageloom.registry import Registry
from imageloom.spec.component import COMPONENTS, Component


def load_components() -> Registry[Component]:
    """Return the registry with every component declared; a second call changes nothing.

    Raises:
        EnvironmentUnsuitableError: The extensions cannot be used.
    """
    declare_all(imageloom.components)
    return COMPONENTS
