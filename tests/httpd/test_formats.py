# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What each format does in httpd beyond the sealing itself; cookies are made and opened with ssctl."""

import json
import os
import subprocess
import time

import pytest

from backends import HttpBackend, http_answer
from common import DAY, ENDPOINT, JSON, is_secret
from cookies import Native, native, opened
from harness import SECRET, Jar

FORMATS = ['native', 'starlette', 'flask', 'django', 'express']
CONF = ENDPOINT + 'SignedSessionFormat {formats}\n{more}\n'


def ssctl(*words):
    done = subprocess.run([os.environ['SS_SSCTL'], *map(str, words)], capture_output=True, text=True,
                          env={**os.environ, 'SIGNED_SESSION_SECRET': SECRET})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def cookie_of(format_name, session, *words):
    """A Cookie header with this session."""
    made = ssctl('seal', '--format', format_name, *words, json.dumps(session))
    return made if format_name == 'express' else f'session={made}'


def opens(format_name, response, names=('session', 'session.sig')):
    """What the cookies of a response hold."""
    if format_name == 'native':
        return opened(response).data
    cookies = '; '.join(f'{name}={response.cookie(name)}' for name in names if response.cookie(name))
    return json.loads(ssctl('open', '--format', format_name, cookies))


def attributes(line):
    return {part.strip() for part in line.split(';')[1:]}


def max_age(response):
    return {int(part[8:]) for line in response.set_cookies() for part in attributes(line) if part.startswith('Max-Age=')}


@pytest.fixture
def serve(start):
    def serve_formats(formats, more=''):
        return start(CONF.replace('{formats}', formats).replace('{more}', more))
    return serve_formats


# --- every format --------------------------------------------------------------------------------


@pytest.mark.parametrize('name', FORMATS)
def test_a_session_lives_in_a_browser(serve, name):
    jar = Jar(serve(name))
    assert jar.request('PUT', '/session/user', JSON, '"alice"').status == 201
    assert jar.request('POST', '/session', JSON, '{"n": [1, 2.50]}').status == 200
    assert jar.request('GET', '/session').text == '{"user":"alice","n":[1,2.50]}\n'
    assert jar.request('GET', '/session?meta').json()['format'] == name
    assert set(jar.cookies) == ({'session', 'session.sig'} if name == 'express' else {'session'})
    assert jar.request('DELETE', '/session').status == 204
    assert jar.cookies == {}
    assert jar.request('GET', '/session').text == '{}\n'


@pytest.mark.parametrize('old', FORMATS)
@pytest.mark.parametrize('new', FORMATS)
def test_a_migration_logs_nobody_out(serve, old, new):
    if old == new:
        return
    server = serve(f'{new} {old}')
    server.allow('SS0116')
    response = server.request('PUT', '/session/n', JSON, '1', cookie=cookie_of(old, {'user': 'alice'}))
    assert response.status == 201
    assert opens(new, response) == {'user': 'alice', 'n': 1}


# --- two cookies ---------------------------------------------------------------------------------


def test_both_cookies_look_alike(serve):
    server = serve('express', 'SignedSessionCookie session Path=/ SameSite=Strict Priority=High')
    response = server.request('PUT', '/session/user', JSON, '"alice"')
    lines = response.get_all('Set-Cookie')
    assert [line.split('=')[0] for line in lines] == ['session', 'session.sig']
    assert attributes(lines[0]) == attributes(lines[1]) >= {'SameSite=Strict', 'Priority=High', 'HttpOnly', 'Path=/'}


def test_both_cookies_are_deleted(serve):
    response = serve('express').request('DELETE', '/session', cookie=cookie_of('express', {'user': 'alice'}))
    lines = response.get_all('Set-Cookie')
    assert [line.split(';')[0] for line in lines] == ['session=', 'session.sig=']
    assert attributes(lines[0]) == attributes(lines[1]) >= {'Max-Age=0', 'Path=/'}


@pytest.mark.parametrize('cookie', [
    'session={value}', 'session={value}; session.sig=', 'session={value}; session.sig={other}', 'session.sig={sig}',
    'session=; session.sig={sig}'])
def test_wrong_or_missing_halves_are_refused(serve, cookie):
    value, sig = [part.partition('=')[2] for part in cookie_of('express', {'user': 'alice'}).split('; ')]
    other = cookie_of('express', {'user': 'eve'}).rpartition('=')[2]
    header = cookie.format(value=value, sig=sig, other=other)
    server = serve('express')
    state = server.request('GET', '/session?meta', cookie=header).json()['state']
    assert state == ('none' if header.startswith('session.sig') else 'bad-signature')
    assert server.request('GET', '/session', cookie=header).get_all('Set-Cookie') == []


def test_both_cookies_count_together(serve):
    made = json.loads(ssctl('seal', '--json', '--format', 'express', '{"user":"alice"}'))
    assert serve('express', f'SignedSessionMaxSize {made["bytes"]}').request(
        'PUT', '/session/user', JSON, '"alice"').status == 201
    response = serve('express', f'SignedSessionMaxSize {made["bytes"] - 1}').request(
        'PUT', '/session/user', JSON, '"alice"')
    assert response.status == 413 and ' 1 bytes over' in response.json()['detail']
    assert response.get_all('Set-Cookie') == []


def test_a_left_over_companion_goes_with_the_first_write(serve):
    server = serve('native express')
    server.allow('SS0116')
    jar = Jar(server)
    for part in cookie_of('express', {'user': 'alice'}).split('; '):
        jar.keep(part)
    assert jar.request('GET', '/session').get_all('Set-Cookie') == []  # nothing is due: it waits
    lines = jar.request('PUT', '/session/n', JSON, '1').get_all('Set-Cookie')
    assert [line.partition('=')[0] for line in lines] == ['session', 'session.sig']
    assert 'Max-Age=0' in attributes(lines[1]) and set(jar.cookies) == {'session'}
    assert [line.partition('=')[0] for line in jar.request('PUT', '/session/n', JSON, '2').get_all('Set-Cookie')] == [
        'session']


def test_express_is_renewed_only_with_always(serve):
    cookie = cookie_of('express', {'user': 'alice'}, '--now', 1)
    for renew, lines in (('', 0), ('SignedSessionRenew 0%', 0), ('SignedSessionRenew always', 2)):
        response = serve('express', renew).request('GET', '/session', cookie=cookie)
        assert response.json() == {'user': 'alice'} and len(response.get_all('Set-Cookie')) == lines


def test_both_cookies_are_hidden_together(start):
    backend = HttpBackend({'show': lambda head: http_answer('200 OK', body=head.encode())})
    with backend:
        server = start(CONF.replace('{formats}', 'express').replace('{more}', f'''
            SignedSessionStripCookie on
            ProxyPass "/app" "http://127.0.0.1:{backend.port}/" disablereuse=On'''), 'proxy proxy_http')
        cookie = 'a=b; ' + cookie_of('express', {'user': 'alice'}) + '; c=d'
        head = server.request('GET', '/app/show', cookie=cookie).text
    assert 'Cookie: a=b; c=d\r\n' in head + '\r\n' and 'session' not in head


def express_answer(*sessions):
    """An application's answer that stores these, one after the other."""
    lines = [f'Set-Cookie: {part}; path=/; httponly'
             for session in sessions for part in cookie_of('express', session).split('; ')]
    return http_answer('200 OK', *lines)


@pytest.mark.parametrize('update, want', [(None, {'user': 'bob'}), ('{"n": 1}', {'user': 'bob', 'n': 1})])
def test_what_the_application_sets_itself_comes_first(start, update, want):
    """Nothing pending: both of its lines pass untouched. Otherwise ours goes on top of what they say."""
    theirs = express_answer({'user': 'bob'})
    if update is not None:
        theirs = theirs.replace(b'\r\n\r\n', f'\r\nX-Update: {update}\r\n\r\n'.encode(), 1)
    with HttpBackend({'store': theirs}) as backend:
        server = start(CONF.replace('{formats}', 'express').replace('{more}', f'''
            ProxyPass "/app" "http://127.0.0.1:{backend.port}/" disablereuse=On
            <Location "/app">
                SignedSessionUpdate X-Update
            </Location>'''), 'proxy proxy_http')
        response = server.request('GET', '/app/store', cookie=cookie_of('express', {'user': 'alice', 'old': 1}))
    assert len(response.get_all('Set-Cookie')) == 2 and opens('express', response) == want
    assert all('; path=/; httponly' in line for line in response.get_all('Set-Cookie'))


# --- who decides how long ------------------------------------------------------------------------


@pytest.mark.parametrize('name, session, want', [
    ('flask', {'a': 1}, set()), ('flask', {'_permanent': True}, {31 * DAY}), ('flask', {'_permanent': False}, set()),
    ('django', {'a': 1}, {14 * DAY}), ('django', {'_session_expiry': 300}, {300}),
    ('django', {'_session_expiry': 0}, set()), ('starlette', {'a': 1}, {14 * DAY}), ('native', {'a': 1}, {14 * DAY})])
def test_the_document_may_decide_max_age(serve, name, session, want):
    response = serve(name).request('PUT', '/session', JSON, json.dumps(session))
    assert response.status == 204 and max_age(response) == want


def test_the_expiry_of_django_is_no_check_of_time(serve):
    cookie = cookie_of('django', {'_session_expiry': 60}, '--now', int(time.time()) - 3600)
    assert serve('django').request('GET', '/session', cookie=cookie).json() == {'_session_expiry': 60}


@pytest.mark.parametrize('formats, age, state', [
    ('flask', 30, 'valid'), ('flask', 32, 'expired-idle'), ('django', 13, 'valid'), ('django', 15, 'expired-idle'),
    ('starlette flask', 15, 'expired-idle')])
def test_the_idle_timeout_is_that_of_the_format_written(serve, formats, age, state):
    read = formats.split()[-1]
    cookie = cookie_of(read, {'a': 1}, '--now', int(time.time()) - age * DAY)
    assert serve(formats).request('GET', '/session?meta', cookie=cookie).json()['state'] == state


def test_a_written_idle_timeout_goes_before(serve):
    cookie = cookie_of('flask', {'a': 1}, '--now', int(time.time()) - 7200)
    server = serve('flask', 'SignedSessionIdleTimeout 1h')
    assert server.request('GET', '/session?meta', cookie=cookie).json()['state'] == 'expired-idle'


# --- type tags -----------------------------------------------------------------------------------

TAGGED = {'when': {' d': 'Thu, 01 Jan 2026 00:00:00 GMT'}, 'deep': [{'x': {' t': [1]}}]}


def test_type_tags_pass_through_untouched(serve):
    response = serve('flask').request('PUT', '/session/n', JSON, '1', cookie=cookie_of('flask', TAGGED))
    assert response.status == 201 and opens('flask', response) == {**TAGGED, 'n': 1}


@pytest.mark.parametrize('method, path, body', [
    ('PUT', '/session/x', '{" t": [1]}'), ('PUT', '/session/x', '[{"a": {" m": "<b>"}}]'), ('PUT', '/session/%20t', '1'),
    ('PUT', '/session', '{" b": "AA=="}'), ('PUT', '/session/x', r'{"\u0020t": [1]}'),
    ('PATCH', '/session', '{"x": {" t": [1]}}'), ('POST', '/session', '{"x": {" di": {}}}'),
    ('PATCH', '/session', '{"x": {" t": [1], "y": null}}')])
def test_type_tags_are_the_applications_alone(serve, method, path, body):
    headers = {'Content-Type': 'application/merge-patch+json'} if method == 'PATCH' else JSON
    response = serve('flask').request(method, path, headers, body)
    assert response.status == 400 and 'type tag' in response.json()['detail']
    assert response.get_all('Set-Cookie') == []
    assert serve('django').request(method, path, headers, body).status in (200, 201, 204)


def test_removing_neighbours_makes_no_type_tag(serve):
    cookie = cookie_of('flask', {' t': [1], 'n': 1})
    response = serve('flask').request('DELETE', '/session/n', cookie=cookie)
    assert response.status == 400 and response.get_all('Set-Cookie') == []


@pytest.mark.parametrize('patch', ['{"x": {" t": [1]}}', '{"x": {" t": [1], "y": null}}'])
def test_an_update_with_a_type_tag_is_ignored(start, patch):
    with HttpBackend({'update': http_answer('200 OK', f'X-Update: {patch}')}) as backend:
        server = start(CONF.replace('{formats}', 'flask').replace('{more}', f'''
            ProxyPass "/app" "http://127.0.0.1:{backend.port}/" disablereuse=On
            <Location "/app">
                SignedSessionUpdate X-Update
            </Location>'''), 'proxy proxy_http')
        response = server.request('GET', '/app/update')
        server.expect('SS0303: the update in the response header X-Update was ignored: an object whose only key')
    assert response.status == 200 and response.get_all('Set-Cookie') == [] and response.get('X-Update') is None


# --- encryption ----------------------------------------------------------------------------------


@pytest.mark.parametrize('name, value, why', [
    ('flask', None, 'more than 64 KiB of JSON'), ('django', None, 'more than 64 KiB of JSON'),
    ('flask', '1' * 4301, 'more than 4300 digits'), ('django', '1' * 4301, 'more than 4300 digits')])
def test_nothing_is_saved_that_cannot_be_opened(serve, name, value, why):
    server = serve(name)
    cookie = None
    for key in range(5):
        response = server.request('PUT', f'/session/k{key}', JSON, value or '"%s"' % ('x' * 15000), cookie=cookie)
        if response.status == 413:
            break
        cookie = '; '.join(line.split(';')[0] for line in response.set_cookies())
    assert response.status == 413 and why in response.json()['detail']
    assert not response.set_cookies()
    assert server.request('GET', '/session?meta', cookie=cookie).json()['state'] == ('none' if value else 'valid')


@pytest.mark.in_cookie('encrypted')
def test_encrypted_cookies_hide_the_session(serve):
    server = serve('native', 'SignedSessionEncrypt On\nSignedSessionReveal On')
    response = server.request('PUT', '/session/user', JSON, '"alice"')
    seen = json.loads(ssctl('inspect', '--json', response.cookie()))
    assert seen['kind'] == 'encrypted' and 'session' not in seen
    assert server.request('GET', '/session', cookie=f'session={response.cookie()}').json() == {'user': 'alice'}


def test_both_kinds_are_read_whatever_is_written(serve):
    encrypted = cookie_of('native', {'user': 'alice'}, '--encrypt')
    response = serve('native').request('PUT', '/session/n', JSON, '1', cookie=encrypted)
    assert opened(response).data == {'user': 'alice', 'n': 1}
    response = serve('native', 'SignedSessionEncrypt On\nSignedSessionReveal On').request('PUT', '/session/n', JSON, '1', cookie=native({'a': 1}))
    assert is_secret(response.cookie()) and opened(response).data == {'a': 1, 'n': 1}


def test_an_altered_encrypted_cookie_is_refused(serve):
    server = serve('native', 'SignedSessionEncrypt On\nSignedSessionReveal On')
    value = cookie_of('native', {'user': 'alice'}, '--encrypt').partition('=')[2]
    for at in range(8, len(value), 7):
        altered = value[:at] + ('A' if value[at] != 'A' else 'B') + value[at + 1:]
        state = server.request('GET', '/session?meta', cookie=f'session={altered}').json()['state']
        assert state in ('bad-signature', 'malformed')
    with_signed_flag = Native({'user': 'eve'}, flags=1).seal()
    assert server.request('GET', '/session', cookie=f'session={with_signed_flag}').json() == {}
