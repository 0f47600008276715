# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The inspector's page in Chromium: every action, without script, narrow, dark, by keyboard, and for who hears it."""

import json

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from browsers import chromium_with, leave
from cookies import Native
from harness import COOKIE, Server
from test_inspector import HOSTILE

pytestmark = [pytest.mark.once, pytest.mark.xdist_group('browser')]

CONF = '''
    Timeout 2
    KeepAliveTimeout 1
    SignedSessionAbsoluteTimeout 30d
    SignedSessionEncrypt {encrypt}
    SignedSession On
    <Location "/session">
        SetHandler signed-session
        SignedSessionInspector On
        SignedSessionWritable *
    </Location>
    <LocationMatch "^/pattern$">
        SetHandler signed-session
        SignedSessionInspector On
        SignedSessionWritable *
    </LocationMatch>
    <Location "/some">
        SetHandler signed-session
        SignedSessionInspector On
        SignedSessionWritable theme new
    </Location>
    <Location "/readonly">
        SignedSession ReadOnly
        SetHandler signed-session
        SignedSessionInspector On
    </Location>
'''
FILES = {'htdocs/favicon.ico': '', 'htdocs/frame.html': '<!doctype html><title>a page</title><iframe src="/session"></iframe>'}
LINGERS = 'AH00045'  # a browser keeps connections
DATA = {'user': 'alice', 'theme': 'dark', 'cart': {'items': [1, {'sku': 'A-1', 'n': 2}]}, 'order': 1}
BIG = '90071992547409931234'


@pytest.fixture(scope='module')
def chromium():
    with chromium_with('--host-resolver-rules=MAP *.test 127.0.0.1', logs={'browser': 'ALL'}) as driver:
        yield driver


class Visitor:
    """Somebody with a session, who opens the page of it."""

    def __init__(self, driver, server, host='127.0.0.1'):
        self.driver, self.server, self.host = driver, server, host

    def open(self, path='/session', cookie=None):
        if cookie is not None:
            self.driver.execute_cdp_cmd('Network.setCookie', {
                'name': COOKIE, 'value': cookie, 'url': self.server.url('/', self.host), 'httpOnly': True})
        self.driver.get(self.server.url(path, self.host))
        return self

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def button(self, name):
        """By what a screen reader says."""
        found = [one for one in self.all('button') if one.accessible_name == name and one.is_displayed()]
        assert len(found) == 1, (name, [one.accessible_name for one in self.all('button')])
        return found[0]

    def wait(self, what):
        WebDriverWait(self.driver, 10).until(lambda _: what())

    def leave(self, act):
        leave(self.driver, act)

    def say(self):
        return self.find('#say').text

    def cookie(self):
        found = self.driver.get_cookie(COOKIE)
        return found and found['value']

    def session(self):
        return Native.open(self.cookie()).data if self.cookie() else None

    def width(self, pixels, height=900):
        self.driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {
            'width': pixels, 'height': height, 'deviceScaleFactor': 1, 'mobile': False})

    def scheme(self, name):
        self.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': [{'name': 'prefers-color-scheme', 'value': name}]})


@pytest.fixture(scope='module')
def running():
    with Server(CONF, encrypt='Off', files=FILES) as server:
        yield server
        server.allow(LINGERS)


@pytest.fixture
def visitor(chromium, running):
    yield from at(chromium, running)


def at(chromium, server, host='127.0.0.1'):
    """Nothing is left of the visitor before; and nothing was complained of when this one goes."""
    chromium.execute_cdp_cmd('Network.clearBrowserCookies', {})
    chromium.get_log('browser')
    one = Visitor(chromium, server, host)
    one.width(1280)
    one.scheme('light')
    yield one
    chromium.execute_cdp_cmd('Emulation.setScriptExecutionDisabled', {'value': False})
    complaints = [entry['message'] for entry in chromium.get_log('browser')
                  if 'status of 4' not in entry['message']]  # what the endpoint refuses is told by the page
    assert complaints == []


# --- reading -------------------------------------------------------------------------------------


def test_what_is_seen(visitor):
    visitor.open(cookie=Native(DATA).seal())
    text = visitor.find('body').text
    for said in ('valid', 'alice', '1 member', 'Idle timeout', 'of 4096 bytes',
                 'Set-Cookie: session=...', 'SignedSessionInspector'):
        assert said in text
    visitor.find('[data-key=cart] summary').click()
    assert json.loads(visitor.find('[data-key=cart] pre').text) == DATA['cart']
    assert visitor.cookie() not in visitor.driver.page_source


def test_links_to_the_other_views(visitor):
    visitor.open(cookie=Native(DATA).seal())
    visitor.leave(visitor.driver.find_element(By.LINK_TEXT, 'JSON').click)
    assert json.loads(visitor.find('body').text) == DATA
    visitor.leave(visitor.open().driver.find_element(By.LINK_TEXT, 'Meta').click)
    assert json.loads(visitor.find('body').text)['state'] == 'valid'


# --- changing ------------------------------------------------------------------------------------


def edit(visitor, key, text):
    visitor.button(f'Edit {key}').click()
    field = visitor.find('textarea')
    field.clear()
    field.send_keys(text)
    return field


@pytest.mark.parametrize('path', ['/session', '/session/', '/pattern'])
@pytest.mark.parametrize('text, value', [
    ('"light"', 'light'), ('a bare word', 'a bare word'), ('{"a":[1,null]}', {'a': [1, None]}), ('null', None), (' 7 ', 7),
    (BIG, int(BIG)), ('"<b>&\\u00eb\\""', '<b>&\u00eb"')])
def test_a_value_is_changed(visitor, path, text, value):
    visitor.open(path, Native(DATA).seal())
    edit(visitor, 'theme', text)
    visitor.leave(visitor.button('Save').click)
    assert visitor.session() == {**DATA, 'theme': value}
    assert visitor.say() == 'Saved.' and visitor.find('.new').text.startswith('theme')
    assert visitor.driver.switch_to.active_element.accessible_name == 'Edit theme'


def test_what_is_not_changed_keeps_its_bytes(visitor):
    visitor.open(cookie=Native(b'{"big":%s, "e":1.0e2 ,"theme":"dark"}' % BIG.encode()).seal())
    visitor.button('Edit big').click()
    assert visitor.find('textarea').get_attribute('value') == BIG
    visitor.leave(visitor.button('Save').click)
    edit(visitor, 'theme', '1')
    visitor.leave(visitor.button('Save').click)
    assert BIG.encode() in Native.open(visitor.cookie()).text and b'1.0e2' in Native.open(visitor.cookie()).text


def test_a_nested_value_is_edited_as_it_is_shown(visitor):
    visitor.open(cookie=Native(DATA).seal())
    visitor.button('Edit cart').click()
    shown = visitor.find('textarea').get_attribute('value')
    assert json.loads(shown) == DATA['cart'] and '\n  "items": [' in shown
    field = visitor.find('textarea')
    field.clear()
    field.send_keys(shown.replace('A-1', 'B-2'))
    visitor.leave(visitor.button('Save').click)
    assert visitor.session()['cart'] == {'items': [1, {'sku': 'B-2', 'n': 2}]}


def test_editing_by_keyboard(visitor):
    visitor.open(cookie=Native(DATA).seal())
    field = edit(visitor, 'theme', 'x')
    assert visitor.driver.switch_to.active_element == field
    field.send_keys(Keys.ESCAPE)
    assert visitor.all('textarea') == [] and visitor.find('[data-key=theme] .val').text == '"dark"'
    assert visitor.driver.switch_to.active_element.accessible_name == 'Edit theme'
    visitor.driver.switch_to.active_element.send_keys(Keys.ENTER)
    field = visitor.find('textarea')
    field.clear()
    field.send_keys('light')
    visitor.leave(lambda: field.send_keys(Keys.CONTROL, Keys.ENTER))
    assert visitor.session()['theme'] == 'light'


def test_broken_json_is_told_and_nothing_is_lost(visitor):
    visitor.open(cookie=Native(DATA).seal())
    edit(visitor, 'theme', '{"a":')
    visitor.button('Save').click()
    assert visitor.say().startswith('This is no JSON: ') and 'bad' in visitor.find('#say').get_attribute('class')
    assert visitor.find('textarea').get_attribute('value') == '{"a":'
    visitor.button('Cancel').click()
    assert visitor.say() == '' and visitor.session() == DATA


def test_what_the_endpoint_refuses_is_told(visitor):
    visitor.open(cookie=Native(DATA).seal())
    edit(visitor, 'theme', json.dumps({'a': 'x' * 5000}))
    visitor.button('Save').click()
    visitor.wait(lambda: 'bytes' in visitor.say())
    assert visitor.session() == DATA


def test_a_key_is_added(visitor):
    visitor.open()
    assert visitor.session() is None and 'The session is empty.' in visitor.find('main').text
    visitor.find('#new-key').send_keys('color')
    visitor.find('#new-value').send_keys('blue')
    visitor.leave(lambda: visitor.find('#new-value').send_keys(Keys.ENTER))
    assert visitor.session() == {'color': 'blue'} and visitor.find('h2').text == 'valid'


def test_only_listed_keys_are_offered(visitor):
    visitor.open('/some', Native(DATA).seal())
    assert [one.accessible_name for one in visitor.all('.do button')] == ['Edit theme', 'Delete theme']
    visitor.find('#new-key').send_keys('other')
    visitor.find('#new-value').send_keys('1')
    visitor.button('Add').click()
    visitor.wait(lambda: 'SS0202' in visitor.say())
    assert visitor.session() == DATA


def dialog(visitor, button):
    visitor.button(button).click()
    shown = visitor.find('dialog')
    assert shown.is_displayed() and shown.accessible_name == visitor.find('dialog p').text
    assert visitor.driver.switch_to.active_element.text == 'Keep it'
    return shown.accessible_name


def test_a_key_is_deleted_after_a_question(visitor):
    visitor.open(cookie=Native(DATA).seal())
    assert 'cart' in dialog(visitor, 'Delete cart')
    visitor.button('Keep it').click()
    assert not visitor.find('dialog').is_displayed() and visitor.session() == DATA
    dialog(visitor, 'Delete cart')
    visitor.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not visitor.find('dialog').is_displayed()
    dialog(visitor, 'Delete cart')
    visitor.leave(visitor.button('Delete').click)
    assert visitor.session() == {key: value for key, value in DATA.items() if key != 'cart'}
    assert visitor.say() == 'Deleted.'


def test_the_session_is_ended_after_a_question(visitor):
    visitor.open(cookie=Native(DATA).seal())
    assert 'every key' in dialog(visitor, 'End this session')
    visitor.leave(visitor.button('End it').click)
    assert visitor.cookie() is None and visitor.find('h2').text == 'none'
    assert visitor.say() == 'The session has ended.' and visitor.all('#end') == []


def test_nothing_is_offered_where_sessions_are_read_only(visitor):
    visitor.open('/readonly', Native(DATA).seal())
    assert [one for one in visitor.all('button, input, textarea') if one.is_displayed()] == []


def test_hostile_keys_are_keys(visitor):
    data = {key: key for key in [*HOSTILE[:4], 'a/b?c#d e', '__proto__']}
    visitor.open(cookie=Native(data).seal())
    assert [row.get_attribute('data-key') for row in visitor.all('[data-key]')] == list(data)
    for key in list(data):
        edit(visitor, key, json.dumps(key + key))
        visitor.leave(visitor.button('Save').click)
        assert visitor.session()[key] == key + key
        assert visitor.find('.new').get_attribute('data-key') == key
        dialog(visitor, f'Delete {key}')
        visitor.leave(visitor.button('Delete').click)
    assert not visitor.session()


def test_from_a_host_that_browsers_do_not_trust(chromium, running):
    """By plain http they send no Sec-Fetch-Site: the page's Origin has to do, whatever its policy keeps back."""
    for one in at(chromium, running, 'site.test'):
        one.open(cookie=Native(DATA).seal())
        edit(one, 'theme', 'light')
        one.leave(one.button('Save').click)
        assert one.session()['theme'] == 'light'


def test_hidden_values_are_replaced_only(chromium):
    with Server(CONF, encrypt='On', files=FILES) as server:
        for one in at(chromium, server):
            one.open('/some', Native(DATA).seal())
            assert 'alice' not in one.driver.page_source
            one.button('Edit theme').click()
            assert one.find('textarea').get_attribute('value') == ''
            one.find('textarea').send_keys('light')
            one.leave(one.button('Save').click)
            assert one.session()['theme'] == 'light'
        server.allow(LINGERS)


# --- for everybody -------------------------------------------------------------------------------

STATES = {
    'valid': Native({**DATA, 'a' * 80: 'b' * 90, 'long': 'c' * 900}).seal(),
    'none': None,
    'bad-signature': Native(DATA).seal()[:-4] + 'AAAA',
    'expired-idle': Native(DATA, renewed=1).seal(),
}


@pytest.mark.parametrize('state', STATES)
@pytest.mark.parametrize('width', [320, 400, 700, 1280])
def test_nothing_is_wider_than_the_window(visitor, state, width):
    visitor.width(width)
    visitor.open(cookie=STATES[state])
    assert visitor.find('h2').text == state
    visitor.script('for (const one of document.querySelectorAll("details")) one.open = true')
    for button in [one for one in visitor.all('.do button') if one.text == 'Edit']:
        button.click()
    assert visitor.script('return document.documentElement.scrollWidth') <= width
    outside = visitor.script('''
        return [...document.querySelectorAll("main *")].filter(one => !one.closest("pre, svg, thead, .hid")
            && one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 80))''')
    assert outside == []


def test_without_script(visitor):
    visitor.open(cookie=Native(DATA).seal())
    visitor.driver.execute_cdp_cmd('Emulation.setScriptExecutionDisabled', {'value': True})
    visitor.open()
    text = visitor.find('body').text
    assert all(said in text for said in ('valid', '"alice"', 'Idle timeout', 'Secure=auto', 'SignedSessionInspector'))
    assert [one for one in visitor.all('button, input, form') if one.is_displayed()] == []
    visitor.find('.keys summary').click()
    assert 'A-1' in visitor.find('.keys pre').text


NEED_NAMES = {'button', 'link', 'textbox', 'combobox', 'image', 'img', 'dialog', 'navigation', 'region', 'heading', 'columnheader',
              'rowheader', 'DisclosureTriangle'}


@pytest.mark.parametrize('state', STATES)
def test_everything_has_a_name_for_who_hears_it(visitor, state):
    visitor.open(cookie=STATES[state])
    edits = [one for one in visitor.all('.do button') if one.text == 'Edit']
    if edits:
        edits[0].click()
    nodes = visitor.driver.execute_cdp_cmd('Accessibility.getFullAXTree', {})['nodes']
    roles = [node['role']['value'] for node in nodes if not node.get('ignored')]
    assert {'heading', 'link', 'main', 'image'} <= set(roles)
    nameless = [node for node in nodes if not node.get('ignored') and node['role']['value'] in NEED_NAMES
                and not node.get('name', {}).get('value', '').strip()]
    assert nameless == []


def test_tab_follows_the_page(visitor):
    """And reaches whatever can be pressed or written into."""
    visitor.open(cookie=Native(DATA).seal())
    tops, names = [], []
    for _ in range(60):
        visitor.driver.switch_to.active_element.send_keys(Keys.TAB)
        active = visitor.driver.switch_to.active_element
        if active.tag_name == 'body':
            break
        names.append(active.accessible_name or active.text)
        if active.get_attribute('class') != 'skip':
            tops.append(active.location['y'] if active.location['x'] < 700 else None)
    assert names[0] == 'Skip to the keys' and {'JSON', 'Meta', 'End this session', 'Edit user', 'Delete order', 'Add'} <= set(names)
    seen = [top for top in tops if top is not None]
    assert all(later > earlier - 60 for earlier, later in zip(seen, seen[1:])), seen


CONTRAST = '''
    const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const parse = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    function behind(one) {
        for (; one; one = one.parentElement) {
            const colour = parse(getComputedStyle(one).backgroundColor);
            if (colour.length < 4 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
    }
    const low = [];
    for (const one of document.querySelectorAll("body *")) {
        const has = [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        if (!has || !one.getClientRects().length || one.closest("script, style")) continue;
        const [a, b] = [light(parse(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < 4.5) low.push([one.outerHTML.slice(0, 60), ratio]);
    }
    return low;
'''


@pytest.mark.parametrize('state', STATES)
@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_text_can_be_told_from_what_is_behind_it(visitor, scheme, state):
    visitor.scheme(scheme)
    visitor.open(cookie=STATES[state])
    visitor.script('for (const one of document.querySelectorAll("details")) one.open = true')
    visitor.script('document.querySelector("#say").textContent = "Saved."')
    assert visitor.script(CONTRAST) == []
    visitor.script('document.querySelector("#say").className = "bad"')
    assert visitor.script(CONTRAST) == []
    page = visitor.script('return getComputedStyle(document.body).backgroundColor')
    assert (int(page[4:].split(',')[0]) < 60) == (scheme == 'dark')


def test_no_page_can_frame_it(visitor):
    visitor.open('/frame.html')
    visitor.driver.switch_to.frame(0)
    assert visitor.all('h1') == [] or 'Your session' not in visitor.find('h1').text
    visitor.driver.switch_to.default_content()
    visitor.wait(lambda: any('frame-ancestors' in entry['message'] for entry in visitor.driver.get_log('browser')))
