"""Who shows a training while it runs."""

from imageloom.params import Params, parameter


class TrackParams(Params):
    """Which trackers follow a training."""

    track: tuple[str, ...] = parameter(
        (),
        help="Show the training in another program while it runs: tensorboard, mlflow or wandb; "
        "may be repeated. 'none' is nobody. By default what settings.toml says; a run that is "
        "resumed keeps its own.",
        affects_output=False,
    )
