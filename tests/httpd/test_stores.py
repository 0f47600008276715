# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""SignedSessionStore: sessions that live in a store, and what becomes of them."""

import concurrent.futures
import json
import os
import re
import time

import pytest

from common import JSON, PATCH
from cookies import REFERENCE, Native
from harness import Jar, Server, cgi_module, configtest

CONF = '''
    {store}
    SignedSession On
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable a b cart text
    </Location>
    <Location "/clear">
        SignedSessionClear On
    </Location>
    <Location "/login">
        SignedSessionClear Before cart
        SignedSessionSet user alice
    </Location>
    <Location "/guarded">
        Require signed-session user alice
    </Location>
    <Location "/guest">
        SignedSessionUnavailable anonymous
    </Location>
'''
FILES = {f'htdocs/{name}': 'a page' for name in ('clear', 'login', 'guarded', 'guest')}


@pytest.fixture(scope='module')
def server():
    with Server(CONF, store='SignedSessionStore file', files=FILES) as running:
        yield running


def get(jar):
    return json.loads(jar.request('GET', '/session').body)


def patch(jar, change, status=200):
    response = jar.request('PATCH', '/session', PATCH, json.dumps(change).encode())
    assert response.status == status, response.body
    return response


def cookie_of(jar):
    return Native.open(jar.cookies['session'])


def test_a_session_lives_in_the_store(server):
    jar = Jar(server)
    assert json.loads(patch(jar, {'a': 1}).body) == {'a': 1}
    assert cookie_of(jar).flags == REFERENCE and len(jar.cookies['session']) == 91
    first = cookie_of(jar)
    patch(jar, {'b': 2})
    second = cookie_of(jar)
    assert get(jar) == {'a': 1, 'b': 2}
    assert (first.id, first.counter, second.id, second.counter) == (first.id, 1, first.id, 2)
    assert first.created == second.created


def test_an_older_cookie_leads_to_the_same_session(server):
    jar = Jar(server)
    patch(jar, {'a': 1})
    old = dict(jar.cookies)
    patch(jar, {'a': 2})
    jar.cookies = old
    assert get(jar) == {'a': 2}
    patch(jar, {'b': 3})
    assert get(jar) == {'a': 2, 'b': 3}


def test_an_ended_session_has_ended_for_every_cookie(server):
    jar, copy = Jar(server), Jar(server)
    patch(jar, {'a': 1})
    copy.cookies = dict(jar.cookies)
    assert jar.request('DELETE', '/session').status == 204
    assert not jar.cookies
    assert get(copy) == {}
    assert b'SS0403' in patch(copy, {'b': 1}, 409).body
    state = json.loads(copy.request('GET', '/session?meta').body)
    assert state == {'state': 'expired-idle', 'cookies': 1}


def test_a_record_that_does_not_open_is_told_of(start):
    server = start(CONF, store='SignedSessionStore file', files=FILES)
    jar = Jar(server)
    patch(jar, {'a': 1})
    (record,) = records(server)
    text, times = record.read_bytes(), record.stat()

    def write(altered):
        record.write_bytes(altered)
        os.utime(record, ns=(times.st_atime_ns, times.st_mtime_ns))  # its time is its expiry

    write(text[:-1] + bytes([text[-1] ^ 1]))
    assert jar.request('GET', '/session?meta').json()['state'] == 'malformed'
    server.expect('SS0405', 'malformed')
    write(text)
    assert get(jar) == {'a': 1}


def test_whose_module_is_not_loaded_is_said():
    rc, text = configtest('SignedSessionStore redis:127.0.0.1:6379')
    assert rc == 1 and 'there is no store "redis"' in text and '(load mod_signed_session_redis)' in text


@pytest.mark.parametrize('timeouts, is_accepted', [
    ('SignedSessionIdleTimeout none', False), ('SignedSessionIdleTimeout none\nSignedSessionAbsoluteTimeout none', False),
    ('SignedSessionIdleTimeout none\nSignedSessionAbsoluteTimeout 1d', True), ('SignedSessionAbsoluteTimeout none', True)])
def test_no_store_takes_sessions_that_would_never_end(timeouts, is_accepted):
    rc, text = configtest(f'SignedSessionStore file\n{timeouts}')
    assert (rc == 0, 'SS0413: SignedSessionStore: sessions would never end' in text) == (is_accepted, not is_accepted)
    rc, text = configtest(f'SignedSessionStore cookie\n{timeouts}')
    assert rc == 0, text


# --- two requests, one session -------------------------------------------------------------------

# Answers with an update once the file GO is there: meanwhile others change the session.
SLOW = '''#!/bin/sh
touch {go}.started
while [ ! -e {go} ]; do sleep 0.05; done
printf 'Content-Type: text/plain\\nX-Session-Update: {update}\\n\\nok\\n'
'''
SLOW_CONF = CONF + '''
    <IfModule cgid_module>
        ScriptSock {{dir}}/cgisock
    </IfModule>
    ScriptAlias "/cgi/" "{{dir}}/cgi/"
    <Location "/cgi">
        SignedSessionUpdate X-Session-Update
    </Location>
    <Location "/cgi/login">
        SignedSessionClear Before cart
        SignedSessionSet user alice
    </Location>
'''


def records(running):
    return [path for path in (running.dir / 'sessions').glob('*/*') if not path.name.startswith('.')]


def live_records(running):
    return [path for path in records(running) if not path.read_bytes()[13]]


class Slow:
    """A server with a request that changes the session of `jar` by `update` when it is let go."""

    def __init__(self, running, jar, path='/cgi/slow'):
        self.running, self.jar, self.path = running, Jar(running), path
        self.jar.cookies = dict(jar.cookies)
        self.go = running.dir / 'signs/go'
        self.started = running.dir / 'signs/go.started'

    def __enter__(self):
        self.go.unlink(missing_ok=True)
        self.started.unlink(missing_ok=True)
        self.pool = concurrent.futures.ThreadPoolExecutor(1)
        self.answer = self.pool.submit(self.jar.request, 'GET', self.path)
        deadline = time.monotonic() + 10
        while not self.started.exists():  # it has loaded the session by then
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return self

    def __exit__(self, *error):
        self.go.write_text('')
        self.response = self.answer.result()
        self.pool.shutdown()


@pytest.fixture(scope='module')
def slow():
    def script(update):
        return SLOW.format(go='{dir}/signs/go', update=update)
    files = {'signs/': '', 'cgi/slow': script('{"b":"slow"}'), 'cgi/cart': script('{"cart":{"slow":1}}'), 'cgi/login': script('{"b":1}'), 'cgi/end': script('null'), **FILES}
    conf = SLOW_CONF.replace('{{', '{').replace('}}', '}')
    running = Server(conf, store='SignedSessionStore file', modules=f'alias {cgi_module()}', files=files)
    with running:
        for path in (running.dir / 'cgi').iterdir():
            path.write_text(path.read_text().replace('{dir}', str(running.dir)))
        yield running


def test_changes_of_two_requests_at_once_are_both_there(slow):
    jar = Jar(slow)
    patch(jar, {'a': 1})
    with Slow(slow, jar) as other:
        patch(jar, {'a': 2})
    assert get(jar) == get(other.jar) == {'a': 2, 'b': 'slow'}
    assert cookie_of(other.jar).counter == 3


def test_a_patch_is_made_again_not_its_result(slow):
    jar = Jar(slow)
    patch(jar, {'cart': {'x': 1}})
    with Slow(slow, jar, '/cgi/cart'):
        patch(jar, {'cart': {'y': 2}})
    assert get(jar) == {'cart': {'x': 1, 'y': 2, 'slow': 1}}


def test_a_request_cannot_bring_back_what_has_ended(slow):
    jar = Jar(slow)
    patch(jar, {'a': 1})
    with Slow(slow, jar) as other:
        jar.request('DELETE', '/session')
    assert other.response.status == 200 and not other.response.set_cookies()
    slow.expect('SS0403')
    assert get(other.jar) == {}


def test_a_login_that_was_under_way_does_not_bring_it_back_either(slow):
    """It would get another id, and what the session held would go on under that."""
    before = len(live_records(slow))
    for meanwhile in (lambda jar: jar.request('DELETE', '/session'), lambda jar: jar.request('GET', '/login')):
        jar = Jar(slow)
        patch(jar, {'cart': [1]})
        with Slow(slow, jar, '/cgi/login') as other:
            meanwhile(jar)
        assert other.response.status == 200 and not other.response.set_cookies()
        slow.expect('SS0403')
        assert get(other.jar) == {}
    assert get(jar) == {'cart': [1], 'user': 'alice'}
    assert len(live_records(slow)) == before + 1


def test_a_login_takes_along_what_was_saved_meanwhile(slow):
    jar = Jar(slow)
    patch(jar, {'cart': [1]})
    before = cookie_of(jar)
    with Slow(slow, jar, '/cgi/login') as other:
        patch(jar, {'cart': [1, 2]})
    assert get(other.jar) == {'cart': [1, 2], 'b': 1, 'user': 'alice'}
    after = cookie_of(other.jar)
    assert after.id != before.id and after.counter in (1, 2)
    assert get(jar) == {}  # the old session is closed
    assert not patch(jar, {'a': 1}, 409).set_cookies()  # which would take the login's place


def test_an_end_wins_over_every_change(slow):
    jar = Jar(slow)
    patch(jar, {'a': 1})
    with Slow(slow, jar, '/cgi/end') as other:
        patch(jar, {'a': 2})
    assert not other.jar.cookies
    assert get(jar) == {}


# --- a response that is prepared twice -----------------------------------------------------------

TWICE_CONF = CONF + '''
    <Location "/count">
        SignedSessionSet a once
        SignedSessionSet b "%{{HTTP:X-B}}"
    </Location>
'''
RANGE = ('Range', 'bytes=99999-')


@pytest.fixture(scope='module')
def twice():
    files = {'htdocs/count': 'a page', **FILES}
    with Server(TWICE_CONF.replace('{{', '{').replace('}}', '}'), store='SignedSessionStore file', files=files) as running:
        yield running


def test_a_second_response_is_saved_once_more_under_the_same_id(twice):
    jar = Jar(twice)
    before = len(records(twice))
    assert jar.request('GET', '/count', [RANGE]).status == 416
    assert get(jar) == {'a': 'once'}
    assert len(records(twice)) == before + 1
    cookie = cookie_of(jar)
    assert jar.request('GET', '/count', [RANGE, ('X-B', 'two')]).status == 416
    assert get(jar) == {'a': 'once', 'b': 'two'}
    assert (cookie_of(jar).id, cookie_of(jar).counter) == (cookie.id, 2)


# --- migrations ----------------------------------------------------------------------------------


def move(running, places):
    """Other places from now on."""
    path = running.dir / 'httpd.conf'
    path.write_text(re.sub('SignedSessionStore .*', f'SignedSessionStore {places}', path.read_text()))
    running.end_process()
    running.launch()


@pytest.fixture
def moving(request):
    with Server(CONF, store=f'SignedSessionStore {request.param}', files=FILES) as running:
        yield running


@pytest.mark.parametrize('moving', ['cookie'], indirect=True)
def test_nobody_is_logged_out_by_a_store_or_by_its_end(moving):
    jar, idle = Jar(moving), Jar(moving)
    patch(jar, {'a': 1})
    patch(idle, {'a': 'idle'})
    move(moving, 'file')
    assert get(jar) == {'a': 1}
    assert cookie_of(jar).flags == 0  # until it changes
    first = cookie_of(jar)
    patch(jar, {'b': 2})
    assert (cookie_of(jar).flags, cookie_of(jar).id, cookie_of(jar).counter) == (REFERENCE, first.id, 2)
    move(moving, 'cookie file')
    assert get(jar) == {'a': 1, 'b': 2} and get(idle) == {'a': 'idle'}
    patch(jar, {'b': 3})
    assert (cookie_of(jar).flags, cookie_of(jar).id) == (0, first.id)
    assert cookie_of(jar).counter == 3
    move(moving, 'cookie')
    assert get(jar) == {'a': 1, 'b': 3}


@pytest.mark.parametrize('moving', ['cookie'], indirect=True)
def test_a_record_is_newer_than_the_cookie_that_it_came_from(moving):
    """Two browsers' worth of one cookie: what was saved in the store is not undone by the other."""
    jar, late = Jar(moving), Jar(moving)
    patch(jar, {'a': 1})
    late.cookies = dict(jar.cookies)
    move(moving, 'file')
    patch(jar, {'b': 2})
    patch(late, {'text': 'late'})
    assert get(jar) == get(late) == {'a': 1, 'b': 2, 'text': 'late'}


@pytest.mark.parametrize('moving', ['cookie'], indirect=True)
def test_what_is_there_already_is_led_to(moving):
    """The answer to a change got lost, and it is asked for again with the cookie from before there was a store."""
    jar, again = Jar(moving), Jar(moving)
    patch(jar, {'a': 1})
    again.cookies = dict(jar.cookies)
    move(moving, 'file')
    patch(jar, {'b': 2})
    assert patch(again, {'b': 2}).json() == {'a': 1, 'b': 2}
    assert get(again) == {'a': 1, 'b': 2}
    assert (cookie_of(again).flags, cookie_of(again).counter) == (REFERENCE, 2)
    assert not patch(again, {'b': 2}).set_cookies()


@pytest.mark.parametrize('moving', ['file'], indirect=True)
def test_a_cookie_that_went_on_is_newer_than_its_old_record(moving):
    jar = Jar(moving)
    patch(jar, {'a': 1})
    move(moving, 'cookie file')
    patch(jar, {'a': 2})
    patch(jar, {'a': 3})
    move(moving, 'file')
    patch(jar, {'b': 1})
    assert get(jar) == {'a': 3, 'b': 1}
    assert cookie_of(jar).flags == REFERENCE


@pytest.mark.parametrize('moving', ['file'], indirect=True)
def test_from_store_to_store(moving):
    jar, ended = Jar(moving), Jar(moving)
    patch(jar, {'a': 1})
    patch(ended, {'a': 1})
    copy, copy_of_ended = Jar(moving), Jar(moving)
    copy.cookies, copy_of_ended.cookies = dict(jar.cookies), dict(ended.cookies)
    move(moving, f'file:{moving.dir}/others file')
    assert get(jar) == {'a': 1}
    patch(jar, {'a': 2})
    assert get(copy) == {'a': 2}
    assert ended.request('DELETE', '/session').status == 204
    assert get(copy_of_ended) == {}
    move(moving, f'file:{moving.dir}/others')
    assert get(jar) == get(copy) == {'a': 2}
    move(moving, f'file')
    assert get(copy) == {}  # it was closed there


def test_servers_may_change_over_one_after_the_other(start):
    """Whoever comes to both meanwhile is logged out by neither, and what he changes is kept."""
    first = start(CONF, store='SignedSessionStore file', files=FILES)
    old, new = f'file:{first.dir}/sessions', f'file:{first.dir}/others'
    second = start(CONF, store=f'SignedSessionStore {old} {new}', files=FILES)
    jar = Jar(first)
    patch(jar, {'a': 1})
    move(first, f'{new} {old}')
    patch(jar, {'a': 2})  # it has moved
    there, ended = Jar(second), Jar(second)
    there.cookies, ended.cookies = dict(jar.cookies), dict(jar.cookies)
    assert get(there) == {'a': 2}
    patch(there, {'b': 1})  # it stays where it is
    patch(jar, {'b': 2})
    patch(there, {'cart': []})
    assert get(jar) == get(there) == {'a': 2, 'b': 2, 'cart': []}
    assert cookie_of(there).counter == 5
    assert there.request('DELETE', '/session').status == 204
    assert get(jar) == get(ended) == {}
    assert b'SS0403' in patch(jar, {'a': 1}, 409).body and b'SS0403' in patch(ended, {'a': 1}, 409).body


# --- overflow ------------------------------------------------------------------------------------


@pytest.mark.parametrize('moving', ['cookie file'], indirect=True)
def test_a_session_that_outgrows_the_cookie(moving):
    jar = Jar(moving)
    patch(jar, {'a': 1})
    assert cookie_of(jar).flags == 0
    patch(jar, {'text': 'x' * 5000})
    assert cookie_of(jar).flags == REFERENCE
    assert get(jar) == {'a': 1, 'text': 'x' * 5000}
    patch(jar, {'text': 'x' * 2700})  # 3742 bytes of base64: it would fit, but leave no room
    assert cookie_of(jar).flags == REFERENCE
    patch(jar, {'text': 'x' * 1000})
    assert cookie_of(jar).flags == 0
    patch(jar, {'text': 'y' * 6000})
    assert get(jar) == {'a': 1, 'text': 'y' * 6000}
    assert cookie_of(jar).counter == 5


@pytest.mark.parametrize('moving', ['cookie file'], indirect=True)
def test_no_longer_than_the_store_takes(moving):
    jar = Jar(moving)
    for _ in range(5):
        patch(jar, {'a': 'x' * 15000})
        patch(jar, {'b': 'x' * 15000})
        patch(jar, {'cart': 'x' * 15000})
        patch(jar, {'text': 'x' * 15000})
    refused = jar.request('PUT', '/session/text', JSON, json.dumps('x' * 16000).encode())
    assert refused.status == 204


def test_what_was_saved_meanwhile_and_does_not_open_is_not_replaced(slow):
    """Each save begins with other bytes; what this one holds, nobody can say."""
    jar = Jar(slow)
    patch(jar, {'a': 1})
    id = cookie_of(jar).id.hex()
    record = slow.dir / 'sessions' / id[:2] / id[2:]
    text, times = record.read_bytes(), record.stat()

    def write(altered):
        record.write_bytes(altered)
        os.utime(record, ns=(times.st_atime_ns, times.st_mtime_ns))  # its time is its expiry

    with Slow(slow, jar) as other:
        write(bytes([text[0], text[1] ^ 1]) + text[2:])
    assert other.response.status == 200 and not other.response.set_cookies()
    slow.expect('SS0405: the record of a session does not open', 'SS0402', 'its record does not open')
    write(text)
    assert get(jar) == {'a': 1}


def test_a_change_that_another_request_has_made_already_is_acknowledged(slow):
    """The client learns what the store has, whoever was faster."""
    jar = Jar(slow)
    patch(jar, {'a': 1})
    with Slow(slow, jar) as other:
        patch(jar, {'b': 'slow'})
    assert get(jar) == {'a': 1, 'b': 'slow'}
    assert cookie_of(other.jar).counter == cookie_of(jar).counter == 2
