# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""One session for httpd and a Starlette application behind it, written by either of them."""

import base64
import json
import math
import socket
import threading
import time

import itsdangerous
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from harness import SECRET, Jar, Server

MONTH = 30 * 24 * 3600
OTHER_SECRET = 'the secret of another application, 0123456789'

# What an application may keep in a session, and httpd must not touch.
AWKWARD = {
    'name': 'Zo\u00eb \U0001f600',
    'escapes': 'a "quote", a / and a \u007f',
    'cart': [1, 2.5, True, None, {'sku': 'a;b,c'}],
    'big': 123456789012345678901234567890,
    'float': 1e16,
    'endless': math.inf,
}


# --- the application --------------------------------------------------------------------------


async def show(request):
    return PlainTextResponse(json.dumps(request.session))


async def store(request):
    request.session.update(json.loads(await request.body()))
    return PlainTextResponse('stored')


async def log_out(request):
    request.session.clear()
    return PlainTextResponse('bye')


async def patch(request):
    """Change the session through httpd, with the response header that SignedSessionUpdate names."""
    return JSONResponse({}, headers={'X-Session-Update': (await request.body()).decode()})


application = Starlette(
    routes=[Route('/{place}/show', show),
            Route('/{place}/store', store, methods=['POST']),
            Route('/{place}/log-out', log_out, methods=['POST']),
            Route('/{place}/patch', patch, methods=['POST'])],
    middleware=[Middleware(SessionMiddleware, secret_key=SECRET)])


@pytest.fixture(scope='module')
def backend():
    """The port of the application's own server."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(application, log_level='error', lifespan='off'))
        thread = threading.Thread(target=server.run, kwargs={'sockets': [listener]})
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


# --- httpd in front of it ---------------------------------------------------------------------

CONF = '''
SignedSession On
SignedSessionFormat starlette
<Location "/session">
    SetHandler signed-session
    SignedSessionWritable *
</Location>
<Location "/marked">
    SignedSessionSet marked "by httpd"
</Location>
<Location "/app">
    SignedSessionUpdate X-Session-Update
</Location>
ProxyPass "/" "http://127.0.0.1:{backend}/" disablereuse=On
'''

READ_ONLY = '''
SignedSession ReadOnly
SignedSessionFormat starlette
<Location "/members">
    Require signed-session user
</Location>
ProxyPass "/" "http://127.0.0.1:{backend}/" disablereuse=On
'''


@pytest.fixture(scope='module')
def server(backend):
    with Server(CONF, 'proxy proxy_http', backend=backend) as httpd:
        yield httpd


@pytest.fixture
def jar(server):
    return Jar(server)


def seen_by_application(jar, place='app'):
    response = jar.request('GET', f'/{place}/show')
    assert response.status == 200
    return response.json()


def seen_by_httpd(jar):
    response = jar.request('GET', '/session')
    assert response.status == 200
    return response.json()


def log_in(jar, place='app', **more):
    response = jar.request('POST', f'/{place}/store', body={'user': 'alice', **more})
    assert response.status == 200
    assert len(response.set_cookies()) == 1


def signed_at(seconds, session, secret=SECRET):
    """A cookie as the application would have signed it at another time."""

    class OtherTime(itsdangerous.TimestampSigner):
        def get_timestamp(self):
            return int(seconds)

    return OtherTime(secret).sign(base64.b64encode(json.dumps(session).encode())).decode()


# --- tests ------------------------------------------------------------------------------------


def test_the_application_writes_and_httpd_reads(jar):
    log_in(jar, n=1)

    assert seen_by_httpd(jar) == {'user': 'alice', 'n': 1}
    meta = jar.request('GET', '/session?meta').json()
    assert (meta['state'], meta['format']) == ('valid', 'starlette')


def test_httpd_writes_and_the_application_reads(jar):
    assert jar.request('PUT', '/session/user', {'Content-Type': 'application/json'}, '"bob"').status == 201

    assert seen_by_application(jar) == {'user': 'bob'}


def test_the_set_cookie_of_httpd_is_like_that_of_the_application(jar):
    theirs = jar.request('POST', '/app/store', body={'user': 'alice'}).set_cookies()[0]
    ours = jar.request('PUT', '/session/n', {'Content-Type': 'application/json'}, '1').set_cookies()[0]

    def attributes(line):
        return {part.strip().lower() for part in line.split(';')[1:]}

    assert attributes(ours) == attributes(theirs)


def test_both_change_it_in_turn(jar):
    log_in(jar)
    jar.request('POST', '/session', {'Content-Type': 'application/json'}, '{"from_httpd": [1, 2]}')
    jar.request('POST', '/app/store', body={'from_application': True})

    everything = {'user': 'alice', 'from_httpd': [1, 2], 'from_application': True}
    assert seen_by_httpd(jar) == everything
    assert seen_by_application(jar) == everything


def test_values_that_httpd_does_not_touch_stay_as_they_are(jar):
    log_in(jar, **AWKWARD)
    jar.request('PUT', '/session/n', {'Content-Type': 'application/json'}, '1')

    assert seen_by_application(jar) == {'user': 'alice', **AWKWARD, 'n': 1}


def test_the_application_ends_it(jar):
    log_in(jar)
    jar.request('POST', '/app/log-out', body='')

    assert jar.session is None
    assert seen_by_httpd(jar) == {}
    assert seen_by_application(jar) == {}


def test_httpd_ends_it(jar):
    log_in(jar)
    assert jar.request('DELETE', '/session').status == 204

    assert jar.session is None
    assert seen_by_application(jar) == {}


def test_httpd_removes_one_key(jar):
    log_in(jar, n=1)
    assert jar.request('DELETE', '/session/n').status == 204

    assert seen_by_application(jar) == {'user': 'alice'}


def test_the_cookie_of_the_application_passes_untouched(server):
    """Nothing is pending in httpd: what goes out is the very line that the application wrote."""
    response = server.request('POST', '/app/store', body={'user': 'alice'})

    assert response.set_cookies() == response.get_all('Set-Cookie')
    assert response.set_cookies()[0].endswith('; path=/; Max-Age=1209600; httponly; samesite=lax')
    signed = itsdangerous.TimestampSigner(SECRET).unsign(response.cookie())
    assert base64.b64decode(signed) == b'{"user": "alice"}'


def test_changes_of_httpd_come_on_top_of_what_the_application_wrote(jar):
    """Both write in one response: one cookie, with both."""
    log_in(jar, place='marked')

    assert seen_by_httpd(jar) == {'user': 'alice', 'marked': 'by httpd'}
    assert seen_by_application(jar) == {'user': 'alice', 'marked': 'by httpd'}


def test_the_end_by_the_application_goes_before_changes_of_httpd(jar):
    log_in(jar)
    response = jar.request('POST', '/marked/log-out', body='')

    assert len(response.set_cookies()) == 1
    assert jar.session is None


def test_the_application_changes_it_through_the_update_header(jar):
    log_in(jar, n=1)
    response = jar.request('POST', '/app/patch', body={'n': None, 'theme': 'dark'})

    assert response.get_all('X-Session-Update') == []
    assert len(response.set_cookies()) == 1
    assert seen_by_application(jar) == {'user': 'alice', 'theme': 'dark'}


def test_nothing_is_renewed_by_httpd(server):
    """Only the application knows its lifetime: an old cookie is read, and left alone."""
    cookie = f'session={signed_at(time.time() - 10 * 24 * 3600, {"user": "alice"})}'
    response = server.request('GET', '/session', cookie=cookie)

    assert response.json() == {'user': 'alice'}
    assert response.set_cookies() == []


@pytest.mark.parametrize('what, session, state', [
    ('of another key', signed_at(time.time(), {'user': 'eve'}, OTHER_SECRET), 'bad-signature'),
    ('too old', signed_at(time.time() - MONTH, {'user': 'eve'}), 'expired-idle'),
    ('from the future', signed_at(time.time() + MONTH, {'user': 'eve'}), 'from-future'),
], ids=lambda value: value if isinstance(value, str) and ' ' in value else '')
def test_both_refuse(server, what, session, state):
    cookie = f'session={session}'

    assert server.request('GET', '/session', cookie=cookie).json() == {}
    assert server.request('GET', '/session?meta', cookie=cookie).json()['state'] == state
    assert server.request('GET', '/app/show', cookie=cookie).text == '{}'


def test_httpd_only_guards_what_the_application_logs_in(start, backend):
    server = start(READ_ONLY, 'proxy proxy_http', backend=backend)
    jar = Jar(server)
    server.allow('AH01630')

    assert jar.request('GET', '/members/show').status == 403
    log_in(jar)
    assert seen_by_application(jar, 'members') == {'user': 'alice'}
    jar.request('POST', '/app/log-out', body='')
    assert jar.request('GET', '/members/show').status == 403
