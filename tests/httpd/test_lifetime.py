# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""How long a session lives, and when its cookie is written again."""

import re
import time

import itsdangerous
import pytest

from common import DAY, ENDPOINT, JSON, state
from cookies import Native, native, opened, starlette
from harness import SECRET, Server

CONF = ENDPOINT + '''
    <Location "/polled">
        SignedSessionTouch Off
    </Location>
    <Location "/readonly">
        SignedSession ReadOnly
    </Location>
    <Location "/off">
        SignedSession Off
    </Location>
'''
FILES = {f'htdocs/{name}/file.txt': 'x' for name in ('polled', 'readonly', 'off', 'deep')}


def now():
    return int(time.time())


def aged(seconds, data=None, **more):
    """The cookie of a session that was renewed this long ago."""
    return native({'a': 1} if data is None else data, renewed=now() - seconds, **more)


@pytest.fixture(scope='module')
def server():
    with Server(CONF, files=FILES) as one:
        yield one


@pytest.fixture(scope='module')
def strict():
    with Server('SignedSessionIdleTimeout 1h\nSignedSessionAbsoluteTimeout 2h' + CONF, files=FILES) as one:
        yield one


# --- timeouts ----------------------------------------------------------------------------------
# Two seconds of room: the clock moves on between making the cookie and its being judged.


@pytest.mark.parametrize('age, want', [(0, 'valid'), (3598, 'valid'), (3601, 'expired-idle'),
                                       (-28, 'valid'), (-33, 'from-future')])
def test_idle_timeout_and_skew(strict, age, want):
    assert state(strict, aged(age)) == want
    expected = {'a': 1} if want == 'valid' else {}
    assert strict.request('GET', '/session', cookie=aged(age)).json() == expected


@pytest.mark.parametrize('age, want', [(7198, 'valid'), (7201, 'expired-absolute'), (-33, 'from-future')])
def test_absolute_timeout(strict, age, want):
    assert state(strict, native({'a': 1}, created=now() - age)) == want


def test_an_expired_session_is_not_carried_into_a_new_one(strict):
    old = Native({'role': 'admin'}, renewed=now() - 4000, counter=5)
    response = strict.request('PUT', '/session/b', JSON, '2', cookie=f'session={old.seal()}')
    new = opened(response)
    assert new.data == {'b': 2} and new.id != old.id and new.counter == 1 and new.created > old.created


def test_max_age_is_what_is_left(strict):
    def max_age(cookie):
        line, = strict.request('PUT', '/session/b', JSON, '2', cookie=cookie).set_cookies()
        return int(re.search('Max-Age=([0-9]+)', line)[1])
    assert max_age(None) == 3600
    assert max_age(native({'a': 1}, created=now() - 3000)) == 3600
    assert 1195 <= max_age(native({'a': 1}, created=now() - 6000)) <= 1200


def test_without_an_idle_timeout_there_is_no_max_age(start):
    server = start('SignedSessionIdleTimeout none' + CONF)
    line, = server.request('PUT', '/session/a', JSON, '1').set_cookies()
    assert 'Max-Age' not in line
    assert state(server, aged(20 * 365 * DAY)) == 'valid'
    assert not server.request('GET', '/session', cookie=aged(20 * 365 * DAY)).set_cookies()
    assert server.request('GET', '/session?meta', cookie=aged(0)).json()['expires_in'] is None


# --- renewal -----------------------------------------------------------------------------------


def test_a_tenth_of_the_idle_timeout_passes_before_a_renewal(server):
    assert not server.request('GET', '/file.txt', cookie=aged(int(1.4 * DAY) - 5)).set_cookies()
    assert server.request('GET', '/file.txt', cookie=aged(int(1.4 * DAY) + 5)).set_cookies()


def test_a_renewal_changes_the_time_and_nothing_else(server):
    text = b'{ "a" : 1.0,"\\u0062":2 }'
    old = Native(text, renewed=now() - 5 * DAY, created=now() - 9 * DAY, counter=7)
    response = server.request('GET', '/file.txt', cookie=f'session={old.seal()}')
    new = opened(response)
    assert (new.id, new.created, new.counter) == (old.id, old.created, 7)
    assert abs(new.renewed - now()) < 5
    assert new.text == text
    assert 'private' in response.get('Cache-Control')


@pytest.mark.parametrize('setting, young, old', [
    ('always', 0, 0), ('0%', 0, 0), ('1d', DAY - 5, DAY + 5), ('50%', 7 * DAY - 5, 7 * DAY + 5)])
def test_when_a_renewal_is_due_can_be_set(start, setting, young, old):
    server = start(f'SignedSessionRenew {setting}' + CONF)
    assert bool(server.request('GET', '/file.txt', cookie=aged(young)).set_cookies()) == (young == old)
    assert server.request('GET', '/file.txt', cookie=aged(old)).set_cookies()


def test_renewal_can_be_switched_off(start):
    server = start('SignedSessionRenew never' + CONF)
    assert not server.request('GET', '/file.txt', cookie=aged(13 * DAY)).set_cookies()


def test_where_nothing_may_touch_a_session_it_is_not_renewed(server):
    for place in ('polled', 'readonly', 'off'):
        assert not server.request('GET', f'/{place}/file.txt', cookie=aged(13 * DAY)).set_cookies(), place
    assert server.request('GET', '/deep/file.txt', cookie=aged(13 * DAY)).set_cookies()


def test_an_empty_session_is_not_renewed(server):
    assert not server.request('GET', '/file.txt', cookie=aged(13 * DAY, data={})).set_cookies()


@pytest.mark.parametrize('cookie', [None, 'session=bad', aged(15 * DAY)])
def test_without_a_valid_session_nothing_is_sent(server, cookie):
    assert not server.request('GET', '/file.txt', cookie=cookie).set_cookies()


# --- identity ----------------------------------------------------------------------------------


def test_a_change_counts_and_keeps_the_identity(server):
    old = Native({'a': 1}, created=now() - 100, renewed=now() - 50, counter=41)
    new = opened(server.request('PUT', '/session/b', JSON, '2', cookie=f'session={old.seal()}'))
    assert (new.id, new.created, new.counter) == (old.id, old.created, 42)
    assert abs(new.renewed - now()) < 5


def test_the_counter_stays_at_its_maximum(server):
    old = Native({'a': 1}, counter=2 ** 32 - 1)
    new = opened(server.request('PUT', '/session/b', JSON, '2', cookie=f'session={old.seal()}'))
    assert new.counter == 2 ** 32 - 1


def test_setting_what_is_there_already_is_no_change(server):
    for body in ('{"x": [1, 2.0]}', '{"\\u0078":[1,2.0]}'):
        response = server.request('PUT', '/session/a', JSON, body, cookie=native({'a': {'x': [1, 2.0]}}))
        assert (response.status, response.set_cookies()) == (204, [])


# --- the format of an application --------------------------------------------------------------


def test_a_frameworks_session_is_not_renewed_by_default(start):
    """Only the application knows how long its sessions live."""
    server = start('SignedSessionFormat starlette' + CONF)
    cookie = 'session=' + starlette({'a': 1}, age=5 * DAY)
    assert server.request('GET', '/session', cookie=cookie).json() == {'a': 1}
    assert not server.request('GET', '/file.txt', cookie=cookie).set_cookies()
    assert state(server, 'session=' + starlette({'a': 1}, age=15 * DAY)) == 'expired-idle'
    assert state(server, 'session=' + starlette({'a': 1}, age=-28)) == 'valid'
    assert state(server, 'session=' + starlette({'a': 1}, age=-33)) == 'from-future'
    response = server.request('PUT', '/session/b', JSON, '2', cookie=cookie)
    signer = itsdangerous.TimestampSigner(SECRET)
    signer.unsign(response.cookie().encode(), max_age=60)


def test_a_session_moves_to_the_written_format_with_its_next_change(start):
    server = start('SignedSessionFormat native starlette' + CONF)
    cookie = 'session=' + starlette({'a': 1, 'n': float('nan')}, age=DAY)
    assert server.request('GET', '/session', cookie=cookie).json() == {'a': 1, 'n': None}
    assert server.request('GET', '/session?meta', cookie=cookie).json()['format'] == 'starlette'
    response = server.request('PUT', '/session/b', JSON, '2', cookie=cookie)
    new = Native.open(response.cookie())
    assert new.counter == 1 and abs(new.created - (now() - DAY)) < 5 and abs(new.renewed - now()) < 5
    assert str(new.data) == "{'a': 1, 'n': nan, 'b': 2}"
    old = 'session=' + starlette({'a': 1}, age=2 * DAY)
    assert Native.open(server.request('GET', '/file.txt', cookie=old).cookie()).data == {'a': 1}
