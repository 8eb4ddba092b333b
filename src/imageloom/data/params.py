"""Parameters of converting and splitting pictures."""

from typing import Final, Literal

from imageloom.data.decoding.pixel_limits import DEFAULT_MAX_PIXELS, PILLOW_MAX_PIXELS
from imageloom.params import Params, parameter

Nested = Literal["refuse", "join"]
NameEncoding = Literal[
    "utf_8",
    "shift_jis",
    "euc_jp",
    "gbk",
    "big5",
    "euc_kr",
    "cp437",
    "cp850",
    "cp852",
    "cp866",
    "cp874",
    "cp1250",
    "cp1251",
    "cp1252",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "koi8_r",
]
Labels = Literal["source", "several", "none"]
EmptyClasses = Literal["refuse", "drop"]


# Of converting, what commands that take a plain folder have options for.
SHORTCUT_PARAMETERS: Final = ("follow_links", "labels")


class ConvertParams(Params):
    """How a source becomes an image directory, and what may be left out."""

    max_rejected_fraction: float = parameter(
        0.01,
        help="Share of the pictures that may be left out; above it the conversion fails.",
        ge=0,
        le=1,
        section="Limits",
    )
    max_pixels: int = parameter(
        DEFAULT_MAX_PIXELS,
        help="Largest picture that is decoded, width times height. Larger ones are left out.",
        unit="pixels",
        ge=1,
        le=PILLOW_MAX_PIXELS,
        section="Limits",
    )
    folder: str | None = parameter(
        None,
        help="Sub-folder of the source to take, such as 'train'. For a manifest: the folder that "
        "its file names start from, by default its own.",
        section="Source",
    )
    nested: Nested = parameter(
        "refuse",
        help="Folders inside class folders: 'refuse' them, or 'join' the names to classes such "
        "as 'a/b'.",
        section="Source",
    )
    labels: Labels = parameter(
        "source",
        help="Classes come from the 'source', its folders or its column; 'several': each picture "
        "may have several, or none, as a manifest, a COCO file or Parquet lists them; or there are "
        "'none': all pictures at any depth are taken without labels, as for scoring.",
        section="Source",
    )
    empty_classes: EmptyClasses = parameter(
        "refuse",
        help="Class without pictures in the source: 'refuse' the source or 'drop' it.",
        section="Source",
    )
    follow_links: bool = parameter(
        False,
        help="Read what links in the source lead to, folders and files, also outside it. Without "
        "it, a class folder that is a link is refused.",
        section="Source",
    )
    name_encoding: NameEncoding | None = parameter(
        None,
        help="Encoding of the names in an archive that does not say it. By default those that are "
        "not UTF-8 are guessed, with a notice.",
        section="Source",
    )
    file_column: str | None = parameter(
        None,
        help="Column or key of a manifest with the file name; when not given, 'file'.",
        section="Manifest",
    )
    label_column: str | None = parameter(
        None,
        help="Column or key of a manifest with the class; when not given, 'label'.",
        section="Manifest",
    )
    label_separator: str = parameter(
        "|",
        help="What stands between the labels of a picture in a cell of a manifest, with several "
        "labels per picture.",
        section="Manifest",
    )
    part: str | None = parameter(
        None,
        help="Part of a manifest to take, such as 'train', where a column such as 'split' names "
        "parts; 'all' joins them.",
        section="Manifest",
    )
    group_column: str | None = parameter(
        None,
        help="Column or key of a manifest with the group, such as a patient or a camera; a split "
        "can keep groups together.",
        section="Manifest",
    )
    workers: int = parameter(
        0,
        help="Processes that decode pictures; 0 chooses for the machine.",
        affects_output=False,
        unit="processes",
        ge=0,
        le=1024,
        section="Machine",
    )


class SplitParams(Params):
    """How pictures are divided into two or three parts, each class in the same proportion."""

    fraction: float = parameter(
        0.9, help="Share of the pictures that go to the first part.", gt=0, lt=1
    )
    seed: int = parameter(
        1, help="Start of the random choice; the same seed splits alike.", ge=-(2**63), lt=2**63
    )
    by_group: bool = parameter(
        False, help="Keep pictures of one group in one part; groups come from the manifest."
    )
    third_fraction: float | None = parameter(
        None,
        help="Share of the pictures that go to a third part; none by default. The second part "
        "gets what is left.",
        gt=0,
        lt=1,
    )
