# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Ports of 127.0.0.1 for servers that bind them later, in another process.

To bind port 0 and close it again names a port that anybody may get in the meantime: another test run,
another worker of this one, or the local end of any connection. These are outside the range that the
system takes such ports from, and each process of pytest has a block of them for itself: it holds the
block's first port as long as it lives. Who binds port 0 and keeps it, as the backends do, needs no block.
"""

import socket
from itertools import count
from pathlib import Path

BLOCK = 200
LOWEST, HIGHEST = 20000, 65535
EPHEMERAL = Path('/proc/sys/net/ipv4/ip_local_port_range')


def starts_of_blocks():
    low, high = map(int, EPHEMERAL.read_text().split()) if EPHEMERAL.exists() else (32768, 60999)
    blocks = [range(first, first + BLOCK) for first in range(LOWEST, HIGHEST - BLOCK, BLOCK)]
    outside = [block[0] for block in blocks if block[-1] < low or block[0] > high]
    # Where that range is nearly everything, its ports must do; they are looked at before they are used.
    return outside or [block[0] for block in blocks]


def bind(port):
    """A socket with this port, or None where somebody has it."""
    holder = socket.socket()
    try:
        holder.bind(('127.0.0.1', port))
    except OSError:
        holder.close()
        return None
    return holder


class Ports:
    """The block of this process."""

    def __init__(self):
        for self.first in starts_of_blocks():
            self.guard = bind(self.first)
            if self.guard is not None:
                break
        else:
            raise RuntimeError('no block of ports is free: how many test runs are there?')
        self.turns = count()

    def next(self):
        """A port that nobody listens on. It comes again only after all others of the block."""
        for _ in range(BLOCK):
            port = self.first + 1 + next(self.turns) % (BLOCK - 1)
            try:
                # with SO_REUSEADDR, as servers do it: connections of the one before may still fade away
                with socket.create_server(('127.0.0.1', port)):
                    return port
            except OSError:
                continue
        raise RuntimeError(f'no port from {self.first} on is free')


ports = None


def free_port():
    global ports
    ports = ports or Ports()
    return ports.next()
