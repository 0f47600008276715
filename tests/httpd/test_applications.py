# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""A real application of each framework behind httpd, with the configuration that its page in docs/ shows, and what
docs/applications.md says of all of them.

The application logs in and out; httpd guards files by its login, and both change the session.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import urlencode

import django
import flask
import pytest
from flask.sessions import SecureCookieSessionInterface

from common import FORM, JSON, NODE_MODULES, TOP, need_express
from harness import SECRET, Jar, cgi_module
from starting import Keyed

HERE = Path(__file__).parent
OLD_SECRET = 'Hm4-older_secret.Pq61xSvBz8tEu3WnLk0Fy'
LOGIN = {'user': 'alice', 'password': 'apple-pie'}
FILES = {'srv/files/report.txt': 'the report\n',
         'srv/cgi-bin/environment': '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"\nenv\n'}
STOP_SECONDS = 20
FLASK = [int(part) for part in metadata.version('flask').split('.')[:2]]


@dataclass(frozen=True)
class Framework:
    name: str
    command: tuple
    cookie: str = 'session'
    key: str = 'user'  # what only a login writes
    keeps_old_secrets: bool = True

    @property
    def page(self):
        return TOP / f'docs/{self.name}.md'

    @property
    def conf(self):
        return (TOP / f'conf/examples/{self.name}.conf').read_text()


def python(name):
    return (sys.executable, '-B', str(HERE / f'apps/{name}_app.py'))


FRAMEWORKS = [
    Framework('starlette', python('starlette')),
    Framework('flask', python('flask'), keeps_old_secrets=FLASK >= [3, 1]),
    Framework('django', python('django'), 'sessionid', '_auth_user_id', django.VERSION >= (4, 1, 8)),
    Framework('express', ('node', str(HERE / 'apps/express_app.js'))),
]


COMMON_PAGE = TOP / 'docs/applications.md'


def blocks(page, *languages):
    found = re.findall(r'^```(\w+)\n(.*?)^```$', page.read_text(), re.M | re.S)
    return [text for language, text in found if language in languages]


# --- the application, and httpd in front of it -----------------------------------------------------


@contextlib.contextmanager
def application(framework, secrets):
    """A process of its own; it prints its port once it listens."""
    if framework.name == 'express':
        need_express()
    env = {**os.environ, 'SESSION_SECRETS': str(secrets), 'NODE_PATH': str(NODE_MODULES)}
    with subprocess.Popen(framework.command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as process:
        try:
            port = process.stdout.readline()
            assert port, f'{framework.command} ended with {process.wait(STOP_SECONDS)}'
            yield int(port)
        finally:
            process.terminate()


class Site(Keyed):
    """The configuration as it is printed, with this machine's port and paths."""

    def __init__(self, framework, app_port, secrets, more):
        conf = framework.conf + more
        for printed, real in (('127.0.0.1:8000', f'127.0.0.1:{app_port}'), ('/srv/', '{dir}/srv/'),
                              ('/etc/apache2/', '{dir}/keys/')):
            assert printed in conf
            conf = conf.replace(printed, real)
        super().__init__(conf, f'alias rewrite proxy proxy_http {cgi_module()}',
                         {**FILES, f'keys/{framework.name}.secret': '\n'.join(secrets) + '\n'})
        self.framework = framework


@contextlib.contextmanager
def serving(framework, directory, *secrets, more=''):
    """The whole site: the framework's application and httpd, both with these secrets."""
    path = directory / f'{framework.name}.secret'
    path.write_text('\n'.join(secrets) + '\n')
    with application(framework, path) as port, Site(framework, port, secrets, more) as server:
        server.app_port = port
        yield server


@pytest.fixture(scope='module', params=FRAMEWORKS, ids=lambda framework: framework.name)
def site(request, tmp_path_factory):
    with serving(request.param, tmp_path_factory.mktemp('secret'), SECRET) as server:
        yield server


@pytest.fixture
def visitor(site):
    return Visitor(site)


class Visitor(Jar):
    """A browser, and what it finds at each place."""

    def post(self, path, **fields):
        return self.request('POST', path, FORM, urlencode(fields))

    def log_in(self):
        response = self.post('/login', **LOGIN)
        assert (response.status, response.get('Location')) == (303, '/whoami')
        return response

    def report(self):
        """The status of the file that httpd guards."""
        self.server.allow('AH01630')
        return self.request('GET', '/files/report.txt').status

    def user(self):
        """Who the application thinks that asks."""
        return self.request('GET', '/whoami').json()['user']

    def in_application(self):
        return self.request('GET', '/whoami').json()['session']

    def in_httpd(self):
        return self.request('GET', '/session').json()

    def state(self):
        return self.request('GET', '/session?meta').json()['state']

    def environment(self):
        """What a CGI script finds about sessions, and in which header cookies would be."""
        lines = [line.partition('=') for line in self.request('GET', '/cgi-bin/environment').text.splitlines()]
        return {name: text for name, _, text in lines if 'SESSION' in name or name == 'HTTP_COOKIE'}


# --- the login ---------------------------------------------------------------------------------------


def test_a_login_opens_the_files_and_a_logout_closes_them(visitor):
    assert visitor.report() == 403
    visitor.log_in()
    response = visitor.request('GET', '/files/report.txt')
    assert (response.status, response.text, response.get('Cache-Control')) == (200, 'the report\n', 'private')
    assert visitor.post('/logout').status == 303
    assert visitor.report() == 403


@pytest.mark.parametrize('framework', FRAMEWORKS, ids=lambda framework: framework.name)
def test_the_signpost_of_the_page_leads_to_the_login_page(framework, tmp_path):
    signpost, = blocks(COMMON_PAGE, 'apache')
    signpost = signpost.replace('session:user', f'session:{framework.key}')
    with serving(framework, tmp_path, SECRET, more=signpost) as server:
        visitor = Visitor(server)
        response = visitor.request('GET', '/files/report.txt')
        assert (response.status, response.get('Location')) == (302, server.url('/login'))
        assert '<form method="post" action="/login">' in visitor.request('GET', '/login').text
        visitor.log_in()
        assert visitor.report() == 200
        visitor.post('/logout')
        assert visitor.report() == 302


def test_a_wrong_password_opens_nothing(visitor):
    assert visitor.post('/login', user='alice', password='plum-pie').status == 403
    assert visitor.report() == 403
    assert visitor.user() is None


def test_a_session_without_a_login_opens_nothing(visitor):
    """Anybody can have a session, here by the one key that is writable."""
    assert visitor.request('PUT', '/session/theme', JSON, '"dark"').status == 201
    assert visitor.state() == 'valid'
    assert visitor.report() == 403


def test_nobody_logs_in_through_httpd(site, visitor):
    response = visitor.request('PUT', f'/session/{site.framework.key}', JSON, '"1"')
    assert response.status == 403 and visitor.cookies == {}


# --- changes -----------------------------------------------------------------------------------------


def test_the_application_sees_what_httpd_changes(visitor):
    visitor.log_in()
    before = visitor.in_application()
    assert visitor.request('PUT', '/session/theme', JSON, '"d\u00e4rk"').status == 201
    assert visitor.request('GET', '/theme').text == 'd\u00e4rk'
    assert visitor.in_application() == {**before, 'theme': 'd\u00e4rk'}
    assert (visitor.user(), visitor.report()) == ('alice', 200)


def test_httpd_sees_what_the_application_changes(visitor):
    visitor.log_in()
    assert visitor.post('/theme', theme='d\u00e4rk').status == 204
    assert visitor.in_httpd()['theme'] == 'd\u00e4rk'
    assert visitor.request('GET', '/session/theme').json() == 'd\u00e4rk'
    environment = visitor.environment()
    assert environment['SESSION_theme'] == 'd\u00e4rk'
    assert environment['SIGNED_SESSION_STATE'] == 'valid'
    assert json.loads(environment['SESSION']) == visitor.in_httpd()
    assert 'HTTP_COOKIE' not in environment


def test_both_change_it_in_turn(visitor):
    visitor.log_in()
    for theme in ('dark', 'light', 'dark'):
        visitor.request('PUT', '/session/theme', JSON, json.dumps(theme))
        assert visitor.request('GET', '/theme').text == theme
        visitor.post('/theme', theme=f'{theme}er')
        assert visitor.request('GET', '/session/theme').json() == f'{theme}er'
    assert (visitor.user(), visitor.report()) == ('alice', 200)


def test_httpd_removes_a_key(visitor):
    visitor.log_in()
    before = visitor.in_application()
    visitor.post('/theme', theme='dark')
    assert visitor.request('DELETE', '/session/theme').status == 204
    assert visitor.in_application() == before


def held_by_flask(visitor):
    app = flask.Flask('reader')
    app.secret_key = SECRET
    session = SecureCookieSessionInterface().get_signing_serializer(app).loads(visitor.session)
    assert type(session['roles']) is tuple
    return {name: session[name] for name in ('_permanent', 'roles', 'user')}


def held_by_django(visitor):
    session = visitor.in_application()
    return {name: session[name] for name in ('_auth_user_id', '_auth_user_backend', '_auth_user_hash')}


def held_by_application(visitor):
    return visitor.in_application()['user']


HELD = {'starlette': held_by_application, 'flask': held_by_flask, 'django': held_by_django,
        'express': held_by_application}


def test_httpd_keeps_what_the_framework_needs(site, visitor):
    """Type tags of Flask, the keys that Django's login checks: as they were, after httpd has written the cookie."""
    visitor.log_in()
    held = HELD[site.framework.name]
    before = held(visitor)
    assert before
    visitor.request('PUT', '/session/theme', JSON, '"dark"')
    assert held(visitor) == before


# --- the end -------------------------------------------------------------------------------------------


def end_by_application(visitor):
    assert visitor.post('/logout').status == 303


def end_by_httpd(visitor):
    assert visitor.request('DELETE', '/session').status == 204


@pytest.mark.parametrize('end', [end_by_application, end_by_httpd])
def test_what_one_side_ends_is_gone_on_the_other(visitor, end):
    visitor.log_in()
    visitor.post('/theme', theme='dark')
    end(visitor)
    assert (visitor.in_httpd(), visitor.user(), visitor.in_application(), visitor.report()) == ({}, None, {}, 403)
    assert 'SESSION_theme' not in visitor.environment()


@pytest.mark.parametrize('end', [end_by_application, end_by_httpd])
def test_no_cookie_stays_behind(visitor, end):
    visitor.log_in()
    assert visitor.cookies
    end(visitor)
    assert visitor.cookies == {}


# --- the cookie ----------------------------------------------------------------------------------------


def shape(line):
    """A Set-Cookie line without what differs from one second to the next."""
    name, _, rest = line.partition('=')
    return name, re.sub('(?i)(expires)=[^;]*', r'\1', rest.partition(';')[2])


class Direct:
    """The application, without httpd in front of it."""

    def __init__(self, port):
        self.port = port

    request = Keyed.request


def test_the_set_cookie_of_the_application_passes(site):
    """What httpd sends on is what the application sends to whoever asks it directly."""
    direct, through = (visitor.log_in().get_all('Set-Cookie')
                       for visitor in (Visitor(Direct(site.app_port)), Visitor(site)))
    assert direct and [shape(line) for line in through] == [shape(line) for line in direct]


def attributes(response):
    """Of each cookie that a response sets, how long it lives aside: some say it by Expires, some by Max-Age."""
    shapes = [shape(line) for line in response.get_all('Set-Cookie')]
    return {name: {part.strip() for part in rest.lower().split(';')
                   if not part.strip().startswith(('max-age', 'expires'))} for name, rest in shapes}


def test_a_browser_keeps_one_cookie_of_both(visitor):
    """Name, Path, Domain and flags are the same, whoever writes."""
    theirs = attributes(visitor.log_in())
    assert attributes(visitor.request('PUT', '/session/theme', JSON, '"dark"')) == theirs


def altered(text, at):
    return text[:at] + ('A' if text[at] != 'A' else 'B') + text[at + 1:]


@pytest.mark.parametrize('where', ['payload', 'signature'])
def test_both_refuse_a_tampered_cookie(site, visitor, where):
    visitor.log_in()
    signature = f'{site.framework.cookie}.sig'
    if where == 'signature' and signature in visitor.cookies:
        visitor.cookies[signature] = altered(visitor.cookies[signature], 5)
    else:
        name = site.framework.cookie
        visitor.cookies[name] = altered(visitor.cookies[name], 5 if where == 'payload' else -5)
    tampered = dict(visitor.cookies)
    for look, wanted in ((visitor.state, 'bad-signature'), (visitor.in_httpd, {}), (visitor.report, 403),
                         (visitor.user, None), (visitor.in_application, {})):
        visitor.cookies = dict(tampered)
        assert look() == wanted


@pytest.mark.parametrize('framework', FRAMEWORKS, ids=lambda framework: framework.name)
def test_both_write_in_one_answer(framework, tmp_path):
    """What httpd adds comes on top of what the application sends, and each cookie goes out once."""
    more = '<Location "/login">\nSignedSessionSet via httpd\n</Location>\n'
    with serving(framework, tmp_path, SECRET, more=more) as server:
        visitor = Visitor(server)
        names = [line.partition('=')[0] for line in visitor.log_in().get_all('Set-Cookie')]
        assert len(names) == len(set(names)) == len(visitor.cookies)
        assert visitor.in_httpd()['via'] == visitor.in_application()['via'] == 'httpd'
        assert (visitor.user(), visitor.report()) == ('alice', 200)


# --- another secret ------------------------------------------------------------------------------------


@pytest.mark.parametrize('framework', FRAMEWORKS, ids=lambda framework: framework.name)
def test_a_new_secret(framework, tmp_path):
    """In front of the old one: httpd knows everybody still, and so does the application if its version can."""
    with serving(framework, tmp_path, OLD_SECRET) as server:
        visitor = Visitor(server)
        visitor.log_in()
        old = dict(visitor.cookies)

    with serving(framework, tmp_path, SECRET, OLD_SECRET) as server:
        visitor.server = server
        assert visitor.report() == 200
        assert visitor.user() == ('alice' if framework.keeps_old_secrets else None)
        visitor.cookies = dict(old)
        assert visitor.request('PUT', '/session/theme', JSON, '"dark"').status == 201

    with serving(framework, tmp_path, SECRET) as server:
        visitor.server = server
        assert (visitor.report(), visitor.request('GET', '/theme').text) == (200, 'dark')
        visitor.cookies = dict(old)
        assert (visitor.report(), visitor.user()) == (403, None)


@pytest.mark.parametrize('framework', FRAMEWORKS, ids=lambda framework: framework.name)
def test_both_read_the_same_secrets_from_a_file(framework, tmp_path):
    """Whatever an editor made of it: a secret is a line, not a word."""
    passphrase = 'four words with blanks # and ; among them'
    with serving(framework, tmp_path, '\ufeff# the passphrase', '', f' \t{passphrase}\t ', '  # the old one',
                 OLD_SECRET + '\r') as server:
        visitor = Visitor(server)
        visitor.log_in()
        assert (visitor.user(), visitor.report()) == ('alice', 200)
        assert visitor.request('PUT', '/session/theme', JSON, '"dark"').status == 201
        assert (visitor.user(), visitor.request('GET', '/theme').text) == ('alice', 'dark')
    with serving(framework, tmp_path, passphrase) as server:  # nothing else than that sealed it
        visitor.server = server
        assert visitor.report() == 200


# --- the pages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize('framework', FRAMEWORKS, ids=lambda framework: framework.name)
def test_the_page_shows_the_configuration_that_is_tested(framework):
    assert [framework.conf.split('\n\n', 1)[1]] == blocks(framework.page, 'apache')


def test_the_common_page_names_what_a_login_writes():
    rows = [row for row in COMMON_PAGE.read_text().splitlines() if row.startswith('| ') and '.md)' in row]
    assert len(rows) == len(FRAMEWORKS)
    for framework, row in zip(FRAMEWORKS, rows):
        _, _, page, cookie, key, _ = row.split('|')
        assert f'({framework.page.name})' in page
        assert f'`{framework.cookie}`' in cookie and f'`{framework.key}`' in key


def test_the_commands_of_the_page_answer_what_it_says(site, tmp_path):
    site.allow('AH01630')
    script, = [text for text in blocks(COMMON_PAGE, 'sh') if 'curl' in text]
    wanted = re.findall(r'^\w+ .* # (.+)$', script, re.M)
    assert len(wanted) >= 8
    done = subprocess.run(['sh', '-e'], input=script.replace('http://localhost', site.url('')), cwd=tmp_path, text=True,
                          capture_output=True, timeout=60, env={**os.environ, 'no_proxy': '127.0.0.1'})
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.splitlines() == wanted
