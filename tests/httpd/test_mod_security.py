# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""docs/beside.md on mod_security: the real module with its Core Rule Set."""

import re
import time

import pytest

from common import DAY, FORM, TOP, stored
from cookies import native, opened
from harness import Server, cgi_module
from pages import here, printed
from servers import ROOT

# mod_security itself leaves names in httpd's list of defines, of a pool that dies with its first reading of the configuration.
pytestmark = [pytest.mark.once, pytest.mark.living_pools]

ALICE = native({'user': 'alice'})
ENGINE = '''
    SecRuleEngine On
    SecRequestBodyAccess On
    SecResponseBodyAccess On
    SecResponseBodyMimeType text/plain
    SecDataDir {dir}/data
    SecTmpDir {dir}/data
'''
GUARDED = f'alias setenvif unique_id security2 {cgi_module()}'
BROWSER = {'Host': 'www.example.com', 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0', 'Accept': 'text/html'}


def rules_of_others(level):
    return f'''
        Include {ROOT}/etc/modsecurity/crs/crs-setup.conf
        SecAction "id:900000,phase:1,pass,nolog,setvar:tx.paranoia_level={level}"
        Include {ROOT}/usr/share/modsecurity-crs/rules/*.conf
        '''


def unlucky():
    """A cookie with two hyphens, and a third one behind: found by chance, as visitors are."""
    while not re.search('--[^-]*-', cookie := native({'user': 'alice'})):
        pass
    return cookie


def test_more_than_one_cookie_in_two_hundred_is_unlucky():
    found = sum(bool(re.search('--[^-]*-', native({'user': 'alice'}, renewed=DAY, created=DAY))) for _ in range(10000))
    assert 30 <= found <= 95, found


@pytest.mark.parametrize('level, line, status', [(1, False, 200), (2, False, 403), (2, True, 200), (3, True, 200)])
def test_a_good_cookie_is_no_attack(start, level, line, status):
    rule = printed('beside')['mod_security'][0] if line else ''
    server = start('SignedSession On\n' + ENGINE + rules_of_others(level) + rule, GUARDED, {'data/': ''})
    cookie = unlucky()
    assert server.request('GET', '/file.txt', BROWSER, cookie=cookie).status == status
    if status == 403:
        server.expect('942440', f'found within REQUEST_COOKIES:session: {cookie.partition("=")[2]}')
    # an attack is one all the same
    server.allow('security2')
    assert server.request('GET', '/file.txt?a=<script>alert(1)</script>', BROWSER, cookie=ALICE).status == 403


UPDATING = '''#!/bin/sh
printf 'Content-Type: text/plain\\nX-Session-Update: {"n":1}\\n\\nSESSION_user=%s\\n' "$SESSION_user"
'''
FURTHER_RULES = '\n'.join(
    [f'SecRule ARGS:deny "@streq {phase}" "id:1{phase}00,phase:{phase},deny,status:403"' for phase in (1, 2, 3, 4)]
    + [f'SecRule ENV:SESSION_user "@streq alice" "id:1{phase}01,phase:{phase},pass,nolog,setenv:SEEN{phase}=y"' for phase in (1, 2, 3, 4)]
    + [f'SecRule REQUEST_COOKIES:session "@rx ." "id:1{phase}02,phase:{phase},pass,nolog,setenv:COOKIE{phase}=y"' for phase in (1, 2)]
    + ['SecRule RESPONSE_HEADERS:X-Session-Update "@rx ." "id:1303,phase:3,pass,nolog,setenv:UPDATE=y"',
       'SecRule RESPONSE_HEADERS:Set-Cookie "@rx ." "id:1304,phase:3,pass,nolog,setenv:WRITTEN=y"',
       'SecRule ARGS:text "@contains <script" "id:1105,phase:1,deny,status:403,tag:attack-xss,chain"\nSecRule ARGS:early "@eq 1"',
       'SecRule ARGS:text "@contains <script" "id:1205,phase:2,deny,status:403,tag:attack-xss"']) + '''
    SecAuditEngine On
    SecAuditLog "{dir}/audit.log"
    SecAuditLogParts ABFHZ
    SignedSessionEnv On
    CustomLog "{dir}/seen" "%{SEEN1}e %{SEEN2}e %{SEEN3}e %{SEEN4}e %{COOKIE1}e %{COOKIE2}e %{UPDATE}e %{WRITTEN}e"
    ScriptAlias "/app/" "{dir}/app/"
    <Location "/app/">
        SignedSessionUpdate X-Session-Update
    </Location>
    <Location "/app/set">
        SignedSessionSet seen yes
    </Location>
    <Location "/app/out">
        SignedSessionClear On
    </Location>
'''


@pytest.fixture(scope='module')
def secured():
    files = {'data/': '', **{f'app/{name}': UPDATING for name in ('update', 'set', 'out')}, 'htdocs/admin.txt': 'x', 'htdocs/text': 'x'}
    with Server(ENGINE + FURTHER_RULES + printed('beside')['mod_security'][1], GUARDED, files) as one:
        yield one


@pytest.fixture
def guarded(secured):
    secured.allow('security2')
    return secured


def rows():
    """The last table of the page."""
    text = (TOP / 'docs/beside.md').read_text().split('What a refusal does to the session:')[1]
    return [[cell.strip() for cell in line.split('|')] for line in re.findall(r'^\| (.*) \|$', text, re.M)[1:]]


@pytest.mark.parametrize('phase, row', [('1', 0), ('2', 1), ('3', 2), ('4', 2)])
def test_what_a_refusal_leaves(guarded, phase, row):
    where, has_run, changed, is_set, cleared = rows()[row]
    assert phase in where
    cookie = native({'user': 'alice'})

    def refused(path):
        response = guarded.request('GET', f'/app/{path}?deny={phase}', cookie=cookie)
        assert response.status == 403
        return response

    is_saved = stored(refused('update')) == {'user': 'alice', 'n': 1}
    assert is_saved == (changed == 'is saved') == (has_run == 'yes')
    assert 'seen' not in (stored(refused('set')) or {}) and is_set == 'no'
    assert (refused('out').cookie() == '') == (cleared == 'yes')


def test_without_a_refusal_all_of_it_counts(guarded):
    assert opened(guarded.request('GET', '/app/set', cookie=ALICE)).data == {'user': 'alice', 'n': 1, 'seen': 'yes'}


def test_which_phase_sees_what(guarded):
    guarded.request('GET', '/app/update', cookie=ALICE)
    deadline = time.monotonic() + 3
    while not (text := (guarded.dir / 'seen').read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert text.splitlines()[-1] == '- - y y y y y -'


def test_no_cookie_is_in_the_audit_log(guarded):
    sent = native({'user': 'alice'})
    written = guarded.request('GET', '/app/update', cookie=sent).cookie()
    log = guarded.dir / 'audit.log'
    deadline = time.monotonic() + 3
    while '/app/update' not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    text = log.read_text()
    assert 'Cookie: ***' in text and sent.partition('=')[2] not in text and written not in text


def test_a_rule_that_asks_for_the_session(guarded):
    for cookie, status in ((native({'role': 'admin'}), 200), (native({'role': 'x'}), 403), (None, 403)):
        assert guarded.request('GET', '/admin.txt', cookie=cookie).status == status


def test_a_variable_that_is_not_there_never_matches(start):
    conf = here(printed('beside')['mod_security'][1], {'&ENV:IS_ADMIN "@eq 0"': 'ENV:IS_ADMIN "!@streq 1"'})
    server = start(ENGINE + conf, GUARDED, {'data/': '', 'htdocs/admin.txt': 'x'})
    assert server.request('GET', '/admin.txt').status == 200


def test_a_rule_that_is_not_for_editors(guarded):
    editor = native({'role': 'editor'})
    for cookie, status in ((editor, 200), (ALICE, 403), (None, 403)):
        assert guarded.request('POST', '/text?text=<script>', FORM, '', cookie=cookie).status == status
    assert guarded.request('GET', '/text?text=<script>&early=1', cookie=editor).status == 403
