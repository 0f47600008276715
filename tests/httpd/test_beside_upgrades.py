# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Beside mod_proxy's interim responses and changes of protocol, which pass httpd without a filter."""

import pytest

from backends import HttpBackend, http_answer
from cookies import native, opened
from harness import Server

ALICE = native({'user': 'alice'})
UPDATE = 'X-Update: {"n":1}'
UPGRADE = {'Upgrade': 'websocket', 'Connection': 'Upgrade'}


def interim(status, *lines):
    return '\r\n'.join([f'HTTP/1.1 {status} Interim', *lines, '', '']).encode()


def socket(*lines):
    return interim(101, 'Upgrade: websocket', 'Connection: Upgrade', *lines)


ANSWERS = {
    'hints': interim(103, 'Link: </style.css>; rel=preload', UPDATE) + http_answer('200 OK'),
    'both': interim(103, 'X-Update: {"n":2}') + http_answer('200 OK', UPDATE),
    'processing': interim(102, UPDATE) + http_answer('200 OK'),
    'refused': http_answer('200 OK', UPDATE), 'hinted': interim(103, 'Link: </a>; rel=x') + http_answer('200 OK', UPDATE),
    'hinted-socket': interim(103, 'Link: </a>; rel=x') + socket(UPDATE),
    'long-socket': socket('X-Long: ' + 'x' * 7000, 'X-Longer: ' + 'y' * 7000, 'x-update: {"n":1}'),
    'alike-socket': socket('X-Updates: 1', 'X: X-Update: 1'),
    'socket': socket(UPDATE), 'plain-socket': socket(), 'null-socket': socket('X-Update: null'),
}
CONF = '''
    SignedSession On
    <Location "/elsewhere">
        ProxyPass http://127.0.0.1:{backend}/elsewhere upgrade=websocket disablereuse=On
    </Location>
    <Location "/http">
        ProxyPass http://127.0.0.1:{backend} upgrade=websocket disablereuse=On
        SignedSessionUpdate X-Update
    </Location>
    <Location "/ws">
        ProxyPass ws://127.0.0.1:{backend} disablereuse=On
        SignedSessionUpdate X-Update
    </Location>
'''


@pytest.fixture(scope='module')
def server():
    with HttpBackend(ANSWERS) as backend, Server(CONF, 'proxy proxy_http proxy_wstunnel', backend=backend.port) as one:
        yield one


def lost(server):
    return server.error_log().count('SS0301: the update in the response header X-Update')


@pytest.mark.parametrize('what', ['hints', 'processing'])
def test_an_update_in_an_interim_response_is_not_applied(server, what):
    response = server.request('GET', f'/http/{what}', cookie=ALICE)
    assert response.status == 200 and response.set_cookies() == []
    # the browser sees it: applications must not send it there
    assert [one.get('X-Update') for one in response.interim] == ['{"n":1}']


def test_only_the_final_response_counts(server):
    response = server.request('GET', '/http/both', cookie=ALICE)
    assert opened(response).data == {'user': 'alice', 'n': 1} and response.get('X-Update') is None


@pytest.mark.parametrize('place', ['http', 'ws'])
@pytest.mark.parametrize('what', ['socket', 'null-socket', 'hinted-socket', 'long-socket'])
@pytest.mark.parametrize('cookie', [ALICE, None], ids=['alice', 'nobody'])
def test_the_loss_of_an_update_in_a_101_is_logged(server, place, what, cookie):
    before = lost(server)
    response = server.request('GET', f'/{place}/{what}', UPGRADE, cookie=cookie, upgrade=True)
    while response.status == 103:
        response = response.interim.pop()
    assert response.set_cookies() == []
    server.expect('SS0301')
    server.log.check()
    assert lost(server) == before + 1


@pytest.mark.parametrize('place, what', [('http', 'plain-socket'), ('ws', 'plain-socket'), ('elsewhere', 'socket'),
                                         ('http', 'alike-socket')])
def test_nothing_is_logged_without_an_update(server, place, what):
    before = lost(server)
    response = server.request('GET', f'/{place}/{what}', UPGRADE, cookie=ALICE, upgrade=True)
    assert (response.status, lost(server)) == (101, before)


def test_an_answer_without_a_change_of_protocol_is_one_like_any(server):
    for path in ('/http/refused', '/http/hinted'):
        before = lost(server)
        alice = native({'user': 'alice'})
        response = server.raw(f'GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {alice}\r\nUpgrade: websocket\r\n'
                              'Connection: Upgrade\r\n\r\n'.encode())
        assert opened(response).data == {'user': 'alice', 'n': 1} and lost(server) == before


def test_a_connection_goes_on_behind_it(server):
    """The next request of a connection is watched for itself."""
    one = f'GET /http/refused HTTP/1.1\r\nHost: x\r\nCookie: {ALICE}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
    last = 'GET /file.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    response = server.raw((one * 5 + last).encode())
    assert response.status == 200 and response.body.count(b'HTTP/1.1 200') == 5
