# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Many clients at the same time: each has its own session, sees no other, and loses no change.

Under a sanitizer or valgrind this is the load that makes threads meet.
"""

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import h2.config
import h2.connection
import h2.events
import pytest

from client import SECONDS
from common import ENDPOINT, PATCH
from cookies import native, starlette
from harness import COOKIE, Jar, Server

CLIENTS = 12
NUMBERS = range(1, CLIENTS + 1)  # 0 would not pass Require
ROUNDS = 8
STREAMS = 32
CONF = ENDPOINT + '''
    SignedSessionFormat native starlette flask django
    SignedSessionEncrypt {encrypt}
    SignedSessionReveal On
    SignedSessionRenew always
    <Location "/closed">
        Require signed-session client
    </Location>
'''


@pytest.fixture(scope='module', params=['Off', 'On'], ids=['signed', 'encrypted'])
def server(request):
    with Server(CONF, http2=True, encrypt=request.param,
                files={'htdocs/closed/file.txt': 'for clients with a session'}) as server:
        server.expect('SS0113')  # what is required, visitors may write
        server.allow('SS0114')   # of three formats only one can be encrypted
        yield server


def visit(server, protocol, number):
    """One client: what it changed is there in its next answer, and nothing else."""
    jar = Jar(server)
    for count in range(ROUNDS):
        change = {'client': number, 'count': count}
        assert jar.request('PATCH', '/session', PATCH, change, protocol=protocol).json() == change
        assert jar.request('GET', '/session', protocol=protocol).json() == change
        assert jar.request('GET', '/closed/file.txt', protocol=protocol).status == 200
    return jar


def test_clients_at_the_same_time_keep_their_sessions(server, protocol):
    with ThreadPoolExecutor(CLIENTS) as pool:
        jars = list(pool.map(lambda number: visit(server, protocol, number), NUMBERS))
    assert [jar.request('GET', '/session').json() for jar in jars] == [
        {'client': number, 'count': ROUNDS - 1} for number in NUMBERS]


def test_one_cookie_in_many_threads(server, protocol):
    """Every thread remembers, or verifies, the same bytes."""
    cookie = native({'client': 'one'})
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(lambda _: server.request(path='/session', cookie=cookie, protocol=protocol),
                                range(CLIENTS * ROUNDS)))
    assert all(answer.json() == {'client': 'one'} for answer in answers)


def exchange_streams(port, cookies):
    """The session for each of these cookies, asked for on one HTTP/2 connection at once."""
    with socket.create_connection(('127.0.0.1', port), SECONDS) as connection:
        state = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding='latin-1'))
        state.initiate_connection()
        for number, cookie in enumerate(cookies):
            state.send_headers(2 * number + 1, [
                (':method', 'GET'), (':scheme', 'http'), (':path', '/session'), (':authority', f'127.0.0.1:{port}'),
                ('cookie', cookie)], end_stream=True)
        connection.sendall(state.data_to_send())
        bodies, open_streams = {}, set(range(1, 2 * len(cookies), 2))
        while open_streams and (received := connection.recv(65536)):
            for event in state.receive_data(received):
                if isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] = bodies.get(event.stream_id, b'') + event.data
                elif isinstance(event, h2.events.StreamEnded):
                    open_streams.remove(event.stream_id)
            connection.sendall(state.data_to_send())
    assert not open_streams
    return [json.loads(bodies[stream]) for stream in sorted(bodies)]


@pytest.mark.http2
def test_streams_of_one_connection_keep_their_sessions(server):
    cookies = [native({'n': number}) if number % 2 == 0 else f'{COOKIE}={starlette({"n": number})}'
               for number in range(STREAMS)]
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: exchange_streams(server.port, cookies), range(2 * ROUNDS)):
            assert got == [{'n': number} for number in range(STREAMS)]
