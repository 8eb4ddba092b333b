"""Two machines with networks of their own, as namespaces of the kernel: cut off and back again."""

import contextlib
import sys
import time
from pathlib import Path

import pytest
from tests.launch.namespaces import (
    JOIN,
    cabled_namespaces,
    cut,
    in_namespace,
    slowly_cabled_namespaces,
)
from tests.launch.toy_machines import FIXED, MACHINE, WAIT, Machines, two
from tests.training.rank_processes import train_on_ranks
from tiny_network import tiny_extensions

from imageloom.training.params import TrainParams

pytestmark = pytest.mark.slow

PARAMS = {"batch_size": 2, "epochs": 1, "workers": 0, "precision": "float32", "device": "cpu"}


@pytest.fixture(scope="module")
def namespaces():
    with cabled_namespaces() as names:
        yield names


class Hosts(Machines):
    """Toy machines, the first of them in the first namespace."""

    def __init__(self, folder, wait_until, namespaces):
        super().__init__(folder, wait_until)
        self.namespaces = namespaces

    def command(self, address):
        where = self.namespaces[0] if address else self.namespaces[1]
        return ["ip", "netns", "exec", where, sys.executable, str(MACHINE)], "10.79.0.1"


@pytest.fixture
def hosts(tmp_path, wait_until, namespaces):
    hosts = Hosts(tmp_path, wait_until, namespaces)
    yield hosts
    hosts.end(wait_until)


def test_h10_a_cut_of_five_seconds_passes(hosts, namespaces):
    leader, follower = two(hosts, FIXED, {"0": ["until:mark"], "3": ["until:mark"]})
    hosts.wait_for_ranks(4)
    with cut(namespaces[1]):
        time.sleep(5)
    (hosts.toys / "mark").touch()
    assert (hosts.code(leader), hosts.code(follower)) == (0, 0)
    assert "silent" not in hosts.said(leader) + hosts.said(follower)


def test_h10_a_longer_cut_is_said_and_the_machine_comes_back(hosts, namespaces):
    leader, follower = two(hosts, FIXED | {"max_restarts": 1}, WAIT)
    hosts.wait_for_ranks(4)
    with cut(namespaces[1]):
        hosts.wait_for(leader, "(10.79.0.2), with ranks 2 to 3 of 4, was silent for 9 s.")
        hosts.wait_for(follower, "The machine that led the run, 10.79.0.1, was silent for 9 s.")
    assert (hosts.code(leader), hosts.code(follower)) == (0, 0)
    assert "(restart 1 of 1)" in hosts.said(leader)


def test_h10_lost_packets_and_a_slow_network_are_no_failure(
    make_pictures, tmp_path, wait_until, monkeypatch
):
    use_tiny_family(tmp_path, monkeypatch)
    for place in places_in(tmp_path):
        make_pictures(per_class=4, classes=("red", "green")).save(place)
    with slowly_cabled_namespaces(delay_s=0.2, loss=0.01) as slow:
        train_on_two_machines("tiny", tmp_path, slow, wait_until)
    train_on_one_machine("tiny", tmp_path)
    assert weights(tmp_path / "two") == weights(tmp_path / "one")


def test_two_machines_learn_what_two_processes_of_one_learn(
    make_pictures, tmp_path, namespaces, wait_until
):
    for place in places_in(tmp_path):
        make_pictures(per_class=4, classes=("red", "green")).save(place)
    token = train_on_two_machines("resnet18", tmp_path, namespaces, wait_until)
    train_on_one_machine("resnet18", tmp_path)
    assert weights(tmp_path / "two") == weights(tmp_path / "one")
    logs = {file.name for file in (tmp_path / "two" / "logs").iterdir()}
    assert logs >= {"70_mpi_log.txt", "70_driver_log_0.txt", "70_driver_log_1.txt"}
    assert all(token not in file.read_text() for file in (tmp_path / "two" / "logs").iterdir())


def test_torchrun_on_two_machines_learns_what_two_processes_of_one_learn(
    make_pictures, tmp_path, namespaces, monkeypatch
):
    use_tiny_family(tmp_path, monkeypatch)
    for place in places_in(tmp_path):
        make_pictures(per_class=4, classes=("red", "green")).save(place)
    meet = ["--nnodes=2", "--nproc-per-node=1", "--master-addr=10.79.0.1", "--master-port=29500"]
    here = [*words_of("tiny", tmp_path), f"--out={tmp_path / 'two'}"]
    texts = tmp_path / "1.txt", tmp_path / "2.txt"
    with contextlib.ExitStack() as stack:
        machines = [
            stack.enter_context(
                in_namespace(
                    namespace,
                    text,
                    *(*meet, f"--node-rank={number}", "-m", "imageloom", *here),
                    module="torch.distributed.run",
                )
            )
            for number, (namespace, text) in enumerate(zip(namespaces, texts, strict=True))
        ]
        for machine, text in zip(machines, texts, strict=True):
            assert machine.wait(240) == 0, text.read_text()
    assert "Best " in texts[0].read_text()
    assert "Best " not in texts[1].read_text()
    train_on_one_machine("tiny", tmp_path)
    assert weights(tmp_path / "two") == weights(tmp_path / "one")


def use_tiny_family(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(tiny_extensions(folder)))


def places_in(folder: Path) -> tuple[Path, Path]:
    return folder / "training", folder / "validation"


def weights(run: Path) -> bytes:
    return (run / "model" / "weights.safetensors").read_bytes()


def words_of(network: str, folder: Path) -> list[str]:
    training, validation = places_in(folder)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in PARAMS.items()]
    places = [f"--train={training}", f"--validation={validation}"]
    return ["train", f"--model={network}", *places, *options]


def train_on_one_machine(network: str, folder: Path) -> None:
    train_on_ranks(network, places_in(folder), folder / "one", TrainParams(**PARAMS))


def train_on_two_machines(network: str, folder: Path, namespaces: list[str], wait_until) -> str:
    """Train with one process in each; return the token with which the second joined."""
    here = ["--nodes=2", "--interface=eth0", f"--out={folder / 'two'}"]
    texts = folder / "1.txt", folder / "2.txt"
    with in_namespace(namespaces[0], texts[0], *words_of(network, folder), *here) as leader:
        wait_until(lambda: JOIN.search(texts[0].read_text()), "nobody was asked to join")
        join = JOIN.search(texts[0].read_text())[1].split()
        with in_namespace(namespaces[1], texts[1], *join) as follower:
            assert leader.wait(240) == 0, texts[0].read_text()
            assert follower.wait(30) == 0, texts[1].read_text()
    return join[-1]
