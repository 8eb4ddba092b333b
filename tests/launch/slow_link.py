"""One end of a slow cable that loses packets: a TUN device and a socket to the other end.

Usage: python slow_link.py SOCKET DEVICE DELAY_S LOSS; SOCKET is the number of an open descriptor.
It stands in for the kernel's netem, which many kernels of containers lack. Ends with its socket.
"""

import collections
import contextlib
import fcntl
import os
import random
import select
import socket
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000  # whole IP packets, with nothing before them
PACKET = 65536  # bytes


def main():
    number, device, delay_s, loss = sys.argv[1:]
    chance = random.Random(1)
    tun = os.open("/dev/net/tun", os.O_RDWR)
    wish = struct.pack("16sH22x", device.encode(), IFF_TUN | IFF_NO_PI)
    fcntl.ioctl(tun, TUNSETIFF, wish)
    other = socket.socket(fileno=int(number))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    waiting = collections.deque()  # of packets and when they are due, the next one first
    while True:
        until = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        ready, _, _ = select.select([tun, other], [], [], until)
        if tun in ready:
            packet = os.read(tun, PACKET)
            if chance.random() >= float(loss):
                waiting.append((time.monotonic() + float(delay_s), packet))
        if other in ready:
            packet = other.recv(PACKET)
            if not packet:
                return
            with contextlib.suppress(OSError):  # the device is down
                os.write(tun, packet)
        while waiting and waiting[0][0] <= time.monotonic():
            other.send(waiting.popleft()[1])


if __name__ == "__main__":
    main()
