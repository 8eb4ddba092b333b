"""What lets machines train together, and how it is said when something does not."""

import re

import pytest
from networks import TINY

from imageloom.errors import CannotResumeError, EnvironmentUnsuitableError
from imageloom.events import Control
from imageloom.launch.preflight import compare as preflight
from imageloom.launch.preflight import facts as node_facts
from imageloom.launch.preflight.compare import compare, require_room
from imageloom.launch.preflight.facts import (
    MachineFacts,
    SeenPictures,
    facts_of_this_node,
    mark_storage,
)
from imageloom.launch.preflight.room import Needs, needs_of
from imageloom.models.compute import choose_compute, choose_workers
from imageloom.models.params import ModelParams
from imageloom.system import machine
from imageloom.training.assemble import reader_batch_bytes
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.train import NewRun, prepare_run

GIB = 2**30
VERSIONS = {"imageloom": "1.0", "python": "3.11.7", "torch": "2.15.0", "pillow": "13.0.0"}
LEADER = MachineFacts(
    host="ada",
    versions=VERSIONS,
    gpus=2,
    gpu_models=("NVIDIA H100",),
    processing_units=2,
    pictures={"training": SeenPictures(root="/photos", digest="a" * 64)},
    shared_memory_bytes=8 * GIB,
    disk_bytes=100 * GIB,
    mark="77",
)
NEEDS = Needs(processes=2, shared_memory_bytes=GIB, disk_bytes=10 * GIB)


def other(**changes):
    return LEADER.model_copy(update={"host": "bob", **changes})


def versions(**changes):
    return {"versions": {**VERSIONS, **changes}}


def pictures(**changes):
    return {"pictures": {"training": SeenPictures(root="/photos", **changes)}}


def test_equal_machines_may_train_together_and_nothing_is_said():
    assert compare(LEADER, other(), NEEDS) == []
    assert compare(LEADER, LEADER, NEEDS) == []


def test_facts_survive_the_way_to_another_machine_also_from_another_version():
    assert MachineFacts.model_validate_json(LEADER.model_dump_json()) == LEADER
    assert MachineFacts.model_validate_json('{"host": "old", "unheard_of": 1}').host == "old"


REFUSED = {
    "torch": (versions(torch="2.14.1"), r"torch is 2\.14\.1 there, but 2\.15\.0 on ada"),
    "imageloom": (versions(imageloom="0.9"), r"imageloom is 0\.9 there, but 1\.0 on ada"),
    "python": (versions(python="3.12.7"), r"python is 3\.12\.7 there, but 3\.11\.7 on ada"),
    "run directory": ({"mark": "78"}, "run directory there is not that of ada.*same path"),
    "training pictures": (
        pictures(digest="b" * 64),
        "training pictures in /photos have digest b{12} there, but a{12} on ada",
    ),
    "processing units": (
        {"processing_units": 1},
        "2 processes per node are asked for, but it has 1 GPU.*Use at most 1",
    ),
    "GPUs": ({"gpus": 0}, "it has 0 GPUs, but ada 2.*CUDA_VISIBLE_DEVICES to nothing"),
    "shared memory": (
        {"shared_memory_bytes": GIB // 16},
        "/dev/shm has 64 MiB free, but the workers .* need 1,024 MiB.*--shm-size",
    ),
    "disk": ({"disk_bytes": GIB}, "run directory has 1,024 MiB free, but .* need 10,240 MiB"),
}


@pytest.mark.parametrize("field", REFUSED)
def test_what_would_fail_or_compute_differently_is_refused_with_both_values(field):
    changes, words = REFUSED[field]
    with pytest.raises(
        EnvironmentUnsuitableError, match=f"bob cannot train together with ada: .*{words}"
    ) as caught:
        compare(LEADER, other(**changes), NEEDS)
    assert caught.value.details["fields"] == [field]


def test_all_that_stands_against_a_machine_is_said_at_once():
    changes = {**versions(torch="2.14.1"), "disk_bytes": 0, **pictures(problem="3 of 9 are gone")}
    with pytest.raises(
        EnvironmentUnsuitableError, match=r"torch .*; .* in /photos, 3 of 9 are gone; the disk"
    ) as caught:
        compare(LEADER, other(**changes), NEEDS)
    assert caught.value.details["fields"] == ["torch", "training pictures", "disk"]


def test_pictures_are_not_compared_where_the_run_is_another_one():
    changes = {"mark": "", **pictures(digest="b" * 64)}
    with pytest.raises(EnvironmentUnsuitableError) as caught:
        compare(LEADER, other(**changes), NEEDS)
    assert caught.value.details["fields"] == ["run directory"]


HARMLESS = {
    "a patch of Python": (versions(python="3.11.9"), r"python is 3\.11\.9 there, but 3\.11\.7"),
    "a build of torch": (versions(torch="2.15.0+cu130"), r"torch is 2\.15\.0\+cu130 there"),
    "Pillow": (versions(pillow="12.1.0"), r"pillow is 12\.1\.0 there, but 13\.0\.0 on ada"),
    "a package": (versions(timm="1.0"), r"timm is 1\.0 there, but missing on ada"),
    "a kind of GPU": ({"gpu_models": ("NVIDIA A10",)}, "NVIDIA A10, but NVIDIA H100 on ada"),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_what_does_no_harm_is_only_said(what):
    changes, words = HARMLESS[what]
    (sentence,) = compare(LEADER, other(**changes), NEEDS)
    assert sentence.startswith("On bob, ")
    assert re.search(words, sentence), sentence


def test_gpus_do_not_matter_to_a_run_on_the_cores():
    needs = Needs(processes=2, device="cpu")
    assert compare(LEADER, other(gpus=0, gpu_models=()), needs) == []


def test_where_there_is_no_shared_memory_none_is_asked_for():
    assert compare(LEADER, other(shared_memory_bytes=None), NEEDS) == []


@pytest.fixture(scope="module")
def prepared(make_pictures, tmp_path_factory):
    """A run of two epochs on nine small pictures, before it began."""

    def prepare(model=TINY, **changes):
        pictures = make_pictures(per_class=3, size=8), make_pictures(per_class=2, size=8, seed=1)
        params = TrainParams(batch_size=4, **changes)
        out = tmp_path_factory.mktemp("prepared") / "run"
        return prepare_run(
            NewRun(model, *pictures, out, params=params, model_params=ModelParams()),
            control=Control(),
        )

    return prepare


@pytest.fixture
def run(prepared):
    return prepared(workers=2)


def test_a_machine_that_sees_all_pictures_and_the_mark_may_take_part(run):
    mark_storage(run)
    facts = facts_of_this_node(run)
    assert facts.mark
    assert facts.disk_bytes > 0
    assert {"imageloom", "python", "torch", "torchvision", "pillow"} <= set(facts.versions)
    assert {one.problem for one in facts.pictures.values()} == {""}
    assert len({one.digest for one in facts.pictures.values()}) == 2
    assert compare(facts, facts_of_this_node(run), Needs()) == []


@pytest.mark.parametrize(("torch", "gpus"), [("2.15.0", 2), ("2.15.0+cpu", 0)])
def test_gpus_that_torch_cannot_use_do_not_count(run, monkeypatch, torch, gpus):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setattr(node_facts, "library_versions", lambda: {"torch": torch})
    assert facts_of_this_node(run).gpus == gpus


def test_another_leaders_mark_is_another_one(run):
    mark_storage(run)
    before = facts_of_this_node(run)
    mark_storage(run)
    with pytest.raises(EnvironmentUnsuitableError, match="run directory there is not that of"):
        compare(facts_of_this_node(run), before, Needs())


def test_a_picture_that_is_gone_or_has_another_size_is_named(run):
    mark_storage(run)
    before = facts_of_this_node(run)
    root, validation = (before.pictures[name].root for name in ("training", "validation"))
    (RunDirectory(run).path / root / "green" / "001.png").unlink()
    with (RunDirectory(run).path / validation / "red" / "000.png").open("ab") as file:
        file.write(b"more")
    with pytest.raises(EnvironmentUnsuitableError) as caught:
        compare(before, facts_of_this_node(run), Needs())
    message = caught.value.message
    assert "1 of 9 are not what was converted: 'green/001.png' is gone" in message
    assert "1 of 6 are not what was converted: 'red/000.png' has " in message
    assert caught.value.details["fields"] == ["training pictures", "validation pictures"]


def test_pictures_that_are_not_mounted_are_named_by_their_folder(run):
    mark_storage(run)
    before = facts_of_this_node(run)
    root = RunDirectory(run).path / before.pictures["training"].root
    root.rename(root.with_name("elsewhere"))
    with pytest.raises(EnvironmentUnsuitableError, match=f"should lie in {root}, which is not"):
        compare(before, facts_of_this_node(run), Needs())


def test_a_folder_that_is_no_run_has_facts_that_say_so(tmp_path):
    facts = facts_of_this_node(tmp_path / "nowhere")
    assert (facts.mark, facts.disk_bytes) == ("", 0)
    assert facts.pictures["training"].problem


@pytest.mark.slow
def test_g04_what_is_asked_of_shared_memory_is_what_lets_all_workers_read(prepared, monkeypatch):
    run = prepared(workers=3)
    needed = needs_of(run, processes=2).shared_memory_bytes
    params = TrainParams(batch_size=4)
    size = RunDirectory(run).read().resolved.image_size
    cpu = choose_compute("cpu", "float32")
    for room, workers in ((needed, 3), (needed - needed // 5, 2)):
        monkeypatch.setattr(
            "imageloom.models.compute.shared_memory_free_bytes", lambda room=room: room
        )
        assert choose_workers(3, cpu, reader_batch_bytes(params, size), 2)[0] == workers
    assert needs_of(run, processes=4).shared_memory_bytes == 2 * needed
    for chosen_by_us in (0, -1):
        needs = needs_of(prepared(workers=chosen_by_us), processes=2)
        assert needs.shared_memory_bytes == 0


def test_g04_no_process_is_started_without_room_for_its_workers(run, monkeypatch):
    require_room(run, processes=2)
    monkeypatch.setattr(preflight, "shared_memory_free_bytes", lambda: 100_000)
    with pytest.raises(
        EnvironmentUnsuitableError, match="no room for 2 processes: /dev/shm has 0 MiB free"
    ):
        require_room(run, processes=2)


def test_i04_no_process_is_started_without_room_for_checkpoints_and_model(prepared, monkeypatch):
    run = prepared("resnet18", workers=2)  # of which a weight forgotten is much
    network = (run / "checkpoints" / "step-000000000" / "network.safetensors").stat().st_size
    needed = needs_of(run, processes=2).disk_bytes
    # SGD keeps one number more per weight: three checkpoints stay, a fourth is written beside them,
    # and a model beside the model; the first checkpoint, which is there, has no momentum yet.
    assert needed == pytest.approx(network * (2 * 4 + 2 - 1) + 64 * 2**20, abs=2**20)
    monkeypatch.setattr(preflight, "disk_free_bytes", lambda _: needed - 1)
    with pytest.raises(EnvironmentUnsuitableError, match=r"the disk of the run directory has \d"):
        require_room(run, processes=2)


def test_what_a_run_needs_is_asked_of_a_run(tmp_path):
    with pytest.raises(CannotResumeError, match="is not a run directory"):
        needs_of(tmp_path, processes=2)


def test_kinds_of_gpu_are_read_without_cuda(tmp_path, monkeypatch):
    for number, model in enumerate(("NVIDIA H100 80GB", "NVIDIA H100 80GB", "NVIDIA A10")):
        folder = tmp_path / f"0000:0{number}:00.0"
        folder.mkdir()
        text = f"Model: \t\t {model}\nIRQ:   \t\t 16\nGPU UUID: \t GPU-1:2\n"
        (folder / "information").write_text(text, encoding="utf-8")
    monkeypatch.setattr(machine, "NVIDIA_GPUS", tmp_path)
    assert machine.gpu_models() == ("NVIDIA A10", "NVIDIA H100 80GB")
