"""Two machines with networks of their own, as namespaces of the kernel: cut off and back again."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time

import pytest
from tests.launch.toy_machines import FIXED, MACHINE, WAIT, Machines, two

from imageloom.launch.params import LaunchParams
from imageloom.launch.train import train
from imageloom.models.params import ModelParams
from imageloom.training.config import TrainParams

pytestmark = pytest.mark.slow

JOIN = re.compile(r"imageloom (agent join \S+ --token [0-9a-f]+)")


def network(*words, check=True):
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True)


@pytest.fixture(scope="module")
def namespaces():
    """Names of two namespaces that reach each other at 10.79.0.1 and 10.79.0.2."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("network namespaces need iproute2 and the superuser")
    names = [f"il{os.getpid()}n{number}" for number in (1, 2)]
    cables = [f"il{os.getpid()}c{number}"[:15] for number in (1, 2)]
    with contextlib.ExitStack() as stack:
        for name in names:
            if network("netns", "add", name, check=False).returncode:
                pytest.skip("this kernel or container makes no network namespaces")
            stack.callback(network, "netns", "del", name)
        network("link", "add", cables[0], "type", "veth", "peer", "name", cables[1])
        for number, (name, cable) in enumerate(zip(names, cables, strict=True), 1):
            network("link", "set", cable, "netns", name, "name", "eth0")
            network("-n", name, "addr", "add", f"10.79.0.{number}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                network("-n", name, "link", "set", device, "up")
        yield names


@contextlib.contextmanager
def cut(namespace):
    network("-n", namespace, "link", "set", "eth0", "down")
    try:
        yield
    finally:
        network("-n", namespace, "link", "set", "eth0", "up")


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


def test_h10_lost_packets_and_a_slow_network_are_no_failure(hosts, namespaces):
    shape = ["tc", "qdisc", "add", "dev", "eth0", "root", "netem", "delay", "200ms", "loss", "1%"]
    for namespace in namespaces:
        done = network("netns", "exec", namespace, *shape, check=False)
        if done.returncode:
            pytest.skip("this kernel delays and loses no packets (sch_netem)")
    try:
        leader, follower = two(hosts, FIXED)
        assert (hosts.code(leader), hosts.code(follower)) == (0, 0)
    finally:
        for namespace in namespaces:
            network("netns", "exec", namespace, "tc", "qdisc", "del", "dev", "eth0", "root")


def test_two_machines_learn_what_two_processes_of_one_learn(
    make_pictures, tmp_path, namespaces, wait_until, monkeypatch
):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    places = tmp_path / "training", tmp_path / "validation"
    for place in places:
        make_pictures(per_class=4, classes=("red", "green")).save(place)
    params = {"batch_size": 2, "epochs": 1, "workers": 0, "precision": "float32", "device": "cpu"}
    train(
        "resnet18",
        *places,
        tmp_path / "one",
        params=TrainParams.parse(params),
        model_params=ModelParams(),
        launch=LaunchParams(processes_per_node=2),
    )
    options = [f"--{name.replace('_', '-')}={value}" for name, value in params.items()]
    words = ["train", "--model=resnet18", f"--train={places[0]}", f"--validation={places[1]}"]
    here = ["--nodes=2", "--interface=eth0", f"--out={tmp_path / 'two'}"]
    with in_namespace(namespaces[0], tmp_path / "1.txt", *words, *options, *here) as leader:
        wait_until(
            lambda: JOIN.search((tmp_path / "1.txt").read_text()), "nobody was asked to join"
        )
        join = JOIN.search((tmp_path / "1.txt").read_text())[1].split()
        with in_namespace(namespaces[1], tmp_path / "2.txt", *join) as follower:
            assert leader.wait(240) == 0, (tmp_path / "1.txt").read_text()
            assert follower.wait(30) == 0, (tmp_path / "2.txt").read_text()
    one, two_machines = (
        (tmp_path / run / "model" / "weights.safetensors").read_bytes() for run in ("one", "two")
    )
    assert one == two_machines
    logs = {file.name for file in (tmp_path / "two" / "logs").iterdir()}
    assert logs >= {"70_mpi_log.txt", "70_driver_log_0.txt", "70_driver_log_1.txt"}
    token = join[-1]
    assert all(token not in file.read_text() for file in (tmp_path / "two" / "logs").iterdir())


@contextlib.contextmanager
def in_namespace(namespace, output, *words):
    command = ["ip", "netns", "exec", namespace, sys.executable, "-m", "imageloom", *words]
    with output.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
