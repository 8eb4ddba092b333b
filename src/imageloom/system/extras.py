"""Packages that not everybody installs."""

import importlib.util
from collections.abc import Iterable

from imageloom.errors import EnvironmentUnsuitableError


def require_packages(purpose: str, packages: Iterable[str], extra: str) -> None:
    """Refuse what needs packages that are not there, before any of them is imported.

    Args:
        purpose: What needs them, as a message begins: ``Tuning``.
        packages: Their names, as they are imported.
        extra: Of ours, which installs them.

    Raises:
        EnvironmentUnsuitableError: The message names the first that lacks, and the extra.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise EnvironmentUnsuitableError(
                f"{purpose} needs the package {package}, which is not installed.",
                hint=f"Install it: pip install 'imageloom[{extra}]'",
                reason="missing-package",
                details={"package": package, "extra": extra},
            )
