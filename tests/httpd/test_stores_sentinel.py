# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""SignedSessionStore redis+sentinel: through httpd, while the primary changes."""

import signal
import time

import pytest

from common import PATCH
from cookies import Record
from harness import Jar
from histories import History, patch, put, update
from redis_peers import Asker
from servers import Sentinels
from test_store_history import serve

MODULES = 'signed_session_redis'
KINDS = [patch] * 5 + [update] * 2 + [put] * 2
TIMEOUT = '600ms'
BEFORE, AFTER = 0.4, 1.2  # seconds that a history goes on for with the old primary, and with the new one


@pytest.fixture
def redis():
    with Sentinels() as redis:
        yield redis


@pytest.fixture
def two(redis):
    """Two servers, which tell of the outage that there is."""
    place = f'redis+sentinel:{redis.words}'
    with serve(place, MODULES, TIMEOUT) as one, serve(place, MODULES, TIMEOUT) as other:
        for server in (one, other):
            server.allow('SS0401', 'SS0402', 'SS0408')
        yield [one, other]


def settle(primary, replica):
    """Nothing is under way to the replica any more: a failover would lose that."""
    primary.ask('CLIENT', 'PAUSE', '300', 'WRITE')
    offset = int(primary.info('master_repl_offset'))
    Sentinels.wait(lambda: int(replica.info('slave_repl_offset')) >= offset, 'the replica')


def kill(redis, primary, replica):
    """It comes back where it was: empty, and a primary."""
    settle(primary, replica)
    primary.kill()
    redis.wait(lambda: redis.primary is replica, 'the failover')
    primary.start()


def stop(redis, primary, replica):
    """It goes on, and does not know that it is no primary any more."""
    settle(primary, replica)
    primary.process.send_signal(signal.SIGSTOP)
    redis.wait(lambda: redis.primary is replica, 'the failover')
    time.sleep(0.7)  # who was sent there before has given up
    primary.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize('change', [kill, stop])
def test_no_change_that_the_replica_had_or_that_came_later_is_lost(two, redis, change, monkeypatch):
    primary, replica = redis.servers

    def change_once():
        time.sleep(BEFORE)
        change(redis, primary, replica)
        time.sleep(AFTER)

    history = History(two, 2, KINDS).run(BEFORE, change_once)
    assert redis.primary is replica and primary.info('role') == 'master'
    assert_whole(history, redis, monkeypatch)
    assert history.counts['acknowledged'] > 50 and history.counts['unknown'], history.counts
    assert change is stop or primary.ask('DBSIZE') == '0'


def assert_whole(history, redis, monkeypatch):
    with Asker(redis.words, 'redis+sentinel') as asker:
        monkeypatch.setattr(Record, 'find', lambda id, *seal: Record.open(asker.load(int.from_bytes(id, 'big')).bytes, id, *seal))
        assert history.lost() == []


def test_a_planned_failover_is_noticed_within_a_second(two, redis, monkeypatch):
    """The old primary serves on, and nobody tells it for some seconds."""
    for server in two:
        server.allow('SS0407', 'SS0403')  # what comes before that second is over
    primary, replica = redis.servers

    def fail_over():
        time.sleep(BEFORE)
        redis.sentinels[0].ask('SENTINEL', 'FAILOVER', 'shop')
        redis.wait(lambda: redis.primary is replica, 'the failover')
        time.sleep(1.1)

    History(two, 2, KINDS).run(BEFORE, fail_over)
    history = History(two, 2, KINDS).run(AFTER)
    assert primary.info('role') == 'master'
    assert_whole(history, redis, monkeypatch)
    assert history.counts['acknowledged'] > 50 and not history.counts['unknown'], history.counts


def test_changes_that_had_not_reached_the_replica_are_missed(two, redis):
    """The session goes on from where the replica knows it, and its cookie tells that there was more."""
    server = two[0]
    primary, replica = redis.servers
    jar = Jar(server)
    assert jar.request('PATCH', '/session', PATCH, b'{"a":1}').status == 200
    settle(primary, replica)
    replica.process.send_signal(signal.SIGSTOP)
    primary.ask('CLIENT', 'KILL', 'TYPE', 'replica')
    primary.ask('CLIENT', 'UNPAUSE')
    assert jar.request('PATCH', '/session', PATCH, b'{"b":2}').status == 200
    primary.kill()
    replica.process.send_signal(signal.SIGCONT)
    redis.wait(lambda: redis.primary is replica, 'the failover')
    server.expect('SS0407: the store has lost 1 change')
    assert jar.request('GET', '/session').json() == {'a': 1}
    assert jar.request('PATCH', '/session', PATCH, b'{"c":3}').status == 200
    assert jar.request('GET', '/session').json() == {'a': 1, 'c': 3}
