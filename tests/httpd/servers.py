# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Who knows the users of a login that httpd checks, each on a free port of 127.0.0.1 for as long as a test needs it.

    with Directory() as directory:      # LDAP: OpenLDAP's slapd
    with Kerberos() as kerberos:        # a realm of its own: MIT's KDC
    with Provider() as provider:        # OpenID Connect: of this file
    SamlProvider(folder)                # SAML: of this file; it only signs answers

All of these know alice and bob, by the passwords of PASSWORDS; alice is one of the admins.

Beside them is one that keeps sessions:

    with Redis('--maxmemory', '4mb') as redis:

and one that runs scripts:

    with Php() as php:                  # php-fpm

slapd, the KDC, redis-server and php-fpm are those that scripts/deps has unpacked beside this file: installed, their packages would start them
for the whole machine, and on every boot. Where nothing was unpacked, the system's own must do.
"""

import base64
import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from harness import unprivileged_account
from ports import free_port

UNPACKED = Path(__file__).with_name('unpacked')
ROOT = UNPACKED if UNPACKED.is_dir() else Path('/')
START_SECONDS = 20
STOP_SECONDS = 10
PASSWORDS = {'alice': 'apple-pie', 'bob': 'blueberry-jam'}


class Process:
    """A server of another project, and a directory for all that it writes."""

    def __init__(self):
        self.port = free_port()
        self.env = {**os.environ, 'LC_ALL': 'C',
                    'LD_LIBRARY_PATH': ':'.join(map(str, ROOT.glob('usr/lib/*-linux-gnu')))}
        self.process = None

    def __enter__(self):
        self.dir = Path(tempfile.mkdtemp(prefix='signed-session-test-'))
        self.dir.chmod(0o755)
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *failure):
        try:
            if self.process is not None:
                self.process.terminate()
                self.process.wait(STOP_SECONDS)
        finally:
            shutil.rmtree(self.dir)

    def start(self):
        self.process = subprocess.Popen(self.command(), env=self.env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_until_it_listens()

    def kill(self):
        """It has no time to say goodbye; `start` brings it back."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def wait_until_it_listens(self):
        deadline = time.monotonic() + START_SECONDS
        while not self.is_listening():
            assert self.process.poll() is None and time.monotonic() < deadline, f'{self.command()} did not start'
            time.sleep(0.02)

    def is_listening(self):
        with socket.socket() as one:
            return one.connect_ex(('127.0.0.1', self.port)) == 0

    def write(self, name, text):
        (self.dir / name).write_text(text)
        return self.dir / name

    def run(self, program, *arguments, stdin=''):
        done = subprocess.run([program, *arguments], env=self.env, input=stdin, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, f'{program}: {done.stdout}'
        return done.stdout

    @staticmethod
    def program(name):
        for folder in ('usr/sbin', 'usr/bin'):
            path = ROOT / folder / name
            if path.exists():
                return str(path)
        raise AssertionError(f'{path} is missing: run scripts/deps test')


# --- LDAP ----------------------------------------------------------------------------------------


class Directory(Process):
    """ou=people and ou=groups under `base`; its address is `url`, and it can be searched by everybody."""

    base = 'dc=example,dc=test'
    GROUPS = {'admins': ['alice'], 'members': ['alice', 'bob']}
    KINDS = {'alice': ['author', 'editor'], 'bob': ['author']}

    def prepare(self):
        schema = ROOT / 'etc/ldap/schema'
        (self.dir / 'entries').mkdir()
        self.conf = self.write('slapd.conf', ''.join(
            f'include {schema}/{name}.schema\n' for name in ('core', 'cosine', 'inetorgperson')) + f'''
            pidfile {self.dir}/slapd.pid
            database ldif
            suffix "{self.base}"
            directory {self.dir}/entries
            '''.replace('\n            ', '\n'))
        self.run(self.program('slapadd'), '-f', self.conf, '-l', self.write('entries.ldif', self.entries()))

    def entries(self):
        text = f'dn: {self.base}\nobjectClass: domain\ndc: example\n\n'
        for unit in ('people', 'groups'):
            text += f'dn: ou={unit},{self.base}\nobjectClass: organizationalUnit\nou: {unit}\n\n'
        for name, password in PASSWORDS.items():
            text += (f'dn: {self.dn(name)}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name.title()}\nsn: Example\n'
                     f'mail: {name}@example.test\nuserPassword: {password}\n')
            text += ''.join(f'employeeType: {kind}\n' for kind in self.KINDS[name]) + '\n'
        for group, names in self.GROUPS.items():
            text += f'dn: cn={group},ou=groups,{self.base}\nobjectClass: groupOfNames\ncn: {group}\n'
            text += ''.join(f'member: {self.dn(name)}\n' for name in names) + '\n'
        return text

    def dn(self, name):
        return f'uid={name},ou=people,{self.base}'

    def command(self):
        return [self.program('slapd'), '-d', '0', '-f', self.conf, '-h', self.url]

    @property
    def url(self):
        return f'ldap://127.0.0.1:{self.port}'


# --- Kerberos ------------------------------------------------------------------------------------


class Kerberos(Process):
    """The realm EXAMPLE.TEST with alice, bob, and the service HTTP/localhost, whose keys are in `keytab`.

    `variables` belong into the environment of whoever takes part, httpd included.
    """

    realm = 'EXAMPLE.TEST'

    def prepare(self):
        address = f'127.0.0.1:{self.port}'
        modules = next(ROOT.glob('usr/lib/*/krb5/plugins/kdb'))
        self.write('krb5.conf', f'''[libdefaults]
            default_realm = {self.realm}
            dns_lookup_kdc = false
            dns_lookup_realm = false
            dns_canonicalize_hostname = false
            rdns = false
            udp_preference_limit = 1
            [realms]
            {self.realm} = {{
                kdc = {address}
            }}
            [domain_realm]
            localhost = {self.realm}
            [dbmodules]
            db_module_dir = {modules}
            ''')
        self.write('kdc.conf', f'''[kdcdefaults]
            kdc_listen = {address}
            kdc_tcp_listen = {address}
            [realms]
            {self.realm} = {{
                database_name = {self.dir}/principal
                key_stash_file = {self.dir}/stash
                acl_file = {self.dir}/acl
            }}
            [logging]
            default = FILE:{self.dir}/log
            ''')
        self.keytab = self.dir / 'keytab'
        # the replay cache would stay behind
        self.variables = {'KRB5_CONFIG': str(self.dir / 'krb5.conf'), 'KRB5RCACHENAME': 'none:'}
        self.env.update(self.variables, KRB5_KDC_PROFILE=str(self.dir / 'kdc.conf'))
        self.run(self.program('kdb5_util'), 'create', '-s', '-P', secrets.token_hex())
        self.administer(*(f'addprinc -pw {password} {name}' for name, password in PASSWORDS.items()),
                        'addprinc -randkey HTTP/localhost', f'ktadd -k {self.keytab} HTTP/localhost')
        self.keytab.chmod(0o644)

    def administer(self, *queries):
        self.run(self.program('kadmin.local'), stdin='\n'.join(queries) + '\n')

    def command(self):
        return [self.program('krb5kdc'), '-n']

    def log_in(self, name):
        """The environment of a program that then has a ticket of this user."""
        env = {**self.env, 'KRB5CCNAME': f'FILE:{self.dir}/tickets-of-{name}'}
        subprocess.run(['kinit', name], env=env, input=PASSWORDS[name] + '\n', text=True, check=True,
                       stdout=subprocess.DEVNULL)
        return env


# --- Redis ---------------------------------------------------------------------------------------


def need_redis():
    """Where it is not installed, what needs it is not run; where scripts/deps has been, it is."""
    if UNPACKED.is_dir():
        Process.program('redis-server')
    elif not (ROOT / 'usr/bin/redis-server').exists():
        pytest.skip('redis-server is not installed')


class Redis(Process):
    """Listens on `port` and on the socket `path`, and keeps nothing on the disk. With `tls`, a Certificates, `port`
    speaks TLS. Further words are those of its command line."""

    def __init__(self, *options, tls=None):
        need_redis()
        super().__init__()
        self.options, self.tls = options, tls

    def prepare(self):
        self.path = self.dir / 'socket'

    def command(self):
        port = ['--port', self.port]
        if self.tls:
            port = ['--port', 0, '--tls-port', self.port, '--tls-ca-cert-file', self.tls.ca, '--tls-cert-file', self.tls.cert,
                    '--tls-key-file', self.tls.key]
        return [self.program('redis-server'), *map(str, port), '--bind', '127.0.0.1', '--save', '', '--dir', self.dir,
                '--unixsocket', self.path, *self.options]

    def ask(self, *words):
        """What it answers to a command, as redis-cli shows it."""
        return self.run(self.program('redis-cli'), '-s', self.path, *map(str, words)).rstrip('\n')

    def info(self, name):
        """One line of what it says of replication."""
        return dict(line.split(':', 1) for line in self.ask('INFO', 'replication').split() if ':' in line)[name]


class Sentinel(Process):
    """Watches `primary` under the name shop, together with those at the other `ports`, from the beginning: they need not
    find each other first."""

    def __init__(self, primary, replica, ports, port):
        super().__init__()
        self.primary, self.replica, self.ports, self.port = primary, replica, ports, port

    def prepare(self):
        others = (f'sentinel known-sentinel shop 127.0.0.1 {port} {self.identity(port)}' for port in self.ports if port != self.port)
        self.conf = self.write('sentinel.conf', '\n'.join([
            'bind 127.0.0.1', f'port {self.port}', f'dir {self.dir}', f'sentinel myid {self.identity(self.port)}',
            f'sentinel monitor shop 127.0.0.1 {self.primary.port} 2', 'sentinel down-after-milliseconds shop 500',
            'sentinel failover-timeout shop 3000', f'sentinel known-replica shop 127.0.0.1 {self.replica.port}', *others]) + '\n')

    @staticmethod
    def identity(port):
        return f'{port:040x}'

    def command(self):
        return [self.program('redis-server'), self.conf, '--sentinel']

    def ask(self, *words):
        return self.run(self.program('redis-cli'), '-p', str(self.port), *map(str, words)).rstrip('\n')


class Sentinels:
    """A primary, a replica and three sentinels; which of the two is the primary changes, `servers` stay."""

    def __init__(self, *options):
        self.servers = [Redis('--repl-diskless-sync-delay', '0', *options)]
        self.servers.append(Redis('--repl-diskless-sync-delay', '0', '--replicaof', '127.0.0.1', str(self.servers[0].port), *options))
        ports = [free_port() for _ in range(3)]
        self.sentinels = [Sentinel(*self.servers, ports, port) for port in ports]
        self.words = f'//{",".join(f"127.0.0.1:{port}" for port in ports)}/shop'

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            for server in self.servers:
                stack.enter_context(server)
            self.wait(lambda: 'master_link_status:up' in self.servers[1].ask('INFO', 'replication'), 'the replica')
            for sentinel in self.sentinels:
                stack.enter_context(sentinel)
            self.wait(lambda: all(sentinel.ask('SENTINEL', 'CKQUORUM', 'shop').startswith('OK') for sentinel in self.sentinels)
                      and 'slave' in self.sentinels[0].ask('SENTINEL', 'replicas', 'shop'), 'the sentinels')
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *failure):
        for server in self.servers:  # what is stopped does not end
            server.process.send_signal(signal.SIGCONT)
        self.stack.close()

    @property
    def primary(self):
        """On whom all sentinels agree, or None: for two seconds after a failover one may not know of it."""
        ports = {int(sentinel.ask('SENTINEL', 'get-master-addr-by-name', 'shop').split()[1]) for sentinel in self.sentinels}
        return next((server for server in self.servers if ports == {server.port}), None)

    @staticmethod
    def wait(is_so, what):
        deadline = time.monotonic() + START_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, f'{what}: not in time'
            time.sleep(0.05)


# --- PHP -----------------------------------------------------------------------------------------


class Php(Process):
    """Debian's php-fpm, which listens on the socket `path`; what it keeps back of its output is what Debian's php.ini says."""

    def prepare(self):
        self.path = self.dir / 'php-fpm.sock'
        (self.dir / 'sessions').mkdir()
        (self.dir / 'sessions').chmod(0o777)
        account = zip(('user', 'group'), unprivileged_account()) if os.geteuid() == 0 else ()
        settings = {**dict(account), 'listen': self.path, 'listen.mode': '0666', 'pm': 'static', 'pm.max_children': 2,
                    'php_value[output_buffering]': 4096, 'php_value[session.save_path]': self.dir / 'sessions'}
        self.conf = self.write('php-fpm.conf', f'[global]\nerror_log = {self.dir}/log\n[www]\n'
                               + ''.join(f'{name} = {value}\n' for name, value in settings.items()))

    def command(self):
        return [self.program('php-fpm8.2'), '--no-php-ini', '--nodaemonize', '--fpm-config', self.conf]

    def is_listening(self):
        with socket.socket(socket.AF_UNIX) as one:
            return one.connect_ex(str(self.path)) == 0


# --- OpenID Connect ------------------------------------------------------------------------------


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


class Provider:
    """An OpenID Connect provider: discovery, keys, the authorization code flow, user info.

    Whoever is sent to it is logged in as `user` at once; None refuses. Claims beside `sub` are of `claims`.
    `logouts` counts those who were sent to be logged out.
    """

    client, client_secret = 'httpd', 'a-secret-of-the-client-of-the-tests'

    def __init__(self):
        self.key = rsa.generate_private_key(65537, 2048)
        self.user = 'alice'
        self.claims = {name: {'email': f'{name}@example.test', 'groups': ['members']} for name in PASSWORDS}
        self.claims['alice']['groups'] = ['admins', 'members']
        self.logouts = 0
        self.codes = {}  # code: (user, nonce, redirect_uri); each counts once
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                provider.answer(self, '')

            def do_POST(self):
                provider.answer(self, self.rfile.read(int(self.headers['Content-Length'])).decode())

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_address[1]}'

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *failure):
        self.server.shutdown()
        self.server.server_close()

    # --- tokens ----------------------------------------------------------------------------

    def signed(self, claims):
        """A JSON Web Token with these claims, RFC 7519, by RS256."""
        head = {'alg': 'RS256', 'typ': 'JWT', 'kid': 'tests'}
        text = '.'.join(base64url(json.dumps(part).encode()) for part in (head, claims))
        return text + '.' + base64url(self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))

    @property
    def public_key(self):
        """For who does not ask at /keys, as PEM."""
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def token(self, user, seconds=300, **more):
        """A bearer token, or one that ended in the past."""
        now = int(time.time())
        return self.signed({'iss': self.url, 'sub': user, 'iat': now, 'exp': now + seconds, **self.claims[user], **more})

    def user_of(self, headers):
        """Of a bearer token: our own, so its signature is not looked at."""
        body = headers['Authorization'].split('.')[1]
        return json.loads(base64.urlsafe_b64decode(body + '=='))['sub']

    # --- endpoints -------------------------------------------------------------------------

    def answer(self, request, body):
        url = urlsplit(request.path)
        fields = {name: values[0] for name, values in parse_qs(body or url.query).items()}
        status, headers, document = self.ENDPOINTS[url.path](self, request.headers, fields)
        text = json.dumps(document).encode()
        request.send_response(status)
        for name, value in {'Content-Type': 'application/json', 'Content-Length': str(len(text)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(text)

    def discovery(self, headers, fields):
        return 200, {}, {
            'issuer': self.url, 'authorization_endpoint': f'{self.url}/authorize', 'token_endpoint': f'{self.url}/token',
            'userinfo_endpoint': f'{self.url}/userinfo', 'jwks_uri': f'{self.url}/keys',
            'end_session_endpoint': f'{self.url}/logout',
            'response_types_supported': ['code'], 'subject_types_supported': ['public'],
            'id_token_signing_alg_values_supported': ['RS256'],
            'token_endpoint_auth_methods_supported': ['client_secret_basic']}

    def keys(self, headers, fields):
        public = self.key.public_key().public_numbers()
        numbers = {name: base64url(number.to_bytes((number.bit_length() + 7) // 8, 'big'))
                   for name, number in (('n', public.n), ('e', public.e))}
        return 200, {}, {'keys': [{'kty': 'RSA', 'use': 'sig', 'alg': 'RS256', 'kid': 'tests', **numbers}]}

    def authorize(self, headers, fields):
        back = {'state': fields['state']}
        if fields['client_id'] != self.client or fields['response_type'] != 'code':
            return 400, {}, {'error': 'invalid_request'}
        if self.user is None:
            back['error'] = 'access_denied'
        else:
            back['code'] = secrets.token_urlsafe()
            self.codes[back['code']] = (self.user, fields.get('nonce'), fields['redirect_uri'])
        return 302, {'Location': f'{fields["redirect_uri"]}?{urlencode(back)}'}, None

    def exchange(self, headers, fields):
        client = 'Basic ' + base64.b64encode(f'{self.client}:{self.client_secret}'.encode()).decode()
        user, nonce, where = self.codes.pop(fields.get('code'), (None, None, None))
        if headers['Authorization'] != client or user is None or fields['redirect_uri'] != where:
            return 400, {}, {'error': 'invalid_grant'}
        return 200, {'Cache-Control': 'no-store'}, {
            'access_token': self.token(user), 'token_type': 'Bearer', 'expires_in': 300,
            'id_token': self.token(user, aud=self.client, nonce=nonce)}

    def user_info(self, headers, fields):
        user = self.user_of(headers)
        return 200, {}, {'sub': user, **self.claims[user]}

    def log_out(self, headers, fields):
        self.logouts += 1
        return 302, {'Location': fields['post_logout_redirect_uri']}, None

    ENDPOINTS = {'/.well-known/openid-configuration': discovery, '/keys': keys, '/authorize': authorize,
                 '/token': exchange, '/userinfo': user_info,
                 '/logout': log_out}


# --- SAML ----------------------------------------------------------------------------------------

SAML = 'urn:oasis:names:tc:SAML:2.0:'
SIGNATURES = 'http://www.w3.org/2000/09/xmldsig#'
CANONICAL = 'http://www.w3.org/2001/10/xml-exc-c14n#'


def moment(seconds):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + seconds))


class SamlProvider:
    """Answers what a browser brings from a service provider. Its texts are canonical XML already, as XML-DSig
    wants them hashed: namespaces where they are used first, attributes sorted, no empty tags."""

    url = 'http://idp.example.test/'
    GROUPS = {'alice': ['admins', 'members'], 'bob': ['members']}

    def __init__(self, folder):
        for name in ('idp', 'sp'):
            subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', f'/CN={name}',
                            '-keyout', folder / f'{name}.key', '-out', folder / f'{name}.crt'], check=True, capture_output=True)
        self.key = load_pem_private_key((folder / 'idp.key').read_bytes(), None)
        self.client_key, self.client_certificate = ((folder / f'sp.{kind}').read_text() for kind in ('key', 'crt'))
        certificate = ''.join((folder / 'idp.crt').read_text().splitlines()[1:-1])
        self.metadata = f'''<EntityDescriptor xmlns="{SAML}metadata" entityID="{self.url}">
            <IDPSSODescriptor protocolSupportEnumeration="{SAML}protocol"><KeyDescriptor use="signing">
            <ds:KeyInfo xmlns:ds="{SIGNATURES}"><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data>
            </ds:KeyInfo></KeyDescriptor>
            <SingleSignOnService Binding="{SAML}bindings:HTTP-Redirect" Location="{self.url}sso"/>
            </IDPSSODescriptor></EntityDescriptor>'''

    def answer(self, address, user, claimed=None):
        """What the browser posts, and where to: `address` is that to which it was sent. The user who is signed for is
        `user`, the one whom the answer names `claimed`."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        request = zlib.decompress(base64.b64decode(query['SAMLRequest']), -15).decode()
        number, there, service = (re.search(pattern, request)[1] for pattern in (
            r'\bID="([^"]+)"', r'AssertionConsumerServiceURL="([^"]+)"', r'Issuer>([^<]+)<'))
        assertion = self.assertion(user, number, there, service)
        signed = assertion.replace('</saml:Issuer>', '</saml:Issuer>' + self.signature(assertion), 1)
        response = (f'<samlp:Response xmlns:samlp="{SAML}protocol" Destination="{there}" ID="_r" InResponseTo="{number}" '
                    f'IssueInstant="{moment(0)}" Version="2.0"><saml:Issuer xmlns:saml="{SAML}assertion">{self.url}</saml:Issuer>'
                    f'<samlp:Status><samlp:StatusCode Value="{SAML}status:Success"/></samlp:Status>'
                    f'{signed.replace(f">{user}<", f">{claimed or user}<")}</samlp:Response>')
        fields = {'SAMLResponse': base64.b64encode(response.encode()).decode(), 'RelayState': query['RelayState']}
        return urlsplit(there).path, urlencode(fields)

    def assertion(self, user, number, there, service):
        groups = ''.join(f'<saml:AttributeValue>{group}</saml:AttributeValue>' for group in self.GROUPS[user])
        return (f'<saml:Assertion xmlns:saml="{SAML}assertion" ID="_a" IssueInstant="{moment(0)}" Version="2.0">'
                f'<saml:Issuer>{self.url}</saml:Issuer><saml:Subject>'
                f'<saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified">{user}</saml:NameID>'
                f'<saml:SubjectConfirmation Method="{SAML}cm:bearer"><saml:SubjectConfirmationData InResponseTo="{number}" '
                f'NotOnOrAfter="{moment(300)}" Recipient="{there}"></saml:SubjectConfirmationData></saml:SubjectConfirmation>'
                f'</saml:Subject><saml:Conditions NotBefore="{moment(-10)}" NotOnOrAfter="{moment(300)}"><saml:AudienceRestriction>'
                f'<saml:Audience>{service}</saml:Audience></saml:AudienceRestriction></saml:Conditions>'
                f'<saml:AuthnStatement AuthnInstant="{moment(0)}" SessionIndex="_s"><saml:AuthnContext><saml:AuthnContextClassRef>'
                f'{SAML}ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>'
                f'<saml:AttributeStatement><saml:Attribute Name="groups">{groups}</saml:Attribute></saml:AttributeStatement>'
                f'</saml:Assertion>')

    def signature(self, text):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        transforms = ''.join(f'<ds:Transform Algorithm="{name}"></ds:Transform>' for name in (
            f'{SIGNATURES}enveloped-signature', CANONICAL))
        info = (f'><ds:CanonicalizationMethod Algorithm="{CANONICAL}"></ds:CanonicalizationMethod>'
                f'<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>'
                f'<ds:Reference URI="#_a"><ds:Transforms>{transforms}</ds:Transforms>'
                f'<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
                f'<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>')
        # by itself it has the namespace that it has from its parent in there
        value = self.key.sign(f'<ds:SignedInfo xmlns:ds="{SIGNATURES}"{info}'.encode(), padding.PKCS1v15(), hashes.SHA256())
        return (f'<ds:Signature xmlns:ds="{SIGNATURES}"><ds:SignedInfo{info}'
                f'<ds:SignatureValue>{base64.b64encode(value).decode()}</ds:SignatureValue></ds:Signature>')
