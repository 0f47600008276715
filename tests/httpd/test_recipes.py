# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The recipes of README.md and docs/troubleshooting.md, served and tried as they are printed."""

import os
import re
import subprocess
import time
from urllib.parse import urlencode

import pytest

from client import Request, exchange_http1
from common import FORM, NAVIGATE, TOP, password_file, stored
from cookies import Native, native
from harness import SECRET, Jar, configtest
from ports import free_port
from starting import NO_SECRET, OTHER, VARIABLE, Keyed
from test_logins import Browser, TlsServer, authority, certificate

pytestmark = pytest.mark.once

README = (TOP / 'README.md').read_text()
EXAMPLES = TOP / 'conf/examples'
MEMBERS = 'For members only\n'
MODULES = 'alias authn_core authn_file auth_form authz_user dir request session ssl'
RIGHT = urlencode({'httpd_username': 'alice', 'httpd_password': 'right'})
COOKIE = '__Host-session'


def blocks(language):
    return re.findall(rf'^```{language}\n(.*?)^```$', README, re.M | re.S)


def without_licence(text):
    return re.sub(r'^.*(?:SPDX-License-Identifier|Copyright the ).*\n', '', text, flags=re.M)


class Site(TlsServer, Keyed):
    """conf/examples/site.conf with the ports and the paths of this machine, and nothing else changed."""

    def __init__(self, folder):
        self.plain = free_port()
        authority(folder, 'ours')
        pem = certificate(folder, 'localhost', 'ours').read_bytes()
        conf = (EXAMPLES / 'site.conf').read_text()
        for theirs, ours in {'*:80>': '127.0.0.1:{plain}>', '*:443>': '127.0.0.1:{port}>', '/var/www/members': '{dir}/htdocs',
                             '/etc/ssl/certs/ssl-cert-snakeoil.pem': '{dir}/keys/server.pem',
                             '/etc/ssl/private/ssl-cert-snakeoil.key': '{dir}/keys/server.pem', '/var/lib/apache2/': '{dir}/log/',
                             '/etc/apache2/': '{dir}/', '/var/log/apache2/': '{dir}/logs/'}.items():
            assert theirs in conf, theirs
            conf = conf.replace(theirs, ours)
        files = {'htdocs/login.html': (EXAMPLES / 'login.html').read_text(), 'htdocs/members/index.html': MEMBERS, 'htdocs/index.html': 'all',
                 'users': password_file('alice'), 'keys/server.pem': pem.decode(), 'log/': '', 'logs/.keep': ''}
        super().__init__('Listen 127.0.0.1:{plain}\n' + conf, MODULES, files, plain=self.plain)


@pytest.fixture
def site(tmp_path):
    with Site(tmp_path) as server:
        server.allow('AH01617', 'AH01629', 'AH01630', 'AH01807')
        yield server


# --- a whole site --------------------------------------------------------------------------------


def test_the_readme_prints_the_files():
    conf = (EXAMPLES / 'site.conf').read_text()
    assert conf[conf.index('\n\n') + 1:].lstrip('\n') in [text.lstrip('\n') for text in blocks('apache')]
    assert without_licence((EXAMPLES / 'login.html').read_text()) in blocks('html')


def test_the_package_has_the_files_that_the_readme_copies():
    lines = (TOP / 'debian/libapache2-mod-signed-session.examples').read_text().split()
    assert {'conf/examples/*.conf', 'conf/examples/*.html'} <= set(lines)
    assert re.findall(r'^sudo cp \$examples/(\S+) /', README, re.M) == [path.name for path in (EXAMPLES / 'site.conf', EXAMPLES / 'login.html')]


def test_the_login_and_the_way_back(site):
    visitor = Browser(site)
    form = visitor.open('/members/?page=2')
    assert (form.status, visitor.path, form.text) == (401, '/login?return=/members/%3Fpage%3D2', (EXAMPLES / 'login.html').read_text())
    assert visitor.request('POST', visitor.path, FORM, RIGHT.replace('right', 'wrong')).status == 401
    right = visitor.request('POST', visitor.path, FORM, RIGHT)
    assert (right.status, right.get('Location'), Native.open(visitor.cookies[COOKIE], SECRET, COOKIE).data) == (303, '/members/?page=2', {'user': 'alice'})
    line, = right.set_cookies(COOKIE)
    assert {'Path=/', 'Secure', 'HttpOnly', 'SameSite=Lax'} <= set(line.split('; ')) and 'Domain' not in line
    assert visitor.open('/members/').text == MEMBERS


def test_a_form_of_another_site_logs_nobody_in(site):
    site.expect('SS0209')
    answer = site.request('POST', '/login', {**FORM, 'Sec-Fetch-Site': 'cross-site'}, RIGHT)
    assert (answer.status, answer.set_cookies()) == (403, [])


def test_a_logout_ends_every_copy(site):
    visitor = Browser(site)
    visitor.request('POST', '/login', FORM, RIGHT)
    copy = f'{COOKIE}={visitor.cookies[COOKIE]}'
    assert site.request('GET', '/members/', NAVIGATE, cookie=copy).text == MEMBERS
    assert visitor.request('GET', '/logout').status == 302 and COOKIE not in visitor.cookies
    assert site.request('GET', '/members/', NAVIGATE, cookie=copy).status == 303


def test_by_http_there_is_only_the_way_to_https(site):
    for path in ('/', '/members/?a=b', '/login'):
        answer = exchange_http1(site.plain, Request('GET', path, [('Connection', 'close')], authority='www.example.com'))
        assert (answer.status, answer.get('Location')) == (301, f'https://www.example.com{path}')


def test_a_role_lets_in_without_a_user(start):
    conf, = [text for text in blocks('apache') if 'role admin' in text and 'AuthType' not in text]
    server = start(f'SignedSession On\n{conf}', 'authz_user', {'htdocs/admin/page': 'for admins'})
    server.allow('AH01630')
    assert server.request('GET', '/admin/page', cookie=native({'role': 'admin'})).text == 'for admins'
    assert server.request('GET', '/admin/page', cookie=native({'role': 'guest'})).status == 403


# --- where the secret lives ------------------------------------------------------------------------


def test_the_secret_is_a_credential(start_keyed):
    conf, = [text for text in blocks('apache') if 'CREDENTIALS_DIRECTORY' in text]
    name, = re.findall(r'^LoadCredential=(\w+):', ''.join(blocks('ini')), re.M)
    server = start_keyed(conf, {f'keys/{name}': SECRET + '\n'}, {**NO_SECRET, 'CREDENTIALS_DIRECTORY': '{dir}/keys'})
    assert stored(server.request('GET', '/a')) == {'user': 'alice'}


def test_who_has_no_credentials_is_told_which_variable_is_missing():
    conf, = [text for text in blocks('apache') if 'CREDENTIALS_DIRECTORY' in text]
    status, said = configtest(f'{conf}\nSignedSession On', env=NO_SECRET)
    assert status != 0 and 'CREDENTIALS_DIRECTORY' in said and 'SS0106' in said


def test_the_secret_is_a_file_of_a_container(start_keyed):
    variable, = set(re.findall(r'`(\w+_FILE)=', README))
    server = start_keyed('', {'keys/mounted': SECRET + '\n'}, {**NO_SECRET, variable: '{dir}/keys/mounted'})
    assert stored(server.request('GET', '/a')) == {'user': 'alice'}


@pytest.fixture
def start_keyed():
    """A server that gives everybody a session."""
    started = []

    def start(conf, files, env):
        server = Keyed(f'{conf}\nSignedSession On\nSignedSessionSet user alice', '', {'htdocs/a': 'x', **files}, env=env)
        started.append(server.start())
        return server
    yield start
    for server in started:
        server.stop()


# --- logging out everywhere ------------------------------------------------------------------------


def test_only_a_button_logs_out_everywhere(start):
    page = (TOP / 'docs/logout.md').read_text()
    conf = re.findall(r'^```apache\n(.*?)^```$', page, re.M | re.S)[0]
    method, address = re.search(r'<form method="(\w+)" action="(/logout-everywhere)">', page).groups()
    server = start(f'SignedSession On\n{conf}'.replace('/var/lib/apache2/', '{dir}/log/'), 'alias', {'htdocs/page': 'x', 'log/': ''})
    here, there = Jar(server), Jar(server)
    for jar in (here, there):
        jar.keep(native({'user': 'alice'}))
    is_in = [lambda: server.request('GET', '/page', cookie=cookie).cookie() != '' for cookie in (f'session={here.session}', f'session={there.session}')]
    assert here.request('GET', address, {'Sec-Fetch-Site': 'cross-site'}).status == 302
    assert [look() for look in is_in] == [True, True]
    answer = here.request(method.upper(), address, FORM, '')
    assert (answer.status, answer.cookie()) == (302, '')
    assert [look() for look in is_in] == [False, False]


# --- several servers -------------------------------------------------------------------------------


def test_servers_that_agree_print_the_same_id(tmp_path):
    line, = re.findall(r'^sudo (ssctl seal .* grep .*)$', README, re.M)
    path = os.environ['SS_SSCTL'].rpartition('/')[0]

    def printed(secret, audience=''):
        (tmp_path / 'secret').write_text(secret + '\n')
        command = line.replace('/etc/apache2/signed_session.secret', str(tmp_path / 'secret')).replace('seal ', f'seal {audience}')
        return subprocess.run(['sh', '-c', command], env={'PATH': f'{path}:/usr/bin:/bin'}, check=True, capture_output=True, text=True).stdout
    assert re.fullmatch(r'key id +[0-9a-f]{4} .*\n', printed(SECRET))
    assert printed(SECRET) == printed(SECRET)
    assert len({printed(SECRET), printed(OTHER), printed(SECRET, '--audience other ')}) == 3


# --- ssctl is given the secret that httpd has ----------------------------------------------------------

TROUBLESHOOTING = (TOP / 'docs/troubleshooting.md').read_text()


def opened_by(line, replacements, tmp_path, env=None):
    """What a printed command says of a Cookie line on its standard input."""
    for theirs, ours in {'sudo ': '', **replacements}.items():
        assert theirs in line, theirs
        line = line.replace(theirs, ours)
    path = os.environ['SS_SSCTL'].rpartition('/')[0]
    return subprocess.run(['bash', '-c', line], input=f'Cookie: {native({"user": "alice"})}\n', cwd=tmp_path, capture_output=True, text=True,
                          env={'PATH': f'{path}:/usr/sbin:/usr/bin:/bin', **(env or {})}).stdout


def printed(part):
    """The one command that has these words in it: a line of a block, or a cell of a table."""
    line, = {found.strip('`') for found in re.findall(r'^sudo .*$|`sudo [^`]*`', TROUBLESHOOTING, re.M) if part in found}
    return line


def test_ssctl_opens_with_the_secret_of_a_file(tmp_path):
    (tmp_path / 'secret').write_text(SECRET + '\n')
    for part, theirs in [('signed_session.secret --cookie-name', '/etc/apache2/signed_session.secret'), ('open --secret file:PATH', 'PATH'),
                         ('/run/credentials', '/run/credentials/apache2.service/signed_session')]:
        assert opened_by(printed(part), {theirs: str(tmp_path / 'secret')}, tmp_path) == '{"user":"alice"}\n'


def test_ssctl_opens_with_the_secret_of_the_environment(tmp_path):
    (tmp_path / 'envvars').write_text(f'export SIGNED_SESSION_SECRET={SECRET}\n')
    assert opened_by(printed('. /etc/apache2/envvars'), {'/etc/apache2/envvars': './envvars'}, tmp_path) == '{"user":"alice"}\n'


def test_ssctl_opens_with_the_secret_of_the_httpd_that_runs(tmp_path):
    with subprocess.Popen(['sleep', '60'], env={VARIABLE: SECRET, 'OTHER': 'x'}) as process:
        said = opened_by(printed('/proc/'), {'$(cat /run/apache2/apache2.pid)': str(process.pid)}, tmp_path)
        process.kill()
    assert said == '{"user":"alice"}\n'


def test_ssctl_opens_with_the_secret_of_a_command(tmp_path):
    assert opened_by(printed('<(COMMAND)'), {'COMMAND': f'echo {SECRET}'}, tmp_path) == '{"user":"alice"}\n'


def test_the_three_lines_of_the_inspector(start):
    conf, = re.findall(r'^```apache\n(<Location "/session">\n(?:(?!```).*\n)*?.*SignedSessionInspector On\n(?:.*\n)*?)```$', TROUBLESHOOTING, re.M)
    server = start(f'SignedSession On\n{conf}', 'authz_host')
    page = server.request('GET', '/session', NAVIGATE, cookie=native({'user': 'alice'}))
    assert page.status == 200 and 'alice' in page.text and 'httpd.conf' in page.text
