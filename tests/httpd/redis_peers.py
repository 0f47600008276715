# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What stands at the ends of a connection to Redis, for tests of ours.

    with Asker(f'//127.0.0.1:{port}') as asker:     # our end, as in a child of httpd, but without httpd
        assert asker.load('1').what == 'FOUND'

    with FaultServer() as server:                   # the other end: as good as Redis, until it is told otherwise
        server.fault = lambda wire, words: wire.send('$5\\r\\nhal')
"""

import os
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

HEAD = b'0123456789'  # of a record: 10 bytes, then 2 that tell tokens apart
PATIENCE = 5000  # milliseconds that a store has
LIMIT = 200      # the same where a test is about time
SECONDS = 20     # until a test gives up
GRACE = 0.05     # seconds that it may take longer
AT_ONCE = 0.1    # seconds in which an answer is there that need not be waited for


def record(number, size=40):
    return HEAD + bytes([number, 1]) + bytes(range(256)) * (size // 256 + 1)


@dataclass
class Answer:
    seconds: float
    what: str
    text: str  # why, or what was found, in hexadecimal

    @property
    def bytes(self):
        return bytes.fromhex(self.text)


class Asker:
    """The program ask_redis: its store does what the methods say."""

    def __init__(self, words, scheme='redis', **members):
        program = Path(os.environ['SS_SSCTL']).resolve().with_name('ask_redis')
        self.command = [program, scheme, words, *(f'{member}={value}' for member, value in members.items())]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        return self

    def __exit__(self, *failure):
        self.said = self.process.communicate()
        assert failure[0] or self.process.returncode == 0, self.said

    def refusal(self):
        """Why the words cannot be configured."""
        done = subprocess.run(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert done.returncode == 1
        return done.stdout.rstrip('\n')

    def again(self):
        """What was told last, once more."""
        self.tell(*self.told)
        return self.answer()

    def tell(self, *words):
        self.told = words
        self.process.stdin.write(' '.join(map(str, words)) + '\n')
        self.process.stdin.flush()

    def answer(self):
        took, what, text = self.process.stdout.readline().rstrip('\n').split(' ', 2)
        return Answer(int(took) / 1e6, what, text)

    def load(self, name, limit=PATIENCE):
        self.tell('load', identity(name), limit)
        return self.answer()

    def save(self, name, expected, value, limit=PATIENCE, lifetime=600000):
        self.tell('save', identity(name), expected if isinstance(expected, str) else expected[:12].hex(), value.hex(), lifetime, limit)
        return self.answer()


def assert_in_time(asker, answer, is_at_once):
    """A busy machine may take its time twice; a fault of ours does it every time."""
    most = AT_ONCE if is_at_once else LIMIT / 1000 + GRACE
    for _ in range(2):
        if answer.seconds >= most:
            answer = asker.again()
            assert answer.what == 'UNAVAILABLE'
    assert answer.seconds < most, answer
    assert is_at_once or answer.seconds >= LIMIT / 1000 - 0.002, answer


def identity(name):
    return f'{int(name):032x}'


def key(name, prefix='ss:'):
    return f'{prefix}s:{{{identity(name)}}}'


# --- a server that can be told to be bad ---------------------------------------------------------


class Wire:
    """One connection, as a fault sees it."""

    def __init__(self, stream):
        self.stream = stream
        self.file = stream.makefile('rb')

    def send(self, data):
        self.stream.sendall(data.encode() if isinstance(data, str) else data)

    def close(self):
        # makefile keeps it open otherwise
        self.stream.shutdown(socket.SHUT_RDWR)

    def bulk(self, data):
        self.send(b'$%d\r\n%s\r\n' % (len(data), data) if data is not None else '$-1\r\n')

    def words(self):
        """The next command, or [] at the end."""
        line = self.file.readline()
        words = []
        for _ in range(int(line[1:]) if line else 0):
            size = int(self.file.readline()[1:])
            words.append(self.file.read(size + 2)[:-2])
        return words


class FaultServer:
    """What is loaded is record(last byte of the id); a save is SAVED. `fault` is called with wire and words instead of
    answering GET and EVALSHA, `greeting` instead of answering what comes first; `seen` are all commands."""

    def __init__(self, tls=None):
        self.fault = self.greeting = None
        self.role = b'master'
        self.seen = []
        self.connections = 0
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.words = f'//127.0.0.1:{self.port}'
        self.context = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(tls.cert, tls.key)
        self.streams = []

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *failure):
        if self.socket.fileno() < 0:
            return  # a test wanted it so
        # close() alone would leave accept() waiting
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for stream in self.streams:
            stream.close()

    def accept(self):
        while True:
            try:
                stream, _ = self.socket.accept()
            except OSError:
                return
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as Redis does it
            self.connections += 1
            self.streams.append(stream)
            threading.Thread(target=self.serve, args=(stream,), daemon=True).start()

    def serve(self, stream):
        try:
            if self.context:
                stream = self.context.wrap_socket(stream, server_side=True)
                self.streams.append(stream)
            wire = Wire(stream)
            while words := wire.words():
                self.seen.append(words)
                self.answer(wire, words)
        except (OSError, ValueError):
            pass  # the other end has gone, or a fault has closed
        finally:
            stream.close()

    def asked(self, command):
        """How often."""
        return [words[0] for words in self.seen].count(command)

    def answer(self, wire, words):
        is_asked = words[0] in (b'GET', b'EVALSHA', b'EVAL')
        bad = self.fault if is_asked else self.greeting
        if bad:
            bad(wire, words)
        elif words[0] == b'GET':
            wire.bulk(record(int(words[1][-3:-1], 16)))
        elif is_asked:
            wire.send(':1\r\n')
        elif words == [b'INFO', b'replication']:
            wire.bulk(b'# Replication\r\nrole:%s\r\n' % self.role)
        elif words[0] == b'INFO':
            wire.bulk(b'# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n')
        else:
            wire.send('+OK\r\n')


class FaultSentinel(FaultServer):
    """Names the primary `shop`, which is at this port; `fault` is called instead."""

    def __init__(self, primary, tls=None):
        super().__init__(tls)
        self.named = primary

    def answer(self, wire, words):
        if self.fault:
            self.fault(wire, words)
        elif words == [b'SENTINEL', b'get-master-addr-by-name', b'shop']:
            wire.send(f'*2\r\n$9\r\n127.0.0.1\r\n${len(str(self.named.port))}\r\n{self.named.port}\r\n')
        else:
            wire.send('*-1\r\n')


def once(server, fault):
    """The fault that is none the second time."""
    def bad(wire, words):
        server.fault = None
        fault(wire, words)
    return bad


def drip(wire, words):
    for byte in b'$40\r\n' + record(1):
        wire.send(bytes([byte]))
        time.sleep(0.1)


def stream(start, block, size):
    def bad(wire, words):
        wire.send(start)
        for _ in range(size // len(block)):
            wire.send(block)
    return bad


def says(*parts):
    """These, one after the other, and then nothing more."""
    def bad(wire, words):
        for part in parts:
            wire.send(part)
    return bad


def says_and_closes(text):
    def bad(wire, words):
        wire.send(text)
        wire.close()
    return bad


class Afterwards:
    """The fault of a server that answers, and does something more while nobody uses the connection."""

    def __init__(self, number, what):
        self.number, self.what = number, what
        self.done = threading.Event()

    def __call__(self, wire, words):
        wire.bulk(record(self.number))
        time.sleep(0.02)  # the answer is read by itself
        self.what(wire)
        self.done.set()

    def wait(self):
        assert self.done.wait(SECONDS)
        self.done.clear()


def silent(wire, words):
    pass


# --- certificates --------------------------------------------------------------------------------


class Certificates:
    """A certificate authority in a folder, and a certificate by it."""

    def __init__(self, folder, names='IP:127.0.0.1'):
        folder.mkdir()
        folder.chmod(0o755)
        self.ca, self.cert, self.key = (folder / name for name in ('ca.pem', 'cert.pem', 'key.pem'))
        request, extensions = folder / 'request.pem', folder / 'extensions'
        extensions.write_text(f'subjectAltName={names}\n')
        new = ['openssl', 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
        for command in (
                [*new, '-x509', '-subj', '/CN=authority', '-keyout', folder / 'ca.key', '-out', self.ca],
                [*new, '-subj', '/CN=redis', '-keyout', self.key, '-out', request],
                ['openssl', 'x509', '-req', '-in', request, '-CA', self.ca, '-CAkey', folder / 'ca.key', '-days', '2',
                 '-set_serial', '7', '-extfile', extensions, '-out', self.cert]):
            subprocess.run(command, check=True, capture_output=True)
