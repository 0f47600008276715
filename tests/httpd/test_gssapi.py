# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""mod_auth_gssapi with a session of ours, a real KDC and curl."""

import base64
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from common import ENV_CGI, TOP, is_secret
from harness import cgi_module
from servers import Kerberos
from test_guide import blocks

pytestmark = pytest.mark.xdist_group('gssapi')

CONF = '''
    SignedSession On
    SignedSessionEncrypt On
    SignedSessionReveal On
    SignedSessionEnv On
    SignedSessionIdleTimeout {idle}
    LogFormat "%s %u" user
    CustomLog "{dir}/access.log" user
    ScriptAlias /cgi/ "{dir}/cgi/"
    <Location "/cgi">
        AuthType GSSAPI
        AuthName realm
        GssapiCredStore keytab:{keytab}
        GssapiUseSessions On
        {key}
        SignedSessionModules On
        Require valid-user
    </Location>
    <Location "/logout">
        SignedSessionClear On
    </Location>
    <Location "/session">
        SetHandler signed-session
    </Location>
'''
MODULES = f'alias authn_core authz_user auth_gssapi {cgi_module()}'
FILES = {'cgi/env': ENV_CGI, 'htdocs/logout': 'bye'}
KEY = 'GssapiSessionKey key:' + base64.b64encode(bytes(range(32))).decode()
# As browsers do it: only when they are asked.
NEGOTIATE = ('--anyauth', '-u', ':')
ALICE = f'REMOTE_USER=alice@{Kerberos.realm}\n'


class Browser:
    """curl, with a ticket of alice's; what it keeps of a server is in a file of cookies."""

    def __init__(self, kerberos):
        self.env = kerberos.log_in('alice')

    def get(self, server, path, jar, *words):
        """Answers (status, body)."""
        text = subprocess.run(['curl', '-s', '-b', jar, '-c', jar, '--resolve', f'localhost:{server.port}:127.0.0.1', '-w',
                               '\n%{http_code}', *words, server.url(path, 'localhost')],
                              env=self.env, capture_output=True, text=True, check=True, timeout=60).stdout
        body, _, status = text.rpartition('\n')
        return int(status), body


@pytest.fixture(scope='module')
def kerberos():
    with Kerberos() as one:
        yield one


@pytest.fixture(scope='module')
def browser(kerberos):
    return Browser(kerberos)


@pytest.fixture
def gssapi(start, kerberos):
    def start_one(idle='14d', key=KEY, modules=''):
        return start(CONF, f'{MODULES} {modules}', FILES, env=kerberos.variables, keytab=kerberos.keytab, idle=idle, key=key)

    return start_one


@pytest.fixture
def jar(tmp_path):
    return tmp_path / 'cookies'


def cookie_in(jar):
    return [line.split('\t') for line in jar.read_text().splitlines() if '\t' in line]


def negotiations(server):
    """How often somebody was asked who he is, since the last time."""
    server.wait_until_idle()  # a line is written behind the answer, and curl waits for that alone
    text = (server.dir / 'access.log').read_text()
    (server.dir / 'access.log').write_text('')
    return sum(line.startswith('401') for line in text.splitlines())


@pytest.mark.parametrize('modules', ['', 'session session_cookie'], ids=['alone', 'beside-mod_session'])
def test_one_negotiation_and_then_the_session(gssapi, browser, jar, modules):
    server = gssapi(modules=modules)
    assert browser.get(server, '/cgi/env', jar)[0] == 401
    negotiations(server)
    status, text = browser.get(server, '/cgi/env', jar, *NEGOTIATE)
    assert (status, ALICE in text, negotiations(server)) == (200, True, 1)
    for words in ((), NEGOTIATE):
        status, text = browser.get(server, '/cgi/env', jar, *words)
        assert (status, ALICE in text, negotiations(server)) == (200, True, 0)
    (cookie,) = cookie_in(jar)
    assert cookie[5] == 'session' and is_secret(cookie[6])


def test_its_token_is_shown_to_nobody(gssapi, browser, jar):
    server = gssapi()
    text = browser.get(server, '/cgi/env', jar, *NEGOTIATE)[1]
    text += browser.get(server, '/cgi/env', jar)[1] + browser.get(server, '/session', jar)[1]
    assert 'MagBearer' not in text and 'mod_session' not in text and 'SESSION={}\n' in text


def test_an_image_of_another_site_does_not_replace_the_session(gssapi, browser, jar):
    """Its browser negotiates without the cookie, which SameSite keeps away."""
    server = gssapi()
    image = [word for line in ('Site: cross-site', 'Mode: no-cors', 'Dest: image') for word in ('-H', f'Sec-Fetch-{line}')]
    assert browser.get(server, '/cgi/env', jar, *image, *NEGOTIATE)[0] == 200
    assert cookie_in(jar) == []


def test_after_a_logout_it_asks_again(gssapi, browser, jar):
    server = gssapi()
    browser.get(server, '/cgi/env', jar, *NEGOTIATE)
    assert browser.get(server, '/logout', jar) == (200, 'bye')
    assert cookie_in(jar) == []
    assert browser.get(server, '/cgi/env', jar)[0] == 401
    assert browser.get(server, '/cgi/env', jar, *NEGOTIATE)[0] == 200


def test_the_first_login_after_our_timeout_counts(gssapi, browser, jar):
    server = gssapi(idle='1s')
    browser.get(server, '/cgi/env', jar, *NEGOTIATE)
    value = cookie_in(jar)[0][6]
    time.sleep(2.2)
    jar.write_text(f'localhost\tFALSE\t/\tFALSE\t0\tsession\t{value}\n')
    assert browser.get(server, '/cgi/env', jar)[0] == 401
    negotiations(server)
    assert browser.get(server, '/cgi/env', jar, *NEGOTIATE)[0] == 200
    assert negotiations(server) == 1
    assert browser.get(server, '/cgi/env', jar)[0] == 200


def test_two_tabs(gssapi, browser, tmp_path):
    """Both begin without a session, at the same time: whichever cookie stays, both are logged in."""
    server = gssapi()

    def open_tab(number, cookie=None, words=NEGOTIATE):
        jar = tmp_path / f'jar-{number}'
        if cookie is not None:
            jar.write_text(cookie)
        return browser.get(server, '/cgi/env', jar, *words)[0], jar.read_text()

    with ThreadPoolExecutor(2) as pool:
        first = list(pool.map(open_tab, (1, 2)))
        assert [status for status, _ in first] == [200, 200]
        for _, cookie in first:
            both = list(pool.map(open_tab, (3, 4), (cookie, cookie), ((), NEGOTIATE)))
            assert [status for status, _ in both] == [200, 200]


@pytest.mark.parametrize('key, status, mark', [
    (KEY, 200, None), ('', 401, 'Failed to unseal session data'), (KEY.replace(' ', ' "') + '"', 401, 'Invalid key format'),
], ids=['key', 'no-key', 'key-in-quotes'])
def test_only_with_a_key_of_its_own_a_session_outlives_a_restart(gssapi, browser, jar, key, status, mark):
    """A key in quotes is none, and the server starts all the same."""
    server = gssapi(key=key)
    browser.get(server, '/cgi/env', jar, *NEGOTIATE)
    server.restart()
    assert browser.get(server, '/cgi/env', jar)[0] == status
    assert browser.get(server, '/cgi/env', jar, *NEGOTIATE)[0] == 200
    assert browser.get(server, '/cgi/env', jar)[0] == 200
    if mark:
        server.expect(mark)
        server.allow('Failed to unseal session data')


def test_the_example_of_the_documentation(start, kerberos, browser, jar):
    text = blocks(TOP / 'docs/modules.md', 'apache')[2].replace('/etc/apache2/http.keytab', str(kerberos.keytab))
    server = start(re.sub(r'file:/var/lib/\S+', 'file:{dir}/gssapi.key', text), MODULES,
                   {'htdocs/intranet/a.txt': 'inside', 'htdocs/logout': 'bye'}, env=kerberos.variables)
    assert browser.get(server, '/intranet/a.txt', jar)[0] == 401
    assert browser.get(server, '/intranet/a.txt', jar, *NEGOTIATE) == (200, 'inside')
    server.restart()
    assert browser.get(server, '/intranet/a.txt', jar) == (200, 'inside')
    browser.get(server, '/logout', jar)
    assert browser.get(server, '/intranet/a.txt', jar)[0] == 401
