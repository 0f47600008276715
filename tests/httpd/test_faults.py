# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Restarts, crashes, new secrets, a clock that steps and a lack of memory, while clients are at work.

The server keeps nothing, so there is one promise: a change that a client was told of, by a Set-Cookie
that it received, is in its next answer, and nobody else's ever is. A connection that breaks off without
an answer is tried again, as a browser does it; an answer that arrives must be right.
"""

import contextlib
import http.client
import json
import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from h2.exceptions import ProtocolError

import harness
from common import PATCH
from cookies import Native
from harness import Jar, Server, speaks_http2
from starting import OTHER, THIRD, Keyed, wait_for

pytestmark = pytest.mark.children

CLIENTS = 6
MINUTE = 60
FILES = {'htdocs/closed/file.txt': 'for clients with a session'}
CONF = '''
    {processes}
    StartServers 2
    SignedSession On
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable client count words
    </Location>
    <Location "/test">
        SetHandler ss-testing
    </Location>
    <Location "/closed">
        Require signed-session client
    </Location>
'''


@contextlib.contextmanager
def at_work(more='', kind=Server, files=None, **values):
    """A server for many clients, half of which speak HTTP/2 where httpd does, and with several children."""
    # after a graceful restart there is room for new children before the old ones are gone
    processes = 'MinSpareServers 6' if harness.mpm == 'prefork' else 'ServerLimit 8\nMinSpareThreads 20'
    files = {**FILES, **(files or {})}
    with kind(CONF + more, 'ss_testing', files, http2=True, processes=processes, **values) as server:
        server.expect('SS0113')  # what is required here is what visitors write
        yield server


def is_whole(response):
    """Did all of it arrive?"""
    length = response.get('Content-Length')
    return (response.status is not None and response.reset is None
            and (length is None or response.status == 204 or len(response.body) == int(length)))


class Client:
    """One browser: it has a number, and counts in its session."""

    def __init__(self, server, number):
        self.jar = Jar(server)
        self.number = number
        self.protocol = 'h2' if number % 2 and speaks_http2() else 'http/1.1'
        self.count = 0
        self.rounds = 0
        self.retries = 0
        self.last = None  # answer to a change, for the message where it fails

    def ask(self, method='GET', path='/session', headers=(), body=None):
        """One answer, however many connections it takes."""
        deadline = time.monotonic() + harness.START_SECONDS
        while True:
            # h2 gives a connection up that is being closed, with what may still arrive on it
            with contextlib.suppress(OSError, ProtocolError):
                response = self.jar.request(method, path, headers, body, protocol=self.protocol)
                if is_whole(response):
                    return response
            assert time.monotonic() < deadline, f'no answer to {method} {path}'
            self.retries += 1
            time.sleep(0.01)

    @property
    def content(self):
        return {'client': self.number, 'count': self.count}

    def try_to_change(self):
        """By the endpoint and by a note, in turn. Returns whether it was acknowledged."""
        before = self.jar.session
        if self.count % 2:
            answer = self.ask('PATCH', headers=PATCH, body=self.content)
            assert answer.status != 200 or answer.json() == self.content
        else:
            answer = self.ask('GET', '/test/sleep/30', {'X-Change-Late': json.dumps({'count': self.count})})
        self.last = f'{answer.status} {answer.get_all("Set-Cookie")} {answer.text[:200]}'
        return answer.status == 200 and (self.jar.session not in (before, None) or self.is_in_store())

    def is_in_store(self):
        """A change whose answer was lost may have been made: the same once more is none."""
        return harness.store is not None and self.ask().json() == self.content

    def change(self):
        self.count += 1
        assert self.try_to_change(), f'refused: {self.last}'

    def read(self):
        answer = self.ask()
        assert (answer.status, answer.json()) == (200, self.content)
        assert self.ask('GET', '/closed/file.txt').status == 200

    def work(self):
        self.change()
        self.read()
        self.rounds += 1


class Load:
    """Clients that work as long as a `with` block lasts; what one of them finds wrong fails it."""

    def __init__(self, server, count=CLIENTS, kind=Client):
        self.clients = [kind(server, number) for number in range(1, count + 1)]  # 0 would not pass Require
        self.pool = ThreadPoolExecutor(count)
        self.is_over = False

    def run(self, client):
        while not self.is_over:
            client.work()

    def __enter__(self):
        self.runs = [self.pool.submit(self.run, client) for client in self.clients]
        self.wait_for_rounds()
        return self

    def wait_for_rounds(self, count=2):
        """Each of the clients has seen what happens now."""
        goals = [client.rounds + count for client in self.clients]
        deadline = time.monotonic() + 2 * harness.START_SECONDS
        while any(client.rounds < goal for client, goal in zip(self.clients, goals)):
            for run in self.runs:
                if run.done():
                    run.result()
            assert time.monotonic() < deadline, f'clients do not get on: {[vars(client) for client in self.clients]}'
            time.sleep(0.01)

    def has_retried(self):
        """Was anybody there when something happened?"""
        return any(client.retries > 0 for client in self.clients)

    def __exit__(self, *failure):
        self.is_over = True
        self.pool.shutdown()
        for run in self.runs:
            run.result()


def exit_signals(server):
    return server.error_log().count('exit signal')


# --- restarts ------------------------------------------------------------------------------------


def test_graceful_restarts():
    with at_work('SignedSessionEncrypt On\nSignedSessionReveal On') as server, Load(server) as load:
        for _ in range(2):
            server.graceful()
            load.wait_for_rounds()


def stopping_may_crash(server):
    """The main thread of a child of the event MPM does, now and then, under load; a plain httpd's as often."""
    if harness.mpm == 'event':
        server.allow('exit signal Segmentation fault')


def test_restarts():
    """httpd's children are ended in the middle of what they do."""
    with at_work() as server:
        stopping_may_crash(server)
        with Load(server) as load:
            for _ in range(4):
                server.restart()
                load.wait_for_rounds()
    assert load.has_retried()


def test_a_stop_and_a_start():
    """For a while nobody listens."""
    with at_work('SignedSessionFormat starlette native') as server:
        stopping_may_crash(server)
        with Load(server) as load:
            for _ in range(2):
                server.end_process()
                server.launch()
                load.wait_for_rounds()
    assert load.has_retried()


# --- crashes -------------------------------------------------------------------------------------


# The address sanitizer takes the second one for a fault of the program.
DEADLY = [signal.SIGKILL] if harness.preload else [signal.SIGKILL, signal.SIGSEGV]


def test_crashes():
    with at_work() as server:
        server.allow('exit signal')
        crashes = 0
        with Load(server) as load:
            for how in DEADLY * 3:
                children = server.children()
                victims = random.sample(children, (len(children) + 1) // 2)
                for pid in victims:
                    os.kill(pid, how)
                load.wait_for_rounds()
                if how == signal.SIGSEGV:  # httpd says nothing of the other
                    crashes += len(victims)
                    wait_for(lambda: exit_signals(server) >= crashes, 'the end of what was killed')
        assert load.has_retried()
        assert exit_signals(server) == crashes, 'others crashed, too'


# --- secrets -------------------------------------------------------------------------------------


class Visitor(Client):
    """Every other one only reads after its first change: its cookie changes by renewal alone."""

    def work(self):
        if self.count == 0 or self.number % 4 > 1:
            self.change()
        self.read()
        self.rounds += 1

    def holds(self, secret):
        with contextlib.suppress(AssertionError):
            return Native.open(self.jar.session, secret).data['client'] == self.number
        return False


KEYS = 'SignedSessionSecret file:keys/one'


def test_a_new_secret():
    """In the steps of docs/directives.md."""
    with at_work(f'{KEYS}\nSignedSessionRenew 1s', Keyed, {'keys/one': OTHER}) as server:
        with Load(server, kind=Visitor) as load:
            for keys in ([OTHER, THIRD], [THIRD, OTHER], [THIRD]):
                server.write('keys/one', '\n'.join(keys))
                server.graceful()
                load.wait_for_rounds()
                wait_for(lambda: all(client.holds(keys[0]) for client in load.clients), 'cookies with the first')


def test_a_connection_to_an_old_child():
    """It may answer one more request there, with the secrets that it has: the new one is among them."""
    with at_work(KEYS, Keyed, {'keys/one': f'{OTHER}\n{THIRD}'}) as server:
        connection, client = http.client.HTTPConnection('127.0.0.1', server.port), Visitor(server, 2)
        connection.request('GET', '/file.txt')
        connection.getresponse().read()
        server.write('keys/one', f'{THIRD}\n{OTHER}')
        server.graceful()
        wait_for(lambda: client.change() or client.holds(THIRD), 'a cookie with the new secret')
        with contextlib.suppress(http.client.RemoteDisconnected):
            connection.request('GET', '/session', headers={'Cookie': f'session={client.jar.session}'})
            assert json.load(connection.getresponse()) == client.content
        connection.close()


# --- the clock -----------------------------------------------------------------------------------


IDLE, SKEW = 60, 10  # minutes
HEAD_START = 3  # minutes by which a framework's cookie is dated back: half of the age at which it is renewed
CLOCK = f'''
    SignedSessionIdleTimeout {IDLE}min
    SignedSessionSkew {SKEW}min
    SignedSessionFormat {{format}}
    SignedSessionRenew 10%
'''
# No two of them are about the idle timeout or the skew apart, so that the time a test takes does not matter.
STEPS = (0, 4, 8, -4, -8, 70, -70)


class TimeTraveller(Client):
    """The clock that its requests are judged by steps forth and back; its cookie goes nowhere."""

    def __init__(self, server, number):
        super().__init__(server, number)
        self.chance = random.Random(number)
        self.clock = self.created = self.written = 0
        self.has_created = server.values['format'] == 'native'

    def ask(self, method='GET', path='/session', headers=(), body=None):
        before = self.jar.session
        answer = super().ask(method, path, {'X-Clock': str(self.clock * MINUTE), **dict(headers)}, body)
        assert answer.status in (200, 204, 403, 409), answer.text
        if self.jar.session != before:
            self.written = self.clock
        return answer

    def expected(self):
        written = self.written if self.has_created else self.written - HEAD_START
        newest = max(written, self.created) if self.has_created else written
        if newest - self.clock > SKEW:
            return 'from-future'
        return 'expired-idle' if self.clock - written > IDLE else 'valid'

    def work(self):
        if self.rounds == 0:
            self.change()
        self.clock = self.chance.choice(STEPS)
        state = self.expected()
        assert self.ask(path='/session?meta').json()['state'] == state
        if state == 'valid':
            self.read()
            self.change()
        else:
            assert self.ask().json() == {}
            assert self.ask('GET', '/closed/file.txt').status == 403
            if self.chance.random() < 0.3:
                self.begin_anew(state)
        self.rounds += 1

    def begin_anew(self, state):
        """A change of a session that is refused begins another one; nothing of the old is in it. A framework's that
        is from the future has to be ended before: its application may read it."""
        if state == 'from-future' and not self.has_created:
            before = self.jar.session
            assert self.ask('PATCH', headers=PATCH, body=self.content).status == 409 and self.jar.session == before
            assert self.ask('DELETE').status == 204 and self.jar.session is None
        self.created = self.clock
        self.count += 1
        answer = self.ask('PATCH', headers=PATCH, body={'count': self.count})
        assert answer.json() == {'count': self.count}
        assert self.ask('PATCH', headers=PATCH, body=self.content).json() == self.content


@pytest.mark.parametrize('format', ['native', 'starlette'])
def test_the_clock_steps(format):
    with at_work(CLOCK, format=format) as server:
        server.allow('AH01630')  # where a session is required
        with Load(server, kind=TimeTraveller) as load:
            load.wait_for_rounds(40)


# --- no memory -----------------------------------------------------------------------------------


OUT_OF_MEMORY = ('Memory allocation failed', 'exit signal')
# What is said then: by httpd, by the C library, and by us, where a session cannot be sealed.
COMPLAINTS = (*OUT_OF_MEMORY, 'SS0306', '[core]', '[mpm_', '[http2]', 'libgcc_s.so.1')
RESTS = (0, 300, 1000, 2000, 4000, 8000, 20000, 40000)  # bytes


def change_in_need(client, case, headers=()):
    """One change of one key while there is no memory: it is made, or not, and the others stay. Returns whether
    it was made."""
    change = {'count': client.count + 1}
    wanted = {**client.content, **change}
    with contextlib.suppress(OSError):
        client.jar.request('GET', f'/test/{case}', {'X-Change-Late': json.dumps(change), **dict(headers)})
    now = client.ask().json()
    assert now in (client.content, wanted)
    client.count = now['count']
    return now == wanted


class Bystander(Client):
    """It works in the same processes: changes may be refused while one is starved, but not without a word."""

    def change(self):
        self.count += 1
        refusals = 0
        deadline = time.monotonic() + harness.START_SECONDS
        while not self.try_to_change():
            refusals += 1
            assert time.monotonic() < deadline, f'refused {refusals} times: {self.content}, {self.last}'
            time.sleep(0.01)


class Talker(Client):
    """Its session is worth compressing, which takes memory to undo."""

    @property
    def content(self):
        return {**super().content, 'words': 'again and ' * 50}


@contextlib.contextmanager
def in_need(server, kind=Client):
    """One client for changes without memory, while others work as ever."""
    client = kind(server, CLIENTS)
    client.change()
    with Load(server, CLIENTS - 1, Bystander) as load:
        yield client
        load.wait_for_rounds()


@pytest.mark.own_memory
@pytest.mark.parametrize('more, needs_some', [('SignedSessionEncrypt On\nSignedSessionReveal On', False), ('SignedSessionFormat flask', True)],
                         ids=['encrypted', 'flask'])
def test_no_memory_to_seal_with(more, needs_some):
    """zlib always needs some, libcrypto only where no context waits to be used again."""
    with at_work(more) as server:
        server.allow(*COMPLAINTS)
        with in_need(server) as client:
            made = [change_in_need(client, f'starve/{rest}') for rest in RESTS]
            assert not (needs_some and all(made))


@pytest.mark.own_memory
def test_no_memory_to_open_with():
    """A session that could not be read is not overwritten by one that begins once there is memory again."""
    with at_work('Define SIGNED_SESSION_NO_MEMORY\nSignedSessionFormat flask') as server:
        server.allow(*COMPLAINTS)
        with in_need(server, Talker) as client:
            assert not all([change_in_need(client, 'ok', {'X-Starve': str(rest)}) for rest in RESTS])


@pytest.mark.own_memory
def test_no_memory_at_all():
    with at_work() as server:
        server.expect(*OUT_OF_MEMORY)
        server.allow(*COMPLAINTS)
        with in_need(server) as client:
            for _ in range(3):
                assert not change_in_need(client, 'devour')
