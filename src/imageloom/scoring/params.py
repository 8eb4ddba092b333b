"""Parameters of scoring and evaluation."""

from typing import Literal

from imageloom.params import Params, parameter

ScorePrecision = Literal["auto", "float32", "bfloat16"]


class ScoreParams(Params):
    """How a network scores pictures."""

    batch_size: int = parameter(
        64,
        help="Pictures that pass the network together; the scores do not depend on it.",
        unit="images",
        gt=0,
        le=1_000_000,
    )
    workers: int = parameter(
        -1,
        help="Processes that read pictures; 0 reads in threads of the one that scores; -1 "
        "chooses: 0 on a CPU, one per core on a GPU, at most 16.",
        affects_output=False,
        ge=-1,
        le=1024,
    )
    device: str = parameter("auto", help="'auto', 'cpu', 'cuda' or 'cuda:N'.")
    # Not 'auto': with bfloat16 a picture's probabilities move by up to a few hundredths with the
    # batch it is in and the machine, and a score table should say the same everywhere.
    precision: ScorePrecision = parameter(
        "float32",
        help="Arithmetic of the network. float32 gives the same scores on every machine and with "
        "every batch size; 'auto' takes bfloat16 where it is faster.",
    )


class ReportParams(Params):
    """What an evaluation lists beside its figures."""

    mistakes: int = parameter(
        24,
        help="Most confident mistakes to list, with their pictures in the report.",
        unit="images",
        ge=0,
        le=1000,
    )
    pairs: int = parameter(
        20, help="Most confused pairs of classes to list.", unit="pairs", ge=0, le=1000
    )
    label_errors: int = parameter(
        100,
        help="Possible label errors to list, the most suspicious first.",
        unit="images",
        ge=0,
        le=10_000,
    )
    thumbnails: bool = parameter(
        True, help="Show the pictures in the report; without, it holds names and numbers only."
    )


class EvaluateParams(ReportParams):
    """The same, and where the pictures lie when the table does not say."""

    images: str | None = parameter(
        None,
        help="Folder that the file names of the scores start from. By default the one that the "
        "table names; a CSV table names none.",
    )
