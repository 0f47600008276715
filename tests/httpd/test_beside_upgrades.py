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
    'socket': socket(UPDATE), 'plain-socket': socket(), 'null-socket': socket('X-Update: null'),
}
CONF = '''
    SignedSession On
    <Location "/http">
        ProxyPass http://127.0.0.1:{backend} upgrade=websocket disablereuse=On
        SignedSessionUpdate X-Update
    </Location>
    <Location "/ws">
        ProxyPass ws://127.0.0.1:{backend} disablereuse=On
        SignedSessionUpdate X-Update
    </Location>
    <Location "/ws-raw">
        ProxyPass ws://127.0.0.1:{backend} disablereuse=On
        SignedSessionUpdate X-Update
    </Location>
    <Location "/elsewhere">
        ProxyPass http://127.0.0.1:{backend} upgrade=websocket disablereuse=On
    </Location>
'''


@pytest.fixture(scope='module')
def server():
    with HttpBackend(ANSWERS) as backend, Server(CONF, 'proxy proxy_http proxy_wstunnel', backend=backend.port,
                                                 log_level='debug') as one:
        yield one


def test_x(server):
    for place in ('/http', '/ws', '/elsewhere'):
      for what in ('socket', 'plain-socket'):
        r = server.request('GET', place + '/' + what, UPGRADE, cookie=ALICE, upgrade=True)
        print(place, what, r.status, r.headers)
    for what in ('hints', 'both', 'processing'):
        r = server.request('GET', '/http/' + what, cookie=ALICE)
        print(r.status, r.headers, [i.headers for i in r.interim])
    import time; time.sleep(1)
    print(server.error_log())
    assert 0
