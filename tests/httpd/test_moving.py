# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""docs/moving.md: from sessions of mod_session and of mod_auth_openidc to ours, with the real modules."""

import re
from urllib.parse import urlencode

import pytest

from common import ENV_CGI, FORM, NAVIGATE, TOP, password_file
from cookies import Native
from harness import Jar, Server, cgi_module
from pages import here, printed
from servers import Provider
from test_logins import DENIED, Browser, Outspoken, is_page_of

pytestmark = pytest.mark.once

ONCE, NOT_AGAIN = 'mod_session: everybody logs in once', 'mod_session: nobody logs in again'
OIDC = 'mod_auth_openidc: nobody logs in again'
STOCK = 'session session_cookie session_crypto'
MODULES = f'alias auth_form authn_core authn_file authz_user headers request setenvif {cgi_module()}'
FILES = {'users': password_file('alice') + password_file('bob'), 'session.key': 'a passphrase of the tests',
         'htdocs/login.html': 'log in', 'htdocs/members/page': 'for members', 'htdocs/welcome': 'x', 'htdocs/index.html': 'x',
         'cgi/env': ENV_CGI}
MORE = '''
    ScriptAlias "/cgi/" "{dir}/cgi/"
    <Location "/cgi/">
        SignedSessionEnv On
    </Location>
'''


def test_every_configuration_of_the_page_is_started_here():
    assert {heading: len(found) for heading, found in printed('moving').items()} == {ONCE: 1, NOT_AGAIN: 2, OIDC: 2}


# --- what stands for what ------------------------------------------------------------------------


def test_the_table_has_every_directive_of_mod_session():
    _, listing = Server('', f'{STOCK} session_dbd dbd', ours=False).run_once('-L')
    directives = re.findall(r'^(\w+) \(mod_session\w*\.c\)$', listing, re.M)
    assert len(directives) > 20
    table = (TOP / 'docs/moving.md').read_text().split('## mod_session: everybody')[0]
    for name in directives:
        assert re.search(rf'`(\w+: )?{name}\b', table), name


def column(heading, number):
    """What stands in code in a column of the table under a heading."""
    text = (TOP / 'docs/moving.md').read_text().split(f'\n## {heading}\n')[1].split('\n## ')[0]
    rows = re.findall(r'^\| (.*) \| (.*) \|$', text, re.M)[1:]
    return [code for row in rows for code in re.findall(r'`([^`]+)`', row[number])]


def test_the_tables_say_what_httpd_takes():
    """Every directive of ours in them, in a place that may have it, beside what it needs."""
    lines = column('mod_session: what stands for what', 1) + column('mod_auth_openidc: what stands for what', 1)
    directives = [line for line in lines if ' ' in line and line.startswith('SignedSession')]
    assert len(directives) > 15
    of_elsewhere = ('SignedSessionSecret', 'SignedSessionStore redis')
    places = ('SignedSessionUpdate', 'SignedSessionClear Everywhere', 'SignedSession Off')
    for line in directives:
        if line.startswith(of_elsewhere):
            continue
        text = f'<Location "/a">\n{line}\n</Location>' if line.startswith(places) else line
        more = {'SignedSessionClear Everywhere': 'SignedSessionRevocation file:{dir}/revoked\n',
                'SignedSessionModules On': 'SignedSessionEncrypt On\n'}.get(line, '')
        assert Server(f'SignedSession On\n{more}{text}\n').run_once('-t') == (0, 'Syntax OK\n'), line


# --- mod_session ---------------------------------------------------------------------------------


def of_page(heading, number):
    return here(printed('moving')[heading][number], {'/etc/apache2/': '{dir}/'} if 'etc' in printed('moving')[heading][number] else {})


def before():
    """The configuration of the time between, without what is new there."""
    return here(of_page(NOT_AGAIN, 0), {'SignedSession On\nSignedSessionCookie shop\nSignedSessionIdleTimeout 1h\n': '',
                                        '    SignedSessionSet user "%{REMOTE_USER}"\n    SignedSessionGuard On\n': '',
                                        '    SignedSessionClear On\n': ''})


@pytest.fixture(scope='module')
def servers():
    """Those of before, of the time between, and of afterwards."""
    with Server(before(), f'{MODULES} {STOCK}', FILES, ours=False) as old, \
            Server(of_page(NOT_AGAIN, 0), f'{MODULES} {STOCK}', FILES) as both, Server(of_page(NOT_AGAIN, 1) + MORE, MODULES, FILES) as new:
        yield old, both, new


def at(server, jar):
    """The same browser, when the configuration has changed."""
    server.allow(*DENIED, 'auth_form')
    other = Jar(server)
    other.cookies = jar.cookies
    return other


def log_in(jar, path='/members/page', user='alice'):
    return jar.request('POST', path, FORM, urlencode({'httpd_username': user, 'httpd_password': 'right'}))


def is_in(jar):
    response = jar.request('GET', '/members/page', NAVIGATE)
    assert (response.status == 200) == (response.text == 'for members')
    return response.status == 200


def test_nobody_logs_in_again(servers):
    old, both, new = servers
    jar = at(old, Jar(old))
    assert not is_in(jar)
    log_in(jar)
    assert is_in(jar) and set(jar.cookies) == {'session'}
    assert not is_in(at(new, Jar(new)))
    jar = at(both, jar)
    assert is_in(jar) and set(jar.cookies) == {'session', 'shop'}
    assert Native.open(jar.cookies['shop'], name='shop').data == {'user': 'alice'}
    jar = at(new, jar)
    assert is_in(jar) and set(jar.cookies) == {'shop'}


def test_who_was_not_there_in_between_logs_in_once(servers):
    old, _, new = servers
    jar = at(old, Jar(old))
    log_in(jar)
    jar = at(new, jar)
    asked = jar.request('GET', '/members/page', NAVIGATE)
    assert asked.get('Location') == '/login.html?return=/members/page' and set(jar.cookies) == set()
    right = log_in(jar, asked.get('Location'))
    welcome = jar.request('GET', right.get('Location'), NAVIGATE)
    assert welcome.get('Location') == '/members/page' and is_in(jar)


def test_a_logout_in_between_ends_both(servers):
    _, both, new = servers
    jar = at(both, Jar(both))
    log_in(jar)
    assert is_in(jar) and 'shop' in jar.cookies
    jar.request('GET', '/logout', NAVIGATE)
    assert not is_in(jar) and 'shop' not in jar.cookies
    assert not is_in(at(new, jar))


def test_without_the_line_of_the_logout_the_new_session_stays(start, servers):
    server = start(here(of_page(NOT_AGAIN, 0), {'    SignedSessionClear On\n': ''}), f'{MODULES} {STOCK}', FILES)
    jar = at(server, Jar(server))
    log_in(jar)
    assert is_in(jar)
    jar.request('GET', '/logout', NAVIGATE)
    assert not is_in(jar) and is_in(at(servers[2], jar))


def test_a_wrong_password_in_between_stores_nothing(servers):
    jar = at(servers[1], Jar(servers[1]))
    jar.request('POST', '/members/page', FORM, 'httpd_username=alice&httpd_password=wrong')
    assert 'shop' not in jar.cookies


def test_a_changed_password_counts_at_once_in_between(start):
    server = start(of_page(NOT_AGAIN, 0), f'{MODULES} {STOCK}', FILES)
    jar = at(server, Jar(server))
    log_in(jar)
    assert is_in(jar)
    server.write('users', password_file('alice', 'changed'))
    assert not is_in(jar)


def test_under_one_name_they_overwrite_each_other(start):
    server = start(here(of_page(NOT_AGAIN, 0), {'SignedSessionCookie shop': 'SignedSessionCookie session'}), f'{MODULES} {STOCK}', FILES)
    jar = at(server, Jar(server))
    log_in(jar)
    server.allow('session_crypto', 'AH01817')
    assert not (is_in(jar) and is_in(jar) and is_in(jar))


def test_the_logout_afterwards(servers):
    new = servers[2]
    jar = at(new, Jar(new))
    log_in(jar, '/login.html')
    assert is_in(jar)
    jar.request('GET', '/logout', NAVIGATE)
    assert not is_in(jar) and jar.cookies == {}


@pytest.mark.parametrize('sent, left', [
    ('session={old}', None), ('a=1; session={old}; b=2', {'a=1', 'b=2'}), ('session={old}; b=2', {'b=2'}),
    ('oldsession=1; a=session=2', {'oldsession=1', 'a=session=2'})])
def test_the_old_cookie_is_kept_away_and_deleted(start, sent, left):
    server = start(of_page(ONCE, 0) + MORE, MODULES, FILES)
    ours = 'shop=' + Native({'user': 'alice'}).seal(name='shop')
    cookie = sent.replace('{old}', 'user=alice&password=right')
    response = server.request('GET', '/cgi/env', cookie=f'{cookie}; {ours}')
    seen = dict(line.split('=', 1) for line in response.text.splitlines() if '=' in line)
    assert seen['SESSION_user'] == 'alice'
    assert {part.strip() for part in seen.get('HTTP_COOKIE', '').split(';')} - {''} == (left or set())
    assert response.get_all('Set-Cookie') == (['session=; Path=/; Max-Age=0'] if '{old}' in sent else [])


def test_httpd_shows_both_to_a_script_that_translates(start):
    script = '''#!/bin/sh
        printf 'Content-Type: text/plain\\nX-Session-Update: {"cart":"%s"}\\n\\n' "${HTTP_SESSION##*cart=}"
        '''
    conf = '''
        Session On
        SessionCookieName session path=/
        SessionEnv On
        SignedSession On
        SignedSessionCookie shop
        SignedSessionEnv On
        ScriptAlias "/cgi/" "{dir}/cgi/"
        <Location "/cgi/">
            SignedSessionUpdate X-Session-Update cart
        </Location>'''
    server = start(conf, f'{MODULES} {STOCK}', {'cgi/carry': script, 'cgi/env': ENV_CGI})
    response = server.request('GET', '/cgi/carry', cookie='session=cart=3')
    assert Native.open(response.cookie('shop'), name='shop').data == {'cart': '3'}
    page = server.request('GET', '/cgi/env', cookie=f'session=cart=3; shop={response.cookie("shop")}').text.splitlines()
    assert {'HTTP_SESSION=cart=3', 'SESSION={"cart":"3"}', 'SESSION_cart=3'} <= set(page)


# --- mod_auth_openidc ----------------------------------------------------------------------------

PAGES = 'ScriptAlias "/members/" "{dir}/members/"\n'
MEMBERS = {f'members/{name}': ENV_CGI for name in ('page', 'admin/page')}


@pytest.fixture(scope='module')
def provider():
    with Provider() as one:
        yield one


def oidc(provider, number, changes=()):
    conf = here(printed('moving')[OIDC][number], {
        'https://id.example.com': provider.url, 'https://www.example.com': 'http://127.0.0.1:{port}',
        'what-the-provider-gave-you': provider.client_secret, **dict(changes)})
    conf = conf.replace('https%3A%2F%2Fwww.example.com', 'http%3A%2F%2F127.0.0.1%3A{port}')
    modules = f'alias authn_core authz_user auth_openidc {cgi_module()}'
    return Outspoken(conf + PAGES, modules, {**MEMBERS, 'htdocs/bye.html': 'bye'}, ours=number == 1)


def browser_at(server, cookies=()):
    server.allow(*DENIED, 'access_denied', 'auth_openidc')
    browser = Browser(server)
    browser.cookies = dict(cookies)
    return browser


@pytest.mark.parametrize('user, administers', [('alice', 200), ('bob', 403)])
def test_nobody_logs_in_at_the_provider_again(provider, user, administers):
    with oidc(provider, 0) as old, oidc(provider, 1) as new:
        provider.user = user
        browser = browser_at(old)
        assert browser.open('/members/page').status == 200
        assert browser.open('/members/admin/page').status in (administers, 401)
        assert set(browser.cookies) == {'mod_auth_openidc_session'}
        provider.user = None  # it refuses
        browser = browser_at(new, browser.cookies)
        form = browser.request('POST', '/members/page', {**NAVIGATE, **FORM}, 'a=b')
        assert form.status == 401
        assert is_page_of(browser.open('/members/page'), user) and browser.path == '/members/page'
        session = Native.open(browser.session).data
        assert (session['user'], session['mail']) == (user, f'{user}@example.test')
        assert browser.open('/members/admin/page').status == administers
        assert is_page_of(browser_at(new, {'session': browser.session}).open('/members/page'), user)
        late = browser_at(new).request('GET', '/members/back?code=x&state=y', NAVIGATE)
        assert late.get('Location') == new.url('/members/?code=x&state=y')
        stranger = browser_at(new)
        assert 'access_denied' in stranger.open('/members/page').text and stranger.session is None


@pytest.mark.parametrize('change', [{'a long random word': 'another random word'},
                                    {'OIDCSessionType client-cookie': 'OIDCSessionType client-cookie\nOIDCCookie login_provider'}],
                         ids=['passphrase', 'cookie'])
def test_with_another_passphrase_or_cookie_the_provider_is_asked(provider, change):
    with oidc(provider, 0) as old, oidc(provider, 1, change) as new:
        provider.user = 'alice'
        browser = browser_at(old)
        browser.open('/members/page')
        provider.user = None
        assert 'access_denied' in browser_at(new, browser.cookies).open('/members/page').text
        provider.user = 'alice'
        assert is_page_of(browser_at(new, browser.cookies).open('/members/page'), 'alice')


def test_where_nothing_is_required_variables_say_who_it_is(start):
    """In the place of OIDCUnAuthAction pass."""
    server = start('SignedSession On\nSignedSessionEnv On\n' + PAGES, f'alias {cgi_module()}', MEMBERS)
    cookie = 'session=' + Native({'user': 'alice'}).seal()
    assert 'SESSION_user=alice' in server.request('GET', '/members/page', cookie=cookie).text.splitlines()
    assert 'SESSION_user' not in server.request('GET', '/members/page').text


def test_the_logout_of_afterwards(provider):
    with oidc(provider, 1) as new:
        provider.user = 'alice'
        browser = browser_at(new)
        browser.open('/members/page')
        assert set(browser.cookies) == {'session', 'mod_auth_openidc_session'}
        assert browser.open('/logout').text == 'bye' and browser.cookies == {}
