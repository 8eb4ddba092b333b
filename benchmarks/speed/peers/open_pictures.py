"""Opens an image directory or a folder of pictures; says the seconds that took, and the memory.

    python open_pictures.py DIR [imageloom|torchvision]

Seconds are without the start of Python and the imports; memory is the most of the whole process.
"""

import json
import resource
import sys
import time


def imageloom(folder):
    from imageloom import convert, open_images

    assert callable(convert)  # it is otherwise imported when something is opened

    def open_it():
        images = open_images(folder)
        return len(images), len(images.counts)

    return open_it


def torchvision(folder):
    from torchvision.datasets import ImageFolder

    return lambda: (len(ImageFolder(folder)), 0)


def main(folder, system="imageloom"):
    open_it = {"imageloom": imageloom, "torchvision": torchvision}[system](folder)
    began = time.monotonic()
    images, _ = open_it()
    seconds = time.monotonic() - began
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"images": images, "seconds": seconds, "memory": peak_bytes}))


if __name__ == "__main__":
    main(*sys.argv[1:])
