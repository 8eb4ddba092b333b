"""A real Slurm of two nodes on this machine, in a folder of its own, on ports of its own.

Nothing of a Slurm or munge that the machine has is touched: key, socket, state and configuration
lie in the folder, and all processes end with the test session.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "munged")
NODES = ("n1", "n2")
DEADLINE_S = 60.0
CONFIGURATION = """\
ClusterName=imageloom-tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=5
KillWait=2
MessageTimeout=2
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={n1} CPUs=4 RealMemory=1000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={n2} CPUs=4 RealMemory=1000
PartitionName=main Nodes=ALL Default=YES MaxTime=1:00:00 State=UP
"""


def missing_programs() -> list[str]:
    """Return the programs of Slurm and munge that this machine does not have."""
    return [name for name in PROGRAMS if find(name) is None]


def find(name: str) -> str | None:
    """Return where a program lies; daemons may lie where only root looks."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass
class Cluster:
    """A running cluster.

    Attributes:
        folder: Where all its files lie.
        environment: What makes Slurm's programs talk to it.
    """

    folder: Path
    environment: dict[str, str]
    _daemons: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        """Start a daemon, which stays in the foreground."""
        program = find(command[0])
        assert program is not None
        with (self.folder / f"{name}.out").open("ab") as log:
            self._daemons[name] = subprocess.Popen(
                [program, *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(os.environ) | self.environment,
                start_new_session=True,
            )

    def start_controller(self) -> None:
        """Start the controller and wait until it answers."""
        self.start("slurmctld", "slurmctld", "-D")
        self._wait(lambda: "UP" in self.ask("scontrol", "ping"))

    def start_node(self, name: str) -> None:
        """Start the daemon of a node and wait until jobs can run there."""
        self.start(name, "slurmd", "-D", "-N", name)
        self._wait(
            lambda: self.ask("sinfo", "-h", "-n", name, "-o", "%t").strip() in ("idle", "mix")
        )

    def stop_controller(self) -> None:
        """End the controller, which saves what it knows."""
        daemon = self._daemons.pop("slurmctld")
        daemon.terminate()
        daemon.wait(DEADLINE_S)

    def lose_node(self, name: str) -> None:
        """End the daemon of a node as a loss of power would, and let Slurm find that out now."""
        self.kill(name)
        self.ask("scontrol", "update", f"nodename={name}", "state=down", "reason=lost")

    def kill(self, name: str) -> None:
        """End a daemon as a loss of power would."""
        with contextlib.suppress(KeyError):
            daemon = self._daemons.pop(name)
            daemon.kill()
            daemon.wait()

    def ask(self, *command: str) -> str:
        """Return what one of Slurm's programs prints, also when it fails."""
        done = subprocess.run(
            command,
            env=dict(os.environ) | self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    def close(self) -> None:
        """End all jobs and daemons."""
        self.ask("scancel", "--user", pwd.getpwuid(os.getuid()).pw_name)
        with contextlib.suppress(AssertionError):
            self._wait(lambda: not self.ask("squeue", "-h").strip())
        for daemon in self._daemons.values():
            daemon.send_signal(signal.SIGTERM)
        for name, daemon in list(self._daemons.items()):
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                self.kill(name)

    def _wait(self, is_so) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not is_so():
            assert time.monotonic() < deadline, self._logs()
            time.sleep(0.05)

    def _logs(self) -> str:
        return "\n".join(
            f"{log}:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}"
            for log in sorted([*self.folder.glob("*.log"), *self.folder.glob("*.out")])
        )


@contextlib.contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Start a cluster in an empty folder, and end it with all its jobs."""
    ports = free_ports(3)
    configuration = folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(
            host=socket.gethostname().partition(".")[0],
            user=pwd.getpwuid(os.getuid()).pw_name,
            folder=folder,
            controller=ports[0],
            n1=ports[1],
            n2=ports[2],
        ),
        encoding="utf-8",
    )
    key = folder / "munge.key"
    key.write_bytes(os.urandom(64))
    key.chmod(0o600)
    folder.chmod(0o755)
    (folder / "state").mkdir()
    cluster = Cluster(folder, {"SLURM_CONF": str(configuration)})
    try:
        cluster.start(
            "munged",
            *("munged", "--foreground", "--force", "--num-threads=2"),
            f"--key-file={key}",
            f"--socket={folder}/munge.socket",
            f"--pid-file={folder}/munged.pid",
            f"--seed-file={folder}/munged.seed",
            f"--log-file={folder}/munged.log",
        )
        cluster._wait((folder / "munge.socket").exists)
        cluster.start_controller()
        for name in NODES:
            cluster.start_node(name)
        yield cluster
    finally:
        cluster.close()


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@pytest.hookimpl(tryfirst=True)  # before tests are left out by their marks
def pytest_collection_modifyitems(items):
    for item in items:
        if "slurm" in item.fixturenames:
            item.add_marker(pytest.mark.slow)  # a job takes Slurm seconds


@pytest.fixture(scope="session")
def slurm_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real Slurm for all tests of the session."""
    missing = missing_programs()
    if missing:
        pytest.skip(f"no Slurm here ({', '.join(missing)} missing): apt install slurm-wlm munge")
    with running_cluster(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


@pytest.fixture
def slurm(slurm_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The cluster, as that of which Slurm's programs know in this test."""
    for name, value in slurm_cluster.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("imageloom.targets.slurm.queue.LOOK_S", 0.2)
    monkeypatch.setattr("imageloom.targets.slurm.queue.SILENCE_S", 0.5)
    return slurm_cluster
