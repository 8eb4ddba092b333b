"""What the model process answers, as values; both sides import this, so nothing heavy here."""

from dataclasses import dataclass

from imageloom.data.previews.values import KeptThumbnail


@dataclass(frozen=True)
class Guess:
    """A class that a model holds for possible.

    Attributes:
        label: Its name.
        probability: 0 to 1.
    """

    label: str
    probability: float


@dataclass(frozen=True)
class Guesses:
    """What a model says of a picture.

    Attributes:
        guesses: The most probable classes, the most probable first.
        num_classes: How many classes the model knows.
    """

    guesses: tuple[Guess, ...]
    num_classes: int


@dataclass(frozen=True)
class PictureLook:
    """What a model says of a picture, and where it looks.

    Attributes:
        guesses: The most probable classes, the most probable first.
        num_classes: How many classes the model knows.
        explained: The class whose places the map shows.
        seen: Name of a PNG file with what the network sees.
        heat: Name of a PNG file of the same size: the map, clear where nothing speaks for it.
    """

    guesses: tuple[Guess, ...]
    num_classes: int
    explained: str
    seen: str
    heat: str


@dataclass(frozen=True)
class AlikePicture:
    """A training picture that is like another picture to a model.

    Attributes:
        position: Its row among the training pictures.
        file: Its name.
        label: Its class, or None.
        similarity: Cosine between the features of the two, -1 to 1.
        thumbnail: A small copy, or None where it cannot be shown.
    """

    position: int
    file: str
    label: str | None
    similarity: float
    thumbnail: KeptThumbnail | None


@dataclass(frozen=True)
class AlikePictures:
    """The training pictures that are most alike, once the model has seen them all.

    Attributes:
        done: How many training pictures it has seen so far.
        total: How many there are.
        pictures: The nearest first; empty while ``done`` is below ``total``.
    """

    done: int
    total: int
    pictures: tuple[AlikePicture, ...]
