"""All targets, those of a person's own extensions among them."""

import imageloom.targets
from imageloom.extensions import declare_all
from imageloom.registry import Registry
from imageloom.spec.target import TARGETS, Target


def load_targets() -> Registry[Target]:
    """Return the registry with every target declared; a second call changes nothing.

    Raises:
        EnvironmentUnsuitableError: The extensions cannot be used.
    """
    declare_all(imageloom.targets)
    return TARGETS
