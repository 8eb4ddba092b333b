"""What this machine can do, and what to mend before a long run finds out."""

import importlib.util
import platform
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Final, Literal

from imageloom import __version__
from imageloom.data.loading.cache_files import files_of
from imageloom.errors import library_text
from imageloom.settings import Settings
from imageloom.system.machine import ENOUGH_OPEN_FILES, HostMemory, host_memory
from imageloom.system.network_disk import network_disk
from imageloom.system.without_compiler import without_compiler
from imageloom.system.wording import count

GIB: Final = 2**30

_PACKAGES: Final = ("numpy", "pillow", "pyarrow", "pydantic", "safetensors", "torchvision")
# Module, package and name of an extra, and what it is for.
_EXTRAS: Final = (
    ("timm", "timm", "timm", "more networks"),
    ("sklearn", "scikit-learn", "demo", "the pictures of 'imageloom demo'"),
    ("onnx", "onnx", "onnx", "export to ONNX"),
    ("optuna", "optuna", "tune", "'imageloom tune'"),
    ("tensorboard", "tensorboard", "tensorboard", "tracking there"),
    ("mlflow", "mlflow-skinny", "mlflow", "tracking there"),
    ("wandb", "wandb", "wandb", "tracking there"),
    ("s3fs", "s3fs", "cloud", "pictures at s3:// addresses"),
    ("psycopg", "psycopg", "postgres", "an index in PostgreSQL"),
)
_MIN_DISK_GIB: Final = 2.0  # a resnet50 run with its three checkpoints and outputs takes 1 GiB
_MIN_SHARED_MEMORY_BYTES: Final = 256 * 2**20  # Docker gives 64 MiB; two workers need about 200
_MIN_OPEN_FILES: Final = 1024
_RAISED_OPEN_FILES: Final = 4096
_MIN_MEMORY_GIB: Final = 4.0

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What it is: ``GPU``, ``shared memory``.
        level: ``ok``, ``warn`` for what may slow down or limit, ``fail`` for what will stop a run.
        found: What was found, with values.
        advice: What to do about it; empty when it is fine.
    """

    subject: str
    level: Level
    found: str
    advice: str = ""

    def to_json(self) -> dict[str, str]:
        """Return plain JSON values."""
        return asdict(self)


def examine(settings: Settings, folder: Path) -> Iterator[Finding]:
    """Look at everything a run needs, one finding at a time.

    Args:
        settings: The folders of this installation.
        folder: Where runs would be written, as a rule the present folder.
    """
    yield _python()
    yield from _packages()
    yield from _torch_findings()
    yield _processors()
    yield _memory(host_memory())
    yield _shared_memory(Path("/dev/shm"))
    yield _open_files()
    yield from (_disk("disk here", folder), _disk("disk for the cache", settings.home))
    yield from (
        _writable("this folder", folder),
        _writable("cache (IMAGELOOM_HOME)", settings.home),
    )
    yield workspace_disk(settings)
    yield _picture_cache(settings)
    yield from _extras()


def _python() -> Finding:
    found = f"Imageloom {__version__}, Python {platform.python_version()}, {platform.platform()}"
    return Finding("python", "ok", found)


def _packages() -> Iterator[Finding]:
    versions = []
    for name in _PACKAGES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            yield Finding("packages", "fail", f"{name} is not installed", f"pip install {name}")
    yield Finding("packages", "ok", ", ".join(versions))


def _torch_findings() -> Iterator[Finding]:
    try:
        with warnings.catch_warnings(record=True) as heard, without_compiler():
            warnings.simplefilter("always")
            import torch
            import torchvision  # noqa: F401 - a pair that does not fit fails here

            sees_gpu = torch.cuda.is_available()
    except (ImportError, OSError, RuntimeError) as problem:
        advice = "torch and torchvision must be a pair: pip install --upgrade torch torchvision"
        yield Finding("torch", "fail", f"cannot be imported: {library_text(problem)}", advice)
        return
    build = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built for CPU only"
    yield Finding("torch", "ok", f"{torch.__version__}, {build}, {torch.get_num_threads()} threads")
    yield _cpu_precision()
    if sees_gpu:
        yield from (_gpu(number) for number in range(torch.cuda.device_count()))
    else:
        driver = nvidia_driver(Path("/proc/driver/nvidia/version"))
        yield no_gpu(driver, torch.version.cuda, [str(one.message) for one in heard])


def _cpu_precision() -> Finding:
    import torch

    from imageloom.models.compute import is_faster_in_bfloat16

    capability = torch.backends.cpu.get_cpu_capability()
    if is_faster_in_bfloat16(torch.device("cpu")):
        return Finding("CPU precision", "ok", f"bfloat16 and float32 ({capability})")
    found = f"float32 ({capability}); bfloat16 is not faster without AMX"
    return Finding("CPU precision", "ok", found)


def _gpu(number: int) -> Finding:
    import torch

    from imageloom.models.compute import is_faster_in_bfloat16

    device = torch.device("cuda", number)
    try:
        free, total = torch.cuda.mem_get_info(device)
        precision = "bfloat16 and float32" if is_faster_in_bfloat16(device) else "float32"
        torch.zeros(8, device=device).add_(1).sum().item()
    except RuntimeError as problem:  # what torch raises for every CUDA error
        advice = "Is another program using the GPU exclusively? See nvidia-smi."
        return Finding(
            f"GPU {number}", "fail", f"does not compute: {library_text(problem)}", advice
        )
    name = torch.cuda.get_device_name(device)
    memory = f"{free / GIB:.1f} of {total / GIB:.1f} GiB free"
    if free < total / 4:
        advice = "Another program holds most of its memory; see nvidia-smi."
        return Finding(f"GPU {number}", "warn", f"{name}, {memory}, {precision}", advice)
    return Finding(f"GPU {number}", "ok", f"{name}, {memory}, {precision}")


def no_gpu(driver: str, torch_cuda: str | None, heard: list[str]) -> Finding:
    """Say why torch sees no GPU.

    Args:
        driver: Version of the NVIDIA driver, or empty where there is none.
        torch_cuda: CUDA version of the torch build, or None.
        heard: What torch warned of while looking.
    """
    if not driver:
        return Finding("GPU", "ok", "none; training uses the CPU")
    if torch_cuda is None:
        advice = "Install the CUDA build of torch: pip install --force-reinstall torch torchvision"
        return Finding("GPU", "fail", f"driver {driver}, but torch is built for CPU only", advice)
    why = heard[0] if heard else "torch does not say why"
    advice = "Update the driver, install a torch built for an older CUDA, or unset "
    return Finding(
        "GPU",
        "fail",
        f"driver {driver} is there, but torch for CUDA {torch_cuda} cannot use it: {why}",
        f"{advice}CUDA_VISIBLE_DEVICES if it hides the GPU.",
    )


def nvidia_driver(version_file: Path) -> str:
    """Return the version of the NVIDIA kernel driver, or empty when none is loaded."""
    try:
        text = version_file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    match = re.search(r"\b(\d{3,}\.\d+(?:\.\d+)?)\b", text)
    return match.group(1) if match else "of unknown version"


def _processors() -> Finding:
    from imageloom.system.machine import available_cores

    cores, quota = available_cores(), cgroup_cores(Path("/sys/fs/cgroup"))
    if quota is not None and quota < cores:
        found = f"{count(cores, 'core')}, of which the container may use {quota:g}"
        advice = f"Set OMP_NUM_THREADS={max(1, int(quota))}, or give the container more cores."
        return Finding("processors", "warn", found, advice)
    return Finding("processors", "ok", f"{count(cores, 'core')} for this process")


def cgroup_cores(root: Path) -> float | None:
    """Return how many cores a container may use, or None without a limit.

    Source:
        https://docs.kernel.org/admin-guide/cgroup-v2.html, cpu.max; cgroup v1, cpu.cfs_quota_us.
    """
    try:
        quota, period = (root / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (root / "cpu/cpu.cfs_period_us").read_text(encoding="ascii").strip()
        except OSError:
            return None
    if not quota.isdigit() or not period.isdigit() or int(period) == 0:
        return None  # "max", or -1 in version 1
    return int(quota) / int(period)


def _memory(memory: HostMemory | None) -> Finding:
    if memory is None:
        return Finding("memory", "ok", "this system does not say")
    found = f"{memory.available_bytes / GIB:.1f} GiB available"
    if memory.is_limited:
        found += f", for a control group limits it to {memory.limit_bytes / GIB:.1f} GiB"
    if memory.available_bytes < _MIN_MEMORY_GIB * GIB:
        advice = "Close other programs, or keep batch size and image size small."
        if memory.is_limited:
            advice = "Give the container or job more memory, or keep batch and image size small."
        return Finding("memory", "warn", found, advice)
    return Finding("memory", "ok", found)


def _shared_memory(place: Path) -> Finding:
    if not place.is_dir():
        return Finding("shared memory", "ok", "this system has no /dev/shm")
    free = shutil.disk_usage(place).free
    found = f"{free / GIB:.2f} GiB free in {place}"
    if free < _MIN_SHARED_MEMORY_BYTES:
        advice = "Start the container with --shm-size=2g; until then, fewer workers are used."
        return Finding("shared memory", "warn", found, advice)
    return Finding("shared memory", "ok", found)


def _open_files() -> Finding:
    try:
        import resource
    except ImportError:  # Windows
        return Finding("open files", "ok", "this system has no limit")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = f"limit {soft:,}"
    if soft < _MIN_OPEN_FILES:
        most = min(hard, ENOUGH_OPEN_FILES) if hard > 0 else ENOUGH_OPEN_FILES
        advice = f"Raise it in the shell: ulimit -n {max(most, _RAISED_OPEN_FILES)}"
        if most < _MIN_OPEN_FILES:
            advice += f"; the hard limit, {hard:,}, must be raised first, by who set it"
        return Finding("open files", "warn", found, advice)
    return Finding("open files", "ok", found)


def _disk(subject: str, folder: Path) -> Finding:
    there = next(place for place in (folder, *folder.parents) if place.is_dir())
    free = shutil.disk_usage(there).free
    found = f"{free / GIB:.1f} GiB free in {folder}"
    if free < _MIN_DISK_GIB * GIB:
        advice = "Free space: a run keeps up to three checkpoints beside its model."
        return Finding(subject, "warn" if free > GIB / 4 else "fail", found, advice)
    return Finding(subject, "ok", found)


def _writable(subject: str, folder: Path) -> Finding:
    there = next(place for place in (folder, *folder.parents) if place.is_dir())
    try:
        with tempfile.TemporaryFile(dir=there):
            return Finding(subject, "ok", f"{folder} can be written")
    except OSError as problem:
        advice = "Change its permissions, or set IMAGELOOM_HOME to a folder that is yours."
        return Finding(subject, "fail", f"{folder} cannot be written: {problem.strerror}", advice)


def workspace_disk(settings: Settings) -> Finding:
    """Say whether other machines write the disk of the workspace, and what it needs then."""
    kind = network_disk(settings.workspace.resolve())
    if not kind:
        return Finding("workspace", "ok", f"{settings.workspace} is on a disk of its own")
    found = f"{settings.workspace} is on a network disk ({kind})"
    if settings.database_url is not None:
        return Finding("workspace", "ok", f"{found}, and its index on a server of databases")
    # Runs are files, so nothing is lost where locks fail; the index is what SQLite keeps.
    advice = "several machines that use it need locks that work there, or IMAGELOOM_DATABASE_URL"
    return Finding("workspace", "warn", found, advice)


def _picture_cache(settings: Settings) -> Finding:
    """Say what scaled copies of pictures take, and how they go."""
    size = sum(file.size_bytes for file in files_of(settings.picture_cache))
    found = f"{size / GIB:.1f} of at most {settings.picture_cache_limit_gib:g} GiB of scaled copies"
    kept = f" in {settings.picture_cache}, which may be deleted at any time" if size else ""
    return Finding("picture cache", "ok", f"{found}{kept}")


def _extras() -> Iterator[Finding]:
    """Say which extras there are; those that lack are no fault."""
    there, lacking = [], []
    for module, package, extra, use in _EXTRAS:
        if importlib.util.find_spec(module) is None:
            lacking.append(f"{extra} ({use})")
        else:
            there.append(f"{package} {metadata.version(package)}")
    if there:
        yield Finding("extras", "ok", ", ".join(there))
    if lacking:
        advice = "pip install 'imageloom[NAME]'"
        yield Finding("extras", "ok", f"not installed: {', '.join(lacking)}", advice)
