"""The file system that an address speaks of. This file imports fsspec, and is imported late."""

from typing import Final

import fsspec
from fsspec.core import url_to_fs
from fsspec.registry import known_implementations
from fsspec.spec import AbstractFileSystem

from imageloom.data.sources.remote.address import Address
from imageloom.data.sources.remote.failures import naming_failures
from imageloom.errors import EnvironmentUnsuitableError, ParameterParsingError
from imageloom.system.extras import require_packages

# What the extra brings; s3fs brings aiohttp.
_OF_THE_EXTRA: Final = {"s3": "s3fs", "s3a": "s3fs", "http": "aiohttp", "https": "aiohttp"}
# Of a large file s3fs reads ten parts of 50 MiB at once, by default: with several files that is
# gigabytes of memory, and until a part is whole no progress is told and nothing can be stopped.
_S3_OPTIONS: Final = {"default_block_size": 4 * 2**20, "max_concurrency": 4}


def open_remote(address: Address) -> tuple[AbstractFileSystem, str]:
    """Return a file system of fsspec and the path in it.

    Credentials and other settings come from the environment, as fsspec and the service's own
    library read them; nothing is kept of what was listed before.

    Raises:
        ParameterParsingError: The scheme is unknown.
        EnvironmentUnsuitableError: The package for it is not installed; the message names it.
        FailedToDownloadFilesError: The service cannot be reached.
    """
    if address.scheme in _OF_THE_EXTRA:
        package = _OF_THE_EXTRA[address.scheme]
        require_packages(f"Reading pictures at {address.scheme}://", [package], "cloud")
    try:
        fsspec.get_filesystem_class(address.scheme)
    except ValueError as problem:
        raise ParameterParsingError(
            f"{address} has the unknown scheme {address.scheme!r}.",
            hint="Known are s3, gs, abfs, https and the others of fsspec.",
            reason="bad-address",
        ) from problem
    except ImportError as problem:
        raise _lacks_package(address) from problem
    with naming_failures(address, "could not be opened"):
        options = {"use_listings_cache": False, "skip_instance_cache": True}
        if address.is_s3:
            options |= _S3_OPTIONS | fsspec.config.conf.get(address.scheme, {})
        found = url_to_fs(address.text, **options)
        return found[0], str(found[1])


def _lacks_package(address: Address) -> EnvironmentUnsuitableError:
    known = known_implementations.get(address.scheme, {})
    package = known.get("class", address.scheme).partition(".")[0]
    told = known.get("err", "").rstrip(".")  # 'Please install gcsfs to access Google Storage'
    return EnvironmentUnsuitableError(
        f"Addresses that begin with {address.scheme}:// need the package {package}, which is not "
        "installed.",
        hint=f"Install it, then try again. fsspec says: {told}." if told else "Install it.",
        reason="missing-package",
        details={"package": package},
    )
