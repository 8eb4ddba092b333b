"""Parameters of serving a model."""

from imageloom.data.decoding.pixel_limits import DEFAULT_MAX_PIXELS, PILLOW_MAX_PIXELS
from imageloom.params import Params, parameter
from imageloom.scoring.params import ScorePrecision


class ServeParams(Params):
    """How a model answers requests, and how much is taken in."""

    batch_size: int = parameter(
        32,
        help="Most pictures that pass the network together: those that wait when it is free. None "
        "waits for others to come.",
        unit="images",
        gt=0,
        le=4096,
    )
    fill_to: int = parameter(
        0,
        help="Black pictures fill a batch up to a multiple of this, so that on a CPU a picture's "
        "answer has the same bits whatever is beside it: those of 'imageloom score'. 0 chooses as "
        "that does: 8, or 16 in one thread. 1 answers a picture that comes alone sooner, and the "
        "last digits vary.",
        unit="images",
        ge=0,
        le=4096,
    )
    device: str = parameter("auto", help="'auto', 'cpu', 'cuda' or 'cuda:N'.")
    precision: ScorePrecision = parameter(
        "float32",
        help="Arithmetic of the network, as in 'imageloom score'.",
    )
    decoders: int = parameter(
        -1,
        help="Processes that decode pictures; -1 chooses: one for two cores, at most 16.",
        ge=-1,
        le=256,
    )
    most_pictures: int = parameter(
        256,
        help="Pictures that may be inside at once, being decoded, waiting or in the network. What "
        "comes above it is refused with status 503.",
        unit="images",
        gt=0,
        le=1_000_000,
    )
    most_body_mib: int = parameter(
        32,
        help="Largest body of a request. All that are being read together may take eight times as "
        "much.",
        unit="MiB",
        gt=0,
        le=1024,
    )
    max_pixels: int = parameter(
        DEFAULT_MAX_PIXELS,
        help="Width times height above which a picture is refused from its header alone.",
        unit="pixels",
        gt=0,
        le=PILLOW_MAX_PIXELS,
    )
    timeout_s: float = parameter(
        10.0,
        help="Longest time for a request; the body must arrive in it, and the answer be ready in "
        "as much again.",
        unit="s",
        gt=0,
        le=3600,
    )
