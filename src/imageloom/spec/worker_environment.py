"""Which environment variables a worker gets: those it may need, and none that is called a secret.

Names are looked at, not values: a proxy that wants a password is told as it stands, because without
it a worker would reach nothing.
"""

from collections.abc import Mapping
from typing import Final

_NAMES: Final = frozenset(
    (
        *("PATH", "HOME", "LANG", "TZ", "TMPDIR", "USER", "SHELL", "VIRTUAL_ENV"),
        "LD_LIBRARY_PATH",
        # Where pictures at s3:// are, under which name to ask, and which files hold the secret.
        *("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ROLE_ARN"),
        *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
        "AWS_CA_BUNDLE",
    )
)
_STARTS: Final = (
    *("LC_", "PYTHON", "CUDA_", "NVIDIA_", "NCCL_", "OMP_", "MKL_", "TORCH_"),
    *("IMAGELOOM_", "XDG_", "HF_", "SSL_"),
)
_PROXY: Final = "_PROXY"
# The URL of a database may hold a password.
_SECRETS: Final = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "KEY", "DATABASE_URL")


def worker_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an environment that a worker gets."""
    return {name: value for name, value in environment.items() if _is_allowed(name)}


def _is_allowed(name: str) -> bool:
    upper = name.upper()
    if name in _NAMES:
        return True
    may_be_needed = name.startswith(_STARTS) or upper.endswith(_PROXY)
    return may_be_needed and not any(word in upper for word in _SECRETS)
