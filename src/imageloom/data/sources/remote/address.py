"""Addresses of pictures that lie on no disk of this machine, told from paths by their scheme."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeGuard

from imageloom.data.names import suffix_of
from imageloom.errors import ParameterParsingError
from imageloom.tracking.secrets import without_login

_ADDRESS: Final = re.compile(r"([a-z][a-z0-9+.:-]+)://(.*)", re.DOTALL)
_WEB: Final = ("http", "https")
_S3: Final = ("s3", "s3a")
VERSION: Final = "?versionId="
"""What stands before the version of a file in addresses of S3."""

_ONE_FILE: Final = ("zip", "tar", "gz", "tgz", "bz2", "tbz2", "parquet")  # all in one
_LOGIN: Final = re.compile(r"[^/]*:[^/]*@")
_NO_SECRETS: Final = (
    "Addresses are written into records and logs. Give what opens it in the environment or in the "
    "files of the service's own programs, such as AWS_PROFILE or ~/.aws/credentials."
)


@dataclass(frozen=True)
class Address:
    """Where pictures lie, in the words of fsspec.

    Attributes:
        text: The whole, ``s3://bucket/photos``, without a slash at its end. No secret is in it.
        scheme: What stands before ``://``.
        version: Which version of a file in S3 is meant, as the end of ``text`` says; empty for the
            one that is there now.
    """

    text: str
    scheme: str
    version: str = ""

    @property
    def name(self) -> str:
        """The last part: of a file or a folder, without its version."""
        return self._unversioned.rpartition("/")[2]

    @property
    def parent(self) -> "Address":
        """The folder in which it lies."""
        return Address(self._unversioned.rpartition("/")[0], self.scheme)

    @property
    def is_s3(self) -> bool:
        """Whether it is one of S3, where a file may have versions."""
        return self.scheme in _S3

    @property
    def _unversioned(self) -> str:
        return self.text.removesuffix(f"{VERSION}{self.version}") if self.version else self.text

    @property
    def is_web(self) -> bool:
        """Whether a web server answers, which lists no folders."""
        return self.scheme in _WEB

    def __str__(self) -> str:
        return self.text


def is_address(source: object) -> TypeGuard[str]:
    """Whether a source is a text that begins with a scheme, as ``s3://``."""
    return isinstance(source, str) and _ADDRESS.match(source) is not None


def parse_address(text: str) -> Address:
    """Return an address.

    Raises:
        ParameterParsingError: It holds a password, a signature or a chain of several addresses,
            names nothing, or a folder or manifest of a web server.
    """
    found = _ADDRESS.fullmatch(text)
    assert found is not None, text  # is_address was asked
    scheme, rest = found[1], found[2]
    if _LOGIN.match(rest):
        raise _refused(f"{without_login(text)} was given with a user and a password", _NO_SECRETS)
    if scheme in _WEB and ("?" in rest or "#" in rest):
        shown = re.split(r"[?#]", text)[0]
        hint = "Such parts sign an address. Download the file yourself, or give it without that."
        raise _refused(f"{shown} was given with more behind it, after '?' or '#'", hint)
    if "::" in text or "\0" in text:
        raise _refused(
            f"{text!r} is no single address", "Give one such as s3://bucket/photos, without '::'."
        )
    if not rest.strip("/"):
        raise _refused(f"{text!r} names nothing", "Give an address such as s3://bucket/photos.")
    address = _address(scheme, rest.rstrip("/"))
    if address.is_web and suffix_of(os.fsencode(address.name)) not in _ONE_FILE:
        raise _refused(
            f"{address} is no archive by its name, and a web server lists no folder",
            "Give a .zip, .tar, .tar.gz, .tar.bz2 or .parquet, or download the rest yourself.",
        )
    return address


def _address(scheme: str, rest: str) -> Address:
    text, mark, version = f"{scheme}://{rest}", "", ""
    if scheme in _S3:
        _, mark, version = rest.partition(VERSION)
    if mark and not version:
        raise _refused(f"{text!r} names no version behind {VERSION!r}", "Give it without that.")
    return Address(text, scheme, version)


def refuse_address_as_path(path: Path) -> None:
    """Refuse a path at which nothing is, if it was an address: that cost it one of its slashes.

    Raises:
        ParameterParsingError: The message says what to write.
    """
    if re.search(r"(^|/)(s3|gs|gcs|abfss?|az|https?|memory):/", str(path)):
        raise _refused(
            f"{path} is an address that was made a path",
            "Give it as text in Python. Commands other than 'imageloom data convert' take what "
            "that one writes: imageloom data convert s3://bucket/photos --out pictures",
        )


def _refused(what: str, hint: str) -> ParameterParsingError:
    return ParameterParsingError(f"{what}.", hint=hint, reason="bad-address")
