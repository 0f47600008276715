# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Load on several servers at once, all on one core, so that whatever else the machine does falls on all of them.

What a request costs is the processor time of the server's processes, which needs /proc. Requests per second would say
how the kernel shares the core. Two of the servers are the same: how far their costs differ is what the measurement is
worth. The load comes from wrk on the other cores, where there are any: one thread for each server, keep-alive
connections.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lab

CONNECTIONS = 8
WARM_UP_SECONDS = 1

CORES = os.sched_getaffinity(0)
SERVER_CORE = {max(CORES)}
LOAD_CORES = CORES - SERVER_CORE or CORES

COOKIES_IN_TURN = '''
local cookies, number = {{ {} }}, 0
request = function()
    number = number % #cookies + 1
    return wrk.format(nil, nil, {{ Cookie = cookies[number] }})
end
'''


def threads(connections):
    """httpd closes idle keep-alive connections when all its threads are busy: that shall not happen."""
    count = max(64, 3 * connections)
    return f'ThreadLimit {count}\nThreadsPerChild {count}\nMaxRequestWorkers {count}\nMaxSpareThreads {count}\n'


@contextmanager
def ready(module):
    """Modules built, wrk there, for the time of a `with`."""
    if shutil.which('wrk') is None:
        raise lab.Failure('wrk is not installed, and nothing else here makes enough load')
    with lab.built(module):
        yield


@contextmanager
def server_core():
    """What is started within this `with` runs on one core, as long as it lives."""
    os.sched_setaffinity(0, SERVER_CORE)
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)


def processes(group):
    """The ids of those that are in a process group."""
    for stat in Path('/proc').glob('[0-9]*/stat'):
        try:
            fields = stat.read_text().rpartition(') ')[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[2]) == group:
            yield int(stat.parent.name)


def cpu_seconds(pids):
    """What these have used, with all their threads: Linux has a clock for each process, see clock_getcpuclockid(3)."""
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)


class Load:
    """wrk, which asks for the page of one case until its time is over."""

    def __init__(self, case, server, seconds, connections, folder):
        self.case, self.seconds = case, seconds
        self.pids = list(processes(server.process.pid))
        self.before = cpu_seconds(self.pids)
        cookie = ['-H', f'Cookie: {case.cookie}'] if case.cookie else []
        if case.turn:
            script = Path(folder) / 'in-turn.lua'
            script.write_text(COOKIES_IN_TURN.format(', '.join(map(json.dumps, case.turn))))
            cookie = ['-s', script]
        self.process = subprocess.Popen(
            ['wrk', '-t1', f'-c{connections}', f'-d{seconds}s', *cookie, f'http://127.0.0.1:{server.port}/'],
            preexec_fn=lambda: os.sched_setaffinity(0, LOAD_CORES), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def cost(self):
        """Microseconds of processor time for a request."""
        said, _ = self.process.communicate(timeout=self.seconds + 30)
        used = cpu_seconds(self.pids) - self.before
        count = re.search(r'(\d+) requests in', said)
        if self.process.returncode != 0 or count is None or int(count[1]) == 0 or re.search('Non-2xx|Socket errors', said):
            raise lab.Failure(f'{self.case.name}: wrk says:\n{said}')
        return used / int(count[1]) * 1e6


def at_once(pairs, seconds, connections):
    """What a request costs in each of these, a case and its server each, while all are under load."""
    with tempfile.TemporaryDirectory(prefix='signed-session-load-') as folder:
        return [load.cost() for load in [Load(*pair, seconds, connections, folder) for pair in pairs]]


@dataclass(frozen=True)
class Comparison:
    """For each round what a request cost in each server, of which the first two are the same."""
    rounds: tuple

    def cost(self, which):
        """Microseconds, the median of the rounds."""
        return statistics.median(one[which] for one in self.rounds)

    def ratio(self, which):
        """To what it costs in the first two, the median of the rounds."""
        return statistics.median(one[which] / statistics.mean(one[:2]) for one in self.rounds)

    def adds(self, which, base=None):
        """What it costs more than in `base`, or in the first two, in requests to the first two."""
        return statistics.median((one[which] - (statistics.mean(one[:2]) if base is None else one[base]))
                                 / statistics.mean(one[:2]) for one in self.rounds)

    def spread(self):
        """How far the two that are the same differed: the median of the rounds. Ratios within it mean nothing."""
        return statistics.median(abs(one[1] / one[0] - 1) for one in self.rounds)


def compare(pairs, rounds, seconds, connections=CONNECTIONS):
    """The first two of the pairs are the same."""
    for case, server in pairs:
        lab.ask(case, server.port, 1)
    at_once(pairs, WARM_UP_SECONDS, connections)
    return Comparison(tuple(tuple(at_once(pairs, seconds, connections)) for _ in range(rounds)))


def add_arguments(parser):
    parser.add_argument('--rounds', type=int, default=5, metavar='N', help='measurements of a case (5)')
    parser.add_argument('--seconds', type=int, default=3, metavar='N', help='of each measurement (3)')


def check_arguments(parser, given):
    if not (1 <= given.rounds <= 100 and 1 <= given.seconds <= 60):
        parser.error('1 to 100 rounds of 1 to 60 seconds')
