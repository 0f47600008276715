# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The site of docs/guide.md, which is the site of scripts/demo: its real configuration and its real files.

And the examples of the documentation: none is printed that httpd would not take.
"""

import contextlib
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

from common import FORM, JSON, TOP
from cookies import Native, native, opened
from harness import Jar, Server, cgi_module, configtest

DEMO = TOP / 'conf/demo'
MODULES = 'alias dir include rewrite proxy proxy_http'


class Demo(Server):
    """The demo's configuration, as the script starts it."""

    def __init__(self, app_port):
        files = {str(path.relative_to(DEMO)): path.read_bytes()
                 for folder in ('htdocs', 'cgi') for path in (DEMO / folder).rglob('*') if path.is_file()}
        super().__init__((DEMO / 'httpd.conf').read_text(), f'{MODULES} {cgi_module()}', files,
                         env={'PATH': f'{Path(sys.executable).parent}:/usr/bin:/bin'})
        self.app_port = app_port

    def preamble(self):
        """What the file says itself, the harness does not."""
        said = {line.split()[0] for line in self.conf.splitlines() if line.strip()}
        return ''.join(line for line in super().preamble().splitlines(keepends=True) if line.split()[0] not in said) + (
            f'Define DEMO_DIR "{self.dir}"\nDefine DEMO_PORT {self.port}\nDefine DEMO_APP_PORT {self.app_port}\n')

    def access_log(self):
        return (self.dir / 'access.log').read_text()


@contextlib.contextmanager
def application():
    """The program behind mod_proxy: its port."""
    with subprocess.Popen([sys.executable, str(DEMO / 'app.py')], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as process:
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


@pytest.fixture(scope='module')
def demo():
    with application() as port, Demo(port) as server:
        yield server


@pytest.fixture
def visitor(demo):
    return Jar(demo)


def log_in(visitor, user, password, headers=()):
    return visitor.request('POST', '/login', {**FORM, **dict(headers)}, urlencode({'user': user, 'password': password}))


def alice(visitor):
    return log_in(visitor, 'alice', 'apple pie')


def bob(visitor):
    return log_in(visitor, 'bob', 'banana split')


def denied(response, server):
    server.allow('AH01630')
    return response.status == 403


def session_of(visitor):
    return Native.open(visitor.session).data if visitor.session else None


# --- what everybody sees ---------------------------------------------------------------------


def test_every_link_of_the_start_page_leads_somewhere(demo, visitor):
    page = visitor.request('GET', '/')
    assert (page.status, page.get('Content-Type')) == (200, 'text/html; charset=utf-8')
    links = re.findall(r'(?:href|action)="([^"]+)"', page.text)
    assert {'/login', '/members/', '/admin/', '/app/', '/counter', '/session', '/logout', '/style.css'} <= set(links)
    alice(visitor)
    for link in links:
        response = visitor.request('GET', link)
        assert response.status == (302 if link == '/logout' else 200), link


def test_the_counter_counts(visitor):
    for number in (1, 2):
        assert f'Visit number {number}' in visitor.request('GET', '/counter').text
    assert session_of(visitor) == {'visits': 2}


def test_pages_write_what_decides_nothing(visitor):
    assert visitor.request('PUT', '/session/theme', JSON, '"dark"').status == 201
    assert visitor.request('PUT', '/session/role', JSON, '"admin"').status == 403
    assert visitor.request('POST', '/session', FORM, 'key=hello').status == 200
    assert session_of(visitor) == {'theme': 'dark', 'key': 'hello'}


# --- login and logout --------------------------------------------------------------------------


@pytest.mark.parametrize('path', ['/members', '/members/', '/members/index.shtml', '/members/?a=b', '//members/'])
def test_anonymous_visitors_are_sent_to_the_login_page(demo, visitor, path):
    response = visitor.request('GET', path)
    assert (response.status, response.get('Location'), response.set_cookies()) == (302, demo.url('/login'), [])
    form = visitor.request('GET', '/login')
    assert form.status == 200 and 'name="password"' in form.text and 'You are not logged in' in form.text
    for word in ('alice', 'apple pie', 'bob', 'banana split'):
        assert word in form.text


@pytest.mark.parametrize('user, password', [('alice', 'banana split'), ('alice', ''), ('', ''), ('eve', ''),
                                            ('alice ', 'apple pie'), ('al\u00efce', '\u00e4pple pie')])
def test_a_wrong_password_stays_out(visitor, user, password):
    response = log_in(visitor, user, password)
    assert (response.status, response.set_cookies()) == (403, [])
    assert 'another password' in response.text
    assert visitor.request('GET', '/members/').status == 302


def test_what_was_typed_is_shown_as_text(visitor):
    page = log_in(visitor, '"><b>x', 'y').text
    assert '<b>x' not in page and '&quot;&gt;&lt;b&gt;x' in page


@pytest.mark.parametrize('log_in_as, name, role', [(alice, 'alice', 'admin'), (bob, 'bob', 'editor')])
def test_a_login(visitor, log_in_as, name, role):
    response = log_in_as(visitor)
    assert (response.status, response.get('Location'), response.get('X-Session-Update')) == (303, '/members/', None)
    assert session_of(visitor) == {'user': name, 'role': role}
    page = visitor.request('GET', '/members/')
    assert page.status == 200 and f'Hello, {name}' in page.text and f'<code>{role}</code>' in page.text
    assert page.get('Cache-Control') == 'private'
    assert f'You are {name}' in visitor.request('GET', '/login').text


def test_a_login_begins_a_new_session(visitor):
    """Whatever was there before: a key, an id that somebody may have planted, the role of another."""
    bob(visitor)
    visitor.request('GET', '/counter')
    before = Native.open(visitor.session)
    after = opened(alice(visitor))
    assert (before.data, after.data) == ({'user': 'bob', 'role': 'editor', 'visits': 1},
                                         {'user': 'alice', 'role': 'admin'})
    assert after.id != before.id and after.counter == 1


def test_a_login_keeps_the_cart(visitor):
    """But not somebody else's, and nothing else; the page says so."""
    visitor.request('PUT', '/session/cart', JSON, '["apple"]')
    visitor.request('PUT', '/session/theme', JSON, '"dark"')
    assert 'A cart that you filled before stays yours' in visitor.request('GET', '/login').text
    alice(visitor)
    assert session_of(visitor) == {'cart': ['apple'], 'user': 'alice', 'role': 'admin'}
    bob(visitor)
    assert session_of(visitor) == {'user': 'bob', 'role': 'editor'}


def test_neither_a_look_at_the_login_page_nor_a_failure_ends_the_session(visitor):
    alice(visitor)
    assert visitor.request('GET', '/login').set_cookies() == []
    assert log_in(visitor, 'alice', 'wrong').set_cookies() == []
    assert session_of(visitor) == {'user': 'alice', 'role': 'admin'}


@pytest.mark.parametrize('path', ['/login', '/app/'])
@pytest.mark.parametrize('site', ['cross-site', 'same-site'])
def test_forms_of_other_sites_stay_outside(visitor, path, site):
    body = urlencode({'user': 'alice', 'password': 'apple pie', 'note': 'x'})
    response = visitor.request('POST', path, {**FORM, 'Sec-Fetch-Site': site}, body)
    assert (response.status, response.set_cookies()) == (403, [])


def test_forms_of_this_site_do_not(visitor):
    response = log_in(visitor, 'alice', 'apple pie', {'Sec-Fetch-Site': 'same-origin'})
    assert (response.status, session_of(visitor)) == (303, {'user': 'alice', 'role': 'admin'})


def test_logout(demo, visitor):
    alice(visitor)
    response = visitor.request('GET', '/logout')
    assert (response.status, response.get('Location'), response.cookie()) == (302, demo.url('/'), '')
    assert visitor.session is None
    assert visitor.request('GET', '/members/').status == 302
    assert visitor.request('GET', '/logout').set_cookies() == []


# --- roles ---------------------------------------------------------------------------------------


def test_one_role_enters(demo, visitor):
    anonymous = visitor.request('GET', '/admin/')
    assert denied(anonymous, demo) and 'you are not logged in' in anonymous.text
    bob(visitor)
    refused = visitor.request('GET', '/admin/')
    assert denied(refused, demo) and 'You are bob, role <code>editor</code>' in refused.text
    alice(visitor)
    page = visitor.request('GET', '/admin/')
    assert page.status == 200 and 'Administration' in page.text and page.get('Cache-Control') == 'private'


def test_the_old_role_is_gone_after_a_login_as_somebody_else(demo, visitor):
    alice(visitor)
    assert visitor.request('GET', '/admin/').status == 200
    bob(visitor)
    assert denied(visitor.request('GET', '/admin/'), demo)
    assert session_of(visitor) == {'user': 'bob', 'role': 'editor'}


def test_nobody_makes_a_role_of_his_own(demo):
    cookie = native({'user': 'eve', 'role': 'admin'})
    forged = cookie[:-2] + ('A' if cookie[-2] != 'A' else 'B') + cookie[-1]
    assert denied(demo.request('GET', '/admin/', cookie=forged), demo)
    assert demo.request('GET', '/members/', cookie=forged).status == 302


# --- the application -------------------------------------------------------------------------------


def test_the_application_knows_the_user(visitor):
    page = visitor.request('GET', '/app/')
    assert page.status == 200 and 'Hello, stranger' in page.text and 'you have no session' in page.text
    alice(visitor)
    page = visitor.request('GET', '/app/')
    assert 'Hello, alice' in page.text and '&quot;role&quot;:&quot;admin&quot;' in page.text


def test_nobody_tells_the_application_who_he_is(visitor):
    for name in ('X-Session', 'x_session'):
        page = visitor.request('GET', '/app/', {name: '{"user":"eve"}'})
        assert 'Hello, stranger' in page.text and 'eve' not in page.text


def test_the_application_changes_the_session(visitor):
    alice(visitor)
    response = visitor.request('POST', '/app/', FORM, urlencode({'note': 'Zo\u00eb <3'}))
    assert (response.status, response.get('Location'), response.get('X-Session-Update')) == (303, '/app/', None)
    assert session_of(visitor) == {'user': 'alice', 'role': 'admin', 'note': 'Zo\u00eb <3'}
    assert 'value="Zo\u00eb &lt;3"' in visitor.request('GET', '/app/').text
    visitor.request('POST', '/app/', FORM, 'note=')
    assert session_of(visitor) == {'user': 'alice', 'role': 'admin'}


# --- the access log --------------------------------------------------------------------------------


def test_the_user_stands_in_the_access_log(demo, visitor):
    visitor.request('GET', '/counter?anonymous')
    bob(visitor)
    visitor.request('GET', '/members/?line')
    visitor.request('GET', '/style.css?file')
    demo.request('GET', '/style.css?forged', cookie='session=x')
    lines = [r'127\.0\.0\.1 - none "GET /counter\?anonymous HTTP/1\.1" 200',
             r'127\.0\.0\.1 bob valid "GET /members/\?line HTTP/1\.1" 200',
             r'127\.0\.0\.1 bob valid "GET /style\.css\?file HTTP/1\.1" 200',
             r'127\.0\.0\.1 - malformed "GET /style\.css\?forged HTTP/1\.1" 200']
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline and not all(re.search(line, demo.access_log()) for line in lines):
        time.sleep(0.01)
    for line in lines:
        assert re.search(f'^{line}$', demo.access_log(), re.M), line


# --- the examples of the documentation -----------------------------------------------------------

DOCUMENTS = [TOP / 'README.md', *sorted((TOP / 'docs').glob('*.md'))]


def blocks(document, *languages):
    found = re.findall(r'^```(\w+)\n(.*?)^```$', document.read_text(), re.M | re.S)
    return [text for language, text in found if language in languages]


def demo_texts():
    return [path.read_text() for path in DEMO.rglob('*') if path.is_file()]


def test_every_step_of_the_guide_is_copied_from_the_demo():
    steps = blocks(TOP / 'docs/guide.md', 'apache', 'python', 'sh', 'html')
    assert len(steps) > 8
    texts = demo_texts()
    for step in steps:
        assert any(step in text for text in texts), step


def test_the_guide_leaves_no_step_out():
    """Every line of the configuration that is about sessions, logins or rewriting stands in the guide."""
    guide = ''.join(blocks(TOP / 'docs/guide.md', 'apache'))
    lines = re.findall(r'^ *(?:SignedSession|Require signed|Rewrite|ProxyPass|ScriptAlias|Redirect|CustomLog|<Location).*\n',
                       (DEMO / 'httpd.conf').read_text(), re.M)
    assert len(lines) > 20
    for line in lines:
        assert line in guide, line


EXAMPLES = [pytest.param(text, id=f'{document.name}-{number}')
            for document in DOCUMENTS for number, text in enumerate(blocks(document, 'apache'))]


@pytest.mark.parametrize('example', EXAMPLES)
def test_httpd_accepts_every_example(example):
    """Modules are loaded from elsewhere here, and there is no key file of the reader's."""
    text = re.sub(r'^LoadModule .*\n', '', example, flags=re.M)
    text = re.sub(r'^(SignedSessionSecret) .*', r'\1 env:SIGNED_SESSION_SECRET', text, flags=re.M)
    text = re.sub(r'\$\{DEMO_(\w+)\}', lambda name: '{dir}' if name[1] == 'DIR' else '{port}', text)
    text = re.sub(r'file:/var/lib/\S+', 'file:{dir}/made.key', text)
    text = re.sub(r'keytab:\S+', 'keytab:{dir}/logs/.keep', text)
    modules = (f'{MODULES} auth_basic auth_form auth_gssapi authn_core authn_dbd authn_file authz_user dbd headers env request '
               f'session session_cookie {cgi_module()}')
    assert configtest(text, modules, files={'logs/.keep': ''}) == (0, 'Syntax OK\n')


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.name)
def test_no_example_hides_a_require(document):
    """Where the module is missing, IfModule around a Require would open the place to everybody."""
    for text in blocks(document, 'apache'):
        assert '<IfModule' not in text
