"""``python -m imageloom``: the command line without its script."""

from imageloom.cli import main

if __name__ == "__main__":
    main()
