# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Two servers with configurations of their own and one Redis: a site on two machines."""

import concurrent.futures
import json
import os
import signal
import time

import pytest

from common import PATCH
from harness import Jar, Server
from servers import Redis

FIRST = '''
    SignedSessionStore redis://127.0.0.1:{redis}
    SignedSessionStoreTimeout {timeout}
    SignedSessionRevocation store
    SignedSession On
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable cart note user
    </Location>
    <Location "/logout-everywhere">
        SignedSessionClear Everywhere
    </Location>
'''
# The other one writes small sessions into the cookie, and reads what the first has stored.
SECOND = '''
    SignedSessionStore cookie redis://127.0.0.1:{redis}
    SignedSessionStoreTimeout {timeout}
    SignedSessionRevocation store
    SignedSessionIdleTimeout 7d
    <Location "/">
        SignedSession On
    </Location>
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable cart note user
    </Location>
'''
FILES = {'htdocs/logout-everywhere': 'bye'}
WITHIN = 1.2
PATIENT = '10s'  # on a busy machine nobody is to give up


@pytest.fixture(scope='module')
def redis():
    with Redis() as redis:
        yield redis


@pytest.fixture(scope='module')
def machines(redis):
    modules = 'signed_session_redis'
    with Server(FIRST, modules, FILES, redis=redis.port, timeout=PATIENT) as first, \
            Server(SECOND, modules, FILES, redis=redis.port, timeout=PATIENT) as second:
        yield first, second


def at(server, jar):
    """The same browser at the other machine."""
    other = Jar(server)
    other.cookies = jar.cookies
    return other


def patch(jar, change):
    response = jar.request('PATCH', '/session', PATCH, json.dumps(change).encode())
    assert response.status == 200, response.body
    return response.json()


def get(jar):
    return jar.request('GET', '/session').json()


def state(jar):
    return jar.request('GET', '/session?meta').json()['state']


def test_one_session_on_both(machines):
    first, second = machines
    jar = Jar(first)
    patch(jar, {'cart': [1]})
    assert get(at(second, jar)) == {'cart': [1]}
    patch(at(second, jar), {'note': 'x'})
    assert get(jar) == {'cart': [1], 'note': 'x'}
    patch(jar, {'cart': [1, 2]})
    assert get(at(second, jar)) == {'cart': [1, 2], 'note': 'x'}


def test_a_cart_that_outgrows_the_cookie_by_parallel_requests_to_both(machines):
    jar = Jar(machines[1])
    patch(jar, {'cart': {}})

    def buy(number):
        buyer = Jar(machines[0])  # it writes to the store whatever the size
        buyer.cookies = dict(jar.cookies)
        return buyer.request('PATCH', '/session', PATCH, json.dumps({'cart': {f'item{number}': 'x' * 150}}).encode()).status

    patch(at(machines[0], jar), {'note': 'now in the store'})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(buy, range(60))) == {200}
    for machine in machines:
        assert set(get(at(machine, jar))['cart']) == {f'item{number}' for number in range(60)}


def test_logged_out_on_both_within_a_second(machines):
    first, second = machines
    desktop, phone = Jar(first), Jar(second)
    patch(desktop, {'user': 'alice'})
    patch(phone, {'user': 'alice'})
    other = Jar(second)
    patch(other, {'user': 'bob'})
    assert state(phone) == state(desktop) == 'valid'
    copies = [at(machine, jar) for machine in machines for jar in (desktop, phone)]
    for copy in copies:
        copy.cookies = dict(copy.cookies)
    assert desktop.request('GET', '/logout-everywhere').status == 200
    time.sleep(WITHIN)
    assert {state(copy) for copy in copies} <= {'revoked', 'expired-idle', 'none'}
    assert state(other) == 'valid'


def test_a_revocation_that_redis_has_forgotten_is_written_again(machines, redis):
    """As after a failover to a replica that had not got it yet."""
    jar, phone, other = (Jar(machines[0]) for _ in range(3))
    for one, user in ((jar, 'carol'), (phone, 'carol'), (other, 'bob')):
        patch(one, {'user': user})
    assert jar.request('GET', '/logout-everywhere').status == 200
    log = 'ss:s:{' + '0' * 32 + '}'
    redis.ask('DEL', log)
    deadline = time.monotonic() + 5
    while state(phone) != 'revoked':  # a child that had not read it yet waits for the one that knows
        assert state(other) == 'valid' and time.monotonic() < deadline
        time.sleep(0.2)
    deadline = time.monotonic() + 5
    while redis.ask('EXISTS', log).strip()[-1:] != '1':
        assert time.monotonic() < deadline
        time.sleep(0.2)
        assert state(other) == 'valid'


@pytest.mark.parametrize('how', ['stopped', 'killed'])
def test_redis_goes_and_comes_back(how, tmp_path):
    with Redis() as redis:
        with Server(FIRST, 'signed_session_redis', FILES, redis=redis.port, timeout='200ms') as server:
            jar = Jar(server)
            patch(jar, {'note': 'before'})
            if how == 'stopped':
                os.kill(redis.process.pid, signal.SIGSTOP)
            else:
                redis.process.kill()
                redis.process.wait()
            start = time.monotonic()
            statuses = [jar.request('GET', '/session').status for _ in range(20)]
            assert set(statuses) == {503}
            assert time.monotonic() - start < 3  # three waits, and then nobody waits
            assert server.request('GET', '/session').status == 200  # without a session
            server.expect('SS0401')
            server.allow('SS0401', 'SS0408', 'SS0421')
            if how == 'stopped':
                os.kill(redis.process.pid, signal.SIGCONT)
                time.sleep(1.5)
                assert get(jar) == {'note': 'before'}
