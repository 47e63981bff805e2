"""A network link between two namespaces that delays frames and loses some, for kernels without netem.

    python3 link.py NAMESPACE_A NAMESPACE_B DELAY_MS LOSS_PERCENT

Creates a TAP device named `wire` in each namespace and copies frames between them until it is killed. SIGUSR1 cuts the
link, SIGUSR2 mends it. Writes `ready` once both devices exist.
"""
import collections
import fcntl
import os
import random
import selectors
import signal
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
LARGEST_FRAME = 65536

namespaces, delay, loss = sys.argv[1:3], float(sys.argv[3]) / 1e3, float(sys.argv[4]) / 100
chance = random.Random(1)
cut = False


def set_cut(value):
    global cut
    cut = value


def open_tap(namespace, number):
    """Returns the descriptor of a new device, which stays usable after the device moves to its namespace."""
    name = f"link{os.getpid()}-{number}"[:15]
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    subprocess.run(["ip", "link", "set", name, "netns", namespace, "name", "wire"], check=True)
    return tap


signal.signal(signal.SIGUSR1, lambda *_: set_cut(True))
signal.signal(signal.SIGUSR2, lambda *_: set_cut(False))
taps = [open_tap(namespace, number) for number, namespace in enumerate(namespaces)]
selector = selectors.DefaultSelector()
for tap, other in zip(taps, reversed(taps)):
    selector.register(tap, selectors.EVENT_READ, other)
print("ready", flush=True)

waiting = collections.deque()  # (when it arrives, where, frame); the delay is constant, so the first is the next.
while True:
    timeout = max(0, waiting[0][0] - time.monotonic()) if waiting else None
    for key, _ in selector.select(timeout):
        try:
            frame = os.read(key.fd, LARGEST_FRAME)
        except OSError:  # The device is not up yet.
            continue
        if not cut and chance.random() >= loss:
            waiting.append((time.monotonic() + delay, key.data, frame))
    while waiting and waiting[0][0] <= time.monotonic():
        _, tap, frame = waiting.popleft()
        try:
            os.write(tap, frame)
        except OSError:  # Lost, as on a real link that is down or full.
            pass
