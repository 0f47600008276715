# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""SignedSessionBind: a session is worth nothing without a key that does not leave the browser's device."""

import json
import time

import pytest

from common import ENV_CGI, PATCH
from cookies import BOUND, ENCRYPTED, REFERENCE, Native, starlette
from device import (PATH, PROOF, REFRESH, REGISTRATION, VISIT, Browser, Key, bound, challenge, decoded, identifier, login,
                    proof)
from harness import COOKIE, SECRET, Jar, Server, cgi_module, configtest
from starting import NO_SECRET

CONF = '''
    ServerName https://127.0.0.1:{port}
    SignedSessionCookie session Secure=on
    SignedSessionBind {bind}
    {more}
    SignedSession On
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable a
    </Location>
    <Location "/logout">
        SignedSessionClear On
    </Location>
    <Location "/login">
        SignedSessionSet user bob
    </Location>
    <Location "/before">
        SignedSessionClear Before
        SignedSessionSet user bob
    </Location>
    <Location "/guarded">
        AuthType signed-session
        Require valid-user
    </Location>
    <Location "/off">
        SignedSession Off
    </Location>
    <Location "/env">
        SetHandler cgi-script
        Options +ExecCGI
    </Location>
'''
FILES = {**{f'htdocs/{name}': 'a page' for name in ('logout', 'login', 'before', 'guarded', 'off')}, 'htdocs/env': ENV_CGI, 'log/': ''}
MODULES = f'authn_core authz_user {cgi_module()}'
LOG = 'SignedSessionRevocation file:{dir}/log/revoked'
IN_COOKIE = LOG + '\nSignedSessionStore cookie'
KINDS = {'signed': IN_COOKIE, 'encrypted': IN_COOKIE + '\nSignedSessionEncrypt On\nSignedSessionReveal On',
         'stored': 'SignedSessionStore file', 'in either': LOG + '\nSignedSessionStore cookie file'}


def serve(more=LOG, bind=f'On {PATH}', files=FILES, **values):
    return Server(CONF, MODULES, files, more=more, bind=bind, http2=True, **values)


@pytest.fixture(scope='module')
def server():
    with serve() as running:
        yield running


@pytest.fixture(scope='module', params=KINDS)
def kind(request):
    with serve(KINDS[request.param]) as running:
        running.flag = {'encrypted': ENCRYPTED, 'stored': REFERENCE}.get(request.param, 0)
        running.is_stored = request.param == 'stored'
        yield running


def state(jar):
    return json.loads(jar.request('GET', '/session?meta').body)['state']


def session(jar):
    return json.loads(jar.request('GET', '/session').body)


def copy_of(jar):
    copy = Jar(jar.server)
    copy.cookies = dict(jar.cookies)
    return copy


def with_proof(browser, value):
    jar = copy_of(browser)
    if value is None:
        del jar.cookies[PROOF]
    else:
        jar.cookies[PROOF] = value
    return jar


# --- the offer ------------------------------------------------------------------------------------


def test_who_is_logged_in_is_asked(server, protocol):
    for site in ('none', 'same-origin'):
        value = login(server, protocol).visit(Sec_Fetch_Site=site)
        assert len(decoded(value)) == 26


def test_it_is_asked_in_the_answer_that_logs_in(server, protocol):
    browser = Browser(server, protocol)
    browser.register(browser.visit('/login'))
    assert session(browser) == {'user': 'bob'}


@pytest.mark.parametrize('what, headers', {
    'no navigation': {'Sec-Fetch-Mode': 'cors'}, 'from another site': {'Sec-Fetch-Site': 'cross-site'},
    'from a sibling': {'Sec-Fetch-Site': 'same-site'}, 'a prefetch': {'Sec-Purpose': 'prefetch'}}.items())
def test_others_are_not_asked(server, what, headers):
    response = login(server).ask('GET', '/file.txt', {**VISIT, **headers})
    assert (response.status, response.get('Secure-Session-Registration'), response.get('Cache-Control')) == (200, None, None)


def test_who_is_nobody_or_bound_is_not_asked(server):
    assert Browser(server).visit() is None
    anonymous = Browser(server)
    anonymous.cookies[COOKIE] = Native({'cart': [1]}).seal()
    assert anonymous.visit() is None
    assert bound(server).visit() is None
    for path in ('/off', '/session'):
        assert (login(server).visit(path) is None) == (path == '/off')
    response = login(server).ask('POST', '/file.txt', VISIT)
    assert response.get('Secure-Session-Registration') is None


def test_a_browser_that_cannot_notices_nothing(server):
    jar = login(server)
    jar.visit()
    assert jar.request('GET', '/file.txt').get_all('Set-Cookie') == []
    assert (state(jar), session(jar)) == ('valid', {'user': 'alice'})


def test_nothing_is_offered_by_http(start):
    server = start(CONF.replace('https://', 'http://'), MODULES, FILES, more=LOG, bind=f'On {PATH}')
    browser = login(server)
    assert browser.visit() is None
    value = challenge(REGISTRATION, browser.native)
    assert browser.send_registration(browser.key.jws(value, with_key=True)).status == 403


# --- registration ---------------------------------------------------------------------------------


def test_a_registration_binds(kind, protocol):
    browser = login(kind, protocol, cart=[1, 2])
    browser.cookies[COOKIE] = Native({'user': 'alice', 'cart': [1, 2]}, created=int(time.time()) - 1000).seal()
    if kind.flag:
        browser.request('PATCH', '/session', PATCH, b'{"a":1}')
        browser.request('PATCH', '/session', PATCH, b'{"a":null}')
    old = browser.native
    response = browser.register()
    new = browser.native
    assert (new.data, new.flags & ~BOUND, new.point, new.created, new.counter) == (
        {'user': 'alice', 'cart': [1, 2]}, kind.flag, browser.key.point, old.created, 1)
    assert new.id != old.id
    assert browser.identifier == identifier(new)
    assert response.get('Cache-Control') == 'no-store'
    [line] = response.set_cookies(PROOF)
    assert set(line.split('; ')[1:]) == {'Path=/', 'Max-Age=600', 'Secure', 'HttpOnly', 'SameSite=Lax'}
    assert browser.proof in (proof(new), proof(new, 1))
    assert (state(browser), session(browser)) == ('valid', {'user': 'alice', 'cart': [1, 2]})
    assert browser.ask('GET', '/guarded').status == 200


def test_the_draft_s_quotes_are_understood_too(server):
    browser = login(server)
    response = browser.send_registration(browser.key.jws(browser.visit(), with_key=True), quotes=True)
    browser.note(response)
    response = browser.send_refresh(browser.key.jws(browser.challenge), quotes=True)
    assert response.status == 200
    browser.note(response)


def test_the_old_cookie_is_read_for_a_moment_and_never_written(kind):
    browser = login(kind)
    browser.request('PATCH', '/session', PATCH, b'{"a":1}')
    old = Browser(kind)
    old.cookies = dict(browser.cookies)
    browser.register()
    assert (state(old), session(old)) == ('valid', {'user': 'alice', 'a': 1})
    for method, path, status in (('PATCH', '/session', 409), ('DELETE', '/session', 409), ('GET', '/logout', 200), ('GET', '/login', 200),
                                 ('GET', '/before', 200)):
        response = old.ask(method, path, {**VISIT, **PATCH}, b'{"a":2}' if method == 'PATCH' else None)
        assert (response.status, response.get_all('Set-Cookie')) == (status, []), path
    assert old.visit() is None
    value = challenge(REGISTRATION, old.native)
    assert old.send_registration(old.key.jws(value, with_key=True)).status == 403
    assert session(browser) == {'user': 'alice', 'a': 1}


def test_then_the_old_cookie_is_revoked(server):
    browser = login(server)
    old, id = copy_of(browser), browser.native.id.hex()
    browser.register()
    assert state(old) == 'valid'
    log = server.dir / 'log/revoked'
    line = next(line for line in log.read_text().splitlines() if id in line).split()
    assert (line[:2], int(line[2]) - int(time.time()) in range(25, 31)) == (['replaced', id], True)
    with open(log, 'a') as lines:
        lines.write(f'replaced {Native.open(login(server).session).id.hex()} 1 {line[3]}\n')
    late = login(server)
    with open(log, 'a') as lines:
        lines.write(f'replaced {late.native.id.hex()} {int(time.time()) - 1} {line[3]}\n')
    assert state(late) == 'revoked'


@pytest.mark.once
def test_a_stored_old_session_ends_after_a_moment():
    with serve('SignedSessionStore file') as server:
        browser = login(server)
        browser.request('PATCH', '/session', PATCH, b'{"a":1}')
        old = copy_of(browser)
        browser.register()
        assert state(old) == 'valid'
        time.sleep(31)
        assert state(old) == 'expired-idle'
        assert state(browser) == 'valid'


CALLERS = {
    'from another site': {'Sec-Fetch-Site': 'cross-site'}, 'from a sibling': {'Sec-Fetch-Site': 'same-site'}, 'typed': {'Sec-Fetch-Site': 'none'}}


@pytest.mark.parametrize('headers', CALLERS.values(), ids=CALLERS)
def test_others_cannot_register(server, headers):
    browser = login(server)
    response = browser.send_registration(browser.key.jws(browser.visit(), with_key=True), **headers)
    assert (response.status, response.get_all('Set-Cookie')) == (403, [])


@pytest.mark.parametrize('missing', ['Origin', 'Sec-Fetch-Site'])
def test_who_does_not_say_where_it_comes_from_cannot_register(server, missing):
    browser = login(server)
    headers = {'Sec-Fetch-Site': 'same-origin', 'Origin': 'https://127.0.0.1'}
    del headers[missing]
    jws = browser.key.jws(browser.visit(), with_key=True)
    assert browser.post({**headers, 'Secure-Session-Response': jws}).status == 403


def test_only_a_session_of_somebody_that_is_not_bound_can_be_registered(server):
    browser = bound(server)
    value = challenge(REGISTRATION, browser.native)
    again = browser.send_registration(browser.key.jws(value, with_key=True))
    assert (again.status, again.get_all('Set-Cookie')) == (403, [])
    anonymous = Browser(server)
    anonymous.cookies[COOKIE] = Native({'cart': 1}).seal()
    value = challenge(REGISTRATION, anonymous.native)
    assert anonymous.send_registration(anonymous.key.jws(value, with_key=True)).status == 403
    nobody = Browser(server)
    assert nobody.send_registration(nobody.key.jws(value, with_key=True)).status == 403


CHALLENGES = {
    'of another session': lambda browser: challenge(REGISTRATION, Native({})),
    'of the other purpose': lambda browser: challenge(REFRESH, browser.native),
    'too old': lambda browser: challenge(REGISTRATION, browser.native, 301),
    'from the future': lambda browser: challenge(REGISTRATION, browser.native, -40),
    'of another server': lambda browser: challenge(REGISTRATION, browser.native, secret='another secret of another server, 0123'),
    'cut short': lambda browser: challenge(REGISTRATION, browser.native)[:-1],
    'empty': lambda browser: '',
}


@pytest.mark.parametrize('make', CHALLENGES.values(), ids=CHALLENGES)
def test_a_registration_needs_a_challenge_of_ours(server, make):
    browser = login(server)
    response = browser.send_registration(browser.key.jws(make(browser) or 'x', with_key=True))
    assert (response.status, response.get_all('Set-Cookie')) == (403, [])
    assert state(browser) == 'valid'


def test_a_challenge_may_be_a_bit_early_or_late(server):
    for age in (299, -29):
        browser = login(server)
        browser.register(challenge(REGISTRATION, browser.native, age))


def header(**changes):
    return lambda key: {'alg': 'ES256', 'typ': 'dbsc+jwt', 'jwk': key.jwk, **changes}


FORGERIES = {
    'alg none': {'header': header(alg='none')}, 'RS256': {'header': header(alg='RS256')}, 'another type': {'header': header(typ='JWT')},
    'no key': {'header': lambda key: {'alg': 'ES256', 'typ': 'dbsc+jwt'}},
    'a foreign key': {'header': lambda key: {'alg': 'ES256', 'typ': 'dbsc+jwt', 'jwk': Key().jwk}},
    'members twice': {'header': lambda key: json.dumps(header()(key))[:-1] + ',"alg":"ES256"}'},
    'a signature in DER': {'signature': lambda key: key.der},
    'r is zero': {'signature': lambda key: lambda text: bytes(32) + key.raw(text)[32:]},
    's is zero': {'signature': lambda key: lambda text: key.raw(text)[:32] + bytes(32)},
    'trailing bytes': {'signature': lambda key: lambda text: key.raw(text) + b'\0'},
}


@pytest.mark.parametrize('forgery', FORGERIES.values(), ids=FORGERIES)
def test_a_registration_is_signed_with_its_key(server, forgery):
    browser = login(server)
    value = browser.visit()
    jws = browser.key.jws(value, **{name: make(browser.key) for name, make in forgery.items()} | (
        {} if 'header' in forgery else {'with_key': True}))
    response = browser.send_registration(jws)
    assert response.status in (400, 403) and response.get_all('Set-Cookie') == []
    assert browser.send_registration(browser.key.jws(value, with_key=True)).status == 200


@pytest.mark.parametrize('spoil', [lambda jws: jws + '=', lambda jws: jws + '.', lambda jws: jws[:-2], lambda jws: '!' + jws[1:],
                                   lambda jws: jws.replace('.', '..'), lambda jws: '', lambda jws: jws + 'A' * 4000])
def test_what_is_no_jws_is_refused(server, spoil):
    browser = login(server)
    response = browser.send_registration(spoil(browser.key.jws(browser.visit(), with_key=True)))
    assert response.status in (400, 403) and response.get_all('Set-Cookie') == []


def test_where_the_store_is_away_nobody_registers_and_the_browser_may_try_again(start):
    server = start(CONF, MODULES, FILES, more='SignedSessionStore file', bind=f'On {PATH}')
    browser = login(server)
    browser.request('PATCH', '/session', PATCH, b'{"a":1}')
    jws = browser.key.jws(browser.visit(), with_key=True)
    sessions = server.dir / 'sessions'
    sessions.rename(server.dir / 'away')
    response = browser.send_registration(jws)
    assert (response.status, response.get_all('Set-Cookie')) == (503, [])
    server.expect('SS0401', 'SS0511: whether a session is bound cannot be said: the session could not be loaded')
    (server.dir / 'away').rename(sessions)
    assert browser.send_registration(jws).status == 200


def test_a_registration_that_does_not_fit_is_refused():
    with serve(IN_COOKIE + '\nSignedSessionMaxSize 1000') as server:
        browser = login(server, text='x' * 620)
        response = browser.send_registration(browser.key.jws(browser.visit(), with_key=True))
        server.expect('SS0302')
        assert (response.status, response.get_all('Set-Cookie')) == (413, [])
        assert state(browser) == 'valid'


# --- refresh --------------------------------------------------------------------------------------


def test_a_refresh_gives_a_new_proof(kind, protocol):
    browser = bound(kind, protocol)
    browser.cookies[PROOF] = proof(browser.native, 601)
    assert state(browser) == 'unproven'
    browser.refresh()
    assert state(browser) == 'valid'
    browser.refresh()


def test_a_refresh_needs_no_cookie(server, protocol):
    browser = bound(server, protocol)
    cookies, browser.cookies = browser.cookies, {}
    assert list(browser.refresh().get_all('Set-Cookie'))[0].startswith(PROOF + '=')
    browser.cookies = {**cookies, PROOF: browser.proof}
    assert state(browser) == 'valid'


def test_without_a_proof_there_is_a_challenge(server):
    browser = bound(server)
    foreign = Key()
    for jws in (None, foreign.jws(browser.challenge), browser.key.jws(challenge(REGISTRATION, browser.native)),
                browser.key.jws(challenge(REFRESH, browser.native, 301)), browser.key.jws(challenge(REFRESH, browser.native, -40)),
                browser.key.jws(challenge(REFRESH, Native({}, point=browser.key.point))), 'no jws',
                browser.key.jws(browser.challenge, header={'alg': 'none', 'typ': 'dbsc+jwt'}),
                foreign.jws(browser.challenge, with_key=True), browser.key.jws(browser.challenge, signature=browser.key.der)):
        response = browser.send_refresh(jws)
        assert (response.status, response.get_all('Set-Cookie')) == (403, []), jws
        browser.note_challenge(response)
    browser.refresh()


def is_over(response, identifier):
    return (response.status, response.json(), response.get_all('Set-Cookie')) == (
        200, {'session_identifier': identifier, 'continue': False}, [])


def test_it_is_over_for_an_identifier_that_is_none(server):
    browser = bound(server)
    ours, theirs = browser.identifier, identifier(browser.native, 'another secret of another server, 0123')
    for value in ('x', ours[:-1], 'B' + ours[1:]):
        assert is_over(browser.send_refresh(identifier=value), value)
    assert browser.send_refresh(identifier=theirs).status == 403  # the session's cookie says whose binding it is
    browser.cookies.clear()
    assert is_over(browser.send_refresh(identifier=theirs), theirs)


def test_it_is_over_after_a_logout(server):
    browser = bound(server)
    assert browser.ask('GET', '/logout').status == 200
    assert browser.cookies == {}
    assert is_over(browser.send_refresh(browser.key.jws(browser.challenge)), browser.identifier)


def test_where_the_revocation_log_is_gone_a_browser_neither_gets_a_proof_nor_forgets_its_key(start):
    server = start(CONF, MODULES, FILES, more=LOG, bind=f'On {PATH}')
    browser = bound(server)
    log = server.dir / 'log/revoked'
    log.rename(server.dir / 'log/rotated')
    response = browser.send_refresh(browser.key.jws(browser.challenge))
    assert (response.status, response.get_all('Set-Cookie')) == (503, [])
    server.expect('SS0421', 'SS0511: whether a session is bound cannot be said: the revocation log cannot be read')
    (server.dir / 'log/rotated').rename(log)
    browser.refresh()


def test_it_is_over_when_there_is_another_session(kind):
    browser = bound(kind)
    other = login(kind)
    other.request('PATCH', '/session', PATCH, b'{"a":1}')
    browser.cookies[COOKIE] = other.session
    assert is_over(browser.send_refresh(browser.key.jws(browser.challenge)), browser.identifier)


def test_the_identifier_stays_when_secrets_are_rotated(start):
    keys = {'SIGNED_SESSION_SECRET': SECRET}
    server = start(CONF.replace('{more}', 'SignedSessionSecret file:{dir}/secrets\n{more}'), MODULES,
                   {**FILES, 'secrets': SECRET + '\n'}, more=LOG, bind=f'On {PATH}', env=keys)
    server.allow('SS0110')
    browser = login(server)
    value = browser.visit()
    server.write('secrets', f'a new secret for the rotation, 0123456789\n{SECRET}\n')
    server.graceful()
    server.allow('SS0110')
    browser.send_registration(browser.key.jws(value, with_key=True))
    browser2 = bound(server)
    old = browser2.identifier
    server.write('secrets', 'the newest secret for the rotation, 012345\na new secret for the rotation, 0123456789\n')
    server.graceful()
    server.allow('SS0110')
    assert state(browser2) == 'valid'
    browser2.refresh()
    assert browser2.identifier == old
    assert state(browser2) == 'valid'


# --- states ---------------------------------------------------------------------------------------


PROOFS = {
    'none': lambda session: None, 'empty': lambda session: '', 'too old': lambda session: proof(session, 601),
    'from the future': lambda session: proof(session, -40), 'of another session': lambda session: proof(Native({}, point=session.point)),
    'of another key': lambda session: proof(Native({}, id=session.id, point=Key().point)),
    'of another server': lambda session: proof(session, secret='another secret of another server, 0123'),
    'a challenge': lambda session: challenge(REFRESH, session), 'cut short': lambda session: proof(session)[:-1]}


@pytest.mark.parametrize('make', PROOFS.values(), ids=PROOFS)
def test_without_a_fresh_proof_there_is_no_session(kind, make):
    browser = bound(kind)
    thief = with_proof(browser, make(browser.native))
    assert state(thief) == 'unproven'
    assert session(thief) == {}
    assert thief.request('GET', '/guarded').status == 401
    response = thief.request('PATCH', '/session', PATCH, b'{"a":1}')
    assert (response.status, response.get_all('Set-Cookie')) == (409, [])
    assert state(browser) == 'valid'


def test_a_proof_counts_until_its_time_is_over(server):
    browser = bound(server)
    for age in (599, 0, -29):
        assert state(with_proof(browser, proof(browser.native, age))) == 'valid'


def test_of_several_proofs_each_is_tried(server):
    browser = bound(server)
    cookie = f'{COOKIE}={browser.session}; {PROOF}=x; {PROOF}={proof(browser.native, 700)}; {PROOF}={browser.proof}'
    assert server.request('GET', '/session?meta', cookie=cookie).json()['state'] == 'valid'


def test_nobody_is_locked_out(kind):
    for path in ('/login', '/before'):
        browser = bound(kind)
        browser.cookies[PROOF] = proof(browser.native, 700)
        assert browser.ask('GET', path, VISIT).status == 200
        assert browser.native.data == {'user': 'bob'} and browser.native.point == b''
        assert PROOF not in browser.cookies
        assert state(browser) == 'valid'
        browser.register()


def test_a_logout_deletes_both_cookies_also_without_a_proof(kind):
    for method, path in (('DELETE', '/session'), ('GET', '/logout')):
        for age in (0, 700):
            browser = bound(kind)
            browser.cookies[PROOF] = proof(browser.native, age)
            assert browser.ask(method, path, VISIT).status < 300
            assert browser.cookies == {}


def test_a_new_login_drops_the_binding_and_is_asked_again(kind):
    browser = bound(kind)
    response = browser.ask('GET', '/login', VISIT)
    assert response.get('Secure-Session-Registration')
    assert (browser.native.data, browser.native.point, PROOF in browser.cookies) == ({'user': 'bob'}, b'', False)
    browser.register()
    assert session(browser) == {'user': 'bob'}


def test_changes_keep_the_binding(kind):
    browser = bound(kind)
    old = browser.native
    assert browser.request('PATCH', '/session', PATCH, b'{"a":1}').status == 200
    assert (browser.native.id, browser.native.point, browser.native.data) == (old.id, old.point, {'user': 'alice', 'a': 1})
    assert state(browser) == 'valid'


def test_where_bind_is_off_a_bound_cookie_is_an_ordinary_one(start):
    browser = bound(start(CONF, MODULES, FILES, more=IN_COOKIE, bind=f'On {PATH}'))
    other = start(CONF.replace('SignedSessionBind {bind}', ''), MODULES, FILES, more='SignedSessionStore cookie')
    jar = Jar(other)
    jar.cookies = {COOKIE: browser.session}
    assert session(jar) == {'user': 'alice'}
    assert jar.request('POST', PATH).status == 404


# --- Required -------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def required():
    with serve('SignedSessionFormat native starlette', f'Required {PATH} 10min 1min') as running:
        running.allow('SS0508', 'SS0517')
        yield running


def test_required_gives_a_session_a_while(required):
    now = int(time.time())
    for age, expected in ((50, 'valid'), (62, 'unbound')):
        browser = Browser(required)
        browser.cookies[COOKIE] = Native({'user': 'alice'}, created=now - age).seal()
        assert (state(browser), browser.visit() is None) == (expected, expected == 'unbound')
        if expected == 'unbound':
            assert session(browser) == {}
            assert browser.ask('GET', '/guarded').status == 401
            assert browser.request('PATCH', '/session', PATCH, b'{"a":1}').status == 409
            assert browser.ask('GET', '/login', VISIT).cookie()
            assert state(browser) == 'valid'


def test_required_means_somebody_s_sessions(required):
    browser = Browser(required)
    browser.cookies[COOKIE] = Native({'cart': 1}, created=int(time.time()) - 1000).seal()
    assert (state(browser), session(browser)) == ('valid', {'cart': 1})
    browser = Browser(required)
    browser.cookies[COOKIE] = Native({'user': 'alice'}, created=int(time.time()) - 50).seal()
    browser.register()
    old = browser.native
    browser.cookies[COOKIE] = Native({'user': 'alice'}, created=old.created - 1000, id=old.id, point=old.point).seal()
    assert state(browser) == 'valid'


def test_required_gives_a_framework_s_session_as_long_from_its_first_native_cookie(required):
    browser = Browser(required)
    browser.cookies[COOKIE] = starlette({'user': 'alice'}, age=1000)
    jws = browser.key.jws(challenge(REGISTRATION, Native({})), with_key=True)
    early = browser.send_registration(jws)
    assert (early.status, early.get_all('Set-Cookie')) == (403, [])
    assert 'its cookie is not native yet' in early.text
    browser.ask('PATCH', '/session', PATCH, b'{"a":1}')
    assert abs(browser.native.created - time.time()) < 10
    assert state(browser) == 'valid'
    browser.register()
    assert session(browser) == {'user': 'alice', 'a': 1}


# --- the endpoint ---------------------------------------------------------------------------------


@pytest.mark.parametrize('method', ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])
def test_the_endpoint_takes_post_only(server, method):
    response = server.request(method, PATH)
    assert (response.status, response.get('Allow')) == (405, 'POST')


def test_the_endpoint_is_before_everything_else(start, protocol):
    server = start('RewriteEngine On\nRewriteRule ^ /nowhere [R]\nProxyPass / http://127.0.0.1:1/\nSignedSessionStripCookie off\n' + CONF + '''
        <Location "/">
            AuthType Basic
            AuthName x
            Require valid-user
        </Location>
        <Location "/session-bind">
            SignedSession Off
            Require all denied
        </Location>''', MODULES + ' rewrite proxy proxy_http auth_basic', FILES, more=LOG, bind=f'On {PATH}', http2=True)
    browser = login(server, protocol)
    browser.register(challenge(REGISTRATION, browser.native))
    browser.refresh()
    assert server.request('POST', PATH + '/').status == 302


def test_a_server_without_a_secret_has_an_endpoint_that_says_later(start):
    server = start(f'SignedSessionCookie session Secure=on\nSignedSessionBind On {PATH}', env=NO_SECRET)
    assert server.request('POST', PATH, {'Content-Length': '0'}).status == 503
    server.expect('SS0511: whether a session is bound cannot be said: there are no secrets')


def test_a_body_is_not_read(server):
    browser = bound(server)
    response = browser.ask('POST', PATH, {'Sec-Secure-Session-Id': browser.identifier,
                                          'Secure-Session-Response': browser.key.jws(browser.challenge)}, b'x' * 100)
    assert response.status == 200


# --- what scripts see -----------------------------------------------------------------------------


def test_scripts_see_neither_proof_nor_headers(server):
    browser = bound(server)
    browser.cookies['other'] = '1'
    text = browser.ask('GET', '/env', {'Secure-Session-Response': 'a', 'Sec-Secure-Session-Id': 'b', 'Secure-Session-Skipped': 'c'}).text
    assert 'HTTP_COOKIE=other=1\n' in text
    assert 'SECURE_SESSION' not in text
    del browser.cookies[COOKIE], browser.cookies['other']
    assert 'HTTP_COOKIE' not in browser.ask('GET', '/env').text


def test_a_session_that_is_not_proved_is_hidden_from_applications(start):
    server = start(CONF, MODULES, FILES, more=LOG + '\nSignedSessionStripCookie off', bind=f'On {PATH}')
    browser = bound(server)
    assert f'session={browser.session}' in browser.ask('GET', '/env').text
    assert 'HTTP_COOKIE' not in with_proof(browser, proof(browser.native, 700)).request('GET', '/env').text


def test_an_application_s_own_cookie_of_that_name_is_left_alone(server):
    jar = Jar(server)
    jar.cookies = {PROOF: 'mine'}
    assert f'HTTP_COOKIE={PROOF}=mine' in jar.request('GET', '/env').text


# --- configuration --------------------------------------------------------------------------------

REFUSED = {
    'SS0501': 'SignedSessionFormat starlette\nSignedSessionCookie s Secure=on', 'SS0502': 'SignedSessionCookie s',
    'SS0503': 'SignedSessionCookie s Secure=on HttpOnly=off', 'SS0504': 'SignedSessionCookie s Secure=on Partitioned',
    'SS0505': 'SignedSessionCookie s Secure=on Domain=example.org', 'SS0506': 'SignedSessionCookie s Secure=on Path=/shop'}


@pytest.mark.parametrize('number, conf', REFUSED.items())
def test_what_cannot_be_bound_stops_the_start(number, conf):
    rc, text = configtest(f'{conf}\nSignedSessionBind On {PATH}')
    assert rc != 0 and f'{number}: SignedSessionBind: ' in text
    rc, text = configtest(f'{conf}\nSignedSessionBind Off')
    assert rc == 0, text


@pytest.mark.parametrize('conf, numbers', [
    (f'SignedSessionBind On {PATH}', {'SS0508'}), (f'SignedSessionBind On {PATH} 5min\nSignedSessionRevocation file:log', {'SS0507'}),
    (f'SignedSessionBind Required {PATH}', {'SS0508'}), (f'SignedSessionBind On {PATH}\nSignedSessionStore file', set()),
    (f'SignedSessionBind On {PATH}\nSignedSessionStore cookie file', {'SS0508'})])
def test_warnings(conf, numbers):
    rc, text = configtest(f'SignedSession On\nSignedSessionCookie s Secure=on\n{conf}')
    assert rc == 0, text
    assert {number for number in ('SS0507', 'SS0508') if number in text} == numbers
