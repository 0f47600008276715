# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""mod_auth_form with a session of ours: a login page by its handler, pages that it guards itself, and no password
where it does not belong."""

import re
import subprocess
import time
from urllib.parse import urlencode

import pytest

from common import FORM, NAVIGATE, TOP, is_secret, stored
from cookies import Native, native, opened
from harness import Jar
from test_formats import ssctl
from test_guide import blocks

FORMS = 'auth_form authn_core authn_file authz_user request ss_entries'
STOCK = 'session session_cookie'
ORDERS = {'alone': f'{FORMS} signed_session', 'behind mod_session': f'{STOCK} {FORMS} signed_session',
          'before mod_session': f'signed_session {FORMS} {STOCK}'}
PASSWORD = 's3cretpw'


@pytest.fixture(scope='module')
def files():
    def digest(text):
        done = subprocess.run(['openssl', 'passwd', '-apr1', text], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    return {'users': f'alice:{digest(PASSWORD)}\nbob:{digest("b0bpw")}\n', 'htdocs/in/a.txt': 'inside',
            'htdocs/bob/a.txt': 'for bob', 'htdocs/login.html': 'log in', 'htdocs/bye.html': 'bye'}


def post(browser, path, user='alice', password=PASSWORD, headers=(), protocol='http/1.1', **more):
    fields = {'httpd_username': user, 'httpd_password': password, **more}
    return browser.request('POST', path, {**FORM, **dict(headers)}, urlencode(fields), protocol=protocol)


# --- a login page: SignedSessionLogin ------------------------------------------------------------------

LOGIN = '''
    SignedSession On
    <LocationMatch "^/(dologin|dologout|silent|readonly|off|nameless|norealm)$">
        AuthFormProvider file
        AuthUserFile "{dir}/users"
        AuthFormLoginRequiredLocation /login.html
        AuthFormLoginSuccessLocation /in/a.txt
        AuthFormLogoutLocation /bye.html
        SetHandler form-login-handler
        SignedSessionLogin user
    </LocationMatch>
    <LocationMatch "^/(?!norealm)">
        AuthName realm
    </LocationMatch>
    <Location "/dologout">
        SetHandler form-logout-handler
    </Location>
    <Location "/silent">
        SignedSessionLogin Off
    </Location>
    <Location "/readonly">
        SignedSession ReadOnly
    </Location>
    <Location "/off">
        SignedSession Off
    </Location>
    <Location "/in">
        Require signed-session user
    </Location>
'''


@pytest.fixture(params=ORDERS.values(), ids=ORDERS)
def login(start, files, request):
    return start(LOGIN, request.param, files, ours=False)


def test_a_right_password_is_no_login_where_the_request_is_refused(start, files):
    """Something else may be missing: here alice is not bob."""
    server = start('''
        SignedSession On
        <Location "/in">
            AuthType form
            AuthName realm
            AuthFormProvider file
            AuthUserFile "{dir}/users"
            SignedSessionLogin user
            Require user bob
            ErrorDocument 403 /bye.html
        </Location>''', f'{FORMS} signed_session', files, ours=False)
    server.allow('AH01631')
    browser = Jar(server)
    assert post(browser, '/in/a.txt').status in (401, 403)
    assert not browser.cookies
    assert stored(post(browser, '/in/a.txt', 'bob', 'b0bpw')) == {'user': 'bob'}
    before = browser.session
    assert post(browser, '/in/a.txt').status in (401, 403)
    assert browser.session == before


def test_a_checked_name_is_stored_and_the_password_is_not(login):
    jar = Jar(login)
    assert jar.request('GET', '/in/a.txt').status == 403
    for _ in range(2):
        response = post(jar, '/dologin')
        assert (response.status, response.get('Location')) == (302, '/in/a.txt')
        assert stored(response) == {'user': 'alice'}
        assert jar.request('GET', '/in/a.txt').text == 'inside'
        login.graceful()
    login.allow('AH01630')


def test_in_each_protocol(start, files, protocol):
    server = start(LOGIN, FORMS, files, http2=True)
    jar = Jar(server)
    assert stored(post(jar, '/dologin', protocol=protocol)) == {'user': 'alice'}
    assert jar.request('GET', '/in/a.txt', protocol=protocol).text == 'inside'


@pytest.mark.parametrize('user, password, mark', [
    ('alice', 'wrong', 'AH01807'), ('eve', PASSWORD, 'AH01808'), ('', PASSWORD, 'AH01808'), ('alice', '', 'AH01807')])
def test_a_wrong_password_stores_nothing(login, user, password, mark):
    response = post(Jar(login), '/dologin', user, password)
    assert (response.status, response.get('Location')) == (302, '/login.html')
    assert response.set_cookies() == []
    login.expect(mark)


def test_a_wrong_password_leaves_the_session_as_it_is(login):
    jar = Jar(login)
    post(jar, '/dologin')
    before = jar.session
    assert post(jar, '/dologin', 'bob', 'wrong').set_cookies() == []
    assert jar.session == before
    login.expect('AH01807')


def test_the_logout_ends_the_session(login):
    jar = Jar(login)
    post(jar, '/dologin')
    response = jar.request('GET', '/dologout')
    assert (response.status, response.get('Location'), jar.cookies) == (307, '/bye.html', {})


def test_nothing_of_the_previous_user_stays(login):
    jar = Jar(login)
    jar.cookies['session'] = native({'user': 'bob', 'cart': [1], 'role': 'admin'}, created=1).partition('=')[2]
    before = Native.open(jar.session)
    response = post(jar, '/dologin')
    assert stored(response) == {'user': 'alice'}
    after = opened(response)
    assert after.id != before.id and after.created > before.created and after.counter == 1


def test_a_visitor_keeps_what_the_place_names(start, files):
    server = start(LOGIN + '<Location "/dologin">\nSignedSessionClear Before cart\n</Location>', FORMS, files)
    for before, after in (({'cart': [1], 'theme': 'x'}, {'cart': [1], 'user': 'alice'}),
                          ({'user': 'bob', 'cart': [1]}, {'user': 'alice'})):
        jar = Jar(server)
        jar.cookies['session'] = native(before, created=1).partition('=')[2]
        session = opened(post(jar, '/dologin'))
        assert session.data == after and session.created > 1


def test_a_login_of_the_same_user_is_a_new_session(login):
    jar = Jar(login)
    first, second = opened(post(jar, '/dologin')), opened(post(jar, '/dologin'))
    assert first.id != second.id and second.data == {'user': 'alice'}


def test_it_needs_a_place_that_asks_for_it(start, files):
    server = start(LOGIN, FORMS, files)
    response = post(Jar(server), '/silent')
    assert (response.status, response.set_cookies()) == (302, [])
    server.expect('SS0223', 'is on here: add one of them, or load mod_session')


def test_it_needs_a_realm(start, files):
    """Without one user and password come under the same name."""
    server = start(LOGIN, FORMS, files)
    response = post(Jar(server), '/norealm')
    assert (response.status, response.set_cookies()) == (302, [])
    server.expect('SS0222')


@pytest.mark.parametrize('path, number', [('/readonly', 'SS0321'), ('/off', 'SS0221')])
def test_it_needs_sessions_that_may_be_changed(start, files, path, number):
    server = start(LOGIN, FORMS, files)
    assert post(Jar(server), path).set_cookies() == []
    server.expect(number)


def test_another_site_logs_nobody_in(start, files):
    """A page of another site may post its own password to log a visitor in as somebody of its choice."""
    server = start(LOGIN, FORMS, files)
    cross_site = {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document'}
    assert post(server, '/dologin', headers=cross_site).set_cookies() == []
    assert post(server, '/dologin', headers={'Sec-Fetch-Site': 'same-site'}).set_cookies()


def test_another_site_logs_nobody_out_behind_his_back(start, files):
    server = start('SignedSessionCookie session SameSite=None Secure=on\n' + LOGIN, FORMS, files)
    jar = Jar(server)
    post(jar, '/dologin')
    image = {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image'}
    assert jar.request('GET', '/dologout', image).set_cookies() == []
    assert jar.request('GET', '/dologout', {'Sec-Purpose': 'prefetch'}).set_cookies() == []
    assert jar.request('GET', '/dologout').set_cookies() and jar.cookies == {}


def test_names_that_nobody_should_have(start, files):
    server = start(LOGIN, FORMS, {**files, 'users': files['users'].replace('bob:', 'b\xf6b\x07:')})
    assert post(Jar(server), '/dologin', 'b\xf6b\x07', 'b0bpw').set_cookies() == []
    server.expect('SS0322')


def test_a_page_that_it_guards_itself_needs_more_than_the_name(start, files):
    """mod_auth_form insists on a password in the session, so such a page asks again and again."""
    server = start(LOGIN + GUARDED.replace('SignedSessionModules On', 'SignedSessionLogin user'), FORMS, files)
    jar = Jar(server)
    post(jar, '/dologin')
    assert jar.request('GET', '/bob/a.txt').status == 302


# --- pages that mod_auth_form guards itself: SignedSessionModules ---------------------------------------

GUARDED = '''
    <LocationMatch "^/(in|bob|dologout)">
        AuthType form
        AuthName realm
        AuthFormProvider file
        AuthUserFile "{dir}/users"
        AuthFormLoginRequiredLocation /login.html
        AuthFormLogoutLocation /bye.html
        SignedSessionModules On
        Require valid-user
    </LocationMatch>
    <Location "/bob">
        AuthMerging Off
        Require user bob
    </Location>
    <Location "/dologout">
        SetHandler form-logout-handler
        AuthMerging Off
        Require all granted
    </Location>
'''
PAGES = '''
    SignedSession On
    SignedSessionEncrypt On
    SignedSessionReveal On
    LogFormat "%u" user
    CustomLog "{dir}/access.log" user
    <Location "/entries">
        SetHandler ss-entries
        SignedSessionModules On
    </Location>
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable cart
    </Location>
''' + GUARDED


@pytest.fixture(params=ORDERS.values(), ids=ORDERS)
def pages(start, files, request):
    return start(PAGES, request.param, files, ours=False)


def entries(jar):
    response = jar.request('GET', '/entries', {'X-Calls': 'list'})
    return dict(entry.split('=', 1) for entry in response.text.splitlines()[0].split(';')[:-1])


def test_a_login_on_the_page_itself(pages):
    jar = Jar(pages)
    assert jar.request('GET', '/in/a.txt').get('Location') == '/login.html'
    response = post(jar, '/in/a.txt')
    assert response.status == 200 and set(jar.cookies) == {'session'}
    assert entries(jar) == {'realm-user': 'alice', 'realm-pw': PASSWORD}
    for _ in range(3):
        pages.graceful()
        response = jar.request('GET', '/in/a.txt')
        assert (response.status, response.text) == (200, 'inside')
        assert response.get('Cache-Control') == 'private'
    assert (pages.dir / 'access.log').read_text().splitlines()[-1] == 'alice'


def test_a_page_that_includes_such_a_page_is_private(start, files):
    server = start(PAGES + """
        <Location "/list/">
            SignedSession Off
            Options +Indexes
            HeaderName /in/header.html
        </Location>""", f'autoindex {FORMS}', {**files, 'htdocs/in/header.html': 'of alice', 'htdocs/list/x.txt': ''})
    jar = Jar(server)
    post(jar, '/in/a.txt')
    response = jar.request('GET', '/list/')
    assert 'of alice' in response.text
    assert (response.get('Cache-Control'), response.get('Vary')) == ('private', 'Cookie')


def test_another_site_logs_nobody_in_on_a_page(pages):
    cross_site = {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document'}
    assert post(pages, '/in/a.txt', headers=cross_site).set_cookies() == []


def test_its_password_is_in_no_cookie_that_can_be_read(pages):
    jar = Jar(pages)
    post(jar, '/in/a.txt')
    assert is_secret(jar.session)
    assert jar.request('GET', '/session').text == '{}\n'


@pytest.mark.in_cookie('ssctl shows what a cookie holds')
def test_its_password_is_not_shown_by_ssctl(pages):
    jar = Jar(pages)
    post(jar, '/in/a.txt')
    assert '"encrypted"' in ssctl('inspect', '--json', jar.session)
    assert ssctl('open', jar.session).count(PASSWORD) == 0


def test_a_login_on_the_page_gives_the_session_a_new_id(pages):
    """Whoever has planted or copied it before has no part in what follows."""
    jar = Jar(pages)
    jar.cookies['session'] = native({'cart': [1]}, created=int(time.time()) - 1000).partition('=')[2]
    age = jar.request('GET', '/session?meta').json()['created']
    post(jar, '/in/a.txt')
    assert jar.request('GET', '/session').json() == {'cart': [1]}
    assert jar.request('GET', '/session?meta').json()['created'] >= age + 1000


def test_a_wrong_password_on_the_page(pages):
    response = post(Jar(pages), '/in/a.txt', 'alice', 'wrong')
    assert (response.status, response.get('Location'), response.set_cookies()) == (302, '/login.html', [])
    pages.expect('AH01807')


def test_a_right_password_on_another_users_page(pages):
    """She is alice, and is told so; the page is still bob's."""
    jar = Jar(pages)
    response = post(jar, '/bob/a.txt')
    assert response.status == 401 and entries(jar) == {'realm-user': 'alice', 'realm-pw': PASSWORD}
    assert jar.request('GET', '/bob/a.txt').status == 401
    assert jar.request('GET', '/in/a.txt').status == 200
    pages.allow('AH01631')


def test_a_refusal_whose_error_document_is_where_sessions_are_off(start, files):
    server = start(PAGES + """
        ErrorDocument 401 /login.html
        <Location "/login.html">
            SignedSession Off
        </Location>""", FORMS, files)
    jar = Jar(server)
    assert (post(jar, '/bob/a.txt').text, entries(jar)['realm-user']) == ('log in', 'alice')
    server.allow('AH01631')


def test_somebody_elses_login_on_the_page(pages):
    jar = Jar(pages)
    post(jar, '/in/a.txt')
    jar.request('GET', '/dologout')
    assert jar.cookies == {}
    post(jar, '/bob/a.txt', 'bob', 'b0bpw')
    assert entries(jar) == {'realm-user': 'bob', 'realm-pw': 'b0bpw'}


def test_the_logout_takes_out_its_own_and_nothing_else(pages):
    jar = Jar(pages)
    jar.request('PUT', '/session/cart', {'Content-Type': 'application/json'}, '[1]')
    post(jar, '/in/a.txt')
    response = jar.request('GET', '/dologout')
    assert (response.status, response.get('Location')) == (307, '/bye.html')
    assert entries(jar) == {} and jar.request('GET', '/session').json() == {'cart': [1]}
    assert jar.request('GET', '/in/a.txt').status == 302


def test_nobody_forges_a_login(pages):
    """Neither a visitor who may write a key nor mod_session's own cookie."""
    forged = 'realm-user=alice&realm-pw=' + PASSWORD
    for cookie in (f'session={forged}', native({'realm-user': 'alice', 'realm-pw': PASSWORD})):
        assert pages.request('GET', '/in/a.txt', cookie=cookie).status == 302


def test_a_site_passphrase(start, files):
    server = start(PAGES.replace('AuthFormProvider file', 'AuthFormProvider file\nAuthFormSitePassphrase open'), FORMS,
                   files)
    jar = Jar(server)
    post(jar, '/in/a.txt')
    assert set(entries(jar)) == {'realm-user', 'realm-pw', 'realm-site'}
    assert jar.request('GET', '/in/a.txt').status == 200


def test_both_directives_in_one_place(start, files):
    server = start(PAGES.replace('SignedSessionModules On\n        Require', 'SignedSessionModules On\n'
                                 '        SignedSessionLogin user\n        Require'), FORMS, files)
    jar = Jar(server)
    jar.request('PUT', '/session/cart', {'Content-Type': 'application/json'}, '[1]')
    jar.request('GET', '/entries', {'X-Calls': 'set\tMagBearerToken\tof-somebody-else'})
    post(jar, '/in/a.txt')
    assert jar.request('GET', '/session').json() == {'user': 'alice'}
    assert entries(jar) == {'realm-user': 'alice', 'realm-pw': PASSWORD}
    jar.request('GET', '/dologout')
    assert jar.cookies == {}


def test_a_stock_page_keeps_its_own_cookie(start, files):
    server = start(PAGES + '''
        SessionCookieName stock path=/
        <Location "/bob">
            Session On
            SignedSessionModules Off
        </Location>''', f'{FORMS} {STOCK}', files)
    jar = Jar(server)
    post(jar, '/bob/a.txt', 'bob', 'b0bpw')
    assert set(jar.cookies) == {'stock'} and 'realm-pw=b0bpw' in jar.cookies['stock']
    post(jar, '/in/a.txt')
    assert set(jar.cookies) == {'stock', 'session'}
    assert (jar.request('GET', '/bob/a.txt').text, jar.request('GET', '/in/a.txt').text) == ('for bob', 'inside')


# --- the examples of docs/modules.md -------------------------------------------------------------------


@pytest.fixture
def example(start, files):
    """A configuration of docs/modules.md with its form; `action` is where the form says that it posts to."""
    def start_example(number, more=''):
        conf = blocks(TOP / 'docs/modules.md', 'apache')[number].replace('/etc/apache2/', '{dir}/')
        form = blocks(TOP / 'docs/modules.md', 'html')[number]
        assert re.findall(r'<input name="(\w+)"', form) == ['httpd_username', 'httpd_password']
        server = start(conf + more + """
            <Location "/session">
                SetHandler signed-session
            </Location>""", f'dir {FORMS}', {**files, 'htdocs/login.html': form, 'htdocs/index.html': 'home',
                                      'htdocs/account/index.html': 'account', 'htdocs/account/orders': 'orders'})
        server.allow('AH01630', 'AH01807')
        return server, re.search(r'<form method="post"(?: action="([^"]+)")?>', form)[1]
    return start_example


def test_the_login_page_of_the_documentation(example):
    """Back to the page that was asked for, also after a wrong password."""
    server, action = example(0)
    assert action is None
    for asked, back in (('/account/orders?a=b', '/account/orders?a=b'), ('/account/', '/account/'), (None, '/account/')):
        jar = Jar(server)
        page = jar.request('GET', asked, NAVIGATE).get('Location') if asked else '/login.html'
        form = jar.request('GET', page, NAVIGATE)
        assert form.status == 200 and '<form' in form.text
        wrong = post(jar, page, 'alice', 'wrong')
        assert wrong.status == 302 and jar.cookies == {}
        assert jar.request('GET', wrong.get('Location'), NAVIGATE).text == form.text
        right = post(jar, wrong.get('Location'))
        assert (right.status, stored(right)) == (302, {'user': 'alice'})
        led = jar.request('GET', right.get('Location'), NAVIGATE)
        assert (led.status, led.get('Location')) == (303, back)
        assert jar.request('GET', back, NAVIGATE).status == 200
        assert (jar.request('GET', '/dologout').get('Location'), jar.cookies) == ('/', {})
        assert jar.request('GET', back, NAVIGATE).status == 303


@pytest.mark.parametrize('value', ['//evil.test/', 'https://evil.test/', '%2F%2Fevil.test', '/\\evil.test', '/account/%0d%0aX:y'])
def test_the_login_page_of_the_documentation_leads_to_no_other_site(example, value):
    server, _ = example(0)
    jar = Jar(server)
    right = post(jar, f'/login.html?return={value}', httpd_location='https://evil.test/')
    assert right.status == 302 and right.get('Location').startswith('/welcome?return=') and right.get('X') is None
    assert jar.request('GET', right.get('Location'), NAVIGATE).get('Location') == '/account/'


def test_the_form_on_the_page_of_the_documentation(example):
    server, action = example(1)
    jar = Jar(server)
    assert jar.request('GET', action).get('Location') == '/login.html'
    assert post(jar, action, 'alice', 'wrong').get('Location') == '/login.html'
    assert post(jar, action).text == 'account'
    assert jar.request('GET', '/account/orders').text == 'orders'
    assert jar.request('GET', '/session').status == 403  # encrypted
    assert (jar.request('GET', '/dologout').get('Location'), jar.cookies) == ('/', {})
    assert jar.request('GET', action).status == 302


@pytest.mark.parametrize('name, status', [('%{REMOTE_USER}', 200), ('%{REMOTE_USER}@shop.test', 302)])
def test_the_subject_beside_a_form_on_the_page(example, name, status):
    """The same person by another name is another one, who has not logged in on the page."""
    server, action = example(1, f'<Location "/account/orders">\nSignedSessionSet user "{name}"\n</Location>')
    jar = Jar(server)
    assert post(jar, action).text == 'account'
    assert jar.request('GET', '/account/orders').text == 'orders'
    assert jar.request('GET', action).status == status


def test_the_field_that_leads_anywhere(start, files):
    """What the documentation warns of, and what it advises against it."""
    def leads_to(conf):
        server = start(LOGIN + conf, FORMS, files)
        return post(server, '/dologin', httpd_location='https://evil.test/').get('Location')

    assert leads_to('') == 'https://evil.test/'
    assert leads_to('<Location "/dologin">\nAuthFormLocation a-long-random-word\n</Location>') == '/in/a.txt'
