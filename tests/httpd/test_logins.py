# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""docs/logins.md: each login with the real module, by the configuration that the page shows."""

import ssl
import subprocess
from http.client import HTTPSConnection
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

from client import Request, Response, exchange_http1
from common import ENV_CGI, FORM, NAVIGATE, basic, stored
from cookies import Native
from harness import SECRET, Jar, Server, cgi_module
from pages import here, printed
from servers import PASSWORDS, Directory, Provider, SamlProvider
from starting import Keyed
from test_applications import FRAMEWORKS, LOGIN, application
from test_beside_frameworks import django, flask, starlette_cookie

MODULES = f'alias authn_core authz_user {cgi_module()}'
# What stands behind the login says who came.
PAGES = '''
ScriptAlias "/members/" "{dir}/members/"
'''
FILES = {f'members/{name}': ENV_CGI for name in ('page', 'index', 'editors/page', 'admin/page')}
DENIED = ('AH01617', 'AH01629', 'AH01630', 'AH01631', 'AH01695')


def login_of(heading, replacements, number=0):
    """A configuration as the page has it; only what is not of this machine is another one."""
    return here(printed('logins')[heading][number], replacements) + PAGES


class Outspoken(Server):
    """One whose other modules warn at every start: of tests that speak no https, have no session cache, and so on."""

    WARNS = ('SHOULD be "https"', 'AH01882', 'AH01909', 'AH01873', 'functionality is deprecated')

    def start(self):
        super().start()
        self.allow(*self.WARNS)
        self.log.check()
        return self


def test_every_login_of_the_page_is_started_here():
    assert {heading: len(found) for heading, found in printed('logins').items()} == {
        'A directory (LDAP)': 1, 'A certificate': 2, 'An identity provider': 1, 'A bearer token': 1, 'An application': 1, 'SAML': 1}


def is_page_of(response, user):
    lines = response.text.splitlines()
    return response.status == 200 and {f'REMOTE_USER={user}', 'AUTH_TYPE=signed-session'} <= set(lines)


class Browser(Jar):
    """Opens pages, and follows wherever it is led, also to another server."""

    def __init__(self, server):
        super().__init__(server)
        self.path = None

    def open(self, path, headers=()):
        """The last answer; `path` is then where it came from."""
        site = 'none'
        for _ in range(12):
            self.path = path
            response = self.request('GET', path, {**NAVIGATE, 'Sec-Fetch-Site': site, 'Sec-Fetch-Dest': 'document', **dict(headers)})
            while response.status in (302, 303) and self.is_elsewhere(response):
                site = 'cross-site'  # for the rest of the way, back here too
                there = urlsplit(response.get('Location'))
                response = exchange_http1(there.port, Request('GET', f'{there.path}?{there.query}',
                                                              [('Connection', 'close')], authority=there.netloc))
            if response.status not in (302, 303):
                return response
            path = self.local(urljoin(path, response.get('Location')))
        raise AssertionError('led round and round')

    def is_elsewhere(self, response):
        return urlsplit(response.get('Location')).port not in (None, self.server.port)

    @staticmethod
    def local(url):
        parts = urlsplit(url)
        return f'{parts.path}?{parts.query}' if parts.query else parts.path


def log_out(browser, path='/logout'):
    """Nothing of the login is left, neither there nor here."""
    browser.server.allow('AH00128')
    browser.open(path)
    assert browser.session is None


# --- a directory -------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def directory():
    with Directory() as one:
        conf = login_of('A directory (LDAP)', {'ldap://ldap.example.com': one.url})
        with Server(conf, f'{MODULES} auth_basic ldap authnz_ldap', FILES) as server:
            server.directory = one
            yield server


@pytest.fixture
def visitor(directory):
    directory.allow(*DENIED)
    return Browser(directory)


@pytest.mark.parametrize('user, typed, roles, edits', [
    ('alice', 'alice', ['author', 'editor'], 200), ('bob', 'bob', ['author'], 403), ('alice', 'ALICE', ['author', 'editor'], 200)])
def test_a_password_of_the_directory(visitor, user, typed, roles, edits):
    visitor.keep(f'session={Native({"cart": 1, "roles": ["editor"]}).seal()}')
    assert visitor.open('/members/page').status == 401
    assert visitor.path == '/login?return=/members/page'
    right = visitor.request('GET', visitor.path, basic(typed, PASSWORDS[user]))
    assert stored(right) == {'cart': 1, 'user': user, 'mail': f'{user}@example.test', 'roles': roles}
    assert (right.status, right.get('Location')) == (303, '/members/page')
    assert is_page_of(visitor.open('/members/page'), user)
    assert visitor.open('/members/editors/page').status == edits
    log_out(visitor)
    assert visitor.open('/members/page').status == 401


@pytest.mark.parametrize('user, password', [('alice', 'guess'), ('carol', 'guess'), ('alice', ''), ('*', 'apple-pie')])
def test_a_wrong_password_of_the_directory(visitor, user, password):
    visitor.server.allow('auth_basic', 'authnz_ldap', 'AH01618')
    wrong = visitor.request('GET', '/login', basic(user, password))
    assert (wrong.status, wrong.set_cookies()) == (401, [])


def test_who_is_not_in_the_group_is_not_logged_in():
    with Directory() as one:
        conf = login_of('A directory (LDAP)', {'ldap://ldap.example.com': one.url, 'cn=members,': 'cn=admins,'})
        with Server(conf, f'{MODULES} auth_basic ldap authnz_ldap', FILES) as server:
            server.allow(*DENIED)
            refused = server.request('GET', '/login', basic('bob', PASSWORDS['bob']))
            assert (refused.status, refused.set_cookies()) == (401, [])
            assert stored(server.request('GET', '/login', basic('alice', PASSWORDS['alice'])))['user'] == 'alice'


def test_a_name_as_it_was_typed():
    """What the page says of a login without AuthLDAPRemoteUserAttribute."""
    with Directory() as one:
        conf = login_of('A directory (LDAP)', {'ldap://ldap.example.com': one.url, '    AuthLDAPRemoteUserAttribute uid\n': ''})
        with Server(conf, f'{MODULES} auth_basic ldap authnz_ldap', FILES) as server:
            assert stored(server.request('GET', '/login', basic('ALICE', PASSWORDS['alice'])))['user'] == 'ALICE'


def test_a_session_needs_no_directory():
    with Directory() as one:
        conf = login_of('A directory (LDAP)', {'ldap://ldap.example.com': one.url})
        server = Server(conf, f'{MODULES} auth_basic ldap authnz_ldap', FILES).start()
        browser = Browser(server)
        browser.request('GET', '/login', basic('alice', PASSWORDS['alice']))
    try:
        assert is_page_of(browser.open('/members/page'), 'alice')
    finally:
        server.stop()


def test_a_form_for_the_directory():
    """The page's "AuthFormProvider ldap" in the loop of login.md."""
    form, = (conf for conf in printed('login')['The whole loop'] if 'AuthType Form' in conf)
    theirs = '    AuthFormProvider file\n    AuthUserFile "/etc/apache2/users"\n'
    assert theirs in form
    with Directory() as one:
        ours = f'    AuthFormProvider ldap\n    AuthLDAPURL "{one.url}/ou=people,{one.base}?uid"\n    AuthLDAPRemoteUserAttribute uid\n'
        with Server(form.replace(theirs, ours) + PAGES, f'{MODULES} auth_form ldap authnz_ldap request', FILES) as server:
            server.allow(*DENIED, 'auth_form', 'AH01277')
            browser = Browser(server)
            server.write('htdocs/form.html', 'a form')
            assert browser.open('/members/page').text == 'a form'
            body = urlencode({'httpd_username': 'alice', 'httpd_password': PASSWORDS['alice']})
            wrong = browser.request('POST', browser.path, FORM, body + 'x')
            assert (wrong.status, browser.session) == (401, None)
            right = browser.request('POST', browser.path, FORM, body)
            assert (right.status, stored(right)) == (303, {'user': 'alice'})
            assert is_page_of(browser.open(right.get('Location')), 'alice')


# --- a certificate -----------------------------------------------------------------------------------


def openssl(*arguments):
    subprocess.run(['openssl', *map(str, arguments)], check=True, capture_output=True)


def authority(folder, name):
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', 2, '-subj', f'/CN={name}',
            '-keyout', folder / f'{name}.key', '-out', folder / f'{name}.pem')


def certificate(folder, name, issuer):
    """Certificate and key in one file."""
    path = folder / f'{name}-of-{issuer}.pem'
    openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', f'/O=Example/CN={name}',
            '-keyout', path, '-out', folder / 'request')
    openssl('x509', '-req', '-in', folder / 'request', '-CA', folder / f'{issuer}.pem', '-CAkey', folder / f'{issuer}.key',
            '-CAcreateserial', '-days', 2, '-out', folder / 'certificate')
    path.write_bytes(path.read_bytes() + (folder / 'certificate').read_bytes())
    return path


@pytest.fixture(scope='module')
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp('certificates')
    for name in ('ours', 'theirs'):
        authority(folder, name)
    return {'server': certificate(folder, 'localhost', 'ours'), 'alice': certificate(folder, 'alice', 'ours'),
            'stranger': certificate(folder, 'alice', 'theirs'), 'ca': folder / 'ours.pem'}


class TlsServer(Outspoken):
    """Speaks TLS; `certificate` is what the client has."""

    certificate = None

    def request(self, method='GET', path='/', headers=(), body=None, cookie=None, **more):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if self.certificate:
            context.load_cert_chain(self.certificate)
        headers = {**dict(headers), 'Connection': 'close', **({'Cookie': cookie} if cookie else {})}
        connection = HTTPSConnection('127.0.0.1', self.port, timeout=20, context=context)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Response(answer.status, answer.reason, answer.getheaders(), answer.read())
        finally:
            connection.close()


@pytest.fixture(scope='module', params=[0, 1], ids=['host', 'location'])
def secured(request, certificates):
    conf = login_of('A certificate', {'/etc/apache2/': '{dir}/'}, request.param)
    files = {**FILES, 'server.pem': certificates['server'].read_bytes(), 'clients-ca.pem': certificates['ca'].read_bytes()}
    with TlsServer(conf, f'{MODULES} ssl', files) as server:
        # httpd writes the last line of a refused handshake after the client knows
        server.refusal = ['AH02039', 'SSL Library Error'][request.param]
        yield server


@pytest.fixture
def tls(secured):
    secured.allow(*DENIED, 'AH02039', 'AH02227', 'AH02261', 'SSL Library Error')
    secured.certificate = None
    return Browser(secured)


def test_one_handshake_with_the_certificate(tls, certificates):
    """The session goes on without it."""
    tls.server.certificate = certificates['alice']
    tls.keep(f'session={Native({"cart": 1, "role": "x"}).seal()}')
    right = tls.request('GET', '/login?return=/members/page', NAVIGATE)
    assert (right.status, right.get('Location'), stored(right)) == (303, '/members/page', {'cart': 1, 'user': 'alice'})
    assert '; Secure' in right.get('Set-Cookie')
    tls.server.certificate = None
    assert is_page_of(tls.open('/members/page'), 'alice')


def test_the_loop_with_a_certificate(tls, certificates):
    tls.server.certificate = certificates['alice']
    assert is_page_of(tls.open('/members/page'), 'alice')
    assert tls.path == '/members/page'


def test_without_a_certificate(tls):
    refused = tls.open('/members/page')
    assert (refused.status, tls.path, tls.session) == (403, '/login?return=/members/page', None)


def test_a_certificate_of_somebody_elses_making(tls, certificates):
    tls.server.certificate = certificates['stranger']
    tls.server.expect(tls.server.refusal)
    try:
        refused = tls.request('GET', '/login', NAVIGATE)
    except (ssl.SSLError, OSError):
        refused = None  # refused in the handshake
    assert tls.session is None and (refused is None or refused.status == 403)


def test_the_logout_of_a_certificate(certificates):
    conf = login_of('A certificate', {'/etc/apache2/': '{dir}/'})
    files = {**FILES, 'server.pem': certificates['server'].read_bytes(), 'clients-ca.pem': certificates['ca'].read_bytes()}
    with TlsServer(conf, f'{MODULES} ssl', files) as server:
        server.certificate = certificates['alice']
        browser = Browser(server)
        browser.open('/members/page')
        log_out(browser)
        assert browser.request('GET', '/members/page', NAVIGATE).get('Location') == '/login?return=/members/page'


def test_a_certificate_is_not_asked_for_where_it_is_not_required(certificates):
    """What the page says of a login without "Require ssl-verify-client"."""
    conf = login_of('A certificate', {'/etc/apache2/': '{dir}/', 'Require ssl-verify-client': 'Require all granted'})
    files = {**FILES, 'server.pem': certificates['server'].read_bytes(), 'clients-ca.pem': certificates['ca'].read_bytes()}
    with TlsServer(conf, f'{MODULES} ssl', files) as server:
        server.expect('SS0213')
        refused = server.request('GET', '/login', NAVIGATE)
        assert (refused.status, refused.set_cookies()) == (403, [])


@pytest.mark.parametrize('organization, status', [('Example', 303), ('Other', 403)])
def test_a_certificate_with_what_is_required_of_it(certificates, organization, status):
    conf = login_of('A certificate', {'/etc/apache2/': '{dir}/', 'Require ssl-verify-client': f"""<RequireAll>
        Require ssl-verify-client
        Require expr "%{{SSL_CLIENT_S_DN_O}} == '{organization}'"
        </RequireAll>"""})
    files = {**FILES, 'server.pem': certificates['server'].read_bytes(), 'clients-ca.pem': certificates['ca'].read_bytes()}
    with TlsServer(conf, f'{MODULES} ssl', files) as server:
        server.allow(*DENIED)
        server.certificate = certificates['alice']
        response = server.request('GET', '/login', NAVIGATE)
        assert (response.status, stored(response)) == (status, {'user': 'alice'} if status == 303 else None)


# --- an identity provider ----------------------------------------------------------------------------


@pytest.fixture(scope='module')
def provider():
    with Provider() as one:
        yield one


def client_of(provider):
    return login_of('An identity provider', {
        'https://id.example.com': provider.url, 'https://www.example.com': 'http://127.0.0.1:{port}',
        'https%3A%2F%2Fwww.example.com': 'http%3A%2F%2F127.0.0.1%3A{port}', 'what-the-provider-gave-you': provider.client_secret})


@pytest.fixture
def client(provider):
    provider.user = 'alice'
    with Outspoken(client_of(provider), f'{MODULES} auth_openidc', {**FILES, 'htdocs/bye.html': 'bye'}) as server:
        server.allow(*DENIED)
        yield server


@pytest.mark.parametrize('user, groups, administers', [
    ('alice', ['admins', 'members'], 200), ('bob', ['members'], 403)])
def test_the_code_flow(client, provider, user, groups, administers):
    provider.user = user
    browser = Browser(client)
    browser.keep(f'session={Native({"cart": 1, "groups": ["admins"]}).seal()}')
    assert is_page_of(browser.open('/members/page?a=b'), user)
    assert browser.path == '/members/page?a=b'
    assert Native.open(browser.session).data == {'cart': 1, 'user': user, 'mail': f'{user}@example.test', 'groups': groups}
    assert browser.open('/members/admin/page').status == administers
    assert set(browser.cookies) == {'session', 'login_provider'}


def test_only_our_session_counts_behind_the_login(client):
    browser = Browser(client)
    browser.open('/members/page')
    del browser.cookies['login_provider']
    assert is_page_of(browser.open('/members/page'), 'alice')
    other = Browser(client)
    other.open('/members/page')
    del other.cookies['session']
    assert other.request('GET', '/members/page', NAVIGATE).get('Location') == '/login/?return=/members/page'
    # that of mod_auth_openidc logs in again, and asks nobody
    again = other.request('GET', '/login/?return=/members/page', NAVIGATE)
    assert (again.status, again.get('Location'), stored(again)['user']) == (303, '/members/page', 'alice')


def test_a_logout_here_and_at_the_provider(client, provider):
    browser = Browser(client)
    browser.open('/members/page')
    before = provider.logouts
    page = browser.open('/logout')
    assert (page.text, browser.path, provider.logouts) == ('bye', '/bye.html', before + 1)
    assert browser.cookies == {}


def test_the_provider_refuses(client, provider):
    provider.user = None
    client.allow('access_denied', 'auth_openidc')
    browser = Browser(client)
    page = browser.open('/members/page')
    assert 'access_denied' in page.text and 'REMOTE_USER' not in page.text
    assert browser.session is None


def test_a_forged_code(client):
    client.allow('auth_openidc')
    browser = Browser(client)
    refused = browser.request('GET', '/login/back?code=x&state=y', NAVIGATE)
    assert refused.status >= 400 and browser.session is None


def test_a_script_is_not_sent_to_the_provider(client):
    client.allow('auth_openidc')
    for path in ('/members/page', '/login/'):
        assert client.request('GET', path, {'Accept': 'application/json'}).status == 401


@pytest.mark.parametrize('same_site, user', [('Lax', 'alice'), ('None', 'alice'), ('Strict', None)])
def test_the_way_back_from_another_site(provider, same_site, user):
    """A browser keeps a Strict cookie away on it, so nobody can know what is in the session that the login would end."""
    provider.user = 'alice'
    conf = client_of(provider).replace('SignedSession On\n', f'SignedSession On\nSignedSessionCookie session SameSite={same_site} Secure=on\n')
    with Outspoken(conf, f'{MODULES} auth_openidc', FILES) as server:
        browser = Browser(server)
        if user is None:
            server.expect('SS0213')
            assert browser.open('/members/page').status == 403
            assert (browser.path, browser.session) == ('/login/?return=/members/page', None)
        else:
            assert is_page_of(browser.open('/members/page'), user)


# --- a bearer token ----------------------------------------------------------------------------------

AUDIENCE = 'https://www.example.com/'


@pytest.fixture(scope='module')
def tokens(provider):
    conf = login_of('A bearer token', {'/etc/apache2/': '{dir}/'})
    with Outspoken(conf, f'{MODULES} auth_openidc', {**FILES, 'provider.pem': provider.public_key}) as server:
        yield server


def bearer(token):
    return {'Authorization': f'Bearer {token}'}


@pytest.mark.parametrize('user, groups', [('alice', ['admins', 'members']), ('bob', ['members'])])
def test_a_token_becomes_a_session(tokens, provider, user, groups):
    program = Browser(tokens)
    tokens.allow(*DENIED)
    assert program.request('GET', '/members/page').status == 401
    right = program.request('GET', '/login', bearer(provider.token(user, aud=AUDIENCE)))
    assert (right.status, stored(right)) == (303, {'user': user, 'groups': groups})
    assert is_page_of(program.open('/members/page'), user)
    log_out(program)
    assert program.request('GET', '/members/page').status == 401


@pytest.mark.parametrize('change', [
    {'seconds': -300}, {'aud': 'https://other.example.com/'}, {'aud': None}], ids=['over', 'of another', 'of nobody'])
def test_a_token_that_does_not_count(tokens, provider, change):
    tokens.allow(*DENIED, 'auth_openidc')
    refused = tokens.request('GET', '/login', bearer(provider.token('alice', **{'aud': AUDIENCE, **change})))
    assert (refused.status, refused.set_cookies()) == (401, [])


def test_a_forged_token(tokens, provider):
    tokens.allow(*DENIED, 'auth_openidc')
    head, body, signature = provider.token('alice', aud=AUDIENCE).split('.')
    _, other, _ = provider.token('bob', aud=AUDIENCE).split('.')
    for token in (f'{head}.{other}.{signature}', f'{head}.{body}.', 'x', ''):
        refused = tokens.request('GET', '/login', bearer(token))
        assert (refused.status, refused.set_cookies()) == (401, [])


# --- an application ----------------------------------------------------------------------------------


def half_of(framework, port):
    """The configuration of this framework: other ones than Django need less."""
    conf = login_of('An application', {'/etc/apache2/': '{dir}/keys/', '/srv/': '{dir}/srv/', '127.0.0.1:8000': f'127.0.0.1:{port}'})
    if framework.name != 'django':
        for line in ('SignedSessionCookie sessionid\n', 'SignedSessionSubject _auth_user_id\n', '    SignedSessionUser _auth_user_id\n'):
            assert line in conf
            conf = conf.replace(line, '')
    return conf.replace('django', framework.name) + (
        '<Directory "{dir}/srv">\nRequire all granted\n</Directory>\nCustomLog "{dir}/access.log" "%u %U"\n')


@pytest.fixture(scope='module', params=['django', 'flask', 'starlette'])
def site(request, tmp_path_factory):
    framework = next(one for one in FRAMEWORKS if one.name == request.param)
    secrets = tmp_path_factory.mktemp('secret') / 'secret'
    secrets.write_text(SECRET + '\n')
    files = {'srv/files/report.txt': 'the report', 'srv/cgi-bin/env': ENV_CGI, f'keys/{framework.name}.secret': SECRET + '\n'}
    with application(framework, secrets) as port:
        with Keyed(half_of(framework, port), f'{MODULES} proxy proxy_http', files) as server:
            server.user, server.cookie = ('1', 'sessionid') if framework.name == 'django' else ('alice', 'session')
            server.make = {'django': django, 'flask': flask, 'starlette': starlette_cookie}[framework.name]
            yield server


def test_the_login_of_an_application(site):
    browser = Browser(site)
    site.allow(*DENIED)
    for path in ('/files/report.txt', '/cgi-bin/env'):
        assert browser.request('GET', path, NAVIGATE).get('Location') == f'/login?next={path}'
    wrong = browser.request('POST', '/login', FORM, urlencode({**LOGIN, 'password': 'wrong'}))
    assert (wrong.status, browser.cookies) == (403, {})
    browser.request('POST', '/login', FORM, urlencode(LOGIN))
    assert list(browser.cookies) == [site.cookie]
    page = browser.open('/cgi-bin/env')
    assert is_page_of(page, site.user) and f'{site.cookie}=' not in page.text
    assert browser.open('/files/report.txt').text == 'the report'
    assert f'{site.user} /files/report.txt\n' in (site.dir / 'access.log').read_text()
    browser.request('POST', '/logout')
    assert browser.request('GET', '/cgi-bin/env', NAVIGATE).status == 303


@pytest.mark.parametrize('value', ['', 1, None, ['alice'], 'al\nice'])
def test_a_cookie_that_names_nobody(site, value):
    site.allow(*DENIED)
    key = '_auth_user_id' if site.cookie == 'sessionid' else 'user'
    for data in ({key: value}, {'theme': 'dark', f'{key}x': 'alice'}):
        cookie = site.make(data).replace('session=', f'{site.cookie}=', 1)
        assert site.request('GET', '/cgi-bin/env', NAVIGATE, cookie=cookie).status == 303
    named = site.make({key: 'alice'}).replace('session=', f'{site.cookie}=', 1)
    assert is_page_of(site.request('GET', '/cgi-bin/env', NAVIGATE, cookie=named), 'alice')


# --- SAML --------------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def saml(tmp_path_factory):
    provider = SamlProvider(tmp_path_factory.mktemp('saml'))
    conf = login_of('SAML', {'/etc/apache2/': '{dir}/', 'https://www.example.com': 'http://127.0.0.1:{port}',
                            'https%3A%2F%2Fwww.example.com': 'http%3A%2F%2F127.0.0.1%3A{port}'})
    files = {**FILES, 'htdocs/bye.html': 'bye', 'provider.xml': provider.metadata, 'saml.key': provider.client_key,
             'saml.crt': provider.client_certificate}
    with Server(conf, f'{MODULES} auth_mellon', files) as server:
        server.provider = provider
        yield server


def sent_to_the_provider(browser):
    """Where a browser that opens a page ends outside."""
    path = '/members/page'
    for _ in range(5):
        response = browser.request('GET', path, NAVIGATE)
        address = response.get('Location')
        if address.startswith(SamlProvider.url):
            return address
        path = browser.local(urljoin(path, address))
    raise AssertionError('never sent there')


def come_back(browser, path, body):
    """A form of another site: no cookie of SameSite=Lax comes with it."""
    kept = browser.cookies.pop('session', None)
    response = browser.request('POST', path, {**FORM, **NAVIGATE, 'Sec-Fetch-Site': 'cross-site'}, body)
    assert response.set_cookies() == []
    if kept:
        browser.cookies['session'] = kept
    return response


@pytest.mark.parametrize('user, groups', SamlProvider.GROUPS.items(), ids=SamlProvider.GROUPS)
def test_an_assertion_becomes_a_session(saml, user, groups):
    browser = Browser(saml)
    browser.keep(f'session={Native({"cart": 1, "groups": ["x"]}).seal()}')
    answer = saml.provider.answer(sent_to_the_provider(browser), user)
    response = come_back(browser, *answer)
    page = browser.open(browser.local(response.get('Location')), {'Sec-Fetch-Site': 'cross-site'})
    assert (browser.path, is_page_of(page, user)) == ('/members/page', True)
    assert Native.open(browser.session).data == {'cart': 1, 'user': user, 'groups': groups}
    assert set(browser.cookies) == {'session', 'mellon-login_provider'}
    assert browser.open('/logout').text == 'bye' and browser.session is None
    assert sent_to_the_provider(browser)


def test_a_forged_assertion(saml):
    saml.expect('Failed to verify signature')
    browser = Browser(saml)
    answer = saml.provider.answer(sent_to_the_provider(browser), 'bob', claimed='alice')
    refused = come_back(browser, *answer)
    assert (refused.status, browser.session) == (400, None)
    assert sent_to_the_provider(browser)
