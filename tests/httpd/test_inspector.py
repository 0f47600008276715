# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""SignedSessionInspector: the page that explains a session, as it leaves httpd."""

import base64
import hashlib
import json
import re
import subprocess
import os
import time

import itsdangerous
import pytest

from common import DAY, JSON
from cookies import REFERENCE, Native, native, starlette
from device import PATH, Key
from harness import COOKIE, SECRET, Server
from html_page import Page

HTML = {'Accept': 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'}
HIDDEN = 'what nobody else may know'
NOW = int(time.time())
OTHER = 'Zk4-second_secret.Vn82qLwTy6hRb1XcPe0Mj'

CONF = '''
    SignedSessionAbsoluteTimeout 30d
    {more}
    SignedSession On
    <Location "/session">
        SetHandler signed-session
        SignedSessionInspector On
        SignedSessionWritable theme cart
    </Location>
    <Location "/everything">
        SetHandler signed-session
        SignedSessionInspector On
        SignedSessionWritable *
    </Location>
    <Location "/nothing">
        SetHandler signed-session
        SignedSessionInspector On
    </Location>
    <Location "/readonly">
        SignedSession ReadOnly
        SetHandler signed-session
        SignedSessionInspector On
        SignedSessionWritable *
    </Location>
    <Location "/plain">
        SetHandler signed-session
    </Location>
    <Location "/novary">
        SetHandler signed-session
        SignedSessionInspector On
        SignedSessionVary Off
    </Location>
'''


@pytest.fixture(scope='module')
def server():
    with Server(CONF, more='SignedSessionStore cookie', http2=True) as one:
        yield one


def page(server, cookie=None, path='/session', headers=HTML, writes=False):
    """Looking changes nothing, but where the place `writes`."""
    response = server.request('GET', path, headers, cookie=cookie)
    assert (response.status, response.get('Content-Type')) == (200, 'text/html; charset=utf-8')
    assert writes or not response.set_cookies()
    return Page(response.text)


# --- who gets it ---------------------------------------------------------------------------------

WANTS = ['text/html', 'TEXT/HTML', 'text/html;q=0.1', 'application/json, text/html', HTML['Accept'], 'text/html;q=0, text/html;level=1']
DOES_NOT = [None, '', '*/*', 'text/*', 'application/json', 'text/html;q=0', 'text/html;q=0.000, */*', 'text/html5', 'a/b;c=", text/html"']


@pytest.mark.parametrize('accept', WANTS)
def test_who_names_html_gets_the_page(server, accept, protocol):
    response = server.request('GET', '/session', {'Accept': accept}, protocol=protocol)
    assert (response.status, response.get('Content-Type')) == (200, 'text/html; charset=utf-8')


@pytest.mark.parametrize('accept', DOES_NOT)
def test_everybody_else_gets_json(server, accept):
    headers = {} if accept is None else {'Accept': accept}
    response = server.request('GET', '/session', headers, cookie=native({'a': 1}))
    assert (response.get('Content-Type'), response.json()) == ('application/json', {'a': 1})


@pytest.mark.parametrize('path, kind', [
    ('/session?meta', 'application/json'), ('/session?json', 'application/json'), ('/session?x', 'application/json'),
    ('/session/user', 'application/json'), ('/session/none', 'application/problem+json'), ('/plain', 'application/json'),
    ('/session/', 'text/html; charset=utf-8'), ('/session?', 'text/html; charset=utf-8')])
def test_what_is_a_page(server, path, kind):
    assert server.request('GET', path, HTML, cookie=native({'user': 'alice'})).get('Content-Type') == kind


@pytest.mark.parametrize('method, headers, body, status', [
    ('PUT', JSON, '{"theme":1}', 204), ('POST', JSON, '{"theme":1}', 200), ('DELETE', {}, None, 204), ('OPTIONS', {}, None, 200)])
def test_other_methods_are_as_ever(server, method, headers, body, status):
    response = server.request(method, '/session', {**headers, **HTML}, body)
    assert (response.status, response.get('Content-Security-Policy')) == (status, None)
    assert response.get('Content-Type') in (None, 'application/json')


def test_head(server):
    asked = server.request('GET', '/session', HTML, cookie=native({'a': 1}))
    head = server.request('HEAD', '/session', HTML, cookie=native({'a': 1}))
    assert head.body == b'' and head.get('Content-Length') == str(len(asked.body))
    for name in ('Content-Type', 'Content-Security-Policy', 'Vary', 'Cache-Control'):
        assert head.get(name) == asked.get(name)


def vary(response):
    return {name.strip() for name in response.get('Vary', '').split(',')} - {''}


def test_vary(server):
    assert vary(server.request('GET', '/session', HTML)) == vary(server.request('GET', '/session')) == {'Accept', 'Cookie'}
    assert vary(server.request('GET', '/plain', HTML)) == {'Cookie'}
    assert vary(server.request('GET', '/novary', HTML)) == {'Accept'}


def test_headers(server):
    response = server.request('GET', '/session', HTML, cookie=native({'a': 1}))
    assert response.get('Cache-Control') == 'no-store'
    assert response.get('X-Content-Type-Options') == 'nosniff'
    assert response.get('Referrer-Policy') == 'no-referrer'


def digest(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def test_the_policy_is_that_of_the_page(server):
    response = server.request('GET', '/session', HTML)
    policy = dict(part.strip().split(' ', 1) for part in response.get('Content-Security-Policy').split(';'))
    read = Page(response.text)
    (style,), (script,) = read.find('style'), read.find('script')
    assert policy == {'default-src': "'none'", 'style-src': digest(style['text']), 'script-src': digest(script['text']),
                      'connect-src': "'self'", 'base-uri': "'none'", 'form-action': "'none'", 'frame-ancestors': "'none'"}


def test_nothing_comes_from_elsewhere(server):
    text = server.request('GET', '/session', HTML, cookie=native({'a': 1})).text
    assert not re.search(r'(?:src|href|action)="?(?:https?:|//)|url\(|@import', text)


def test_pages_of_other_origins_cannot_read_it(start):
    """They may read the session; not how the server is configured."""
    server = start(CONF.replace('SignedSessionWritable theme cart', 'SignedSessionTrustedOrigin https://app.test'), more='')
    headers = {'Origin': 'https://app.test'}
    assert server.request('GET', '/session', headers).get('Access-Control-Allow-Origin') == 'https://app.test'
    answer = server.request('GET', '/session', {**headers, **HTML})
    assert answer.get('Content-Type').startswith('text/html')
    assert [name for name, _ in answer.headers if name.startswith('Access-Control-')] == []


# --- what it says --------------------------------------------------------------------------------

DATA = {'user': 'alice', 'cart': {'items': [1, {'sku': 'A-1'}], 'empty': {}}, 'order': 90071992547409931234, 'no': False, 'nothing': None}


def test_keys_and_their_values(server):
    read = page(server, native(DATA))
    assert read.state == 'valid'
    assert read.keys['user'] == ('string', '"alice"', '15 B')
    assert read.keys['order'] == ('number', '90071992547409931234', '29 B')
    assert read.keys['no'][:2] == ('boolean', 'false') and read.keys['nothing'][:2] == ('null', 'null')
    kind, value, _ = read.keys['cart']
    assert kind == 'object' and value.startswith('2 members')
    assert json.loads(value.removeprefix('2 members')) == DATA['cart']


def test_an_empty_session(server):
    assert 'The session is empty.' in page(server).seen


def test_what_may_be_written_is_marked(server):
    cookie = native({'user': 'alice', 'theme': 'dark', 'cart': []})
    def marked(read):
        return [row['attrs']['data-key'] for row in read.find('tr') if 'data-key' in row['attrs']]
    read = page(server, cookie)
    assert marked(read) == ['theme', 'cart'] and read.find('form') and 'may be written here: theme, cart.' in read.seen
    assert [one['attrs']['value'] for one in read.find('option')] == ['theme', 'cart']
    assert marked(page(server, cookie, '/everything')) == ['user', 'theme', 'cart']
    for path, why in (('/nothing', 'SignedSessionWritable names none'), ('/readonly', 'read-only here')):
        read = page(server, cookie, path)
        assert (marked(read), read.find('form')) == ([], []) and why in read.seen
    assert read.find('button') == []


def test_it_never_renews(server):
    cookie = native({'a': 1}, renewed=int(time.time()) - 10 * DAY)
    assert server.request('GET', '/session', cookie=cookie).set_cookies()
    page(server, cookie)


def test_times(server):
    now = int(time.time())
    read = page(server, native({'a': 1}, renewed=now - 2 * DAY, created=now - 20 * DAY))
    assert 'Renewed 2d ago.' in read.seen and 'The next page renews it; this one does not count.' in read.seen
    ends = [one['attrs']['datetime'] for one in read.find('time') if 'data-left' in one['attrs']]
    assert ends == [time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(at)) for at in (now + 12 * DAY, now + 10 * DAY)]
    assert [one['attrs']['aria-label'] for one in read.find('svg', **{'class': 'bar'})][:2] == [
        '14 percent of the idle timeout used', '66 percent of the absolute timeout used']


OTHER_TIMES = {
    'SignedSessionRenew 1h': 'Due again in 58min',
    'SignedSessionRenew always': 'The next page renews it',
    'SignedSessionRenew never': 'Only a change renews it.',
    'SignedSessionIdleTimeout none': 'There is no idle timeout.',
}


@pytest.mark.parametrize('more', OTHER_TIMES)
def test_times_of_other_configurations(start, more):
    server = start(CONF, more=more + '\nSignedSessionStore cookie')
    assert OTHER_TIMES[more] in page(server, native({'a': 1}, renewed=int(time.time()) - 61)).seen


def sealed(name, session, *words):
    """A Cookie header of this format."""
    made = subprocess.run([os.environ['SS_SSCTL'], 'seal', '--format', name, *words, json.dumps(session)], check=True, capture_output=True,
                          text=True, env={**os.environ, 'SIGNED_SESSION_SECRET': SECRET}).stdout.strip()
    return made if name == 'express' else f'session={made}'


@pytest.mark.parametrize('name, said', [
    ('express', 'carry no time'), ('django', 'Only a change renews it.'), ('flask', 'Only a change renews it.'), ('starlette', '1 of 2, the one that seals')])
def test_other_formats(start, name, said):
    server = start(CONF.replace('SignedSessionAbsoluteTimeout 30d', 'SignedSessionSecret env:SIGNED_SESSION_SECRET env:OLD'),
                   more=f'SignedSessionFormat {name}', env={'OLD': OTHER})
    read = page(server, sealed(name, {'user': 'alice', 'text': 'x' * 3000}))
    assert read.state == 'valid' and said in read.seen and 'its id is' not in read.seen
    bars = [one for one in read.find('rect')]
    assert bars and all(0 <= float(one['attrs']['width'][:-1]) <= 100 for one in bars)


def test_a_session_of_an_old_secret_and_another_format(start):
    server = start(CONF.replace('SignedSessionAbsoluteTimeout 30d', 'SignedSessionSecret env:OLD env:SIGNED_SESSION_SECRET'),
                   more='SignedSessionFormat native starlette\nSignedSessionStore cookie', env={'OLD': OTHER})
    seen = page(server, native({'a': 1})).seen
    assert '2 of 2, an old one; its id is' in seen
    assert 'starlette, written back as native' in page(server, f"session={starlette({'a': 1})}").seen


def test_a_time_that_is_no_date(server):
    for renewed in (10 ** 14, 253402300800):
        assert 'It was renewed at no date, which is' in page(server, native({'a': 1}, renewed=renewed)).seen


def test_sizes(server):
    cookie = native({'text': 'x' * 2000})
    read = page(server, f'{cookie}; other={"y" * 100}')
    assert f'{len(cookie) - 1} of 4096 bytes' in read.seen
    assert f'together: {len(cookie) + 108} bytes. This server refuses more than 8190.' in read.seen


def test_the_id_is_that_of_the_log_and_never_the_cookies(server):
    one = Native({'user': 'alice'}, counter=7)
    text = server.request('GET', '/session', HTML, cookie=f'session={one.seal()}').text
    assert one.id.hex() not in text and one.seal() not in text and SECRET not in text
    assert '7 times' in text and one.seal()[:40] not in text


def test_the_cookie_never(server):
    for cookie in (Native({'a': 1}).seal(), Native({'a': 1}).seal()[:-4] + 'AAAA', 'x' * 60):
        text = server.request('GET', '/session', HTML, cookie=f'session={cookie}').text
        assert cookie not in text and cookie[30:50] not in text


def test_the_cookie_is_judged_by_this_request(server):
    read = page(server, native({'a': 1}) + '; session=x')
    assert 'plain http' in read.seen and 'More than one cookie of this name came' in read.seen
    assert 'Set-Cookie: session=...; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax' in read.seen
    assert '1 warning and 2 hints' in read.seen


def test_configuration_with_its_place(server):
    read = page(server)
    written = {name: (value, place) for name, value, place in read.configuration if place != 'default'}
    lines = (server.dir / 'httpd.conf').read_text().splitlines()
    value, place = written['SignedSessionWritable']
    assert value == 'theme cart'
    number, section = re.fullmatch(r'httpd\.conf:(\d+), (.*)', place).groups()
    assert lines[int(number) - 1].strip() == 'SignedSessionWritable theme cart' and section == '<Location "/session">'
    assert written['SignedSessionAbsoluteTimeout'][0] == '30d' and str(server.dir) not in read.seen
    default = {name: value for name, value, place in read.configuration if place == 'default'}
    assert default['SignedSessionIdleTimeout'] == '14d' and default['SignedSessionTouch'] == 'On'
    assert default['SignedSessionEnv'] == 'Off' and not set(default) & set(written)


CONFIGURATION = '''
    SignedSessionSecret file:{dir}/keys/first.keys "exec:/bin/cat {dir}/second.keys"
    SignedSessionFormat flask native
    SignedSession On
    <Location "/session">
        SignedSessionSet a "%{{REMOTE_ADDR}}"
        SignedSessionSet b "two words"
        SetHandler signed-session
    </Location>
    <Location "/session">
        SignedSessionInspector On
        SignedSessionSet c x
        SignedSessionForward X-Session
        SignedSessionForward Off
    </Location>
    <VirtualHost 127.0.0.1:{port}>
        ServerName one.test
    </VirtualHost>
    <VirtualHost 127.0.0.1:{port}>
        ServerName two.test
        SignedSessionIdleTimeout 1h
    </VirtualHost>
'''


def test_configuration_is_merged_and_keeps_to_itself_what_is_nobodys_business(start):
    server = start(CONFIGURATION.replace('{{', '{').replace('}}', '}'), env={'SIGNED_SESSION_SECRET': None}, files={
        'keys/first.keys': SECRET, 'second.keys': OTHER})
    server.allow('SS0110')
    rows = page(server, writes=True).configuration
    assert [value for name, value, _ in rows if name == 'SignedSessionSet'] == ['a %{REMOTE_ADDR}', 'b "two words"', 'c x']
    by_name = {name: (value, place.partition(',')[0]) for name, value, place in rows}
    assert by_name['SignedSessionSecret'][0] == 'file:first.keys exec:cat'
    assert by_name['SignedSessionForward'][0] == 'Off'
    assert by_name['SignedSessionIdleTimeout'] == ('31d', 'default') and by_name['SignedSessionRenew'] == ('never', 'default')
    other = {name: value for name, value, _ in page(server, headers={**HTML, 'Host': 'two.test'}, writes=True).configuration}
    assert (other['SignedSessionIdleTimeout'], other['SignedSessionFormat']) == ('1h', 'flask native')


def test_configuration_of_htaccess(start):
    server = start('''
        <Directory "{dir}/htdocs">
            AllowOverride AuthConfig
        </Directory>
        <Location "/session">
            SetHandler signed-session
            SignedSessionInspector On
        </Location>
    ''', files={'htdocs/.htaccess': 'SignedSession On\nSignedSessionTouch Off\n'})
    for _ in range(3):
        rows = {name: (value, place) for name, value, place in page(server).configuration}
        assert rows['SignedSessionTouch'] == ('Off', '.htaccess:2')


# --- hostile content -----------------------------------------------------------------------------

HOSTILE = ['"><script>alert(1)</script>', "' onfocus='x", '</title></style></script><b>', '<!--#exec cmd="id" -->', '&lt;&#60;&',
           '\u202egnp.exe', 'a\u2028b', '\x9b31m', '\uffff', '{{7*7}}', 'a/b?c#d e', '__proto__', 'constructor', '\U0001f600']


def test_hostile_keys_and_values(server):
    data = {key: [key, {key: key}] for key in HOSTILE}
    text = server.request('GET', '/everything', HTML, cookie=native(data)).text
    read = Page(text)
    assert len(read.keys) == len(HOSTILE) and len(read.find('script')) == 1
    assert '\u202e' not in ''.join(one['text'] for one in read.find('pre'))
    shown = [json.loads(value[value.index('['):]) for _, value, _ in read.keys.values()]
    assert shown == [[key, {key: key}] for key in HOSTILE]
    assert [row['attrs']['data-key'] for row in read.find('tr') if 'data-key' in row['attrs']] == [
        key for key in HOSTILE if key not in ('\x9b31m', '\uffff')]


def test_keys_of_an_application(start):
    """Its JSON may have what no endpoint takes: control characters, lone surrogates, NaN, doubles."""
    server = start(CONF.replace('SignedSessionAbsoluteTimeout 30d', ''), more='SignedSessionFormat starlette')
    text = b'{"a\\nb":NaN,"\\ud800":"\\ud800","":1,"x":1,"x":2}'
    cookie = itsdangerous.TimestampSigner(SECRET).sign(base64.b64encode(text)).decode()
    read = Page(server.request('GET', '/everything', HTML, cookie=f'session={cookie}').text)
    assert read.state == 'valid' and read.keys['x'][1] == '2' and read.keys['a\nb'][1] == 'null'
    assert '"\\ud800"' in read.seen
    assert [row['attrs']['data-key'] for row in read.find('tr') if 'data-key' in row['attrs']] == ['', 'x']


@pytest.mark.parametrize('host', ['a.test', 'A.Test:8080', '[::1]', 'x"><b>', 'a&amp;b', ''])
def test_hostile_hosts(server, host):
    response = server.request('GET', '/session', {**HTML, 'Host': host})
    assert response.status in (200, 400)
    if response.status == 200:
        Page(response.text)


def test_a_large_session(start):
    server = start(CONF, more='SignedSessionStore file\nSignedSessionStoreMaxSize 1M')
    jar = native({'a': 1})
    data = {f'k{i}': 'x' * 1000 for i in range(15)}
    cookie = server.request('PUT', '/everything', JSON, json.dumps(data), cookie=jar).cookie()
    for start_at in range(15, 90, 15):
        more = {f'k{i}': 'x' * 1000 for i in range(start_at, start_at + 15)}
        cookie = server.request('POST', '/everything', JSON, json.dumps(more), cookie=f'session={cookie}').cookie() or cookie
    response = server.request('GET', '/everything', HTML, cookie=f'session={cookie}')
    read = Page(response.text)
    assert len(read.keys) == 90 and len(response.body) < 120000
    assert 'too long for this page' in read.keys['k89'][1] and 'the store "file"' in read.seen
    assert 'JSON in the store.' in read.seen


def test_a_filter_of_the_place_finds_nothing_to_do(start):
    server = start(CONF + 'SetOutputFilter INCLUDES\n<Location "/">\nOptions +Includes\n</Location>', 'include', more='')
    data = {'a': '<!--#echo var="DATE_LOCAL" -->', '<!--#set var="b" value="c" -->': 1}
    read = page(server, native(data), '/everything')
    assert list(read.keys) == list(data) and json.loads(read.keys['a'][1]) == data['a']


# --- states --------------------------------------------------------------------------------------



@pytest.fixture(scope='module')
def advices():
    listed = subprocess.run([os.environ['SS_SSCTL'], 'states', '--json'], check=True, capture_output=True).stdout
    return {row['state']: row for row in json.loads(listed)}


def say(advices, read, state, case=None):
    assert read.state == state
    advice = advices[case or state]
    assert advice['meaning'] in read.seen
    assert state == 'valid' or advice['remedy'] in read.seen


REFUSED = {
    'none': None,
    'valid': native({'user': 'alice'}),
    'malformed': f'{COOKIE}=x',
    'too-large': f'{COOKIE}={"A" * 5000}',
    'unknown-key': f'{COOKIE}={Native({}).seal(OTHER)}',
    'bad-signature': f'{COOKIE}={Native({}).seal()[:-4]}AAAA',
    'expired-idle': native({'user': HIDDEN}, renewed=NOW - 20 * DAY),
    'expired-absolute': native({'user': HIDDEN}, created=NOW - 31 * DAY),
    'from-future': native({'user': HIDDEN}, renewed=NOW + 3 * DAY),
}


@pytest.mark.parametrize('state', REFUSED)
def test_states(server, advices, state):
    read = page(server, REFUSED[state])
    say(advices, read, state)
    assert HIDDEN not in read.seen
    if state in ('expired-idle', 'expired-absolute', 'from-future'):
        assert re.search(r'It was (renewed|created) .*; the (limit|skew allowed) is ', read.seen)


def test_an_applications_cookie(start, advices):
    server = start(CONF.replace('SignedSessionAbsoluteTimeout 30d', ''), more='SignedSessionFormat starlette')
    read = page(server, f"session={starlette({'user': HIDDEN}, age=-DAY)}", '/everything')
    say(advices, read, 'from-future', 'owned')
    assert read.find('form') == [] and HIDDEN not in read.seen and 'Only its application' in read.seen


def test_a_session_that_is_gone(start, advices):
    server = start(CONF, more='SignedSessionStore file')
    say(advices, page(server, native(b'', flags=REFERENCE)), 'expired-idle', 'gone')


def test_a_store_that_does_not_answer(start, advices):
    server = start(CONF, more='SignedSessionStore file\nSignedSessionUnavailable anonymous')
    cookie = 'session=' + server.request('PUT', '/everything', JSON, '{"a":1}').cookie()
    (server.dir / 'sessions').rename(server.dir / 'away')
    read = page(server, cookie)
    say(advices, read, 'unavailable')
    assert read.find('form') == [] and 'Nothing may be written' in read.seen
    (server.dir / 'away').rename(server.dir / 'sessions')
    server.allow('SS0401')


EVERYWHERE = '<Location "/everywhere">\nSignedSessionClear Everywhere\n</Location>'


def test_who_was_logged_out_everywhere(start, advices):
    server = start(CONF + EVERYWHERE, more='SignedSessionRevocation file:{dir}/log/revoked',
                   files={'log/': '', 'htdocs/everywhere': 'a page'})
    old = native({'user': 'alice'}, created=NOW - 60)
    assert server.request('GET', '/everywhere', cookie=native({'user': 'alice'}, created=NOW - 50)).status == 200
    say(advices, page(server, old, writes=True), 'revoked')


BOUND = 'ServerName https://127.0.0.1:{port}\nSignedSessionCookie session Secure=on\nSignedSessionBind '


def test_a_copied_cookie_of_a_bound_session(start, advices):
    server = start(CONF, more=BOUND + f'On {PATH}\nSignedSessionRevocation file:{{dir}}/log/revoked', files={'log/': ''})
    read = page(server, native({'user': HIDDEN}, point=Key().point))
    say(advices, read, 'unproven')
    assert HIDDEN not in read.seen and read.find('form') == []
    assert 'a copy of the cookie works elsewhere' in page(server, native({'user': 'alice'})).seen


def test_a_session_that_has_to_be_bound(start, advices):
    server = start(CONF, more=BOUND + f'Required {PATH} 10min 1min')
    server.allow('SS0508')
    say(advices, page(server, native({'user': 'alice'}, created=NOW - 120)), 'unbound')


# --- what SignedSessionEncrypt hides -------------------------------------------------------------

SECRETIVE = '''
    SignedSessionStore cookie
    SignedSessionEncrypt On
    SignedSession On
    <Location "/session">
        SetHandler signed-session
        SignedSessionInspector On
        SignedSessionWritable theme
        SignedSessionSet key "what a rule knows"
        SignedSessionReveal {reveal}
    </Location>
'''


@pytest.mark.parametrize('reveal', ['Off', 'On'])
def test_values_are_hidden_where_cookies_are_encrypted(start, reveal):
    server = start(SECRETIVE, reveal=reveal)
    read = page(server, native({'user': HIDDEN, 'theme': 'dark', 'list': [HIDDEN]}), writes=True)
    is_shown = reveal == 'On'
    assert (HIDDEN in read.seen, 'what a rule knows' in read.seen) == (is_shown, is_shown)
    assert read.keys['list'][0] == 'array' and read.keys['list'][2].endswith(' B')
    assert [one['attrs']['href'] for one in read.find('a')].count('?json') == is_shown
    assert [row['attrs']['data-key'] for row in read.find('tr') if 'data-key' in row['attrs']] == ['theme']


def test_entries_of_modules_are_mentioned_only(start):
    server = start(SECRETIVE, reveal='On')
    read = page(server, native({'user': 'alice', 'mod_session': {'realm-pw': HIDDEN}}), writes=True)
    assert HIDDEN not in read.seen and list(read.keys) == ['user'] and 'entries of modules of httpd' in read.seen
