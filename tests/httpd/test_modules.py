# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""SignedSessionModules: what modules made for mod_session keep in a session, and who else comes near it."""

import re
import time
from urllib.parse import quote

import pytest

from common import ECHO_CGI, ENV_CGI, FORM, JSON, PATCH, is_secret
from cookies import native
from harness import Jar, Server, StartError, cgi_module, configtest

ENCRYPTED = 'SignedSession On\nSignedSessionEncrypt On\nSignedSessionReveal On\n'
ENTRIES = '''
    <Location "/modules">
        SetHandler ss-entries
        SignedSessionModules On
    </Location>
'''


def call(browser, *calls, path='/modules', **more):
    """Each call is a list of words; returns the response, and what each call gave."""
    header = '|'.join('\t'.join(words) for words in calls)
    response = browser.request('GET', path, {'X-Calls': header}, **more)
    return response, response.text.splitlines()


def entries(browser, path='/modules'):
    """What stands in the table of a module."""
    _, (line,) = call(browser, ['list'], path=path)
    return dict(entry.split('=', 1) for entry in line.split(';')[:-1])


# --- what modules do -----------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def plain():
    with Server(ENCRYPTED + ENTRIES + '''
            <Location "/readonly">
                SetHandler ss-entries
                SignedSessionModules On
                SignedSession ReadOnly
            </Location>
            <Location "/off">
                SetHandler ss-entries
                SignedSessionModules On
                SignedSession Off
            </Location>
            <Location "/neither">
                SetHandler ss-entries
            </Location>
            <Location "/cleared">
                SetHandler ss-entries
                SignedSessionModules On
                SignedSessionClear On
            </Location>
            <Location "/session">
                SetHandler signed-session
            </Location>
            <Location "/guarded">
                Require signed-session
            </Location>''', 'ss_entries', {'htdocs/guarded': 'x'}) as one:
        yield one


def test_what_a_module_sets_it_gets_again(plain):
    jar = Jar(plain)
    _, (_, got) = call(jar, ['set', 'realm-user', 'alice'], ['get', 'realm-user'])
    assert got == 'alice'
    _, (first, second) = call(jar, ['get', 'realm-user'], ['get-by-itself', 'REALM-USER'])
    assert (first, second) == ('alice', 'alice')
    assert entries(jar) == {'realm-user': 'alice'}


def test_a_module_may_write_into_its_table(plain):
    jar = Jar(plain)
    call(jar, ['edit', 'a', 'with "quotes" and \\'])
    call(jar, ['edit', 'b', 'saved'], ['save'], ['flush'], ['edit', 'c', 'too late'])
    assert entries(jar) == {'a': 'with "quotes" and \\', 'b': 'saved'}


def test_a_session_of_entries_ends_with_the_last(plain):
    jar = Jar(plain)
    call(jar, ['set', 'a', '1'], ['set', 'b', '2'])
    call(jar, ['set', 'a'])
    assert entries(jar) == {'b': '2'}
    response, _ = call(jar, ['set', 'b'])
    assert (response.cookie(), jar.cookies) == ('', {})


def test_the_same_again_is_no_change(plain):
    jar = Jar(plain)
    call(jar, ['set', 'a', '1'])
    response, _ = call(jar, ['set', 'a', '1'], ['edit', 'a', '1'])
    assert response.set_cookies() == []


def test_what_is_not_utf8_is_refused(plain):
    jar = Jar(plain)
    _, (first, second, third) = call(jar, ['set', 'a', 'caf\xe9'], ['set', 'b', 'ok'], ['list'])
    assert (first, second, third) == ('refused', 'ok', 'b=ok;')
    call(jar, ['edit', 'c', 'caf\xe9'])
    assert entries(jar) == {'b': 'ok'}
    plain.expect('SS0324', 'it is not UTF-8: send the login form as UTF-8')


def test_read_only(plain):
    jar = Jar(plain)
    call(jar, ['set', 'a', '1'])
    response, (got, *_) = call(jar, ['get', 'a'], ['set', 'a', '2'], ['set', 'b', '2'], ['edit', 'c', '3'], ['save'],
                               path='/readonly')
    assert (got, response.set_cookies()) == ('1', [])
    assert entries(jar) == {'a': '1'}
    plain.expect('SS0321')


@pytest.mark.parametrize('path, number', [('/off', 'SS0221'), ('/neither', 'SS0223')])
def test_where_there_is_nothing_for_modules(plain, path, number):
    jar = Jar(plain)
    call(jar, ['set', 'a', '1'])
    response, lines = call(jar, ['get', 'a'], ['set', 'a', '2'], path=path)
    assert (lines[:2], response.set_cookies()) == (['no session', '-'], [])
    assert entries(jar) == {'a': '1'}
    assert plain.log.new_text().count(number) == 1
    plain.expect(number)


def test_an_answer_that_a_module_gave_by_its_entries_is_private(plain):
    jar = Jar(plain)
    call(jar, ['set', 'a', '1'])
    response, _ = call(jar, ['get', 'a'])
    assert (response.get('Cache-Control'), response.get('Vary')) == ('private', 'Cookie')
    response, _ = call(jar, ['list'])
    assert response.get('Cache-Control') == 'private'
    response, _ = call(Jar(plain), ['get', 'a'], ['list'])
    assert (response.get('Cache-Control'), response.get('Vary')) == (None, 'Cookie')


def test_nothing_is_kept_for_another_site(plain):
    jar = Jar(plain)
    image = {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image'}
    for calls in ('set\ta\t1', 'edit\ta\t1', 'edit\ta\t1|save'):
        jar.request('GET', '/modules', {'X-Calls': calls, **image})
        assert jar.cookies == {}
    call(jar, ['set', 'a', '1'])
    jar.request('GET', '/modules', {'X-Calls': 'set\ta', **image})
    assert entries(jar) == {'a': '1'}


@pytest.mark.in_cookie('its size')
def test_entries_that_do_not_fit(plain):
    jar = Jar(plain)
    call(jar, ['set', 'a', '1'])
    response, _ = call(jar, ['set', 'b', 'x' * 4096])
    assert response.set_cookies() == []
    assert entries(jar) == {'a': '1'}
    plain.expect('SS0302')


def test_what_was_ended_does_not_come_back(plain):
    jar = Jar(plain)
    call(jar, ['set', 'a', '1'])
    response, _ = call(jar, ['set', 'b', '2'], ['edit', 'c', '3'], path='/cleared')
    assert (response.cookie(), jar.cookies) == ('', {})


def test_the_cookie_is_encrypted(plain):
    jar = Jar(plain)
    call(jar, ['set', 'realm-pw', 's3cret'])
    assert is_secret(jar.session)


# --- what nobody sees ----------------------------------------------------------------------------------

VIEWS = r'''
    SignedSession On
    SignedSessionEncrypt {mode}
    SignedSessionReveal On
    SignedSessionEnv On
    LogFormat "%{session}n|%{session:mod_session}n|%{mod_session}^SS|%{mod_session.realm-pw}^SS|%{SESSION_mod_session}e" all
    CustomLog "{dir}/access.log" all
    ScriptAlias /cgi/ "{dir}/cgi/"
    <Location "/modules">
        SetHandler ss-entries
        SignedSessionModules {mode}
    </Location>
    <Location "/api">
        SetHandler ss-api
    </Location>
    <Location "/session">
        SetHandler signed-session
    </Location>
    Header always set X-Seen "expr=[%{session:mod_session}][%{session:mod_session.realm-pw}][%{session:user}]"
    <Location "/cgi">
        SignedSessionForward X-Session
        SignedSessionForwardText X-Text mod_session.realm-pw
        SignedSessionForwardText X-Whole mod_session
    </Location>
    <Location "/named">
        SignedSessionForward X-Session user mod_session
    </Location>
    <LocationMatch "^/guarded/.*">
        Require signed-session mod_session
    </LocationMatch>
    <LocationMatch "^/guarded/pw">
        Require signed-session mod_session.realm-pw s3cret
    </LocationMatch>
'''
VIEW_FILES = {'cgi/env': ENV_CGI, 'htdocs/guarded/any': 'x', 'htdocs/guarded/pw': 'x'}
HOLDS = {'user': 'alice', 'mod_session': {'realm-user': 'alice', 'realm-pw': 's3cret'}, 'n': 1}


@pytest.fixture(scope='module', params=['On', 'Off'])
def views(request):
    """Wherever SignedSessionModules is On or Off."""
    with Server(VIEWS, f'alias headers ss_entries ss_api {cgi_module()}', VIEW_FILES, mode=request.param) as one:
        yield one


LOOKS = ['/session', '/session/mod_session', '/session?meta', '/cgi/env', '/file.txt', '/guarded/any', '/guarded/pw']


@pytest.mark.parametrize('path', LOOKS)
def test_nothing_shows_it(views, path):
    response = views.request('GET', path, cookie=native(HOLDS))
    shown = response.text + ''.join(f'{name}: {value}\n' for name, value in response.headers if name != 'Set-Cookie')
    # the names of variables that a script could not have been given otherwise
    assert 'realm' not in shown and 's3cret' not in shown and 'mod_session=' not in shown
    logged = (views.dir / 'access.log').read_text().splitlines()[-1]
    assert 'realm' not in logged and 's3cret' not in logged
    assert response.get('X-Seen') == '[][][alice]'
    assert response.status == {'/session/mod_session': 404, '/guarded/any': 403, '/guarded/pw': 403}.get(path, 200)
    views.allow('AH01630')


def test_the_rest_is_shown(views):
    response = views.request('GET', '/session', cookie=native(HOLDS))
    assert response.text == '{"user":"alice","n":1}\n'
    text = views.request('GET', '/cgi/env', cookie=native(HOLDS)).text
    assert 'HTTP_X_SESSION={"user":"alice","n":1}\n' in text and 'SESSION={"user":"alice","n":1}\n' in text
    assert 'HTTP_X_TEXT' not in text and 'HTTP_X_WHOLE' not in text


def test_its_bytes_are_counted(views):
    cookie = native(HOLDS)
    meta = views.request('GET', '/session?meta', cookie=cookie).json()
    assert meta['bytes_used'] == len(cookie) - 1


@pytest.mark.parametrize('words, want', [
    (['get', 'mod_session'], 'not found'),
    (['get', 'mod_session.realm-pw'], 'not found'),
    (['get_json', 'mod_session'], 'not found'),
    (['get_json', 'NULL'], 'ok {"user":"alice","n":1}'),
    (['each'], 'user="alice";n=1;ok'),
])
def test_no_c_module_sees_it(views, words, want):
    _, (line,) = call(views, words, path='/api', cookie=native(HOLDS))
    assert line.strip() == want


def test_nobody_is_a_user_by_it(start):
    server = start("""
        SignedSession On
        SignedSessionUser mod_session.realm-user
        <Location "/file.txt">
            AuthType signed-session
            Require valid-user
        </Location>""", 'authn_core authz_user')
    server.allow('SS0117')
    assert server.request('GET', '/file.txt', cookie=native(HOLDS)).status == 401


def test_a_session_of_entries_alone_opens_no_door(plain):
    jar = Jar(plain)
    call(jar, ['set', 'a', '1'])
    assert jar.request('GET', '/guarded').status == 403
    plain.allow('AH01630')
    assert jar.request('GET', '/session').text == '{}\n'


def test_where_modules_are_off_they_see_nothing(start):
    server = start(ENCRYPTED + ENTRIES + '<Location "/login">\nSetHandler ss-entries\nSignedSessionLogin user\n</Location>',
                   'ss_entries')
    jar = Jar(server)
    call(jar, ['set', 'a', '1'])
    assert entries(jar, '/login') == {}
    _, (got, *_) = call(jar, ['get', 'a'], ['set', 'a', '2'], ['edit', 'a', '3'], path='/login')
    assert got == '-'
    assert entries(jar) == {'a': '1'}
    server.expect('SS0222')


# --- what nobody writes --------------------------------------------------------------------------------

WRITERS = '''
    SignedSession On
    SignedSessionEncrypt On
    SignedSessionReveal On
    ScriptAlias /cgi/ "{dir}/cgi/"
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable *
    </Location>
    <Location "/cgi">
        SignedSessionUpdate X-Update
    </Location>
    <Location "/note">
        SetHandler ss-testing
    </Location>
    <Location "/api">
        SetHandler ss-api
    </Location>
    <Location "/rules">
        SignedSessionSet mod_session "forged"
        SignedSessionUnset mod_session
    </Location>
    <Location "/before">
        SignedSessionClear On
    </Location>
''' + ENTRIES
FORGED = '{"mod_session":{"realm-user":"eve"},"other":1}'


@pytest.fixture(scope='module')
def writers():
    with Server(WRITERS, f'alias ss_entries ss_api {cgi_module()}',
                {'cgi/echo': ECHO_CGI, 'htdocs/rules': 'x', 'htdocs/before': 'x'}) as one:
        yield one


@pytest.fixture
def jar(writers):
    """A browser that a module has logged in."""
    one = Jar(writers)
    one.request('PUT', '/session/user', JSON, '"alice"')
    call(one, ['set', 'realm-user', 'alice'])
    return one


@pytest.mark.parametrize('method, path, headers, body, status', [
    ('PUT', '/session/mod_session', JSON, '{"realm-user":"eve"}', 403),
    ('DELETE', '/session/mod_session', {}, None, 404),
    ('PATCH', '/session', PATCH, FORGED, 403),
    ('PATCH', '/session', PATCH, '{"mod_session":null}', 403),
    ('PATCH', '/session', PATCH, '{"mod_session":{"realm-user":null}}', 403),
    ('POST', '/session', JSON, FORGED, 403),
    ('POST', '/session', FORM, 'mod_session=eve&other=1', 403),
    ('POST', '/session', FORM, 'mod%5Fsession=eve', 403),
    ('PUT', '/session', JSON, FORGED, 403),
    ('PUT', '/session', JSON, r'{"mod\u005fsession":{}}', 403),
])
def test_no_endpoint_writes_it(jar, method, path, headers, body, status):
    response = jar.request(method, path, headers, body)
    assert (response.status, response.set_cookies()) == (status, [])
    if status == 403:
        assert 'SS0224' in response.json()['detail']
    assert entries(jar) == {'realm-user': 'alice'}
    assert jar.request('GET', '/session').json() == {'user': 'alice'}
    # nor in a session that has none yet
    stranger = Jar(jar.server)
    stranger.request(method, path, headers, body)
    assert stranger.cookies == {}


def test_no_update_writes_it(jar, writers):
    for patch in (FORGED, '{"mod_session":null}'):
        response = jar.request('GET', f'/cgi/echo?{quote("X-Update: " + patch)}')
        assert response.set_cookies() == []
        writers.expect('SS0303: the update in the response header X-Update was ignored')
        writers.log.check()
    assert entries(jar) == {'realm-user': 'alice'}


def test_no_rule_writes_it(jar):
    assert jar.request('GET', '/rules').set_cookies() == []
    assert entries(jar) == {'realm-user': 'alice'}


@pytest.mark.parametrize('words, want', [
    (['set', 'mod_session', 'x'], 'invalid'),
    (['set_json', 'mod_session', '{}'], 'invalid'),
    (['unset', 'mod_session'], 'not found'),
    (['patch', FORGED], 'invalid'),
    (['patch', '{"mod_session":null}'], 'invalid'),
])
def test_no_c_module_writes_it(jar, words, want):
    response, (line,) = call(jar, words, path='/api')
    assert (line.strip(), response.set_cookies()) == (want, [])
    assert entries(jar) == {'realm-user': 'alice'}


@pytest.mark.parametrize('method, path, headers, body', [
    ('PUT', '/session', JSON, '{"user":"alice"}'),
    ('PUT', '/session', JSON, '{}'),
    ('DELETE', '/session', {}, None),
    ('GET', '/before', {}, None),
    ('GET', '/cgi/echo?X-Update:%20null', {}, None),
])
def test_it_goes_with_the_whole_session(jar, method, path, headers, body):
    jar.request(method, path, headers, body)
    assert entries(jar) == {}


@pytest.mark.parametrize('method, path, headers, body', [
    ('PUT', '/session/theme', JSON, '"dark"'),
    ('PATCH', '/session', PATCH, '{"user":null}'),
    ('DELETE', '/session/user', {}, None),
])
def test_it_stays_whatever_else_is_changed(jar, method, path, headers, body):
    assert jar.request(method, path, headers, body).set_cookies()
    assert entries(jar) == {'realm-user': 'alice'}


@pytest.mark.in_cookie('two servers share it')
def test_where_nothing_is_encrypted_it_stays_secret(start):
    """Another server with the same secret, that knows nothing of modules, renews the cookie."""
    other = start('SignedSession On\nSignedSessionRenew always')
    first = start(ENCRYPTED + ENTRIES, 'ss_entries')
    jar = Jar(first)
    call(jar, ['set', 'realm-pw', 's3cret'])
    renewed = other.request('GET', '/file.txt', cookie=f'session={jar.session}').cookie()
    assert is_secret(renewed)
    jar.cookies['session'] = renewed
    assert entries(jar) == {'realm-pw': 's3cret'}


def test_in_a_frameworks_session_it_is_the_applications(start):
    server = start('SignedSession On\nSignedSessionFormat starlette\n<Location "/session">\nSetHandler signed-session\n'
                   'SignedSessionWritable *\n</Location>')
    jar = Jar(server)
    assert jar.request('PUT', '/session/mod_session', JSON, '"own"').status == 201
    assert jar.request('GET', '/session').json() == {'mod_session': 'own'}


# --- the start -----------------------------------------------------------------------------------------


@pytest.mark.parametrize('conf, number', [
    ('<Location "/a">\nSignedSessionModules On\n</Location>', 'SS0121'),
    ('SignedSessionEncrypt Off\nSignedSessionModules On', 'SS0121'),
    ('SignedSessionFormat flask\nSignedSessionModules On', 'SS0121'),
    ('SignedSessionFormat flask native\nSignedSessionEncrypt On\nSignedSessionModules On', 'SS0115'),
    ('SignedSessionEncrypt On\nSignedSessionModules On\n<VirtualHost *:80>\nSignedSessionEncrypt Off\n</VirtualHost>',
     'SS0121'),
])
def test_without_encryption_nothing_starts(conf, number):
    code, text = configtest(f'SignedSession On\n{conf}')
    assert code != 0 and number in text and 'httpd.conf:' in text or number == 'SS0115'
    with pytest.raises(StartError, match=number):
        Server(f'SignedSession On\n{conf}').start()


def test_with_encryption_it_starts():
    assert configtest(f'{ENCRYPTED}SignedSessionModules On')[0] == 0
    assert configtest('SignedSession On\nSignedSessionModules Off')[0] == 0


# --- beside mod_session --------------------------------------------------------------------------------

BESIDE = ENCRYPTED + ENTRIES + '''
    <IfModule session_module>
        SessionCookieName stock path=/
        <Location "/stock">
            Session On
        </Location>
    </IfModule>
    <Location "/stock">
        SetHandler ss-entries
    </Location>
'''
ORDERS = {'before': 'session session_cookie signed_session ss_entries',
          'after': 'ss_entries signed_session session session_cookie',
          'without': 'signed_session ss_entries'}


def assert_ours(server):
    jar = Jar(server)
    call(jar, ['set', 'a', 'ours'])
    assert set(jar.cookies) == {'session'}
    assert entries(jar) == {'a': 'ours'}


def assert_stock(server):
    """A page with mod_session keeps its own cookie, and one of ours beside it makes no difference."""
    jar = Jar(server)
    call(jar, ['set', 'a', 'ours'])
    call(jar, ['set', 'a', 'stock'], path='/stock')
    assert jar.cookies['stock'] == 'a=stock'
    assert (entries(jar), entries(jar, '/stock')) == ({'a': 'ours'}, {'a': 'stock'})
    call(jar, ['edit', 'b', 'edited'], path='/stock')
    assert entries(jar, '/stock') == {'a': 'stock', 'b': 'edited'}


def assert_none(server):
    _, lines = call(server, ['get', 'a'], path='/stock')
    assert lines == ['no session', '-']
    server.expect('SS0223')


@pytest.mark.parametrize('order', ORDERS)
def test_beside_mod_session(start, order):
    server = start(BESIDE, ORDERS[order], ours=False)
    for _ in range(2):
        assert_ours(server)
        (assert_none if order == 'without' else assert_stock)(server)
        server.log.check()
        server.graceful()


def test_mod_session_comes_and_goes_with_a_restart(start):
    server = start(BESIDE, ORDERS['before'], ours=False)
    assert_stock(server)
    path = server.dir / 'httpd.conf'
    loaded = path.read_text()
    path.write_text(re.sub(r'LoadModule session\w* .*\n', '', loaded))
    server.graceful()
    assert_ours(server)
    assert_none(server)
    server.log.check()
    path.write_text(loaded)
    server.graceful()
    assert_stock(server)


def test_without_us_mod_session_is_alone_again(start):
    server = start(BESIDE, ORDERS['before'], ours=False)
    path = server.dir / 'httpd.conf'
    stock = re.sub(r'LoadModule signed_session_.*\n|.*SignedSession.*\n', '', path.read_text())
    path.write_text(stock)
    server.graceful()
    jar = Jar(server)
    call(jar, ['set', 'a', 'stock'], path='/stock')
    assert jar.cookies == {'stock': 'a=stock'}


# --- what modules keep makes no old login a new one ---------------------------------------------------


def old_login(**more):
    now = int(time.time())
    return native({'user': 'alice', **more}, created=now - 7200, renewed=now - 5)


CALLS = {'more': ['set', 'realm-pw', 'x'], 'the first': ['set', 'realm-user', 'alice']}


@pytest.mark.parametrize('what', ['none', *CALLS])
def test_they_make_no_old_login_a_new_one(plain, what):
    """Else whoever holds a copied cookie would never meet the absolute timeout, nor a step-up."""
    cookie = old_login(**({} if what == 'the first' else {'mod_session': {'realm-user': 'alice'}}))
    before = plain.request('GET', '/session?meta', cookie=cookie).json()['created']
    if what == 'none':
        response = plain.request('PUT', '/session', JSON, '{"user":"alice"}', cookie=cookie)
    else:
        response, _ = call(plain, CALLS[what], cookie=cookie)
    assert response.set_cookies()
    after = plain.request('GET', '/session?meta', cookie=f'session={response.cookie()}').json()
    assert after['created'] == before


@pytest.mark.parametrize('before', [
    {'user': 'alice', 'mod_session': {'realm-user': 'alice'}}, {'user': 'alice'}, {'mod_session': {'realm-user': 'alice'}}],
    ids=['both', 'by name', 'by entries'])
def test_somebody_else_by_entries_begins_a_new_session(plain, before):
    """Nothing of the previous user stays: two people would share it."""
    jar = Jar(plain)
    jar.keep(native({'cart': [1], **before}))
    call(jar, ['set', 'realm-user', 'bob'], ['set', 'realm-pw', 'x'])
    assert plain.request('GET', '/session', cookie=f'session={jar.session}').json() == {}
    assert entries(jar) == {'realm-user': 'bob', 'realm-pw': 'x'}


def test_somebody_else_by_name_takes_no_entries_over(start):
    server = start(ENCRYPTED + ENTRIES + '<Location "/login">\nSignedSessionSet user bob\n</Location>', 'ss_entries',
                   {'htdocs/login': 'x'})
    for user, left in (('alice', {}), ('bob', {'realm-user': 'bob'})):
        jar = Jar(server)
        jar.keep(native({'cart': [1], 'mod_session': {'realm-user': user}}))
        jar.request('GET', '/login')
        assert entries(jar) == left


def test_a_login_of_the_same_user_is_a_new_one(start):
    """mod_auth_form sets the name that it has checked, also when it is there."""
    server = start(ENCRYPTED + ENTRIES + """
        <Location "/modules">
            AuthName realm
        </Location>
        <Location "/session">
            SetHandler signed-session
        </Location>""", 'ss_entries authn_core')
    jar = Jar(server)
    jar.keep(old_login(mod_session={'realm-user': 'alice'}))
    call(jar, ['set', 'realm-user', 'alice'])
    assert int(time.time()) - jar.request('GET', '/session?meta').json()['created'] < 60
    assert (jar.request('GET', '/session').json(), entries(jar)) == ({'user': 'alice'}, {'realm-user': 'alice'})
