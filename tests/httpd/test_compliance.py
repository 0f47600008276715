# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""docs/compliance.md: the profiles of conf/examples are served, and do what the tables say of them."""

import os
import re
import ssl
import subprocess
import time
from urllib.parse import urlencode

import pytest

from client import Request, exchange_http1
from common import DAY, FORM, TOP, password_file
from cookies import Native
from device import ITSELF, PATH, VISIT, Key, decoded
from harness import SECRET
from ports import free_port
from starting import Keyed
from test_logins import DENIED, Browser, TlsServer, authority, certificate
from test_messages import names_in

pytestmark = pytest.mark.once

HOUR, MINUTE = 3600, 60
COOKIE, AUDIENCE = '__Host-session', 'www.example.com'
PAGES = ('members/page', 'account/page', 'account/password-changed', 'poll', 'form.html', 'index.html')
MODULES = 'alias authn_core authn_file auth_form authz_user dir headers request session ssl'
PASSWORD = {'httpd_username': 'alice', 'httpd_password': 'right'}
# What a profile says, by its level: how long after the login, how long without activity, how fresh for the account.
LIMITS = {1: (30 * DAY, 14 * DAY, 10 * MINUTE), 2: (DAY, HOUR, 10 * MINUTE), 3: (12 * HOUR, 15 * MINUTE, 5 * MINUTE)}

# The requirements that each test shows, as the page numbers them.
shown = {}


def shows(*numbers):
    def remember(test):
        shown[test.__name__] = set(numbers)
        return test
    return remember


class Profile(TlsServer, Keyed):
    """A file of conf/examples with the ports and the paths of this machine, and nothing else changed."""

    def __init__(self, level, certificates, changes=()):
        self.level, self.certificates, self.plain = level, certificates, free_port()
        conf = (TOP / f'conf/examples/aal{level}.conf').read_text()
        for theirs, ours in changes:
            assert theirs in conf, theirs
            conf = conf.replace(theirs, ours)
        for theirs, ours in {'*:80>': '127.0.0.1:{plain}>', '*:443>': '127.0.0.1:{port}>', '/var/www/html': '{dir}/htdocs',
                             '/var/lib/apache2/': '{dir}/log/', '/etc/apache2/signed_session.secret': '{dir}/keys/secret',
                             '/etc/apache2/': '{dir}/'}.items():
            assert theirs in conf, theirs
            conf = conf.replace(theirs, ours)
        users = ''.join(password_file(name) for name in ('alice', 'bob'))
        files = {**{f'htdocs/{page}': f'this is {page}' for page in PAGES}, 'keys/secret': SECRET + '\n', 'users': users, 'log/': '',
                 'server.pem': certificates['server'].read_bytes(), 'clients-ca.pem': certificates['ca'].read_bytes()}
        super().__init__('Listen 127.0.0.1:{plain}\n' + conf, MODULES, files, plain=self.plain)
        self.certificate = certificates['alice']

    def cookie(self, age=0, idle=0, **session):
        """Of a session that began some time ago, and was renewed some time ago."""
        now = int(time.time())
        session = Native({'user': 'alice', **session}, renewed=now - idle, created=now - age)
        return f'{COOKIE}={session.seal(SECRET, COOKIE, AUDIENCE)}'

    def opened(self, value):
        return Native.open(value, SECRET, COOKIE, AUDIENCE)

    def ssctl(self, *words):
        subprocess.run([os.environ['SS_SSCTL'], *words], check=True, capture_output=True)


class Visitor(Browser):
    @property
    def session(self):
        return self.cookies.get(COOKIE)

    @property
    def is_in(self):
        return self.open('/members/page').text == 'this is members/page'

    def log_in(self, path='/login?return=/members/page', **fields):
        """The answer to the form."""
        return self.request('POST', path, {**FORM, 'Sec-Fetch-Site': 'same-origin'}, urlencode({**PASSWORD, **fields}))

    def copy(self):
        copy = Visitor(self.server)
        copy.cookies = dict(self.cookies)
        return copy


@pytest.fixture(scope='module')
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp('certificates')
    authority(folder, 'ours')
    return {'server': certificate(folder, 'localhost', 'ours'), 'alice': certificate(folder, 'alice', 'ours'),
            'bob': certificate(folder, 'bob', 'ours'), 'ca': folder / 'ours.pem'}


@pytest.fixture(scope='module', params=LIMITS, ids='aal{}'.format)
def profile(request, certificates):
    with Profile(request.param, certificates) as server:
        yield server


@pytest.fixture(scope='module')
def profiles(certificates):
    """Those that a test asks for by their level."""
    with Profile(2, certificates) as second, Profile(3, certificates) as third:
        yield {2: second, 3: third}


@pytest.fixture
def server(profile):
    return expecting_refusals(profile)


@pytest.fixture(params=LIMITS, ids='aal{}'.format)
def apart(request, certificates):
    """One whose users are logged out everywhere: no session that a test dates back would be left."""
    with Profile(request.param, certificates) as server:
        yield expecting_refusals(server)


@pytest.fixture
def second(profiles):
    return expecting_refusals(profiles[2])


@pytest.fixture
def third(profiles):
    return expecting_refusals(profiles[3])


def expecting_refusals(server):
    server.allow(*DENIED, 'auth_form', 'AH01617', 'AH01807', 'AH02039', 'AH02261', 'SSL Library Error')
    server.certificate = server.certificates['alice']
    return server


@pytest.fixture
def visitor(server):
    return Visitor(server)


def logged_in(server):
    visitor = Visitor(server)
    answer = visitor.log_in()
    assert (answer.status, answer.get('Location')) == (303, '/members/page'), answer.text
    return visitor


def attributes(answer):
    line, = answer.set_cookies(COOKIE)
    return set(line.split('; ')[1:])


# --- the page and this file -------------------------------------------------------------------------

PAGE = TOP / 'docs/compliance.md'
# How many requirements each section of the two standards has.
SECTIONS = {'V3.1': 1, 'V3.2': 3, 'V3.3': 5, 'V3.4': 8, 'V3.5': 8, 'V3.6': 1, 'V3.7': 5,
            'V7.1': 3, 'V7.2': 4, 'V7.3': 2, 'V7.4': 5, 'V7.5': 3, 'V7.6': 2, 'V9.1': 3, 'V9.2': 4}
VERDICTS = ('met', 'partly', 'not', 'elsewhere')
ROW = r'^\| \*\*([\w.]+)\*\*(?: \w+)? \| [^|]+ \| (\w+) \| [^|]*\| ([^|]*)\|$'


def rows():
    """Number, verdict and proofs of each requirement."""
    found = {}
    for number, verdict, proofs in re.findall(ROW, PAGE.read_text(), re.M):
        assert number not in found and verdict in VERDICTS, number
        found[number] = verdict, re.findall(r'`(test_\w+\.\w+)::(\w+)`', proofs)
    return found


def test_the_page_has_a_row_for_each_requirement_of_the_standard():
    wanted = {f'{section}.{number + 1}' for section, count in SECTIONS.items() for number in range(count)}
    assert {number for number in rows() if number.startswith('V')} == wanted
    assert len(re.findall(r'^\| \*\*', PAGE.read_text(), re.M)) == len(rows())


def test_every_proof_of_the_page_exists():
    for number, (verdict, proofs) in rows().items():
        assert proofs or verdict != 'met', number
        for file, name in proofs:
            assert name in names_in(file), (number, name)


def test_the_page_and_this_file_name_the_same_requirements():
    said = {}
    for number, (_, proofs) in rows().items():
        for file, name in proofs:
            if file == 'test_compliance.py':
                said.setdefault(name, set()).add(number)
    assert said == shown


@shows('V7.1.1')
def test_the_page_says_the_limits_of_the_profiles():
    for level, limits in LIMITS.items():
        conf = (TOP / f'conf/examples/aal{level}.conf').read_text()
        written = [re.search(rf'{name} (\w+)', conf)[1] for name in ('AbsoluteTimeout', 'IdleTimeout', 'signed-session-age')]
        units = {'s': 1, 'min': MINUTE, 'h': HOUR, 'd': DAY}
        assert tuple(int(number) * units[unit] for number, unit in (re.fullmatch(r'(\d+)(\w+)', text).groups() for text in written)) == limits
        assert f'| [aal{level}.conf](../conf/examples/aal{level}.conf) | ' in PAGE.read_text()
        row, = re.findall(rf'^\| \[aal{level}\.conf\].*', PAGE.read_text(), re.M)
        assert all(f'`{text}`' in row for text in written), row


# --- the login ---------------------------------------------------------------------------------------


@shows('N5.1.a', 'N5.1.b', 'N5.1.h', 'V7.6.2')
def test_the_way_in_and_back(visitor):
    form = visitor.open('/members/page')
    assert (form.status, form.text, visitor.path, visitor.session) == (401, 'this is form.html', '/login?return=/members/page', None)
    answer = visitor.log_in(visitor.path)
    assert (answer.status, answer.get('Location')) == (303, '/members/page')
    assert visitor.is_in


def test_a_wrong_password_stores_nothing(visitor):
    for fields in ({'httpd_password': 'wrong'}, {'httpd_username': 'nobody'}, {'httpd_password': ''}):
        assert (visitor.log_in(**fields).status, visitor.session) == (401, None)


def test_a_password_without_a_certificate_stores_nothing(second, third):
    second.certificate = third.certificate = None
    visitor = Visitor(second)
    assert (visitor.log_in().status, visitor.session) == (403, None)
    with pytest.raises((ssl.SSLError, OSError)):
        Visitor(third).log_in()


@pytest.mark.parametrize('level', [2, 3])
def test_a_password_beside_the_certificate_of_somebody_else_stores_nothing(profiles, level):
    server = expecting_refusals(profiles[level])
    server.certificate = server.certificates['bob']
    visitor = Visitor(server)
    assert visitor.log_in().status in (401, 403) and visitor.session is None
    assert visitor.log_in(httpd_username='bob').status == 303


@pytest.mark.parametrize('level', [2, 3])
def test_a_right_password_alone_is_no_login_by_signed_session_login_either(certificates, level):
    """What is answered with a refusal is not kept."""
    changes = [('        SignedSessionSet user "%{REMOTE_USER}"\n', '        SignedSessionLogin user\n')]
    with Profile(level, certificates, changes) as server:
        expecting_refusals(server).certificate = certificates['bob']
        visitor = Visitor(server)
        assert visitor.log_in().status in (401, 403) and visitor.session is None


@shows('V7.2.4', 'N5.1.f', 'N5.2.d')
def test_each_login_begins_a_new_session_and_ends_the_old_one(server):
    now = int(time.time())
    visitor = Visitor(server)
    name, value = server.cookie(age=HOUR // 5, role='planted').split('=')
    visitor.cookies[name] = value
    old = visitor.copy()
    assert old.is_in
    assert visitor.log_in().status == 303
    new = server.opened(visitor.session)
    assert (new.data, new.id != server.opened(value).id, new.created >= now, new.renewed >= now) == ({'user': 'alice'}, True, True, True)
    assert visitor.is_in and not old.is_in


@shows('V3.5.1', 'V3.5.2')
@pytest.mark.parametrize('says', [{'Sec-Fetch-Site': 'cross-site'}, {'Origin': 'https://evil.example'}, {'Origin': 'null'}])
@pytest.mark.parametrize('path', ['/login', '/members/page', '/poll'])
def test_a_form_of_another_site_does_nothing(server, path, says):
    server.expect('SS0209')
    answer = server.request('POST', path, {**FORM, **says}, urlencode(PASSWORD), server.cookie())
    assert (answer.status, answer.set_cookies(COOKIE)) == (403, [])


@shows('V3.7.2')
@pytest.mark.parametrize('there', ['https://evil.example/', '//evil.example/', '/\\evil.example', '/%2F/evil.example/..'])
def test_the_login_leads_to_no_other_site(visitor, there):
    answer = visitor.log_in('/login?' + urlencode({'return': there}), httpd_location='https://evil.example/')
    assert (answer.status, answer.get('Location')) == (303, '/members/')


# --- the cookie --------------------------------------------------------------------------------------


@shows('V3.3.1', 'V3.3.2', 'V3.3.3', 'V3.3.4', 'N5.1.1.1', 'N5.1.1.2', 'N5.1.1.3', 'N5.1.1.5', 'N5.1.1.6')
def test_what_the_cookie_is_like(visitor):
    said = attributes(visitor.log_in())
    assert {'Path=/', 'Secure', 'HttpOnly', 'SameSite=Lax'} == {one for one in said if not one.startswith('Max-Age=')}


@shows('N5.1.c', 'N5.1.1.4')
def test_the_cookie_ends_with_the_browser_or_with_the_session(visitor):
    said = [one for one in attributes(visitor.log_in()) if one.startswith('Max-Age=')]
    assert said == ([f'Max-Age={14 * DAY}'] if visitor.server.level == 1 else [])


@shows('V7.2.3', 'N5.1.i', 'N5.1.1.7', 'V7.2.2')
def test_the_cookie_shows_nobody_s_name_and_an_id_of_128_random_bits(server):
    first, again = (logged_in(server).session for _ in range(2))
    raw = [Native.open(value, SECRET, COOKIE, AUDIENCE, fetch=False) for value in (first, again)]
    assert all(b'alice' not in decoded(value) for value in (first, again))
    assert all(len(one.id) == 16 and one.flags & 3 for one in raw) and raw[0].id != raw[1].id


@shows('V7.2.1', 'V7.2.2', 'V9.1.1', 'V9.1.3')
def test_nobody_else_makes_a_cookie(server):
    good = server.cookie()
    now = Native({'user': 'alice'})
    forged = [good[:-1] + ('A' if good[-1] != 'A' else 'B'), f'{COOKIE}=', f'{COOKIE}=alice',
              f'{COOKIE}={now.seal("another-secret-of-32-bytes-or-more", COOKIE, AUDIENCE)}']
    assert [server.request('GET', '/members/page', cookie=cookie).status for cookie in (good, *forged)] == [200, *[401] * 4]


@shows('V9.2.3', 'V9.2.4')
def test_a_cookie_for_another_service_is_none(server):
    for name, audience in ((COOKIE, 'shop.example.com'), (COOKIE, ''), ('session', AUDIENCE)):
        cookie = f'{COOKIE}={Native({"user": "alice"}).seal(SECRET, name, audience)}'
        assert server.request('GET', '/members/page', cookie=cookie).status == 401


@shows('N5.1.k', 'N5.1.p')
def test_by_http_there_is_only_the_way_to_https(server):
    answer = exchange_http1(server.plain, Request('GET', '/members/page', [('Cookie', server.cookie()), ('Connection', 'close')]))
    assert (answer.status, answer.get('Location'), answer.get_all('Set-Cookie')) == (301, 'https://www.example.com/members/page', [])


@shows('V3.4.1', 'V3.4.3', 'V3.4.4', 'V3.4.5', 'V3.4.6', 'V3.4.8', 'V3.5.8')
@pytest.mark.parametrize('path, status', [('/', 200), ('/members/page', 401), ('/login', 401), ('/nothing', 404), ('/logout', 302)])
def test_what_browsers_are_told(server, path, status):
    server.allow('AH00128')
    answer = server.request('GET', path)
    assert answer.status == status
    assert answer.get('Strict-Transport-Security') == 'max-age=31536000; includeSubDomains'
    assert {"object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(answer.get('Content-Security-Policy').split('; '))
    assert (answer.get('X-Content-Type-Options'), answer.get('Referrer-Policy')) == ('nosniff', 'same-origin')
    assert (answer.get('Cross-Origin-Opener-Policy'), answer.get('Cross-Origin-Resource-Policy')) == ('same-origin', 'same-origin')


# --- the end of a session ----------------------------------------------------------------------------


@shows('V7.3.2', 'V9.2.1', 'N5.1.d', 'N5.1.l', 'N5.2.a', 'N5.2.b', 'N2.1.3', 'N2.2.3', 'N2.3.3', 'V7.6.1', 'N5.2.g')
def test_a_session_ends_so_long_after_the_login(server):
    overall, _, _ = LIMITS[server.level]
    status = {age: server.request('GET', '/members/page', cookie=server.cookie(age=age)).status for age in (overall - MINUTE, overall + 1)}
    assert status == {overall - MINUTE: 200, overall + 1: 401}


@shows('V7.3.1', 'V9.2.1', 'N5.1.l', 'N5.2.b', 'N2.2.3', 'N2.3.3')
def test_a_session_ends_so_long_after_the_last_activity(server):
    _, idle, _ = LIMITS[server.level]
    status = {away: server.request('GET', '/members/page', cookie=server.cookie(away, away)).status for away in (idle - MINUTE, idle + 1)}
    assert status == {idle - MINUTE: 200, idle + 1: 401}


@shows('N5.2.c')
def test_activity_moves_the_timeout_on(server):
    away = LIMITS[server.level][1] - MINUTE
    for path, is_renewed in (('/members/page', True), ('/poll', server.level == 1)):
        answer = server.request('GET', path, cookie=server.cookie(away, away))
        assert (answer.status, answer.set_cookies(COOKIE) != []) == (200, is_renewed)
    soon = server.request('GET', '/members/page', cookie=server.cookie(MINUTE + 1, MINUTE + 1))
    assert (soon.set_cookies(COOKIE) != []) == (server.level != 1), 'a minute later already'
    created = server.opened(server.request('GET', '/members/page', cookie=server.cookie(away, away)).cookie(COOKIE)).created
    assert abs(created - (time.time() - away)) < MINUTE, 'the overall timeout stays'


@shows('V7.4.1', 'N5.1.j', 'N5.1.n', 'V7.4.4', 'N5.1.r')
def test_a_logout_ends_the_session_and_every_copy(server):
    visitor = logged_in(server)
    copy = visitor.copy()
    answer = visitor.request('GET', '/logout', {'Sec-Fetch-Site': 'same-origin'})
    assert answer.status == 302 and 'Max-Age=0' in attributes(answer) and visitor.session is None
    assert not copy.is_in


@shows('V3.5.3')
@pytest.mark.parametrize('says', [{'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image'},
                                  {'Sec-Purpose': 'prefetch', 'Sec-Fetch-Site': 'same-origin'}])
def test_nobody_is_logged_out_behind_his_back(server, says):
    visitor = logged_in(server)
    for path in ('/logout', '/logout-everywhere'):
        visitor.request('GET', path, says)
    assert visitor.is_in


@shows('V7.5.2')
def test_a_user_ends_all_sessions_of_his(apart):
    here, there, other = logged_in(apart), logged_in(apart), Visitor(apart)
    other.cookies[COOKIE] = apart.cookie(user='bob').partition('=')[2]
    here.request('POST', '/logout-everywhere', {**FORM, 'Sec-Fetch-Site': 'same-origin'}, '')
    assert not here.is_in and not there.is_in
    assert other.request('GET', '/members/page').status == (403 if apart.level == 3 else 200)


@shows('V7.4.3')
def test_a_change_of_the_password_ends_all_other_sessions(apart):
    here, there = logged_in(apart), logged_in(apart)
    assert here.request('GET', '/account/password-changed').text == 'this is account/password-changed'
    assert here.is_in and not there.is_in


@shows('V7.4.2', 'V7.4.5')
def test_an_administrator_ends_the_sessions_of_a_user_or_of_all(apart):
    visitor = logged_in(apart)
    apart.ssctl('revoke', '--file', f'{apart.dir}/log/revoked', '--subject', 'bob')
    assert visitor.is_in
    apart.ssctl('revoke', '--file', f'{apart.dir}/log/revoked', '--subject', 'alice')
    assert not visitor.is_in
    visitor = logged_in(apart)
    apart.ssctl('revoke', '--file', f'{apart.dir}/log/revoked', '--all')
    assert not visitor.is_in and logged_in(apart).is_in


@shows('V7.5.1', 'V7.5.3')
def test_what_matters_most_wants_a_fresh_login(server):
    _, _, fresh = LIMITS[server.level]
    old = Visitor(server)
    old.cookies[COOKIE] = server.cookie(age=fresh + 5).partition('=')[2]
    assert old.is_in and old.open('/account/page').text == 'this is form.html'
    assert old.log_in(old.path).status == 303
    assert old.open('/account/page').text == 'this is account/page'


# --- stolen cookies ----------------------------------------------------------------------------------


@shows('N5.1.e')
def test_a_bound_session_is_worth_nothing_without_the_key_and_ends_in_time(second):
    visitor, key = Visitor(second), Key()
    visitor.log_in()
    challenge = re.search(r'challenge="([\w-]+)"', visitor.request('GET', '/members/page', VISIT).get('Secure-Session-Registration'))[1]
    answer = visitor.request('POST', PATH, {**ITSELF, 'Origin': f'https://127.0.0.1:{second.port}', 'Content-Length': '0',
                                            'Secure-Session-Response': key.jws(challenge, with_key=True)})
    assert answer.status == 200 and visitor.is_in
    thief = visitor.copy()
    del thief.cookies[f'{COOKIE}-proof']
    assert not thief.is_in
    now, id = int(time.time()), second.opened(visitor.session).id
    visitor.cookies[COOKIE] = Native({'user': 'alice'}, now, now - DAY - 1, id, point=key.point).seal(SECRET, COOKIE, AUDIENCE)
    assert not visitor.is_in


def test_a_session_counts_only_beside_the_certificate_of_its_user(third):
    visitor = logged_in(third)
    thief = visitor.copy()
    third.certificate = third.certificates['bob']
    assert not thief.is_in and thief.request('GET', '/account/page').status == 403
    third.certificate = third.certificates['alice']
    assert visitor.is_in
