# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""%{:event}^SS: a line of JSON for what happens to sessions."""

import json
import re
import time

import pytest

from common import DAY, PATCH
from cookies import native
from harness import Jar, Server

CONF = '''
    SignedSession On
    {more}
    LogFormat "%{:event}^SS" session-events
    CustomLog "{dir}/events.json" session-events env=SIGNED_SESSION_EVENT
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable *
    </Location>
    <Location "/login">
        SignedSessionClear Before
        SignedSessionSet user alice
    </Location>
'''
FILES = {'htdocs/login': 'x'}
TRACE = '0af7651916cd43dd8448eb211c80319c'
OTHER = 'another-secret-of-the-tests-0123456789abcdef'


@pytest.fixture
def server():
    with Server(CONF, files=FILES, more='') as running:
        yield running


def events(server, count):
    """Every line is read by a real parser; there are exactly so many."""
    path = server.dir / 'events.json'
    deadline = time.monotonic() + 5
    while len(path.read_text().splitlines()) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    lines = [json.loads(line) for line in path.read_bytes().decode().splitlines()]
    assert len(lines) == count
    return lines


def test_the_life_of_a_session(server):
    jar = Jar(server)
    jar.request('PATCH', '/session', PATCH, b'{"a":1,"b":2}')
    jar.request('PATCH', '/session', {**PATCH, 'traceparent': f'00-{TRACE}-b7ad6b7169203331-01'}, b'{"a":2,"b":null}')
    jar.request('GET', '/session')
    jar.request('GET', '/login')
    jar.request('DELETE', '/session')
    start, change, login, end = events(server, 4)
    assert [one['event'] for one in (start, change, login, end)] == ['session.start', 'session.change', 'session.start', 'session.end']
    assert (start['state'], start['keys'], start['reason']) == ('none', ['a', 'b'], 'created')
    assert (change['keys'], change['trace_id'], change['counter'], change['key']) == (['a', 'b'], TRACE, 1, 0)
    assert start['session.id'] == change['session.id'] == login['session.previous_id']
    assert login['session.id'] == end['session.id'] != start['session.id']
    assert set(login['keys']) == {'user', 'a'}
    assert re.fullmatch(r'[0-9a-f]{16}', start['session.id'])
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z', start['time'])
    assert (start['client.address'], start['url.path'], start['http.response.status_code']) == ('127.0.0.1', '/session', 200)
    assert 'trace_id' not in start


def test_a_renewal_and_what_is_refused(server):
    server.request('GET', '/file.txt', cookie=native({'a': 1}, renewed=int(time.time()) - 7 * DAY))
    good = native({'a': 1})
    server.request('GET', '/file.txt', cookie=good)
    server.request('GET', '/file.txt', cookie=good[:-3] + 'abc')
    server.request('GET', '/file.txt', cookie='session=nonsense')
    renewed, refused = events(server, 2)
    assert (renewed['event'], renewed['reason'], renewed['keys']) == ('session.renew', 'renewed', [])
    assert (refused['event'], refused['state']) == ('session.refused', 'bad-signature')
    assert 'session.id' not in refused and 'reason' not in refused


def test_no_value_and_nothing_hostile_breaks_a_line(server):
    key = 'k"\\\u00e9</script>'
    server.request('PUT', '/session', {'Content-Type': 'application/json'}, json.dumps({key: 'secret value'}).encode())
    server.request('PATCH', '/session/%ff%22%0a', {**PATCH, 'traceparent': f'00-{"0" * 32}-b7ad6b7169203331-01'}, b'{"a":1}')
    for trace in (f'"}}{"x" * 30}-b7ad6b7169203331', f'{TRACE.upper()}-b7ad6b7169203331', f'{TRACE}-b7ad6b716920333"'):
        server.request('PATCH', '/session', {**PATCH, 'traceparent': f'00-{trace}-01'}, b'{"a":1}')
    lines = events(server, 4)
    assert lines[0]['keys'] == [key]
    assert all('trace_id' not in line for line in lines)
    assert 'secret value' not in (server.dir / 'events.json').read_text()


def test_with_a_store(start):
    server = start(CONF, files=FILES, more='SignedSessionStore file')
    jar = Jar(server)
    jar.request('PATCH', '/session', PATCH, b'{"a":1}')
    jar.request('PATCH', '/session', PATCH, b'{"a":2}')
    one, other = events(server, 2)
    assert one['session.id'] == other['session.id'] and other['counter'] == 1
