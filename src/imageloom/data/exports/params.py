"""Parameters of writing pictures for other programs."""

from typing import Literal

from imageloom.params import Params, parameter

PictureFormat = Literal["folders", "parquet", "webdataset", "coco"]


class ImageExportParams(Params):
    """In which form pictures are written."""

    to: PictureFormat = parameter(
        "folders",
        help="'folders', one for each class; 'parquet', as Hugging Face's datasets reads it; "
        "'webdataset', tar files of pictures and labels; 'coco', a folder and its annotations.",
    )
    part: str = parameter(
        "train", help="Part of the dataset, which files are named after, such as 'test'."
    )
    max_shard_mb: int = parameter(
        500,
        help="Largest shard of 'parquet' and 'webdataset', unless a single picture is larger.",
        unit="MB",
        ge=1,
        le=100_000,
    )
