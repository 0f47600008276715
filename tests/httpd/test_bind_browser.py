# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""SignedSessionBind with Chromium, over TLS: what it makes of our answers, and we of its."""

import base64
import hashlib
import subprocess
import tempfile
import time

import pytest

from browsers import chromium_with
from cookies import Native
from device import PATH
from harness import Server, speaks_http2
from ports import free_port

pytestmark = [pytest.mark.once, pytest.mark.xdist_group('browser')]

FEATURES = 'DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting'
NAME = '__Host-session'

CONF = '''
    {protocols}
    Timeout 2
    Listen 127.0.0.1:{tls}
    <VirtualHost 127.0.0.1:{tls}>
        ServerName {host}:{tls}
        DocumentRoot "{dir}/htdocs"
        SSLEngine On
        SSLCertificateFile "{dir}/cert.pem"
        SSLCertificateKeyFile "{dir}/key.pem"
        SignedSessionCookie __Host-session Secure=on
        SignedSessionBind On /session-bind
        SignedSessionRevocation file:{dir}/log/revoked
        SignedSession On
        <Location "/session">
            SetHandler signed-session
        </Location>
        <Location "/login.html">
            SignedSessionSet user alice
        </Location>
        <Location "/again.html">
            SignedSessionSet user bob
        </Location>
        <Location "/logout.html">
            SignedSessionClear On
        </Location>
        CustomLog "{dir}/access.log" "%H %m %U %>s %{:state}^SS"
    </VirtualHost>
'''
# What mod_ssl says of the machine's OpenSSL, of its own cache and of this certificate; and that a browser keeps connections.
OF_SSL = ['AH01882', 'AH01873', 'AH01906', 'AH01909', 'AH00045']
PAGE = '<!doctype html><title>page</title><p>a page</p>'
PICTURES = PAGE + ''.join(f'<img src="/file.txt?{number}">' for number in range(40))
PAGES = {**{f'htdocs/{name}.html': PAGE for name in ('login', 'again', 'logout', 'page')}, 'htdocs/pictures.html': PICTURES, 'log/': ''}
FETCH = '''
    const [url, done] = arguments;
    fetch(url).then(answer => answer.json()).then(done, error => done(String(error)));
'''


@pytest.fixture(scope='module')
def certificate():
    """A key and a certificate for any host of the tests, and the digest by which a browser is told to trust it."""
    with tempfile.TemporaryDirectory() as folder:
        key, cert = f'{folder}/key.pem', f'{folder}/cert.pem'
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2',
                        '-subj', '/CN=test', '-addext', 'subjectAltName=DNS:*.test'], check=True, capture_output=True)
        public = subprocess.run(['openssl', 'x509', '-in', cert, '-pubkey', '-noout'], check=True, capture_output=True).stdout
        der = subprocess.run(['openssl', 'pkey', '-pubin', '-outform', 'DER'], input=public, check=True, capture_output=True).stdout
        with open(key) as key_file, open(cert) as cert_file:
            yield key_file.read(), cert_file.read(), base64.b64encode(hashlib.sha256(der).digest()).decode()


@pytest.fixture(scope='module')
def chromium(certificate):
    with chromium_with(f'--enable-features={FEATURES}', '--host-resolver-rules=MAP *.test 127.0.0.1',
                       f'--ignore-certificate-errors-spki-list={certificate[2]}') as driver:
        yield driver


class Device:
    """Chromium at one site, which has a name of its own: what a browser may sign is limited for each."""

    def __init__(self, driver, server, name, port):
        self.driver, self.server, self.port = driver, server, port
        self.host = f'{name}.test'

    def url(self, path):
        return f'https://{self.host}:{self.port}{path}'

    def open(self, path):
        self.driver.get(self.url(path))

    def ask(self, path='/session?meta'):
        return self.driver.execute_async_script(FETCH, path)

    def state(self):
        return self.ask()['state']

    def cookie(self, name=NAME):
        found = self.driver.get_cookie(name)
        return found and found['value']

    def native(self):
        return Native.open(self.cookie(), name=NAME)

    def wait(self, what, seconds=10):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if what():
                return
            time.sleep(0.05)
        raise AssertionError('it does not happen: ' + (self.server.dir / 'access.log').read_text())

    def is_bound(self):
        return self.cookie(NAME + '-proof') is not None

    def log_in(self, path='/login.html'):
        self.open(path)
        self.wait(self.is_bound)

    def posts(self):
        return [line.split()[3] for line in (self.server.dir / 'access.log').read_text().splitlines() if f' POST {PATH} ' in line]


@pytest.fixture(params=['http/1.1', 'h2'] if speaks_http2() else ['http/1.1'])
def device(request, chromium, certificate):
    port = free_port()
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:16]
    key, cert, _ = certificate
    server = Server(CONF, 'ssl' + (' http2' if request.param == 'h2' else ''), {**PAGES, 'key.pem': key, 'cert.pem': cert}, tls=port,
                    host='127.0.0.1', protocols='Protocols h2 http/1.1' if request.param == 'h2' else '')
    with server:
        server.allow(*OF_SSL)
        yield Device(chromium, server, f'site-{name}', port)
        server.allow(*OF_SSL)


def test_it_registers(device):
    device.open('/login.html')
    device.wait(device.is_bound)
    assert device.native().point[0] in (2, 3)
    assert device.state() == 'valid'
    device.open('/page.html')
    assert device.ask('/session') == {'user': 'alice'}
    assert device.posts() == ['200']


def lose_proof(device):
    """Until the browser asks for anything, be it a picture for the page: for that it proves its key again."""
    device.driver.delete_cookie(NAME + '-proof')


def test_a_page_waits_for_a_proof(device):
    device.log_in()
    lose_proof(device)
    device.open('/page.html')
    assert (device.state(), device.is_bound()) == ('valid', True)
    assert set(device.posts()[1:]) in ({'200'}, {'200', '403'})


def test_a_script_waits_for_a_proof(device):
    device.log_in()
    lose_proof(device)
    assert device.ask('/session') == {'user': 'alice'}
    assert len(device.posts()) > 1


def test_a_proof_that_is_about_to_end_is_renewed_beside_the_page(device):
    device.log_in()
    old = device.cookie(NAME + '-proof')
    device.driver.execute_cdp_cmd('Network.setCookie', {
        'name': NAME + '-proof', 'value': old, 'url': device.url('/'), 'path': '/', 'secure': True, 'httpOnly': True,
        'sameSite': 'Lax', 'expires': time.time() + 60})
    time.sleep(1.1)
    device.open('/page.html')
    device.wait(lambda: device.cookie(NAME + '-proof') not in (None, old))
    assert device.state() == 'valid'


def test_a_link_from_another_site_leads_to_the_session(device):
    device.log_in()
    lose_proof(device)
    device.driver.get('data:text/html,<p>another site')
    device.driver.execute_script(f'location = "{device.url("/page.html")}"')
    device.wait(lambda: device.driver.current_url.startswith('https:'))
    device.wait(device.is_bound)
    assert device.ask('/session') == {'user': 'alice'}


def test_pictures_of_the_page_do_no_harm(device):
    device.log_in()
    device.open('/again.html')
    device.open('/pictures.html')
    device.wait(device.is_bound)
    pictures = 'return [...document.images].filter(picture => !picture.complete).length'
    device.wait(lambda: device.driver.execute_script(pictures) == 0)
    assert device.ask('/session') == {'user': 'bob'}
    assert not [line for line in (device.server.dir / 'access.log').read_text().splitlines() if ' /file.txt 200 revoked' in line]


def test_who_logs_in_as_somebody_else_is_bound_again(device):
    device.log_in()
    first = device.native()
    device.open('/again.html')
    device.wait(lambda: device.is_bound() and device.native().id != first.id and device.native().point)
    device.open('/page.html')
    assert device.ask('/session') == {'user': 'bob'}


def test_after_a_logout_it_is_over_and_the_next_login_is_bound(device):
    device.log_in()
    device.open('/logout.html')
    assert device.cookie() is None and not device.is_bound()
    device.open('/page.html')
    assert device.state() == 'none'
    device.log_in()
    assert device.ask('/session') == {'user': 'alice'}
    assert not set(device.posts()) & {'400', '401', '404', '405', '409', '429'}


def test_a_key_that_was_lost_locks_nobody_out(device):
    device.log_in()
    cookie = device.cookie()
    device.driver.execute_cdp_cmd('Storage.clearDataForOrigin', {'origin': device.url(''), 'storageTypes': 'all'})
    device.driver.execute_cdp_cmd('Network.clearBrowserCookies', {})
    device.driver.execute_cdp_cmd('Network.setCookie', {
        'name': NAME, 'value': cookie, 'url': device.url('/'), 'path': '/', 'secure': True, 'httpOnly': True, 'sameSite': 'Lax'})
    device.open('/page.html')
    assert device.state() == 'unproven'
    device.log_in('/again.html')
    assert device.ask('/session') == {'user': 'bob'}
