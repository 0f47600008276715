# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What a real browser makes of our cookie, and of calls to the endpoint from pages of other sites.

For a browser, http://localhost and http://127.0.0.1 are two sites.
"""

import contextlib
import json
import re
import subprocess
import time

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from browsers import chromium_with, has_gone, leave
from common import DAY, FORM
from cookies import Native
from harness import Jar, Server
from test_guide import NOT_OF_THE_GROUP, WRONG_PASSWORDS, Demo, application

# One worker starts the browser.
pytestmark = [pytest.mark.once, pytest.mark.xdist_group('browser')]

CONF = '''
SignedSession On
SignedSessionCookie session {attributes}
<Location "/session">
    SetHandler signed-session
    SignedSessionWritable *
    {location}
</Location>
CustomLog "{dir}/access.log" "%m %U %>s %{Sec-Fetch-Site}i %{:state}^SS"
'''

FILES = {'htdocs/page.html': '<!doctype html><title>a page</title><p>a page</p>'}

TWO_WEEKS = 14 * DAY

# Runs in the page; answers with the status, 0 for a response that the page may not see.
FETCH = '''
    const [url, options, done] = arguments;
    fetch(url, options).then(answer => done(answer.status), error => done(String(error)));
'''

SUBMIT = '''
    const form = document.createElement('form');
    form.action = arguments[0];
    form.method = 'post';
    form.innerHTML = '<input name="user" value="eve">';
    document.body.append(form);
    form.submit();
'''

# How bright text and page are.
COLOURS = '''
    const style = getComputedStyle(document.body);
    return [style.color, style.backgroundColor].map(colour => Number(colour.match(/\\d+/)[0]));
'''


@pytest.fixture(scope='module')
def chromium():
    # Some versions keep third parties' cookies back: then no attack would be left to refuse.
    with chromium_with(prefs={'profile.cookie_controls_mode': 0}) as driver:
        yield driver


class Browser:
    """Chromium and the one server it talks to."""

    def __init__(self, driver, server):
        self.driver, self.server = driver, server

    def open_page(self, host='127.0.0.1'):
        self.driver.get(self.server.url('/page.html', host))

    def fetch(self, path, host='127.0.0.1', **options):
        return self.driver.execute_async_script(FETCH, self.server.url(path, host), options)

    def cookie(self):
        return self.driver.get_cookie('session')

    def session(self):
        """What the endpoint shows the browser, on a page of its own."""
        self.driver.get(self.server.url('/session?json'))
        return self.driver.execute_script('return JSON.parse(document.body.innerText)')

    def log_in(self):
        self.open_page()
        assert self.fetch('/session/user', method='PUT', body='"alice"',
                          headers={'Content-Type': 'application/json'}) == 201

    def logged(self):
        """The newest request in the access log that changes something."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            lines = (self.server.dir / 'access.log').read_text().splitlines()
            changes = [line for line in lines if line.split()[0] not in ('GET', 'OPTIONS')]
            if len(changes) > self.known:
                self.known = len(changes)
                return changes[-1]
            time.sleep(0.05)
        raise AssertionError('no request arrived')

    known = 0


def browser_for(driver, attributes, location=''):
    driver.execute_cdp_cmd('Network.clearBrowserCookies', {})
    return Server(CONF, files=FILES, attributes=attributes, location=location)


@pytest.fixture
def browser(chromium):
    with browser_for(chromium, '') as server:
        yield Browser(chromium, server)


@pytest.fixture
def eager_browser(chromium):
    """The cookie goes with requests from other sites too: only the endpoint's own check is left."""
    with browser_for(chromium, 'SameSite=None Secure=on') as server:
        yield Browser(chromium, server)


# --- the cookie -------------------------------------------------------------------------------


def test_the_cookie_is_stored_as_promised(browser):
    browser.log_in()

    cookie = browser.cookie()
    assert cookie['path'] == '/'
    assert cookie['domain'] == '127.0.0.1'
    assert cookie['httpOnly'] is True
    assert cookie['secure'] is False
    assert cookie['sameSite'] == 'Lax'
    assert abs(cookie['expiry'] - time.time() - TWO_WEEKS) < 60


def test_the_cookie_comes_back(browser):
    browser.log_in()

    assert browser.session() == {'user': 'alice'}


def test_scripts_do_not_see_it(browser):
    browser.log_in()

    assert browser.driver.execute_script('return document.cookie') == ''


def test_the_end_of_the_session_deletes_it(browser):
    browser.log_in()

    assert browser.fetch('/session', method='DELETE') == 204
    assert browser.cookie() is None
    assert browser.session() == {}


def test_other_attributes_are_stored_too(chromium):
    with browser_for(chromium, 'SameSite=Strict Path=/session Secure=on') as server:
        browser = Browser(chromium, server)
        browser.log_in()
        browser.driver.get(server.url('/session/user'))
        cookie = browser.cookie()

    assert (cookie['path'], cookie['secure'], cookie['sameSite']) == ('/session', True, 'Strict')


def test_it_ends_with_the_browser_where_it_is_not_persistent(chromium):
    with browser_for(chromium, '\nSignedSessionPersistent Off') as server:
        browser = Browser(chromium, server)
        browser.log_in()

        assert 'expiry' not in browser.cookie()


# --- pages of other sites ---------------------------------------------------------------------


def test_a_page_of_this_site_may_post(browser):
    browser.log_in()
    browser.logged()

    assert browser.fetch('/session', method='POST', body='{"n": 1}',
                         headers={'Content-Type': 'application/json'}) == 200
    assert browser.logged() == 'POST /session 200 same-origin valid'
    assert browser.session() == {'user': 'alice', 'n': 1}


def test_a_form_of_this_site_may_post(browser):
    browser.log_in()
    browser.logged()
    browser.driver.execute_script(SUBMIT, browser.server.url('/session'))

    assert browser.logged() == 'POST /session 200 same-origin valid'
    assert browser.session() == {'user': 'eve'}


def test_fetch_from_another_site_is_refused(eager_browser):
    browser = eager_browser
    browser.log_in()
    browser.logged()
    browser.open_page('localhost')
    status = browser.fetch('/session', method='POST', mode='no-cors', credentials='include',
                           body='user=eve', headers={'Content-Type': 'application/x-www-form-urlencoded'})

    assert status == 0
    assert browser.logged() == 'POST /session 403 cross-site valid'
    assert browser.session() == {'user': 'alice'}


def test_a_form_on_another_site_is_refused(eager_browser):
    browser = eager_browser
    browser.log_in()
    browser.logged()
    browser.open_page('localhost')
    browser.driver.execute_script(SUBMIT, browser.server.url('/session'))

    assert browser.logged() == 'POST /session 403 cross-site valid'
    assert browser.session() == {'user': 'alice'}


def test_samesite_lax_keeps_the_cookie_at_home(browser):
    browser.log_in()
    browser.logged()
    browser.open_page('localhost')
    browser.driver.execute_script(SUBMIT, browser.server.url('/session'))

    assert browser.logged() == 'POST /session 403 cross-site none'
    assert browser.session() == {'user': 'alice'}


def test_another_site_cannot_send_json(eager_browser):
    """JSON needs a preflight, and the preflight is not answered for an origin that is not trusted."""
    browser = eager_browser
    browser.log_in()
    browser.open_page('localhost')
    answer = browser.fetch('/session', method='POST', credentials='include', body='{"user": "eve"}',
                           headers={'Content-Type': 'application/json'})

    assert 'TypeError' in answer
    assert browser.session() == {'user': 'alice'}


def test_a_trusted_site_can(chromium):
    """The counterpart of the test before: the same call, from a page that the location trusts."""
    with browser_for(chromium, 'SameSite=None Secure=on', 'SignedSessionTrustedOrigin http://localhost:{port}') \
            as server:
        browser = Browser(chromium, server)
        browser.log_in()
        browser.open_page('localhost')
        answer = browser.fetch('/session', method='POST', credentials='include', body='{"user": "bob"}',
                               headers={'Content-Type': 'application/json'})

        assert answer == 200
        assert browser.session() == {'user': 'bob'}


# --- the site of the guide --------------------------------------------------------------------


class Visit(Browser):
    """Somebody who walks through the demo, and sees pages only."""

    def __init__(self, driver, server):
        super().__init__(driver, server)
        driver.execute_cdp_cmd('Network.clearBrowserCookies', {})

    def go(self, path):
        self.driver.get(self.server.url(path))

    def address(self):
        return self.driver.current_url.removeprefix(self.server.url(''))

    def text(self):
        return self.driver.find_element(By.TAG_NAME, 'body').text

    def leave_by(self, element):
        leave(self.driver, element.click, element)

    def follow(self, link):
        self.leave_by(self.driver.find_element(By.PARTIAL_LINK_TEXT, link))

    def press(self, button):
        self.leave_by(self.driver.find_element(By.XPATH, f'//button[text()="{button}"]'))

    def give(self, name, password):
        for field, text in (('httpd_username', name), ('httpd_password', password)):
            element = self.driver.find_element(By.NAME, field)
            element.clear()
            element.send_keys(text)
        self.press('Log in')

    def tiles(self):
        """What the start page says at its top."""
        return dict(zip(*[[element.text for element in self.driver.find_elements(By.CSS_SELECTOR, f'.tiles {name}')] for name in ('dt', 'dd')]))

    def said(self):
        return self.driver.find_element(By.ID, 'said').text

    def card(self, name):
        return self.driver.find_element(By.ID, name).text

    def have_session(self, user, data=(), **more):
        """As if it had been sent here some time ago."""
        self.go('/style.css')
        self.driver.add_cookie({'name': 'session', 'value': Native({'user': user, **dict(data)}, **more).seal()})


# --- a store -------------------------------------------------------------------------------------

# Puts many things into the cart at once, and answers with the statuses.
BUY = '''
    const [url, from, to, done] = arguments;
    const buy = number => fetch(url, {
        method: 'PATCH', headers: {'Content-Type': 'application/merge-patch+json'},
        body: JSON.stringify({cart: {['item' + number]: 'x'.repeat(200)}}),
    }).then(answer => answer.status);
    Promise.all(Array.from({length: to - from}, (_, i) => buy(from + i))).then(done, error => done(String(error)));
'''


def test_a_cart_of_parallel_requests_from_a_browser_and_from_curl(chromium):
    """It outgrows the cookie, and nothing is lost."""
    with browser_for(chromium, '\nSignedSessionStore file\nSignedSessionStoreTimeout 10s') as server:
        browser = Browser(chromium, server)
        browser.log_in()
        cookie = f'session={browser.cookie()["value"]}'
        curl = [subprocess.Popen(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', '-X', 'PATCH', '-b', cookie,
                                  '-H', 'Content-Type: application/merge-patch+json', '-d', json.dumps({'cart': {f'curl{i}': 'y' * 200}}),
                                  server.url('/session')], stdout=subprocess.PIPE, text=True) for i in range(10)]
        statuses = chromium.execute_async_script(BUY, server.url('/session'), 0, 30)
        assert statuses == [200] * 30
        assert [one.communicate()[0] for one in curl] == ['200'] * 10
        assert set(browser.session()['cart']) == {f'item{i}' for i in range(30)} | {f'curl{i}' for i in range(10)}
        assert len(browser.cookie()['value']) == 91


def test_two_browsers_of_one_user_are_logged_out_at_once(chromium):
    location = '\n</Location>\n<Location "/everywhere">\nSignedSessionClear Everywhere'
    chromium.execute_cdp_cmd('Network.clearBrowserCookies', {})
    server = Server(CONF, files={**FILES, 'log/': '', 'htdocs/everywhere': 'bye'}, location=location,
                    attributes='\nSignedSessionRevocation "file:{dir}/log/revoked"')
    with server:
        browser, other = Browser(chromium, server), Jar(server)
        browser.log_in()
        assert other.request('PUT', '/session/user', {'Content-Type': 'application/json'}, b'"alice"').status == 201
        assert other.request('GET', '/everywhere').status == 200
        assert browser.session() == {}
        assert browser.cookie() is None


@pytest.fixture(scope='module')
def demo(chromium):
    with application() as port, Demo(port) as server:
        yield server


@pytest.fixture
def visit(chromium, demo):
    return Visit(chromium, demo)


def test_a_walk_from_a_guarded_page_through_the_login_and_back(visit):
    visit.server.allow(*WRONG_PASSWORDS)
    login = '/login?return=/members/%3Fpage%3D2'
    visit.go('/members/?page=2')
    assert visit.address() == login and 'You are not logged in.' in visit.text()
    assert visit.driver.switch_to.active_element.get_attribute('name') == 'httpd_username'
    visit.give('alice', 'banana split')
    assert visit.address() == login and 'another password' in visit.text()
    assert visit.cookie() is None
    visit.give('alice', 'apple pie')
    assert visit.address() == '/members/?page=2' and 'Hello, alice' in visit.text()
    visit.follow('Start page')
    assert 'You are alice.' in visit.text() and visit.tiles()['your cookie'] == 'valid'
    visit.follow('Log out')
    assert visit.address() == '/' and 'You are not logged in.' in visit.text()
    assert visit.cookie() is None
    visit.go('/members/')
    assert visit.address() == '/login?return=/members/'


def test_a_cart_survives_the_login_and_no_button_makes_a_user(visit):
    visit.go('/')
    visit.press('cart = apple, pear')
    visit.go('/')
    visit.press('user = eve (refused)')
    assert 'SS0202' in visit.text()
    visit.go('/members/')
    visit.give('bob', 'banana split')
    assert visit.session() == {'cart': 'apple, pear', 'user': 'bob'}


def test_a_place_for_others_says_so_and_another_login_opens_it(visit):
    visit.server.allow(NOT_OF_THE_GROUP)
    visit.go('/members/')
    visit.give('bob', 'banana split')
    visit.follow('Administration')
    assert visit.address() == '/admin/' and 'You are bob.' in visit.text()
    visit.follow('Log in as somebody else')
    visit.give('alice', 'apple pie')
    assert visit.address() == '/members/'
    visit.follow('Administration')
    assert 'Administration' in visit.text() and 'Not for you' not in visit.text()


def test_whose_session_has_ended_reads_so(visit):
    visit.have_session('alice', renewed=int(time.time()) - 30 * DAY)
    visit.go('/members/')
    assert visit.address() == '/login?return=/members/' and 'Your session has ended.' in visit.text()
    visit.give('alice', 'apple pie')
    assert visit.address() == '/members/'
    visit.go('/login')
    assert 'You are alice.' in visit.text()


def test_an_old_login_is_asked_for_again(visit):
    visit.server.allow(NOT_OF_THE_GROUP)
    now = int(time.time())
    visit.have_session('alice', renewed=now, created=now - 2 * 3600)
    visit.go('/admin/')
    assert visit.address() == '/login?return=/admin/' and 'it is a while since you logged in' in visit.text()
    visit.give('alice', 'apple pie')
    assert visit.address() == '/admin/' and 'Administration' in visit.text()


# --- the buttons of the start page


# Runs before anything of a page does, and again in each.
WATCH = '''
    window.refused = [];
    document.addEventListener('securitypolicyviolation', event => window.refused.push(`${event.violatedDirective} ${event.blockedURI}`));
'''


@contextlib.contextmanager
def watched(driver):
    """Nothing that the pages' policy refuses may happen meanwhile; look at the end of each page with check()."""
    script = driver.execute_cdp_cmd('Page.addScriptToEvaluateOnNewDocument', {'source': WATCH})['identifier']

    def check():
        assert driver.execute_script('return window.refused') == [], driver.current_url
    try:
        yield check
    finally:
        driver.execute_cdp_cmd('Page.removeScriptToEvaluateOnNewDocument', {'identifier': script})


@pytest.fixture(scope='module')
def demo_to_spoil(chromium):
    """For what ends sessions of other tests, too."""
    with application() as port, Demo(port) as server:
        yield server


@pytest.fixture
def visit_to_spoil(chromium, demo_to_spoil):
    return Visit(chromium, demo_to_spoil)


@pytest.fixture(params=['script', 'no script'])
def alice(request, visit_to_spoil):
    """She is logged in, and at the start page; the browser runs the page's script, or none at all."""
    visit = visit_to_spoil
    visit.go('/login')
    visit.give('alice', 'apple pie')
    visit.driver.execute_cdp_cmd('Emulation.setScriptExecutionDisabled', {'value': request.param == 'no script'})
    visit.runs_script = request.param == 'script'
    visit.go('/')
    yield visit
    visit.driver.execute_cdp_cmd('Emulation.setScriptExecutionDisabled', {'value': False})


def test_one_altered_byte_makes_her_nobody_and_putting_it_back_herself(alice):
    before = alice.cookie()['value']
    assert alice.tiles() == {'you are': 'alice', 'your cookie': 'valid', 'your session': 'in the cookie', 'to your browser': 'not bound'}
    alice.press('Alter one byte')
    altered = alice.cookie()['value']
    assert len([1 for new, old in zip(altered, before) if new != old]) == 1
    assert alice.tiles() == {'you are': 'nobody', 'your cookie': 'bad-signature', 'your session': '-', 'to your browser': 'not bound'}
    assert 'the signature does not fit any more' in alice.card('cookie') and '{"user":"blice"}' in alice.card('cookie')
    assert [mark.text for mark in alice.driver.find_elements(By.TAG_NAME, 'mark')] == ['m', 'altered', 'b']
    assert 'You are not logged in.' in alice.text()
    alice.press('Put it back')
    assert alice.cookie()['value'] == before and alice.tiles()['you are'] == 'alice'
    assert alice.driver.get_cookie('session-altered') is None and alice.driver.find_elements(By.TAG_NAME, 'mark') == []


def test_a_full_cart_moves_into_the_store_and_an_empty_one_back(alice):
    records = int(alice.driver.find_element(By.CSS_SELECTOR, '#store b').text)
    alice.press('Put 100 crates into the cart')
    assert alice.tiles()['your session'] == 'in a file' and len(alice.cookie()['value']) == 91
    assert alice.driver.find_element(By.CSS_SELECTOR, '#store b').text == str(records + 1)
    assert 'in a store' in alice.card('cookie') and '"article":100' in alice.card('change')
    alice.press('Alter one byte')
    assert alice.tiles()['your cookie'] == 'bad-signature'
    alice.press('Put it back')
    alice.press('Empty the cart')
    assert alice.tiles()['your session'] == 'in the cookie' and 'article' not in alice.text()


@pytest.mark.parametrize('button, here', [('Log out everywhere', 'none'), ('Everywhere else', 'valid')])
def test_a_button_ends_the_session_in_a_second_browser(alice, button, here):
    other = Jar(alice.server)
    assert other.request('POST', '/login', FORM, 'httpd_username=alice&httpd_password=apple+pie').status == 303
    copy = alice.cookie()['value']
    alice.press(button)
    assert alice.tiles()['your cookie'] == here
    page = other.request('GET', '/')
    assert '<dt>your cookie<dd>revoked' in page.text and 'You were logged out everywhere' in page.text
    assert other.session is None
    assert '<dt>your cookie<dd>revoked' in alice.server.request('GET', '/', cookie=f'session={copy}').text
    alice.follow('Log in' if here == 'none' else 'Only here')
    assert alice.address() == ('/login?return=/' if here == 'none' else '/')


def test_a_theme_changes_the_page_and_a_user_is_refused(alice):
    for theme in ('dark', 'light'):
        alice.press(f'theme = {theme}')
        if alice.runs_script:
            assert alice.said() == f'200 {{"user":"alice","theme":"{theme}"}}'
        else:
            assert alice.text() == f'{{"user":"alice","theme":"{theme}"}}'
            alice.go('/')
        ground = alice.driver.find_element(By.TAG_NAME, 'body').value_of_css_property('background-color')
        assert (int(re.search(r'\d+', ground)[0]) < 100) == (theme == 'dark')
    alice.press('user = eve (refused)')
    assert (alice.said() if alice.runs_script else alice.text()).startswith('403 SS0202: ' if alice.runs_script else '{"title":"Forbidden"')


def test_the_keyboard_reaches_the_buttons_and_stays_at_the_one_that_was_pressed(visit):
    visit.go('/')
    order = visit.driver.switch_to.active_element
    order.send_keys(Keys.TAB)
    assert visit.driver.switch_to.active_element.text == 'Skip to the cookie'
    button = visit.driver.find_element(By.XPATH, '//button[text()="theme = dark"]')
    button.send_keys(Keys.ENTER)
    WebDriverWait(visit.driver, 20).until(lambda driver: has_gone(button) and visit.said())
    assert visit.driver.switch_to.active_element.text == 'theme = dark'


def test_no_page_does_what_its_policy_refuses(visit_to_spoil):
    visit = visit_to_spoil
    visit.server.allow(NOT_OF_THE_GROUP)
    with watched(visit.driver) as check:
        for path in ('/', '/login'):
            visit.go(path)
            check()
        visit.give('bob', 'banana split')
        check()
        for path in ('/members/', '/admin/', '/app/', '/counter'):
            visit.go(path)
            check()
        visit.go('/')
        for button in ('theme = dark', 'user = eve (refused)', 'Put 100 crates into the cart', 'Alter one byte', 'Put it back', 'Log out everywhere'):
            visit.press(button)
            check()
        visit.driver.execute_script('document.body.setAttribute("style", "color: red")')
        visit.driver.execute_async_script('setTimeout(arguments[0], 50)')
        assert visit.driver.execute_script('return window.refused') == ['style-src-attr inline']


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_pages_fit_into_a_narrow_window(visit, scheme):
    """Nothing scrolls sideways, and the page follows the colours of the system."""
    visit.server.allow(NOT_OF_THE_GROUP)
    driver = visit.driver
    driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': [{'name': 'prefers-color-scheme', 'value': scheme}]})
    try:
        visit.have_session('bob', {'note': 'x' * 200})
        for width in (320, 400):
            driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride',
                                   {'width': width, 'height': 640, 'deviceScaleFactor': 1, 'mobile': True})
            for path in ('/', '/login', '/members/', '/admin/', '/app/', '/counter'):
                visit.go(path)
                assert driver.execute_script('return document.documentElement.scrollWidth') == width, path
                ink, ground = driver.execute_script(COLOURS)
                assert (ink < ground) == (scheme == 'light'), path
    finally:
        driver.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})
        driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': []})
