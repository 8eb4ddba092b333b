"""All components, declared: the only file that knows where they lie."""

import imageloom.components
from imageloom.registry import Registry, import_submodules
from imageloom.spec.component import COMPONENTS, Component


def load_components() -> Registry[Component]:
    """Return every component; the second call does nothing."""
    import_submodules(imageloom.components)
    return COMPONENTS
