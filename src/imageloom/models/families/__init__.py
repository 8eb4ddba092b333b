"""All model families: importing this package declares every one of its files.

A new family is one new file here, or in a folder of extensions, that declares a ``Family``; nothing
else is edited.
"""

import sys

from imageloom.extensions import declare_all

declare_all(sys.modules[__name__])
