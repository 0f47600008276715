# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""httpd under valgrind's callgrind, which counts every instruction it executes in user space.

httpd runs as one process and is asked a small and a large number of times; the difference of the
totals, divided by the difference of the requests, is one request. Unlike times, these numbers hardly
depend on the machine's load.
"""

import operator
import os
import re
import shutil
import subprocess
from collections import Counter
from contextlib import contextmanager

import lab
from cases import plain
from harness import Server, unprivileged_account


class CallgrindServer(Server):
    """One process, event MPM, every instruction counted."""

    @property
    def profile(self):
        return self.dir / 'callgrind.out'

    def command(self, *arguments):
        return ['valgrind', '--tool=callgrind', '--vgdb=no', f'--callgrind-out-file={self.profile}',
                *super().command('-X', *arguments)]

    def launch(self):
        # not the harness's way: it waits for a line of the error log that a single process never writes
        with open(self.dir / 'terminal.txt', 'wb') as output:
            self.process = subprocess.Popen(self.command(), env=self.env, stdout=output, stdin=subprocess.DEVNULL,
                                            stderr=subprocess.STDOUT, start_new_session=True)
        lab.wait_for_port(self.process, self.port)
        # valgrind has made the file, and fills it when httpd ends, which is no longer root by then
        if os.geteuid() == 0:
            shutil.chown(self.profile, *unprivileged_account())


def total_of(profile):
    return int(re.search(r'^(?:summary|totals): (\d+)', profile.read_text(), re.MULTILINE)[1])


def functions_of(profile, *options, combine=operator.add):
    """Function: its instructions. Several rows may have its name: of its parts that were inlined from
    other files, of the stub that calls it across modules, and NAME'2 of a recursive call."""
    done = subprocess.run(['callgrind_annotate', '--threshold=100', '--show-percs=no', '--auto=no', *options, profile],
                          check=True, capture_output=True, text=True)
    counts = Counter()
    for count, name in re.findall(r'^ *([\d,]+) +\S*?:(\S+)(?: \[.*\])?$', done.stdout, re.MULTILINE):
        name = name.split("'")[0]
        counts[name] = combine(counts[name], int(count.replace(',', '')))
    return counts


def own_and_inclusive(profile):
    # the stub's row and the function's own both count all that is called
    return functions_of(profile), functions_of(profile, '--inclusive=yes', combine=max)


def counted(case, requests, read):
    """Run httpd for this many requests and read its profile."""
    with lab.server_for(case, CallgrindServer) as server:
        lab.ask(case, server.port, requests)
        server.end_process()
        return read(server.profile)


@contextmanager
def ready(module):
    """Modules built, valgrind there, for the time of a `with`."""
    if shutil.which('valgrind') is None:
        raise lab.Failure('valgrind is not installed')
    with lab.built(module), lab.shelf():
        yield


class Measurement:
    """The slope between two lengths; what has been measured is kept, for others to be compared with."""

    def __init__(self, lengths):
        self.short, self.long = lengths
        self.known = {}

    def total(self, case):
        key = self.key(case)
        if key not in self.known:
            short, long = case.lengths or (self.short, self.long)
            counts = [counted(case, length, total_of) for length in (short, long)]
            self.known[key] = (counts[1] - counts[0]) / (long - short)
        return self.known[key]

    def added(self, case):
        """What it takes more than what it is compared with."""
        return (self.total(case) - self.total(case.over or plain(case.cookie))) / case.times

    @staticmethod
    def key(case):
        return case.configuration(), case.modules, case.cookie, case.turn, case.defines, case.share, case.lengths

    def functions(self, case):
        """Own and inclusive instructions per request, each a Counter by function."""
        few, many = (counted(case, length, own_and_inclusive) for length in (self.short, self.long))
        return [Counter({name: (b[name] - a[name]) / (self.long - self.short) for name in b})
                for a, b in zip(few, many)]
