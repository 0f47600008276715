# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Beside modules that give a request the configuration of another place after its fixups, without a redirect: mod_dir
(DirectoryIndex, FallbackResource) and mod_negotiation (MultiViews)."""

import pytest

from common import basic, stored
from cookies import native
from harness import Server, cgi_module

ALICE = native({'user': 'alice'})
LEADERS = {'/index/': 'DirectoryIndex {}', '/fallback/none': 'FallbackResource {}'}


def tenant(path, target, more=''):
    return {f'htdocs{path.rsplit("/", 1)[0]}/.htaccess': f'{more}{LEADERS[path].format(target)}\n'}


# --- rules are earned in the place that they stand in ------------------------------------------------

# A tenant's own passwords, in front of a login that also lets people in by their address.
OWN_PASSWORDS = ('AuthType Basic\nAuthName mine\nAuthBasicProvider anon\nAnonymous *\nAnonymous_MustGiveEmail Off\n'
                 'Require valid-user\n')
LOGIN = '''
    SignedSession On
    <Directory "{dir}/htdocs">
        AllowOverride AuthConfig FileInfo Indexes Limit
    </Directory>
    <Location "/any">
        AuthType Basic
        AuthName "members"
        AuthUserFile "{dir}/users"
        <RequireAny>
            Require ip 127.0.0.1
            Require valid-user
        </RequireAny>
        SignedSessionSet user "%{REMOTE_USER}"
    </Location>
    <Location "/address">
        Require ip 127.0.0.1
        SignedSessionSet user "%{REMOTE_USER}"
    </Location>
    <Location "/own/">
        AuthType Basic
        AuthName "members"
        AuthUserFile "{dir}/users"
        Require valid-user
        SignedSessionSet user "%{REMOTE_USER}"
    </Location>
'''
MODULES = 'alias dir auth_basic authn_core authn_anon authn_file authz_user authz_host'
ADMIN = basic('admin', 'secret')


@pytest.mark.parametrize('path', LEADERS)
@pytest.mark.parametrize('login', ['/any', '/address'])
def test_the_user_of_one_place_earns_nothing_in_another(start, path, login):
    server = start(LOGIN, MODULES, {'htdocs/any': 'x', 'htdocs/address': 'x', 'users': '',
                                    **tenant(path, login, OWN_PASSWORDS)})
    response = server.request('GET', path, ADMIN)
    assert (response.status, stored(response)) == (200, None)


def test_who_was_let_in_to_both_has_earned_it(start):
    users = 'admin:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n'  # of "secret"
    server = start(LOGIN, MODULES, {'htdocs/own/index.html': 'x', 'users': users})
    response = server.request('GET', '/own/', ADMIN)
    assert (response.status, stored(response)) == (200, {'user': 'admin'})


@pytest.mark.parametrize('guard', ['AuthType signed-session\nSignedSessionLoginPage /login',
                                   'AuthType Basic\nAuthName x\nAuthUserFile "{dir}/users"'])
def test_a_guarded_page_for_whatever_is_missing(start, guard):
    """What the documentation says of both: httpd asks nobody, unless the place that was asked for is guarded, too."""
    server = start('SignedSession On\nFallbackResource /app/front.html\n'
                   f'<Directory "{{dir}}/htdocs/app">\n{guard}\nRequire valid-user\n</Directory>', MODULES,
                   {'htdocs/app/front.html': 'front', 'users': ''})
    outside, inside = (server.request('GET', path, {'Accept': 'text/html'}) for path in ('/missing', '/app/missing'))
    assert (outside.status, outside.get('WWW-Authenticate'), outside.get('Location')) == (401, None, None)
    assert inside.get('WWW-Authenticate') or inside.get('Location') == '/login?return=/app/missing'
    assert server.request('GET', '/missing', cookie=ALICE).status == (200 if 'signed-session' in guard else 401)


# --- the user is that of the place that answers ------------------------------------------------------

WHO = '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n$AUTH_TYPE $REMOTE_USER"\n'
STAFF = '''
    SignedSession On
    LogFormat "%u" user
    CustomLog "{dir}/access.log" user
    AddHandler cgi-script .cgi
    AddType text/html .shtml
    AddOutputFilter INCLUDES .shtml
    <Directory "{dir}/htdocs">
        Options +ExecCGI +Includes
        AllowOverride AuthConfig FileInfo Indexes Limit
    </Directory>
    <Location "/staff">
        AuthType signed-session
        SignedSessionUser staff s:
        Require valid-user
    </Location>
    <LocationMatch "^/customers/">
        AuthType signed-session
        Require valid-user
        DirectoryIndex /staff/who.cgi
        FallbackResource /staff/who.cgi
    </LocationMatch>
    <LocationMatch "^/off/">
        SignedSession Off
        DirectoryIndex /staff/who.cgi
    </LocationMatch>
'''


@pytest.fixture(scope='module')
def staff():
    files = {'htdocs/staff/who.cgi': WHO, 'htdocs/customers/a.txt': 'x', 'htdocs/off/a.txt': 'x',
             'htdocs/staff/index.html': 'x', 'htdocs/staff/.htaccess': 'DirectoryIndex who.cgi\n',
             'htdocs/page.shtml': '<!--#include virtual="/customers/" -->',
             **tenant('/index/', '/staff/who.cgi', OWN_PASSWORDS)}
    with Server(STAFF, f'{MODULES} include {cgi_module()}', files) as one:
        one.allow('SS0117')
        yield one


BOTH = native({'user': 'root', 'staff': 's:bob'})


@pytest.mark.parametrize('path', ['/staff/who.cgi', '/staff/', '/customers/', '/customers/none', '/off/', '/index/'])
def test_the_user_of_one_place_is_nobody_in_another(staff, path):
    """A name that a customer has chosen, or whoever has a directory with passwords of his own, is no colleague's."""
    response = staff.request('GET', path, ADMIN, cookie=BOTH)
    assert (response.status, response.text, response.get('Cache-Control')) == (200, 'signed-session bob', 'private')
    assert (staff.dir / 'access.log').read_text().splitlines()[-1] == 'bob'


def test_the_user_of_a_part_is_that_of_its_place(staff):
    assert staff.request('GET', '/page.shtml', cookie=BOTH).text == 'signed-session bob'


# --- the guard, and what places say ------------------------------------------------------------------

SCRIPT = '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\nmethod=$REQUEST_METHOD"; cat\n'
CROSS = {'Sec-Fetch-Site': 'cross-site', 'Origin': 'https://evil.test',
         'Content-Type': 'application/x-www-form-urlencoded'}
GUARDED = '''
    <Directory "{dir}/htdocs">
        Options +ExecCGI +MultiViews +Includes
        MultiviewsMatch Any
        AddHandler cgi-script .cgi
        AddOutputFilter INCLUDES .shtml
        AllowOverride All
    </Directory>
    <FilesMatch "\\.cgi$">
        SignedSessionGuard On
    </FilesMatch>
    <Files "page.shtml">
        KeptBodySize 1000
    </Files>
'''


@pytest.fixture(scope='module')
def guarded():
    files = {'htdocs/blog/index.cgi': SCRIPT, 'htdocs/blog/.htaccess': 'DirectoryIndex index.cgi\n',
             'htdocs/front/front.cgi': SCRIPT, 'htdocs/front/.htaccess': 'FallbackResource /front/front.cgi\n',
             'htdocs/views/go.cgi': SCRIPT, 'htdocs/page.shtml': '<!--#include virtual="/views/go.cgi" -->'}
    with Server(GUARDED, f'dir negotiation include request {cgi_module()}', files=files) as one:
        yield one


@pytest.mark.parametrize('path', ['/blog/index.cgi', '/blog/', '/front/some/thing', '/views/go.cgi', '/views/go'])
def test_a_guarded_script_is_guarded_however_it_is_reached(guarded, path):
    response = guarded.request('POST', path, CROSS, b'pay=1000')
    assert (response.status, 'pay=1000' in response.text) == (403, False)
    assert guarded.request('POST', path, {**CROSS, 'Sec-Fetch-Site': 'same-origin'}, b'pay=1').text == 'method=POSTpay=1'
    guarded.expect('SS0209')


def test_a_guarded_part_of_a_page_does_not_get_its_form(guarded):
    assert 'pay=1000' not in guarded.request('POST', '/page.shtml', CROSS, b'pay=1000').text
    guarded.allow('SS0209', 'unable to include')


PLACES = '''
    <Directory "{dir}/htdocs">
        FallbackResource /front.html
        DirectoryIndex index.html
    </Directory>
    <Location "/logout">
        SignedSession On
        SignedSessionClear On
    </Location>
    <LocationMatch "^/bye/?$">
        SignedSession On
        SignedSessionUnset user
    </LocationMatch>
    <Location "/bye/index.html">
        SignedSession On
    </Location>
    <LocationMatch "^/home/$">
        SignedSession On
    </LocationMatch>
'''


@pytest.fixture(scope='module')
def places():
    files = {'htdocs/front.html': 'front', 'htdocs/bye/index.html': 'bye', 'htdocs/home/index.html': 'home'}
    with Server(PLACES, 'dir', files=files) as one:
        yield one


@pytest.mark.parametrize('path, text', [('/logout', 'front'), ('/bye/', 'bye')])
def test_what_the_place_says_that_was_asked_for_holds(places, path, text):
    """A front controller answers; the logout is one all the same."""
    response = places.request('GET', path, cookie=ALICE)
    assert (response.text, response.cookie()) == (text, '')
    assert 'no-store' in response.get('Cache-Control')


@pytest.mark.parametrize('cookie', [ALICE, None], ids=['alice', 'nobody'])
def test_an_answer_varies_where_either_place_does(places, cookie):
    assert 'Cookie' in places.request('GET', '/home/', cookie=cookie).get('Vary')
    assert places.request('GET', '/front.html', cookie=cookie).get('Vary') is None


def test_notes_do_not_go_with_it_to_a_place_without_sessions(start):
    server = start('''
        <LocationMatch "^/home/$">
            SignedSession On
        </LocationMatch>
        DirectoryIndex /show.lua
        <Files "show.lua">
            SetHandler lua-script
        </Files>''', 'dir lua', {'htdocs/home/.keep': '', 'htdocs/show.lua': '''
            function handle(r)
                r.content_type = "text/plain"
                r:puts("note=" .. tostring(r.notes["session"]) .. tostring(r.notes["session:user"]))
                return apache2.OK
            end'''})
    assert server.request('GET', '/home/', cookie=ALICE).text == 'note=nilnil'
