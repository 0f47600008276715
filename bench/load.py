# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Load on two servers in turn, A B A B, so that whatever else the machine does falls on both.

The load comes from wrk: one thread, keep-alive connections. Processor time is the server's alone,
and needs /proc.
"""

import os
import re
import shutil
import statistics
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lab

CONNECTIONS = 16
WARM_UP_SECONDS = 1
TICKS = os.sysconf('SC_CLK_TCK')


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


def cpu_seconds(group):
    """What all processes of a process group have used, those that ended included."""
    ticks = 0
    for stat in Path('/proc').glob('[0-9]*/stat'):
        try:
            fields = stat.read_text().rpartition(') ')[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[2]) == group:
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS


def load(case, server, seconds, connections):
    """Requests per second, and processor seconds per 10 000 requests."""
    cookie = ['-H', f'Cookie: {case.cookie}'] if case.cookie else []
    before = cpu_seconds(server.process.pid)
    url = f'http://127.0.0.1:{server.port}/'
    done = subprocess.run(['wrk', '-t1', f'-c{connections}', f'-d{seconds}s', *cookie, url],
                          timeout=seconds + 30, capture_output=True, text=True)
    used = cpu_seconds(server.process.pid) - before
    count = re.search(r'(\d+) requests in', done.stdout)
    if done.returncode != 0 or count is None or re.search('Non-2xx|Socket errors', done.stdout):
        raise lab.Failure(f'{case.name}: wrk says:\n{done.stdout}{done.stderr}')
    rate = float(re.search(r'Requests/sec: +([\d.]+)', done.stdout)[1])
    return rate, used / int(count[1]) * 10000


@dataclass(frozen=True)
class Comparison:
    """Medians of the rounds: requests per second, processor seconds per 10 000 of them, and of both the
    ratio of a round's two measurements."""
    rate: float
    base_rate: float
    rate_ratio: float
    cpu: float
    base_cpu: float
    cpu_ratio: float


def compare(case, server, base, base_server, rounds, seconds, connections=CONNECTIONS):
    for one, its_server in ((case, server), (base, base_server)):
        lab.ask(one, its_server.port, 1)
        load(one, its_server, WARM_UP_SECONDS, connections)
    pairs = [(load(base, base_server, seconds, connections), load(case, server, seconds, connections))
             for _ in range(rounds)]

    def median(value):
        return statistics.median(value(*pair) for pair in pairs)

    return Comparison(median(lambda theirs, ours: ours[0]), median(lambda theirs, ours: theirs[0]),
                      median(lambda theirs, ours: ours[0] / theirs[0]),
                      median(lambda theirs, ours: ours[1]), median(lambda theirs, ours: theirs[1]),
                      median(lambda theirs, ours: ours[1] / theirs[1]))


def add_arguments(parser):
    parser.add_argument('--rounds', type=int, default=5, metavar='N', help='pairs of measurements for a case (5)')
    parser.add_argument('--seconds', type=int, default=3, metavar='N', help='of each measurement (3)')


def check_arguments(parser, given):
    if not (1 <= given.rounds <= 100 and 1 <= given.seconds <= 60):
        parser.error('1 to 100 rounds of 1 to 60 seconds')
