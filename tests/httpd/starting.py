# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Servers with key files, started in every way: by httpd itself as a daemon, or so that they must fail."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import harness
from common import JSON
from cookies import Native
from harness import SECRET, Server

OTHER = 'Zk4-second_secret.Vn82qLwTy6hRb1XcPe0Mj'
THIRD = 'Gd9_third-secret~Wb37mKsQz5uFi0NaHx8Tc2'
SHORT = 'Rk5-Pq8_Lm2'
VARIABLE = 'SIGNED_SESSION_SECRET'
GOOD = f'env:{VARIABLE}'
NO_SECRET = {VARIABLE: None}
SS0101 = ('SS0101: SignedSession is on, but no secret is configured: set the environment variable {} '
          '(try: ssctl keygen), or name another source with SignedSessionSecret')
# A command that counts how often it runs.
COUNTED = 'SignedSessionSecret "exec:{dir}/secret.sh"'
COUNTING = '#!/bin/sh\necho run >> "${0%/*}/runs"\necho ' + SECRET + '\n'


class Keyed(Server):
    """A server whose files under keys/ nobody but their owner can read; {dir} may stand in its environment."""

    def prepare(self):
        super().prepare()
        self.env = {name: self.filled_in(text) for name, text in self.env.items()}

    def write(self, name, text):
        if not name.startswith('keys/'):
            return super().write(name, text)
        (self.dir / name).unlink(missing_ok=True)  # even its owner cannot write into it
        path = super().write(name, text)
        path.chmod(0o400)
        return path


@contextlib.contextmanager
def prepared(conf='', modules='', **more):
    """A server's directory, for httpd processes that a test starts itself."""
    server = Keyed(conf, modules, **more)
    server.dir = Path(tempfile.mkdtemp(prefix='signed-session-test-'))
    try:
        server.prepare()
        yield server
    finally:
        end_daemon(server)
        server.discard()


def pid_of(server):
    try:
        return int((server.dir / 'httpd.pid').read_text())
    except (FileNotFoundError, ValueError):
        return None


def end_daemon(server):
    """Whatever became of the test: nothing that it started stays."""
    pid = pid_of(server)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def wait_for(condition, what):
    deadline = time.monotonic() + harness.START_SECONDS
    while not (result := condition()):
        assert time.monotonic() < deadline, f'waited in vain for {what}'
        time.sleep(0.01)
    return result


def answers(server):
    with contextlib.suppress(OSError):
        socket.create_connection(('127.0.0.1', server.port), 1).close()
        return True
    return False


@contextlib.contextmanager
def daemon(conf, **more):
    """A server that was started as an init script does it: `-k start`, and httpd detaches itself."""
    with prepared(conf, **more) as server:
        rc, terminal = server.run('-k', 'start')
        assert rc == 0, terminal
        wait_for(lambda: restarts(server), 'the start')
        yield server
        harness.ErrorLog(server.dir / 'error.log').check()


def restarts(server):
    return server.error_log().count('resuming normal operations')


def command(server, verb, env):
    """`httpd -k verb` from a shell with this environment: (exit code, terminal)."""
    if verb == 'stop' and pid_of(server):
        wait_for(lambda: harness.are_asleep(pid_of(server)), 'the children to begin')
        time.sleep(harness.SETTLE_SECONDS)
    done = subprocess.run(server.command('-k', verb), env=Server.environment(env), text=True,
                          timeout=harness.START_SECONDS, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def failed_start(conf, modules='', **more):
    """A start that must fail: (exit code, terminal, error log)."""
    with prepared(conf, modules, **more) as server:
        rc, terminal = server.run('-k', 'start')
        if rc == 0:
            wait_for(lambda: pid_of(server), 'the pid file')
            raise AssertionError('httpd started with a configuration that must stop it')
        return rc, terminal, server.error_log()


def one_line(text, number):
    """The one line of this text with this message."""
    lines = [line for line in text.splitlines() if number in line]
    assert len(lines) == 1, text
    return lines[0]


def anns_cookie(secret):
    return f'session={Native({"who": "Ann"}).seal(secret)}'


def opens(server, secret, host='127.0.0.1'):
    """Does the server take this secret's cookies?"""
    response = server.request('GET', '/session', {'Host': host}, cookie=anns_cookie(secret))
    return response.json() == {'who': 'Ann'}


def sealed_with(server, secret):
    """What the server seals opens with this secret."""
    cookie = server.request('PUT', '/session/a', JSON, '1').cookie()
    return Native.open(cookie, secret).data == {'a': 1}
