# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What both measurements need: the modules built, a httpd for a case, a client on one connection."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / 'tests' / 'httpd'))
try:
    import harness
    from cases import REVOKED, SHELF
    from servers import Redis
except ModuleNotFoundError:
    # the python3 that is first on PATH lacks what the tests need: let the one that has it do this
    os.execv(TOP / 'scripts' / 'python', ['python', *sys.argv])

BUILD_SECONDS = 300
START_SECONDS = 60
SOCKET_SECONDS = 30
ANSWER = b'a short answer\n'

harness.OUR_MODULES['ss_bench'] = 'SS_BENCH_MODULE'

# The first line of a log of revocations, as lib/revocation_log.h has it.
FIRST_LINE = re.search(r'SS_REVOCATION_FIRST .*?"(.*?)\\n"', (TOP / 'lib/revocation_log.h').read_text(), re.S)[1] + '\n'


class Failure(Exception):
    """A measurement that could not be made, in one sentence."""


def run(command, folder):
    done = subprocess.run(command, cwd=folder, timeout=BUILD_SECONDS, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Failure(f'{" ".join(command)}:\n{done.stdout}')


@contextmanager
def built(module=None):
    """Build both modules for the time of a `with`; `module` names one that is built already."""
    with tempfile.TemporaryDirectory(prefix='signed-session-bench-') as folder:
        folder = Path(folder)
        if module is None:
            if not (TOP / 'configure').exists():
                raise Failure('there is no ./configure: run autoreconf -fi first')
            run([str(TOP / 'configure'), '--quiet', f'--with-apxs={harness.APXS}', 'CFLAGS=-O2 -g'], folder)
            run(['make', 'all'], folder)
            module = folder / '.libs' / 'mod_signed_session.so'
        # apxs leaves its objects beside the source, so the source moves
        source = folder / 'mod_ss_bench.c'
        source.write_bytes((TOP / 'bench' / source.name).read_bytes())
        run([harness.APXS, '-c', source.name], folder)
        os.environ['SS_MODULE'] = str(Path(module).resolve())
        os.environ['SS_BENCH_MODULE'] = str(folder / '.libs' / 'mod_ss_bench.so')
        yield


def server_for(case, kind=harness.Server, more=''):
    harness.defines[:] = case.defines
    return kind(case.configuration() + more, case.modules, ours=False, env=case.env)


def chosen(cases, pattern, quick):
    found = [case for case in cases if (case.quick or not quick) and re.search(pattern, case.name)]
    if not found:
        raise Failure(f'no case is called {pattern}: see --list')
    return found


def wait_for_port(process, port):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Failure(f'{process.args[0]} did not open its port')


def request_of(case, number):
    """The bytes of this request, counted from 0."""
    cookie = f'Cookie: {case.cookie_of(number)}\r\n' if case.cookie else ''
    path = '/change' if case.share and case.is_change(number) else '/'
    return f'GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{cookie}\r\n'.encode()


def ask(case, port, count):
    """Send this many requests on one connection, each after the answer to the one before."""
    with socket.create_connection(('127.0.0.1', port), SOCKET_SECONDS) as connection:
        for number in range(count):
            is_change = case.is_change(number)
            connection.sendall(request_of(case, number))
            response = b''
            while not response.endswith(ANSWER):
                part = connection.recv(65536)
                if not part or not b'HTTP/1.1 200 '.startswith((response + part)[:13]):
                    raise Failure(f'{case.name}: no good answer: {(response + part)[:200]!r}')
                response += part
            if (b'\r\nset-cookie: ' in response.lower()) != is_change:
                raise Failure(f'{case.name}: {"no" if is_change else "an unexpected"} Set-Cookie')


def given_cookie(case, port, path='/'):
    """The Cookie header of a client that has asked for this once."""
    with socket.create_connection(('127.0.0.1', port), SOCKET_SECONDS) as connection:
        connection.sendall(request_of(case, 0).replace(b' / ', b' %s ' % path.encode(), 1))
        response = connection.recv(65536)
    cookies = re.findall(rb'\r\nSet-Cookie: ([^;\r]+)', response, re.IGNORECASE)
    if not cookies:
        raise Failure(f'{case.name}: no cookie to begin with: {response[:200]!r}')
    return b'; '.join(cookies).decode()


def with_cookie(case):
    """The same case with a cookie that httpd itself has made for it, if it needs one."""
    if not case.begin:
        return case
    with server_for(replace(case, handler=case.begin, writes=True)) as server:
        return replace(case, cookie=given_cookie(case, server.port))


def write_revocations():
    """A log of other people, which belongs to whom httpd runs as."""
    log = SHELF / 'revoked'
    now = int(time.time())
    log.write_text(FIRST_LINE + ''.join(f'subject nobody{i} {now} {now + 100000}\n' for i in range(REVOKED)))
    log.chmod(0o600)
    if os.geteuid() == 0:
        shutil.chown(log, *harness.unprivileged_account())


@contextmanager
def shelf():
    """What cases with stores and logs need, for the time of a `with`."""
    SHELF.mkdir(mode=0o755)
    try:
        if os.geteuid() == 0:
            shutil.chown(SHELF, *harness.unprivileged_account())
        write_revocations()
        (SHELF / 'redis').mkdir()
        with Redis('--unixsocket', SHELF / 'redis/socket', '--unixsocketperm', '777'):
            yield
    finally:
        shutil.rmtree(SHELF)


def add_json_argument(parser):
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the numbers there as well, for bench/plot')


def write_json(path, numbers):
    """The numbers of a script, if they are wanted; the same numbers make the same bytes."""
    if path is not None:
        path.write_text(json.dumps(numbers, indent=1) + '\n')


def main(work):
    """Run a script's function and turn a failure into an exit status."""
    try:
        work()
    except (Failure, harness.StartError) as failure:
        sys.exit(f'{Path(sys.argv[0]).name}: {failure}')
    except KeyboardInterrupt:
        sys.exit(130)
