"""All model families: importing this package declares every one of its files.

A new family is one new file here that declares a ``Family``; nothing else is edited.
"""

import sys

from imageloom.registry import import_submodules

import_submodules(sys.modules[__name__])
