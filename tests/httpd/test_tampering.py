# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""A cookie that was touched is no cookie: every bit, every length, in every format, one and the same answer.

The state in the log tells a malformed cookie from a wrong signature; whoever sent it must not be told.
"""

import re
import string

import pytest

from client import exchange_pipelined
from harness import Server
from test_formats import FORMATS, cookie_of

SESSION = {'u': 1}
COOKIES = [*FORMATS, 'native, encrypted']
HOSTS = [*FORMATS, 'all']
CONF = '''
    MaxKeepAliveRequests 0
    SignedSession On
    <Location "/session">
        SetHandler signed-session
    </Location>
''' + ''.join(f'''
    <VirtualHost *:{{port}}>
        ServerName {host}.example
        SignedSessionFormat {' '.join(FORMATS) if host == 'all' else host}
    </VirtualHost>''' for host in HOSTS)

# What may stand behind a value without being a separator, a blank or a control character.
MORE = (string.ascii_letters + string.digits + '-_=+/.:,~!"%(\\').encode() + b'\x80\xff'
CONTROL = re.compile(rb'[\x00-\x08\x0a-\x1f\x7f]')


@pytest.fixture(scope='module')
def server():
    with Server(CONF) as one:
        one.allow('SS0116')  # express is accepted beside another format
        yield one


@pytest.fixture(scope='module')
def cookies():
    """{format: a Cookie header}"""
    made = {}
    for name in COOKIES:
        words = name.split(', ')
        made[name] = cookie_of(words[0], SESSION, *('--encrypt' for _ in words[1:])).encode()
    return made


def altered(text):
    """Everything that differs from this in one bit, or is shorter or longer."""
    for at in range(len(text)):
        for bit in range(8):
            yield text[:at] + bytes([text[at] ^ 1 << bit]) + text[at + 1:]
    for length in range(len(text)):
        yield text[:length]
        yield text[length + 1:]
    for more in MORE:
        yield text + bytes([more])
        yield bytes([more]) + text


def altered_headers(good):
    """The header altered as a whole, names included; then each value by itself."""
    yield from altered(good)
    for value in re.findall(rb'=([^;]+)', good):
        yield from (good.replace(value, other) for other in [*altered(value), value + value])


def request(host, cookie, more=b''):
    return b'GET /session HTTP/1.1\r\nHost: %s.example\r\n%sCookie: %s\r\n\r\n' % (host.encode(), more, cookie)


def visible(response):
    return response.status, [pair for pair in response.headers if pair[0] != 'Date'], response.body


def host_and_cookie():
    return [(host, cookie) for host in HOSTS for cookie in COOKIES if host in ('all', cookie.split(',')[0])]


@pytest.mark.parametrize('host, cookie', host_and_cookie())
def test_whatever_was_altered_gets_the_answer_of_a_refused_cookie(server, cookies, host, cookie):
    good = cookies[cookie]
    headers = [one for one in altered_headers(good) if not CONTROL.search(one)]
    assert len(headers) > 500

    # The right one is tried in between, too: a server that remembers it must not be mistaken.
    refused, opened, *answers, at_last = [visible(answer) for answer in exchange_pipelined(server.port, [
        request(host, one) for one in (b'session=x', good, *headers, good)])]
    assert refused[0] == 200 and refused[2] == b'{}\n'
    assert opened == at_last and opened[0] == 200 and opened[2] == b'{"u":1}\n'
    for one, answer in zip(headers, answers):
        assert answer == refused, one


@pytest.mark.parametrize('cookie', COOKIES)
def test_control_characters_are_refused_by_httpd_whatever_the_cookie(server, cookies, cookie):
    host = cookie.split(',')[0]

    def answer(text):
        return visible(server.raw(request(host, text, b'Connection: close\r\n')))

    refused = answer(b'session=\x01')
    assert refused[0] == 400
    headers = [one for one in altered_headers(cookies[cookie]) if CONTROL.search(one)]
    assert len(headers) > 20
    for one in headers:
        assert answer(one) == refused, one


def test_blanks_and_separators_around_a_cookie_are_not_part_of_it(server, cookies):
    """The other side: what is the same cookie by the syntax of the header is the same session."""
    for cookie in FORMATS:
        good = cookies[cookie]
        same = [good + b' ', b' \t' + good, good + b'\t', good + b';', b';' + good, b'a=1;' + good + b'; b=2']
        for answer in exchange_pipelined(server.port, [request(cookie, one) for one in same]):
            assert answer.body == b'{"u":1}\n'
