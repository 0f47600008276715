# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Who asks sentinels: whom they believe, and what they do when a sentinel, or the primary, is bad."""

import time

import pytest

from redis_peers import (GRACE, LIMIT, Afterwards, Asker, Certificates, FaultSentinel, FaultServer, Wire, assert_in_time,
                         once, record, says, says_and_closes, silent)

pytestmark = pytest.mark.once

READONLY = says("-READONLY You can't write against a read only replica.\r\n")
NOREPLICAS = says('-NOREPLICAS Not enough good replicas to write.\r\n')


@pytest.fixture
def primary():
    with FaultServer() as server:
        yield server


@pytest.fixture
def other():
    """A second server: a replica, until somebody makes it the primary."""
    with FaultServer() as server:
        server.role = b'slave'
        yield server


@pytest.fixture
def sentinels(primary):
    with FaultSentinel(primary) as one, FaultSentinel(primary) as two, FaultSentinel(primary) as three:
        yield [one, two, three]


def words(sentinels, name='shop'):
    return f'//{",".join(f"127.0.0.1:{sentinel.port}" for sentinel in sentinels)}/{name}'


def asker_of(*sentinels, **members):
    return Asker(words(sentinels), 'redis+sentinel', **members)


def assert_right(asker, limit=LIMIT):
    answer = asker.load(5, limit)
    assert (answer.what, answer.bytes) == ('FOUND', record(5)), answer


def asked(sentinels):
    return [sentinel.asked(b'SENTINEL') for sentinel in sentinels]


def name(server, sentinels):
    """Now this is the primary."""
    for sentinel in sentinels:
        sentinel.named = server
    server.role = b'master'


# --- without a fault -----------------------------------------------------------------------------


def test_the_primary_is_asked_for_once(sentinels, primary):
    with asker_of(*sentinels) as asker:
        for _ in range(20):
            assert_right(asker)
        assert asker.save(1, 'new', record(1)).what == 'SAVED'
    assert asked(sentinels) == [1, 0, 0] and primary.connections == 1


def test_the_database_stands_behind_the_name(sentinels, primary):
    with Asker(words(sentinels) + '/3', 'redis+sentinel') as asker:
        assert_right(asker)
    assert [b'SELECT', b'3'] in primary.seen


def test_the_password_is_not_for_sentinels(sentinels, primary):
    with asker_of(*sentinels, user='alice', password='open') as asker:
        assert_right(asker)
    assert [b'AUTH', b'alice', b'open'] in primary.seen
    assert [sentinel.asked(b'AUTH') for sentinel in sentinels] == [0, 0, 0]


def test_a_sentinel_may_say_a_name(primary):
    """Which it does where it is told to."""
    with FaultServer() as sentinel:
        sentinel.greeting = says(f'*2\r\n$9\r\nlocalhost\r\n${len(str(primary.port))}\r\n{primary.port}\r\n')
        with asker_of(sentinel) as asker:
            assert_right(asker, 5000)


def test_who_may_not_ask_for_the_role_believes_the_sentinel(sentinels, primary):
    primary.greeting = lambda wire, said: wire.send('+OK\r\n' if said[0] != b'INFO' else '-NOPERM no permissions\r\n')
    with asker_of(*sentinels) as asker:
        assert_right(asker)


# --- sentinels that are bad ----------------------------------------------------------------------

# what: (fault, a word of why, is it over before the time is)
BAD = {
    'silent': (silent, 'no answer in time', False),
    'half an answer': (says('*2\r\n$9\r\n127.0'), 'no answer in time', False),
    'closed': (says_and_closes(''), 'closed', True),
    'no such name': (says('*-1\r\n'), 'this sentinel knows no primary "shop"', True),
    'no such name, in RESP2 of another kind': (says('$-1\r\n'), 'this sentinel knows no primary "shop"', True),
    'an error': (says('-ERR unknown command\r\n'), 'ERR unknown command', True),
    'a password': (says('-NOAUTH Authentication required.\r\n'), 'this sentinel wants a password', True),
    'a word': (says('+OK\r\n'), 'no answer to our command', True),
    'three': (says('*3\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\n1\r\n'), 'not what Redis says', True),
    'one': (says('*1\r\n$1\r\na\r\n'), 'not what Redis says', True),
    'a pair of pairs': (says('*2\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\n1\r\n'), 'not what Redis says', True),
    'a number for a text': (says('*2\r\n$9\r\n127.0.0.1\r\n:6379\r\n'), 'not what Redis says', True),
    'an address that is nil': (says('*2\r\n$-1\r\n$4\r\n6379\r\n'), 'not what Redis says', True),
    '10^9 elements': (says('*1000000000\r\n'), 'not what Redis says', True),
    'HTTP': (says_and_closes('HTTP/1.1 400 Bad Request\r\n\r\n'), 'not what Redis says', True),
    'no host': (says('*2\r\n$0\r\n\r\n$4\r\n6379\r\n'), 'no answer to our command', True),
    'a host that is none': (says('*2\r\n$4\r\na b\n\r\n$4\r\n6379\r\n'), 'no answer to our command', True),
    'a host with a NUL': (says('*2\r\n$4\r\na\0b\0\r\n$4\r\n6379\r\n'), 'no answer to our command', True),
    'a long host': (says(f'*2\r\n$254\r\n{"a" * 254}\r\n$4\r\n6379\r\n'), 'no answer to our command', True),
    'port 0': (says('*2\r\n$9\r\n127.0.0.1\r\n$1\r\n0\r\n'), 'no answer to our command', True),
    'port 65536': (says('*2\r\n$9\r\n127.0.0.1\r\n$5\r\n65536\r\n'), 'no answer to our command', True),
    'a port that is none': (says('*2\r\n$9\r\n127.0.0.1\r\n$2\r\n-1\r\n'), 'no answer to our command', True),
    'no port': (says('*2\r\n$9\r\n127.0.0.1\r\n$0\r\n\r\n'), 'no answer to our command', True),
    'two answers': (says('*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n'), 'not what Redis says', True),
}


@pytest.mark.parametrize('fault, why, is_at_once', BAD.values(), ids=BAD)
def test_a_bad_sentinel_is_left_for_the_next(sentinels, primary, fault, why, is_at_once):
    bad, good, _ = sentinels
    bad.fault = fault
    with asker_of(bad) as asker:
        answer = asker.load(1, LIMIT)
        assert answer.what == 'UNAVAILABLE' and f'127.0.0.1:{bad.port}: ' in answer.text and why in answer.text, answer
        assert_in_time(asker, answer, is_at_once)
        assert answer.text.isprintable()
    assert primary.connections == 0
    with asker_of(bad, good) as asker:
        assert_right(asker)
        primary.fault = once(primary, says_and_closes(''))
        assert_right(asker)
    # the one that had answered is asked first
    assert asked([bad, good]) == [2, 2]


@pytest.mark.parametrize('lie', ['nobody is there', 'a replica', 'another server', 'silent'])
def test_a_sentinel_that_lies_is_left_for_the_next(sentinels, other, lie):
    liar, honest, _ = sentinels
    liar.named = other
    if lie == 'nobody is there':
        other.__exit__()
    elif lie == 'another server':
        other.greeting = says_and_closes('HTTP/1.1 400 Bad Request\r\n\r\n')
    elif lie == 'silent':
        other.greeting = silent
    with asker_of(liar, honest) as asker:
        assert_right(asker)
        assert asker.save(1, 'new', record(1)).what == 'SAVED'
    assert asked([liar, honest]) == [1, 1] and other.asked(b'GET') == other.asked(b'EVALSHA') == 0


def test_where_all_sentinels_name_a_replica_it_says_so_once(sentinels, other):
    for sentinel in sentinels:
        sentinel.named = other
    with asker_of(*sentinels) as asker:
        answer = asker.load(1, LIMIT)
    assert (answer.what, answer.text) == ('UNAVAILABLE', f'127.0.0.1:{other.port}: it is a replica')
    assert other.asked(b'GET') == 0


def test_where_no_sentinel_answers_each_says_why(sentinels):
    sentinels[0].__exit__()
    sentinels[1].fault = says('*-1\r\n')
    with asker_of(*sentinels[:2]) as asker:
        answer = asker.load(1, LIMIT)
    assert answer.text == (f'127.0.0.1:{sentinels[0].port}: Connection refused; '
                           f'127.0.0.1:{sentinels[1].port}: this sentinel knows no primary "shop"')


# --- another primary -----------------------------------------------------------------------------


@pytest.mark.parametrize('farewell', [READONLY, says_and_closes(''), NOREPLICAS], ids=['READONLY', 'closed', 'NOREPLICAS'])
def test_another_primary_is_found_within_the_call(sentinels, primary, other, farewell):
    with asker_of(*sentinels) as asker:
        assert asker.save(1, 'new', record(1)).what == 'SAVED'
        primary.fault = farewell
        primary.role = b'slave'
        name(other, sentinels)
        for _ in range(3):
            assert asker.save(1, 'new', record(1), LIMIT).what == 'SAVED'
    assert (primary.asked(b'EVALSHA'), other.asked(b'EVALSHA')) == (2, 3)
    assert sum(asked(sentinels)) == 2


@pytest.mark.parametrize('answer, what', [(READONLY, 'UNAVAILABLE'), (NOREPLICAS, 'FULL'), (says_and_closes(''), 'UNAVAILABLE')])
def test_sentinels_are_asked_again_once(sentinels, primary, answer, what):
    with asker_of(*sentinels) as asker:
        assert_right(asker)
        primary.fault = answer
        assert asker.save(1, 'new', record(1), LIMIT).what == what
        assert primary.asked(b'EVALSHA') == 2 and sum(asked(sentinels)) == 2


def test_a_primary_that_was_too_slow_is_asked_for_by_the_next_call(sentinels, primary, other):
    with asker_of(*sentinels) as asker:
        assert_right(asker)
        primary.fault = silent
        assert asker.load(1, LIMIT).what == 'UNAVAILABLE'
        name(other, sentinels)
        assert_right(asker)
    assert other.asked(b'GET') == 1


def test_a_primary_that_closed_while_nobody_used_it_is_asked_for(sentinels, primary, other):
    """It may have been told that it is a replica, or have come back as an empty primary."""
    primary.fault = Afterwards(5, Wire.close)
    with asker_of(*sentinels) as asker:
        assert_right(asker)
        primary.fault.wait()
        name(other, sentinels)
        assert_right(asker)
    assert (primary.asked(b'GET'), other.asked(b'GET')) == (1, 1)


def test_a_save_whose_answer_is_lost_and_that_reached_the_new_primary_counts_once(sentinels, primary, other):
    def take_over(wire, said):
        name(other, sentinels)
        other.fault = lambda wire, again: wire.bulk(said[5])
        wire.close()

    primary.fault = take_over
    with asker_of(*sentinels) as asker:
        assert asker.save(1, record(1), record(2)).what == 'SAVED'


def test_another_primary_is_noticed_while_the_old_one_still_serves(sentinels, primary, other):
    """It was not told yet that it is none."""
    with asker_of(*sentinels) as asker:
        assert_right(asker)
        name(other, sentinels)
        time.sleep(1)
        for _ in range(20):
            assert_right(asker)
    assert (primary.asked(b'GET'), other.asked(b'GET')) == (1, 20)
    assert sum(asked(sentinels)) == 3  # who it is; that it is another one; where to connect


def test_who_the_primary_is_is_asked_for_once_a_second(sentinels, primary):
    with asker_of(*sentinels) as asker:
        for _ in range(3):
            for _ in range(10):
                assert_right(asker)
            time.sleep(1)
        assert_right(asker)
    assert asked(sentinels) == [4, 0, 0] and primary.connections == 1


def test_sentinels_that_are_gone_are_no_outage(sentinels, primary):
    """Each request that asks one is slower by a part of the time that it has."""
    with asker_of(*sentinels) as asker:
        assert_right(asker)
        for sentinel in sentinels:
            sentinel.fault = silent
        time.sleep(1)
        times = []
        for _ in range(3):
            answer = asker.load(5, LIMIT)
            assert (answer.what, answer.bytes) == ('FOUND', record(5))
            times.append(answer.seconds)
            for _ in range(10):
                assert_right(asker)
            time.sleep(0.25)
    assert min(times) < LIMIT / 4000 + GRACE  # a busy machine may delay some
    assert asked(sentinels) == [2, 1, 1] and primary.connections == 1


# --- TLS -----------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp('certificates')
    return [Certificates(folder / name) for name in ('right', 'wrong')]


@pytest.mark.parametrize('of_sentinel, of_primary', [(0, 0), (1, 0), (0, 1), (None, 0), (0, None)])
def test_tls_is_for_the_sentinels_too(certificates, of_sentinel, of_primary):
    pair = [None if which is None else certificates[which] for which in (of_sentinel, of_primary)]
    with FaultServer(pair[1]) as primary, FaultSentinel(primary, pair[0]) as sentinel:
        with Asker(words([sentinel]), 'rediss+sentinel', ca=certificates[0].ca) as asker:
            answer = asker.load(5, 1000)
        if of_sentinel == of_primary == 0:
            assert (answer.what, answer.bytes) == ('FOUND', record(5)), answer
        else:
            assert answer.what == 'UNAVAILABLE' and primary.asked(b'GET') == 0
        if 1 in (of_sentinel, of_primary):
            assert 'certificate is not accepted' in answer.text


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize('place, why', [
    ('', 'accepted are'), ('/run/redis', 'accepted are'), ('//h', '"" is no name of a primary'), ('//h/', '"" is no name of a primary'),
    ('//h:26379//3', '"" is no name of a primary'), ('//h/a b', '"a b" is no name of a primary'),
    ('//h/shop/x', '"x" is no number of a database'), ('//h/shop/1/2', '"1/2" is no number of a database'),
    ('//h,/shop', '"" is no HOST:PORT'), ('//h:0/shop', '"h:0" is no HOST:PORT'), ('//u:p@h/shop', 'no password may stand here')])
def test_words_that_are_no_place(place, why):
    refusal = Asker(place, 'redis+sentinel').refusal()
    assert why in refusal and ('HOST:PORT/NAME' in refusal or 'password' in why)
