"""Pictures made in code, one function per kind; every one is a few hundred bytes."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

RED, GREEN, BLUE, WHITE = (220, 30, 20), (20, 200, 40), (30, 40, 210), (255, 255, 255)


def photo(height=24, width=32, seed=0):
    """Smooth colours with some noise: uint8 [height, width, 3], unlike in every corner."""
    generator = np.random.default_rng(seed)
    across = np.linspace(0, 6, width)[None, :, None]
    down = np.linspace(0, 5, height)[:, None, None]
    channel = np.array([0.0, 1.0, 2.0])
    wave = 127 + 90 * np.sin(across * 1.7 + channel) + 60 * np.cos(down * 2.3 - channel)
    return np.clip(wave + generator.normal(0, 9, (height, width, 3)), 0, 255).astype(np.uint8)


def saved(image, file_format, **options):
    """The bytes of a Pillow image, or of an array of pixels."""
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def jpeg(seed=0, *, orientation=None, height=24, width=32, **options):
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    return saved(photo(height, width, seed), "JPEG", **({"quality": 90} | options))


def png(seed=0, height=6, width=8):
    return saved(photo(height, width, seed), "PNG")


def gif(frames=1):
    images = [Image.fromarray(photo(seed=number)).convert("P") for number in range(frames)]
    return saved(images[0], "GIF", save_all=True, append_images=images[1:])


def png_chunk(kind, payload):
    checksum = zlib.crc32(kind + payload)
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", checksum)


def raw_png(width, height, *, bits=8, colour=2, rows=b"", chunks=b""):
    """A PNG file whose header may say anything."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + chunks
        + png_chunk(b"IDAT", zlib.compress(rows, 9))
        + png_chunk(b"IEND", b"")
    )


def tiff(directories):
    """A little-endian TIFF file: each directory is a list of (tag, kind, value) and a link.

    ``link`` is the number of the directory that follows, or None for the last.
    """
    size = [2 + 12 * len(entries) + 4 for entries, _ in directories]
    starts = [8 + sum(size[:number]) for number in range(len(directories))]
    parts = [b"II*\0" + struct.pack("<I", 8)]
    for entries, link in directories:
        parts.append(struct.pack("<H", len(entries)))
        parts += [struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in sorted(entries)]
        parts.append(struct.pack("<I", 0 if link is None else starts[link]))
    return b"".join(parts)


def tiff_page(width=1, height=1, *, offset=8, length=1):
    """The tags of a grey page whose pixels lie at ``offset``."""
    values = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: offset, 277: 1, 278: height}
    return [(tag, 4, value) for tag, value in (values | {279: length}).items()]
