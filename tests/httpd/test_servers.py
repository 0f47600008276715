# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Those who know the users, servers.py, and the modules of httpd that ask them: without any session of ours."""

import subprocess
from urllib.parse import urlsplit

import pytest

from client import Request, exchange_http1
from common import ENV_CGI, basic
from harness import Jar, Server, cgi_module
from servers import PASSWORDS, Directory, Kerberos, Provider

FILES = {'cgi/env': ENV_CGI}
PLACE = '''
ScriptAlias /cgi/ "{dir}/cgi/"
<Location "/cgi">
    AuthName "tests"
    %s
</Location>
'''
ADMINS = '<Location "/cgi/env/admins">\n%s\n</Location>\n'


def served(conf, modules, files=FILES, **more):
    return Server(conf, f'alias authn_core authz_user {cgi_module()} {modules}', files, ours=False, **more)


def is_user(response, user):
    return response.status == 200 and f'\nREMOTE_USER={user}\n' in f'\n{response.text}'


# --- LDAP ----------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def ldap():
    with Directory() as directory:
        conf = PLACE % f'''
            AuthType Basic
            AuthBasicProvider ldap
            AuthLDAPURL "{directory.url}/ou=people,{directory.base}?uid"
            Require valid-user''' + ADMINS % f'Require ldap-group cn=admins,ou=groups,{directory.base}'
        with served(conf, 'auth_basic ldap authnz_ldap') as server:
            yield server


@pytest.mark.parametrize('user', PASSWORDS)
def test_a_password_of_the_directory(ldap, user):
    assert is_user(ldap.request('GET', '/cgi/env', basic(user, PASSWORDS[user])), user)
    ldap.expect('AH01617')
    assert ldap.request('GET', '/cgi/env', basic(user, 'guess')).status == 401


def test_a_group_of_the_directory(ldap):
    ldap.allow('AH01631')
    for user, status in (('alice', 200), ('bob', 401)):
        assert ldap.request('GET', '/cgi/env/admins', basic(user, PASSWORDS[user])).status == status


# --- Kerberos ------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def kerberos():
    with Kerberos() as realm:
        conf = PLACE % f'''
            AuthType GSSAPI
            GssapiCredStore keytab:{realm.keytab}
            GssapiAllowedMech krb5
            Require valid-user'''
        with served(conf, 'auth_gssapi', env=realm.variables) as server:
            server.realm = realm
            yield server


def negotiated(server, env):
    return subprocess.run(['curl', '-s', '--negotiate', '-u', ':', server.url('/cgi/env', 'localhost')], env=env,
                          capture_output=True, text=True).stdout


@pytest.mark.parametrize('user', PASSWORDS)
def test_a_ticket_of_the_realm(kerberos, user):
    assert f'REMOTE_USER={user}@{Kerberos.realm}\n' in negotiated(kerberos, kerberos.realm.log_in(user))


def test_nobody_gets_in_without_a_ticket(kerberos):
    assert 'REMOTE_USER' not in negotiated(kerberos, {**kerberos.realm.env, 'KRB5CCNAME': 'FILE:/nonexistent'})


# --- OpenID Connect ------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def provider():
    with Provider() as one:
        yield one


@pytest.fixture(scope='module')
def client(provider):
    conf = f'''
        OIDCProviderMetadataURL {provider.url}/.well-known/openid-configuration
        OIDCClientID {provider.client}
        OIDCClientSecret {provider.client_secret}
        OIDCRedirectURI http://127.0.0.1:{{port}}/cgi/back
        OIDCCryptoPassphrase only-of-this-test
        OIDCSessionType client-cookie
        OIDCRemoteUserClaim sub''' + PLACE % '''
            AuthType openid-connect
            Require valid-user''' + ADMINS % 'Require claim groups:admins'
    with served(conf, 'auth_openidc') as server:
        server.allow('SHOULD be "https"')
        server.log.check()
        yield server


PAGE = {'Accept': 'text/html'}  # what asks for anything else is not sent away to log in


class Visitor:
    """A browser that follows redirects from httpd to the provider and back."""

    def __init__(self, client, provider):
        self.client, self.jar, self.provider = client, Jar(client), provider

    def get(self, path):
        response = self.jar.request('GET', path, PAGE)
        while response.status == 302:
            there = urlsplit(response.get('Location'))
            path = f'{there.path}?{there.query}' if there.query else there.path
            if there.port == self.client.port:
                response = self.jar.request('GET', path, PAGE)
            else:
                response = exchange_http1(there.port, Request('GET', path, [('Connection', 'close')], authority=there.netloc))
        return response


@pytest.mark.parametrize('user', PASSWORDS)
def test_the_code_flow(client, provider, user):
    provider.user = user
    visitor = Visitor(client, provider)
    response = visitor.get('/cgi/env')
    assert is_user(response, user) and f'OIDC_CLAIM_email={user}@example.test\n' in response.text
    client.allow('AH01631')
    assert visitor.get('/cgi/env/admins').status == (200 if user == 'alice' else 401)


def test_a_refusal_of_the_provider(client, provider):
    provider.user = None
    client.allow('access_denied', 'auth_openidc')
    assert 'REMOTE_USER' not in Visitor(client, provider).get('/cgi/env').text


def test_a_bearer_token(provider):
    conf = '''
        OIDCOAuthVerifyCertFiles tests#{dir}/provider.pem
        OIDCOAuthRemoteUserClaim sub''' + PLACE % '''
            AuthType oauth20
            Require valid-user'''
    with served(conf, 'auth_openidc', files={**FILES, 'provider.pem': provider.public_key}) as server:
        for seconds, status in ((300, 200), (-300, 401)):
            response = server.request('GET', '/cgi/env', {'Authorization': f'Bearer {provider.token("bob", seconds)}'})
            assert response.status == status and is_user(response, 'bob') == (status == 200)
            server.allow('auth_openidc')
