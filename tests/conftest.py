"""A clean, offline, repeatable environment for every test."""

import atexit
import collections
import dataclasses
import gc
import hashlib
import itertools
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest_plugins = ["slurm_cluster"]

# Sums of floats depend on how many threads share them, so all tests have one. Where several are
# asked for, those that wait sleep: two curves of tests/golden took 48 s of a busy machine's two
# cores when they did not, and 13 s when they did. It is set before torch is imported, and processes
# that tests start inherit it.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


@pytest.hookimpl(optionalhook=True)  # also without xdist
def pytest_xdist_auto_num_workers():
    """Tests of machines and processes wait much, so one more than there are cores.

    On 2 cores, 4 took as long as 3.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores + 1, 8)


# Each takes half a minute or more with few tests, or much more than the others. Longest first, but
# those that mostly wait stand apart from each other, so that the cores have work meanwhile.
LONGEST = (
    "browser/test_accessibility.py",
    "launch/test_machines.py",
    "test_docs_run.py",
    "browser/test_locked_database.py",
    "browser/test_watch.py",
    "launch/test_started_rank.py",
    "golden/test_loss_curve.py",
    "launch/test_namespaces.py",
    "launch/test_launch.py",
    "test_training_on_slurm.py",
    "training/test_rank_faults.py",
    "browser/test_explain.py",
    "browser/test_whole_pipeline.py",
    "browser/test_hostile_names.py",
    "browser/test_french_by_keyboard.py",
    "tracking/test_tracked_training.py",
    "system/test_compiler_left_out.py",
    "browser/test_first_run.py",
    "browser/test_correct_pictures.py",
    "browser/test_killed_server.py",
    "test_demo.py",
    "server/test_hostile.py",
    "browser/test_two_tabs.py",
    "browser/test_people.py",
    "pipeline/test_kill_points.py",
    "browser/test_pictures_of_a_folder.py",
)


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest: one that came last would be waited for alone."""
    slow = collections.Counter(item.path for item in items if item.get_closest_marker("slow"))
    here = Path(__file__).parent
    longest = {here / name: place for place, name in enumerate(LONGEST)}
    assert all(file.exists() for file in longest), "a file of LONGEST was moved"
    items.sort(key=lambda item: (longest.get(item.path, len(LONGEST)), -slow[item.path]))


def pytest_collection_finish():
    """Have the garbage collector pass over torch and all tests, which live as long as this process.

    Each training collects garbage before it looks at its memory: 0.5 s where all is looked at.
    """
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # libraries of C++ take what is left then for a leak


_HOMES = itertools.count()


@pytest.fixture(scope="session")
def homes(tmp_path_factory) -> Path:
    """Where each test has its home folder."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, homes: Path):
    home = homes / f"{next(_HOMES)}"  # pytest would look at all others before it names one
    home.mkdir()
    monkeypatch.setenv("IMAGELOOM_HOME", str(home))
    monkeypatch.setenv("IMAGELOOM_WORKSPACE", str(home / "workspace"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in (
        "IMAGELOOM_DEBUG",
        "IMAGELOOM_DATABASE_URL",
        "IMAGELOOM_DOWNLOADS_LIMIT_GIB",
        "IMAGELOOM_EXTENSIONS",
        "IMAGELOOM_PICTURE_CACHE_LIMIT_GIB",
        "IMAGELOOM_STORE_LIMIT_GIB",
        "IMAGELOOM_TARGETS",
        "COLUMNS",
        "LINES",
        "FORCE_COLOR",
        "CUDA_VISIBLE_DEVICES",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True, scope="module")
def _threads_as_before():
    """A test that leaves torch with other threads gives later ones other last bits."""
    yield
    if "torch" in sys.modules:
        assert sys.modules["torch"].get_num_threads() == 1


@pytest.fixture(scope="session")
def python() -> str:
    """The interpreter that runs the tests, for tests that need a process of their own."""
    return sys.executable


@pytest.fixture
def repository() -> Path:
    """The root of the source tree."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def sklearn_metrics():
    """The metrics of scikit-learn: a second opinion, whose import takes a second."""
    import sklearn.metrics

    return sklearn.metrics


COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200), "grey": (90,) * 3}


@pytest.fixture(scope="session")
def make_pictures(tmp_path_factory):
    """Return a function that writes noisy pictures of one colour per class."""
    from imageloom.data.images.directory import ImageDirectory
    from imageloom.data.images.index import IndexRow, index_from_rows

    def make(per_class=8, classes=("red", "green", "blue"), size=32, seed=0, noise=60):
        root = tmp_path_factory.mktemp("pictures")
        generator = np.random.default_rng(seed)
        rows = []
        for label, name in enumerate(classes):
            (root / name).mkdir()
            for number in range(per_class):
                pixels = np.array(COLOURS[name]) + generator.integers(
                    -noise, noise, (size, size, 3)
                )
                path = root / name / f"{number:03d}.png"
                Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
                content = path.read_bytes()
                rows.append(
                    IndexRow(
                        path=f"{name}/{number:03d}.png".encode(),
                        label=label,
                        width=size,
                        height=size,
                        orientation=1,
                        format="PNG",
                        size_bytes=len(content),
                        sha256=hashlib.sha256(content).digest(),
                    )
                )
        return ImageDirectory(classes=tuple(classes), index=index_from_rows(rows), root=root)

    return make


@pytest.fixture
def make_task(tmp_path):
    """Return a function that makes a task of a component, in folders of its own."""
    from imageloom.events import CancelToken, ignore_events
    from imageloom.spec.component import Task
    from imageloom.spec.run_settings import RunSettings

    numbers = itertools.count()

    def make(component, inputs=None, *, params=None, on_event=ignore_events, **more):
        folder = tmp_path / f"task-{next(numbers)}"
        read = component.params.parse(params or {})
        for name in ("scratch", "record", "outputs"):
            (folder / name).mkdir(parents=True)
        task = Task(
            params=read,
            inputs=inputs or {},
            outputs={
                port.name: folder / "outputs" / port.name for port in component.given_outputs(read)
            },
            scratch=folder / "scratch",
            record=folder / "record",
            settings=RunSettings(),
            base=tmp_path,
            uploads=tmp_path / "uploads",
            on_event=on_event,
            cancel=CancelToken(),
        )
        return dataclasses.replace(task, **more)

    return make


@pytest.fixture
def odd_extensions(tmp_path, repository):
    """Return a folder of extensions that holds a component which does what tests ask of it."""
    components = tmp_path / "extensions" / "components"
    components.mkdir(parents=True)
    shutil.copy(repository / "tests" / "pipeline" / "odd_toys.py", components)
    return components.parent


@pytest.fixture
def make_odd_job(tmp_path):
    """Return a function that makes the folder of a job of the odd toy."""
    from imageloom.files.publish import digest_of_json, write_json
    from imageloom.spec.job import JOB_FILE, Job, to_json

    def make(how, gate="", *, node_id="odd", **changes):
        folder = tmp_path / "workspace" / "runs" / "r1" / "nodes" / node_id
        job = Job(
            run_id="r1",
            node_id=node_id,
            component="odd",
            params={"how": how, "gate": gate},
            settings={},
            inputs={},
            output_ports={"value": "Number"},
            key=digest_of_json([how, gate]),
            workspace=str(tmp_path / "workspace"),
            base=str(tmp_path),
        )
        write_json(folder / JOB_FILE, to_json(job.model_copy(update=changes)))
        return folder

    return make


def pytest_addoption(parser: pytest.Parser):
    parser.addoption(
        "--update-golden", action="store_true", help="write golden files anew instead of comparing"
    )
