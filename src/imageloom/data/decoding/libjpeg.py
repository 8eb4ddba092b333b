"""What libjpeg warns of while it reads a JPEG file, which Pillow drops.

libjpeg decodes damaged data as far as it can, fills up with grey, and only warns. Pillow hands
these warnings on to nobody, and torchvision prints the first of them to the terminal. Here the
library that Pillow brings along is asked itself. It reads all codes and computes no pixel; what
that costs stands in docs/decisions/0014-damaged-jpeg-files.md.

Source: jpeglib.h and libjpeg.txt of libjpeg 6b, whose interface libjpeg-turbo and all later
versions keep. The size of its largest structure, which differs between them, is asked of it.
"""

import ctypes
import functools
import os
from dataclasses import dataclass
from typing import Final, NamedTuple

import PIL._imaging

_MOST_WARNINGS: Final = 16  # a hostile file could give millions
_TEXT_BYTES: Final = 256  # JMSG_LENGTH_MAX is 200
_MORE_THAN_ENOUGH_BYTES: Final = 16_384  # for a jpeg_decompress_struct, which takes 632 or so
_REQUIRE_IMAGE: Final = 1
_Report = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_Format = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


class JpegWarnings(NamedTuple):
    """libjpeg's own sentences, in the order in which they came.

    Attributes:
        header: Of what stands before the first scan.
        scans: Of the scans and of what stands between and behind them.
    """

    header: tuple[str, ...]
    scans: tuple[str, ...]


class _ErrorManager(ctypes.Structure):
    """``jpeg_error_mgr`` of jpeglib.h."""

    _fields_ = (
        ("error_exit", _Report),
        ("emit_message", ctypes.c_void_p),
        ("output_message", _Report),
        ("format_message", _Format),
        ("reset_error_mgr", ctypes.c_void_p),
        ("msg_code", ctypes.c_int),
        ("msg_parm", ctypes.c_int * 20),
        ("trace_level", ctypes.c_int),
        ("num_warnings", ctypes.c_long),
        ("jpeg_message_table", ctypes.c_void_p),
        ("last_jpeg_message", ctypes.c_int),
        ("addon_message_table", ctypes.c_void_p),
        ("first_addon_message", ctypes.c_int),
        ("last_addon_message", ctypes.c_int),
    )


class _Decompress(ctypes.Structure):
    """The one field of ``jpeg_decompress_struct`` that its user must set, and room for the rest."""

    _fields_ = (
        ("err", ctypes.POINTER(_ErrorManager)),
        ("rest", ctypes.c_char * _MORE_THAN_ENOUGH_BYTES),
    )


@dataclass(frozen=True)
class _Library:
    functions: ctypes.CDLL
    version: int
    struct_bytes: int


def jpeg_warnings(content: bytes) -> JpegWarnings | None:
    """Read a whole JPEG file and return what libjpeg warns of.

    libjpeg ends the process when it cannot go on, so a file must be given whose markers it has
    accepted; see ``jpeg_damage`` beside this file. Damaged codes between them only cause warnings.

    Args:
        content: A Huffman or arithmetic coded file of 8 bits a sample, not a lossless one.

    Returns:
        The warnings, or None where Pillow's libjpeg cannot be reached.
    """
    library = _library()
    if library is None:
        return None
    functions, heard = library.functions, _Heard()
    manager = heard.manager(functions)
    reading = _Decompress(err=ctypes.pointer(manager))
    place = ctypes.byref(reading)
    functions.jpeg_CreateDecompress(place, library.version, library.struct_bytes)
    try:
        functions.jpeg_mem_src(place, content, len(content))
        functions.jpeg_read_header(place, _REQUIRE_IMAGE)
        in_header = len(heard.texts)
        functions.jpeg_read_coefficients(place)
    finally:
        functions.jpeg_destroy_decompress(place)
    texts = tuple(heard.texts)
    return JpegWarnings(texts[:in_header], texts[in_header:])


class _Heard:
    """Keeps what libjpeg says."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._text = ctypes.create_string_buffer(_TEXT_BYTES)
        self._callbacks = (_Report(self._end_process), _Report(self._listen))
        self._manager = _ErrorManager()

    def manager(self, functions: ctypes.CDLL) -> _ErrorManager:
        """Return an error manager that reports here; it lives as long as this object."""
        functions.jpeg_std_error(ctypes.byref(self._manager))
        self._manager.error_exit, self._manager.output_message = self._callbacks
        return self._manager

    def _said(self, reading: int) -> str:
        self._manager.format_message(reading, self._text)
        return self._text.value.decode("ascii", "backslashreplace")

    def _listen(self, reading: int) -> None:
        self.texts.append(self._said(reading))
        if len(self.texts) < _MOST_WARNINGS:
            self._manager.num_warnings = -1  # only the first is given; the next shall be a first

    def _end_process(self, reading: int) -> None:
        # libjpeg must not go on from here, and Python cannot jump out of it. Of a decoding process
        # this costs one file.
        os.write(2, f"libjpeg cannot go on: {self._said(reading)}\n".encode())
        os._exit(1)


@functools.cache
def _library() -> _Library | None:
    """Return the libjpeg that Pillow uses, or None when it is hidden inside Pillow."""
    try:
        functions = ctypes.CDLL(PIL._imaging.__file__)
        functions.jpeg_CreateDecompress.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
        functions.jpeg_mem_src.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_ulong)
        functions.jpeg_read_header.argtypes = (ctypes.c_void_p, ctypes.c_int)
        functions.jpeg_read_coefficients.argtypes = (ctypes.c_void_p,)
        functions.jpeg_destroy_decompress.argtypes = (ctypes.c_void_p,)
        functions.jpeg_std_error.argtypes = (ctypes.c_void_p,)
    except (AttributeError, OSError):
        return None
    found: list[int] = []
    manager = _ErrorManager()
    functions.jpeg_std_error(ctypes.byref(manager))
    # It complains of a wrong version, then of a wrong size, each time with the right number, before
    # it does anything that could not be gone on from.
    manager.error_exit = complaint = _Report(lambda _: found.append(manager.msg_parm[0]))
    reading = _Decompress(err=ctypes.pointer(manager))
    functions.jpeg_CreateDecompress(ctypes.byref(reading), 0, 0)
    functions.jpeg_destroy_decompress(ctypes.byref(reading))
    del complaint  # it had to live until here
    version, struct_bytes = found
    return _Library(functions, version, struct_bytes)
