"""Train image classifiers: a folder of pictures in, a trained and scored model out."""

__version__ = "0.1.0"
