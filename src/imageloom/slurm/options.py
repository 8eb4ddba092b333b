"""What a person can say of a cluster with Slurm."""

from imageloom.params import parameter
from imageloom.spec.target_kind import TargetOptions


class SlurmOptions(TargetOptions):
    """Options of targets of the kind ``slurm``."""

    queue: tuple[str, ...] = parameter(
        (),
        help='Options of sbatch, as in ["--partition=gpu", "--gpus-per-node={processes}"]; '
        "{processes} stands for the processes per node of a job.",
    )
    setup: tuple[str, ...] = parameter(
        (), help='Lines of shell that run before Python, as in ["module load cuda"].'
    )
    container: tuple[str, ...] = parameter(
        (), help='Words before Python, as in ["apptainer", "exec", "--nv", "image.sif"].'
    )
    python: str = parameter(
        "",
        help="The Python that has Imageloom there. By default the one that runs here; with setup "
        "or container 'python'.",
    )
    interface: str = parameter(
        "",
        help="Network interface by which the machines of a job reach each other, such as ib0.",
    )
    time_limit: str = parameter(
        "",
        help="Time after which Slurm ends a job, as in 12:00:00; by default that of the queue. A "
        "training saves before, and goes on in a new start.",
    )
    save_s: int = parameter(
        120,
        help="Seconds before the time limit at which a job is asked to save and stop.",
        unit="seconds",
        ge=30,
        le=65_000,
    )
    jobs: int = parameter(
        16,
        help="Most jobs of one pipeline in the queue at the same time.",
        unit="jobs",
        gt=0,
        le=10_000,
    )
