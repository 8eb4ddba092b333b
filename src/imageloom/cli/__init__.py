"""The command line: one file per command, flags made from the parameter sets."""

from imageloom.cli.root import main

__all__ = ["main"]
