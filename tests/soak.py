#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Everything at once for a long time, on a real httpd: make soak SECONDS=600 MPMS="event prefork worker".

Clients of every protocol read and change their sessions in every format, and do what else visitors do. Each
answer is checked. The memory of all httpd processes is looked at again and again: once httpd is warm it must
not grow. Prints what was done; exit status 1 when anything was wrong.
"""

import argparse
import http.client
import itertools
import json
import random
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import h2.exceptions

sys.path.insert(0, str(Path(__file__).resolve().parent / 'httpd'))

import harness  # noqa: E402
from client import SECONDS, Request, Response, exchange_http1  # noqa: E402
from cookies import Native  # noqa: E402
from harness import COOKIE, SECRET, Jar, Server, speaks_http2  # noqa: E402
from starting import OTHER  # noqa: E402

CLIENTS = 12
STREAMS = 100           # of a connection: one that never ends grows in a plain httpd, too
DAY = 86400
SAMPLE_SECONDS = 1
WARM = 0.5              # of the time: until then the allocators of threads fill
GROWTH_MAX = 0.10       # of what it was when httpd was warm
MARKS = (10, 25, 50, 75, 100)  # per cent of the time
PATCH = {'Content-Type': 'application/merge-patch+json'}

HOSTS = {
    'native': 'SignedSessionAbsoluteTimeout 30d',
    'encrypted': 'SignedSessionEncrypt On\nSignedSessionReveal On\nSignedSessionRenew always',
    'migrating': 'SignedSessionFormat native starlette flask django',
    'starlette': 'SignedSessionFormat starlette',
    'flask': 'SignedSessionFormat flask\nSignedSessionRenew always',
    'django': 'SignedSessionFormat django',
    'express': 'SignedSessionFormat express',
    'stored': 'SignedSessionStore file\nSignedSessionStoreMaxSize 4K',
    'overflowing': 'SignedSessionStore cookie file\nSignedSessionStoreMaxSize 4K\nSignedSessionRevocation "file:{dir}/revoked"',
}
# The number of processes and threads is fixed: what they need is compared.
PROCESSES = {
    'prefork': 'StartServers 24\nMinSpareServers 1\nMaxSpareServers 25\nMaxRequestWorkers 24',
    'worker': 'StartServers 2\nMinSpareThreads 8\nMaxSpareThreads 64',
    'event': 'StartServers 2\nMinSpareThreads 8\nMaxSpareThreads 64',
}
CONF = '''
    {processes}
    {protocol}
    MaxConnectionsPerChild 0
    LogLevel authz_core:crit
    CustomLog /dev/null "%{client}^SS %{:state}^SS"
    SignedSession On
    SignedSessionForward X-Session
    Redirect /old /file.txt
    Header set X-Client "expr=%{session:client}"
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable client count fill
    </Location>
    <Location "/test">
        SetHandler ss-testing
        SignedSessionUpdate X-Update
    </Location>
    <Location "/closed">
        Require signed-session client
    </Location>
    <Location "/set">
        SignedSessionSet seen "%{REQUEST_URI}"
    </Location>
    <Location "/unset">
        SignedSessionUnset seen
    </Location>
    <Location "/logout">
        SignedSessionClear On
    </Location>
    {hosts}
'''
HTTP2 = 'Protocols h2c http/1.1\nH2MinWorkers 8\nH2MaxWorkers 8'
FILES = {f'htdocs/{place}/file.txt': 'a file\n' for place in ('closed', 'set', 'unset', 'logout')}


# --- connections -----------------------------------------------------------------------------------


class Once:
    """Each request has a connection of its own."""

    def __init__(self, port):
        self.port = port

    def exchange(self, request):
        return exchange_http1(self.port, request)

    def close(self):
        pass


class Kept(Once):
    """HTTP/1.1, as long as httpd keeps the connection."""

    connection = None

    def exchange(self, request):
        if self.connection is None:
            self.connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=SECONDS)
        headers = {'Host': request.authority, **dict(request.headers)}
        self.connection.request(request.method, request.path, request.body, headers)
        answer = self.connection.getresponse()
        return Response(answer.status, answer.reason, answer.getheaders(), answer.read())

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Streams(Once):
    """HTTP/2: one stream after the other, as many on a connection as httpd allows requests in HTTP/1.1."""

    socket = None

    def open(self):
        self.left = STREAMS
        self.socket = socket.create_connection(('127.0.0.1', self.port), SECONDS)
        self.state = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding='latin-1'))
        self.state.initiate_connection()
        self.state.increment_flow_control_window(1 << 30)

    def exchange(self, request):
        if self.socket is None or self.left == 0:
            self.close()
            self.open()
        self.left -= 1
        stream = self.state.get_next_available_stream_id()
        head = [(':method', request.method), (':scheme', 'http'), (':path', request.path),
                (':authority', request.authority)]
        head += [(name.lower(), value) for name, value in request.headers]
        self.state.send_headers(stream, head, end_stream=request.body is None)
        if request.body is not None:
            self.state.send_data(stream, request.body, end_stream=True)
        self.socket.sendall(self.state.data_to_send())
        return self.receive(stream)

    def receive(self, stream):
        response = Response()
        while True:
            received = self.socket.recv(65536)
            if not received:
                raise ConnectionResetError
            for event in self.state.receive_data(received):
                if isinstance(event, h2.events.ConnectionTerminated):
                    raise ConnectionResetError
                if getattr(event, 'stream_id', None) != stream:
                    continue
                if isinstance(event, h2.events.ResponseReceived):
                    response.status = int(dict(event.headers)[':status'])
                    response.headers = [pair for pair in event.headers if not pair[0].startswith(':')]
                elif isinstance(event, h2.events.DataReceived):
                    response.body += event.data
                    self.state.acknowledge_received_data(event.flow_controlled_length, stream)
                elif isinstance(event, h2.events.StreamReset):
                    raise ConnectionResetError
                elif isinstance(event, h2.events.StreamEnded):
                    return response
            self.socket.sendall(self.state.data_to_send())

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None


# --- visitors --------------------------------------------------------------------------------------


class Wrong(Exception):
    """An answer that should have been another one."""


def refused_cookies():
    """A cookie for each state that is not valid, on a host that writes native sessions."""
    now = int(time.time())
    good = Native({'client': 0}).seal()
    return {
        'malformed': 'no.session',
        'too-large': 'x' * 5000,
        'unknown-key': Native({'client': 0}).seal(OTHER),
        'bad-signature': good[:-2] + ('A' if good[-2] != 'A' else 'B') + good[-1],
        'expired-idle': Native({'client': 0}, renewed=now - 20 * DAY).seal(),
        'expired-absolute': Native({'client': 0}, created=now - 40 * DAY, renewed=now).seal(),
        'from-future': Native({'client': 0}, renewed=now + 3600).seal(),
    }


class Visitor:
    """One client of one host; it knows what must be in its session."""

    def __init__(self, server, number, connection, host, counts):
        self.server, self.number, self.connection, self.host, self.counts = server, number, connection, host, counts
        self.chance = random.Random(number)
        self.jar = Jar(server)
        self.content = {}
        self.refused = itertools.cycle(refused_cookies().items())

    def send(self, method, path, headers=(), body=None, host=None, cookie=None):
        headers = list(dict(headers).items())
        if cookie is None:
            cookie = '; '.join(f'{name}={value}' for name, value in self.jar.cookies.items())
        if cookie:
            headers.append(('Cookie', cookie))
        request = Request(method, path, headers, body, authority=f'{host or self.host}:{self.server.port}')
        for _ in range(3):
            try:
                response = self.connection.exchange(request)
                if response.status is not None:
                    return response
            except (OSError, http.client.HTTPException, h2.exceptions.ProtocolError):
                pass  # httpd ends every connection sometime
            self.connection.close()
            self.counts['connections that ended without an answer'] += 1
        raise Wrong(f'no answer to {method} {path}')

    def ask(self, *arguments, status=200, **more):
        """An answer to this visitor's own browser."""
        response = self.send(*arguments, **more)
        if response.status >= 500:
            self.counts['5xx'] += 1
        if response.status != status:
            raise Wrong(f'{arguments}: {response.status}, not {status}: {response.text}')
        for line in response.get_all('Set-Cookie'):
            self.jar.keep(line)
        return response

    def change(self, patch, *arguments, **more):
        before = dict(self.jar.cookies)
        answer = self.ask(*arguments, **more)
        self.content.update(patch)
        self.content = {name: value for name, value in self.content.items() if value is not None}
        if self.jar.cookies == before:
            raise Wrong(f'{arguments}: changed, and there is no new cookie')
        return answer

    def next_count(self):
        return {'client': self.number, 'count': self.content.get('count', 0) + 1}

    # What visitors do: each method is a kind.

    def read(self):
        if self.ask('GET', '/session').json() != self.content:
            raise Wrong(f'another session than {self.content}')

    def patch(self):
        patch = self.next_count()
        answer = self.change(patch, 'PATCH', '/session', PATCH, json.dumps(patch))
        if answer.json() != self.content:
            raise Wrong(f'{answer.json()} instead of {self.content}')

    def note(self):
        patch = self.next_count()
        self.change(patch, 'GET', '/test/ok', {'X-Change-Late': json.dumps(patch)})

    def header(self):
        patch = self.next_count()
        answer = self.change(patch, 'GET', '/test/ok', {'X-Change-Header': json.dumps(patch)})
        if answer.get('X-Update') is not None:
            raise Wrong('the update has got out')

    def redirected(self):
        patch = self.next_count()
        self.change(patch, 'GET', '/test/redirect/file.txt', {'X-Change-Late': json.dumps(patch)})

    def streamed(self):
        self.ask('GET', '/test/stream')

    def subrequests(self):
        self.ask('GET', '/test/subrequests')

    def grow(self):
        patch = {**self.next_count(), 'fill': '%0800x' % self.chance.getrandbits(3200)}
        self.change(patch, 'PATCH', '/session', PATCH, json.dumps(patch))

    def shrink(self):
        patch = {**self.next_count(), 'fill': None}
        self.change(patch, 'PATCH', '/session', PATCH, json.dumps(patch))

    def overflow(self):
        fill = '%08000x' % self.chance.getrandbits(32000)
        self.ask('PATCH', '/session', PATCH, json.dumps({'fill': fill}), status=413)

    def rule(self):
        if 'seen' in self.content:
            self.change({'seen': None}, 'GET', '/unset/file.txt')
        else:
            self.change({'seen': '/set/file.txt'}, 'GET', '/set/file.txt')

    def log_out(self):
        if self.content:
            self.change(dict.fromkeys(self.content), 'GET', '/logout/file.txt')

    def enter(self):
        status = 200 if 'client' in self.content else 403
        answer = self.ask('GET', '/closed/file.txt', status=status)
        if status == 200 and answer.get('X-Client') != str(self.number):
            raise Wrong(f'client {self.number} is taken for {answer.get("X-Client")}')

    def file(self):
        self.ask('GET', '/file.txt')

    def moved(self):
        self.ask('GET', '/old', status=302)

    def missing(self):
        self.ask('GET', '/missing', status=404)

    def refuse(self):
        state, cookie = next(self.refused)
        answer = self.send('GET', '/session?meta', host='native', cookie=f'{COOKIE}={cookie}')
        if answer.status != 200 or answer.json()['state'] != state:
            raise Wrong(f'{answer.status} {answer.text} instead of {state}')

    KINDS = {read: 6, file: 4, enter: 4, patch: 3, note: 2, header: 2, redirected: 1, streamed: 1, subrequests: 1,
             grow: 1, shrink: 1, overflow: 1, rule: 1, log_out: 1, moved: 1, missing: 1, refuse: 3}

    def visit(self):
        kind, = self.chance.choices(list(self.KINDS), self.KINDS.values())
        kind(self)
        self.counts[kind.__name__] += 1


# --- one run ---------------------------------------------------------------------------------------


def memory(server):
    """Kilobytes of all httpd processes; what they share is counted once."""
    total = 0
    for pid in [server.process.pid, *server.children()]:
        lines = Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith('Pss:'))
    return total


def connection_for(number, port):
    kinds = [Kept, Streams, Once, Streams] if speaks_http2() else [Kept, Once]
    return kinds[number % len(kinds)](port)


class Soak:
    """One MPM, for so many seconds."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.failures = []
        self.samples = []  # (per cent of the time, kilobytes)

    def run(self):
        hosts = ''.join(f'<VirtualHost *>\nServerName {name}\n{lines}\n</VirtualHost>\n'
                        for name, lines in HOSTS.items())
        modules = 'alias headers ss_testing' + (' http2' if speaks_http2() else '')
        with Server(CONF, modules, FILES, processes=PROCESSES[harness.mpm], hosts=hosts,
                    protocol=HTTP2 if speaks_http2() else '') as server:
            # prefork counts children that only start as busy; visitors may write what a Require believes
            server.allow('AH00161', 'SS0113')
            self.keep_busy(server)

    def keep_busy(self, server):
        begin = time.monotonic()
        self.end = begin + self.seconds
        counts = [Counter() for _ in range(CLIENTS)]
        threads = [threading.Thread(target=self.client, args=(server, number, counts[number - 1]))
                   for number in range(1, CLIENTS + 1)]
        for thread in threads:
            thread.start()
        while time.monotonic() < self.end and not self.failures:
            time.sleep(min(SAMPLE_SECONDS, max(0, self.end - time.monotonic())))
            self.samples.append((100 * (time.monotonic() - begin) / self.seconds, memory(server)))
        for thread in threads:
            thread.join()
        self.counts = sum(counts, Counter())

    def client(self, server, number, counts):
        connection = connection_for(number, server.port)
        visitor = Visitor(server, number, connection, list(HOSTS)[number % len(HOSTS)], counts)
        try:
            while time.monotonic() < self.end and not self.failures:
                visitor.visit()
        except Exception as error:  # whatever it is, the run has failed
            self.failures.append(f'client {number} of {visitor.host}, {type(connection).__name__}: {error!r}')
        finally:
            connection.close()

    def mean(self, begin, end):
        sizes = [size for at, size in self.samples if begin <= at <= end]
        return sum(sizes) / len(sizes)

    def growth(self):
        """From when httpd is warm to the end, each as a mean of a tenth of the time."""
        warm = 100 * WARM
        return self.mean(90, 110) / self.mean(warm, warm + 10) - 1

    def report(self):
        other = ('5xx', 'connections that ended without an answer')
        total = sum(count for kind, count in self.counts.items() if kind not in other)
        print(f'{harness.mpm}: {total} requests, {total / self.seconds:.0f} per second')
        for kind in Visitor.KINDS:
            print(f'  {kind.__name__:12} {self.counts[kind.__name__]:9}')
        for name in other:
            print(f'  {name}: {self.counts[name]}')
        for mark in MARKS:
            _, size = min(self.samples, key=lambda sample: abs(sample[0] - mark))
            print(f'  memory at {mark:3} %: {size:7} KB')

    def judge(self):
        growth = self.growth()
        print(f'  memory, mean of the last tenth against that of the tenth from {100 * WARM:.0f} %: {100 * growth:+.1f} %')
        if growth > GROWTH_MAX:
            self.failures.append(f'memory grew by more than {100 * GROWTH_MAX:.0f} %')


def soak(mpm, seconds):
    harness.mpm = mpm
    run = Soak(seconds)
    try:
        run.run()
    except (AssertionError, harness.StartError) as error:  # an unannounced line in the error log
        run.failures.append(str(error))
    if run.samples:
        run.report()
    if not run.failures:
        run.judge()
    for failure in run.failures:
        print(f'  FAILED: {failure}')
    return not run.failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=int, default=600, help='for each MPM')
    parser.add_argument('mpms', nargs='+', choices=('event', 'prefork', 'worker'))
    arguments = parser.parse_args()
    results = [soak(mpm, arguments.seconds) for mpm in arguments.mpms]
    sys.exit(not all(results))


if __name__ == '__main__':
    main()
