"""Namespaces of the kernel as machines with networks of their own."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from warm_python import start_program

LINK = Path(__file__).with_name("slow_link.py")
JOIN = re.compile(r"imageloom (agent join \S+ --token [0-9a-f]+)")


def network(*words, check=True):
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True)


@contextlib.contextmanager
def two_namespaces():
    """Yield the names of two namespaces that reach nothing yet, not even themselves."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("network namespaces need iproute2 and the superuser")
    with contextlib.ExitStack() as stack:
        taken = network("netns", "list").stdout
        count = taken.count(f"il{os.getpid()}n")
        names = [f"il{os.getpid()}n{count + number}" for number in (1, 2)]
        for name in names:
            if network("netns", "add", name, check=False).returncode:
                pytest.skip("this kernel or container makes no network namespaces")
            stack.callback(network, "netns", "del", name)
        yield names


@contextlib.contextmanager
def cabled_namespaces():
    """Yield two namespaces that reach each other at 10.79.0.1 and 10.79.0.2 on eth0."""
    with two_namespaces() as names:
        cables = [f"il{os.getpid()}c{number}"[:15] for number in (1, 2)]
        network("link", "add", cables[0], "type", "veth", "peer", "name", cables[1])
        for number, (name, cable) in enumerate(zip(names, cables, strict=True), 1):
            network("link", "set", cable, "netns", name, "name", "eth0")
            network("-n", name, "addr", "add", f"10.79.0.{number}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                network("-n", name, "link", "set", device, "up")
        yield names


@contextlib.contextmanager
def slowly_cabled_namespaces(*, delay_s, loss):
    """Yield two namespaces as above, whose packets are late, and lost with a probability."""
    if not Path("/dev/net/tun").exists():
        pytest.skip("this kernel or container has no /dev/net/tun")
    with contextlib.ExitStack() as stack:
        names = stack.enter_context(two_namespaces())
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for name, end in zip(names, ends, strict=True):
            network("-n", name, "link", "set", "lo", "up")
            network("-n", name, "tuntap", "add", "dev", "eth0", "mode", "tun")
            words = [str(end.fileno()), "eth0", str(delay_s), str(loss)]
            link = subprocess.Popen(
                ["ip", "netns", "exec", name, sys.executable, str(LINK), *words],
                pass_fds=[end.fileno()],
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(link.wait)
            stack.callback(link.kill)
            end.close()
            assert link.stdout.readline() == "ready\n"
            stack.callback(link.stdout.close)
        for number, name in enumerate(names, 1):
            own, other = f"10.79.0.{number}", f"10.79.0.{3 - number}"
            network("-n", name, "addr", "add", own, "peer", other, "dev", "eth0")
            network("-n", name, "link", "set", "eth0", "up")
        yield names


@contextlib.contextmanager
def cut(namespace):
    network("-n", namespace, "link", "set", "eth0", "down")
    try:
        yield
    finally:
        network("-n", namespace, "link", "set", "eth0", "up")


# As ``ip netns exec`` runs a module of Python, in a process that has imported torch already.
IN_NAMESPACE = """
import ctypes, os, runpy, sys, warnings
namespace, output, module, *words = sys.argv[1:]
with open(f"/var/run/netns/{namespace}", "rb") as place:
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(place.fileno(), 0x40000000):  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), f"setns to {namespace}")
for stream in (1, 2):
    os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
warnings.resetwarnings()
sys.argv[:] = [module, *words]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


@contextlib.contextmanager
def in_namespace(namespace, output, *words, module="imageloom"):
    """Run the command ``imageloom`` there, or that of another module; yield its process."""
    output.touch()
    process = start_program(
        IN_NAMESPACE, namespace, str(output), module, *words, environment=os.environ
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
