# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""An HTTP client that shows what the server really sent: each header line, each interim answer.

Every request has its own connection and reads it to its end: httpd closes after it has logged the
request, so a test that looks into the error log afterwards finds everything there.
"""

import json
import socket
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.settings

SECONDS = 20


@dataclass
class Request:
    method: str
    path: str
    headers: list
    body: bytes = None
    authority: str = '127.0.0.1'
    chunked: bool = False
    version: str = '1.1'
    # Keep the connection open: for answers that change the protocol, where no end would come.
    upgrade: bool = False

    def __post_init__(self):
        if isinstance(self.body, (dict, list)):
            self.body = json.dumps(self.body)
        if isinstance(self.body, str):
            self.body = self.body.encode()

    def has(self, name):
        return any(header.lower() == name.lower() for header, _ in self.headers)

    def to_http1(self):
        lines = [f'{self.method} {self.path} HTTP/{self.version}']
        if not self.has('Host'):
            lines.append(f'Host: {self.authority}')
        lines += [f'{name}: {value}' for name, value in self.headers]
        if not self.upgrade:
            lines.append('Connection: close')
        body = self.body or b''
        if self.body is not None and self.chunked:
            lines.append('Transfer-Encoding: chunked')
            body = b'%x\r\n%s\r\n0\r\n\r\n' % (len(body), body)
        elif self.body is not None and not self.has('Content-Length'):
            lines.append(f'Content-Length: {len(body)}')
        return '\r\n'.join([*lines, '', '']).encode('latin-1') + body


@dataclass
class Response:
    """`status` is None when no response came; `reset` is then HTTP/2's error code, if there was one."""
    status: int = None
    reason: str = ''
    headers: list = field(default_factory=list)
    body: bytes = b''
    interim: list = field(default_factory=list)
    reset: int = None

    def get_all(self, name):
        return [value for header, value in self.headers if header.lower() == name.lower()]

    def get(self, name, default=None):
        return ', '.join(self.get_all(name)) or default

    def set_cookies(self, name='session'):
        """The Set-Cookie lines for this cookie."""
        return [line for line in self.get_all('Set-Cookie') if line.split('=', 1)[0].strip() == name]

    def cookie(self, name='session'):
        """The value of the one Set-Cookie for this cookie, None when there is none."""
        lines = self.set_cookies(name)
        assert len(lines) <= 1, f'{name} is set more than once: {lines}'
        return lines[0].split(';', 1)[0].split('=', 1)[1] if lines else None

    @property
    def text(self):
        return self.body.decode('utf-8', 'backslashreplace')

    def json(self):
        return json.loads(self.body)


# --- HTTP/1.1 --------------------------------------------------------------------------------


def exchange_http1(port, request):
    """`request` is a Request, or bytes to send as they are."""
    is_raw = isinstance(request, bytes)
    head_only = not is_raw and request.method == 'HEAD'
    with socket.create_connection(('127.0.0.1', port), SECONDS) as connection:
        try:
            connection.sendall(request if is_raw else request.to_http1())
            if is_raw:
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server answered before it had read everything, and closed
        if not is_raw and request.upgrade:
            return parse_http1(read_head(connection), head_only)
        return parse_http1(read_to_end(connection), head_only)


BATCH = 50  # requests that are under way at a time


def exchange_pipelined(port, requests):
    """Requests (bytes) behind each other on one connection, for tests with thousands: the answers in
    their order. Each must have a Content-Length."""
    with socket.create_connection(('127.0.0.1', port), SECONDS) as connection, connection.makefile('rb') as stream:
        for start in range(0, len(requests), BATCH):
            batch = requests[start:start + BATCH]
            connection.sendall(b''.join(batch))
            for _ in batch:
                yield read_one(stream)


def read_one(stream):
    response, _ = parse_head(b''.join(iter(stream.readline, b'\r\n')) + b'\r\n')
    response.body = stream.read(int(response.get('Content-Length', 0)))
    return response


def read_to_end(connection):
    received = b''
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def read_head(connection):
    received = b''
    while b'\r\n\r\n' not in received and (chunk := connection.recv(65536)):
        received += chunk
    return received


def parse_http1(received, head_only=False):
    interim = []
    while received.startswith(b'HTTP/'):
        response, received = parse_head(received)
        if response.status >= 200 or response.status == 101:
            response.interim = interim
            response.body = b'' if head_only else decode_body(response, received)
            return response
        interim.append(response)
    return Response(body=received, interim=interim)


def parse_head(received):
    head, _, rest = received.partition(b'\r\n\r\n')
    status_line, *lines = head.decode('latin-1').split('\r\n')
    _, status, *reason = status_line.split(' ', 2)
    headers = [tuple(part.strip() for part in line.split(':', 1)) for line in lines]
    return Response(int(status), ''.join(reason), headers), rest


def decode_body(response, received):
    if 'chunked' not in response.get('Transfer-Encoding', ''):
        return received
    body = b''
    while received:
        size, _, received = received.partition(b'\r\n')
        length = int(size.split(b';')[0] or b'0', 16)
        if length == 0:
            break
        body, received = body + received[:length], received[length + 2:]
    return body


# --- HTTP/2, in clear text and with prior knowledge -------------------------------------------


def exchange_http2(port, request):
    with socket.create_connection(('127.0.0.1', port), SECONDS) as connection:
        return Http2Exchange(connection, request).run()


class Http2Exchange:
    """One request on one HTTP/2 connection."""

    def __init__(self, connection, request):
        self.socket = connection
        self.request = request
        self.response = Response()
        # No clean-up of what the server sends or of what we send: tests need the odd ones too.
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            header_encoding='latin-1', validate_inbound_headers=False,
            validate_outbound_headers=False, normalize_outbound_headers=False))
        self.unsent = request.body or b''
        self.ended = False

    def run(self):
        self.h2.local_settings = h2.settings.Settings(
            client=True, initial_values={h2.settings.SettingCodes.ENABLE_PUSH: 0})
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(1 << 24)
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, self.header_block(), end_stream=self.request.body is None)
        self.send_body(stream)
        self.flush()
        while not self.ended and (received := self.receive()):
            for event in self.h2.receive_data(received):
                self.handle(event)
            if not self.ended:
                self.send_body(stream)
            self.flush()
        self.close()
        return self.response

    def header_block(self):
        names = {name.lower() for name, _ in self.request.headers}
        block = [(':method', self.request.method), (':scheme', 'http'), (':path', self.request.path)]
        block.append((':authority', self.request.authority))
        block += [(name.lower(), value) for name, value in self.request.headers]
        if self.request.body is not None and not self.request.chunked and 'content-length' not in names:
            block.append(('content-length', str(len(self.request.body))))
        return block

    def send_body(self, stream):
        while self.unsent:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room == 0:
                return
            part, self.unsent = self.unsent[:room], self.unsent[room:]
            self.h2.send_data(stream, part, end_stream=not self.unsent)

    def flush(self):
        try:
            self.socket.sendall(self.h2.data_to_send())
        except (BrokenPipeError, ConnectionResetError):
            self.ended = True

    def receive(self):
        try:
            return self.socket.recv(65536)
        except ConnectionResetError:
            return b''

    def handle(self, event):
        if isinstance(event, h2.events.InformationalResponseReceived):
            self.response.interim.append(self.response_from(event.headers))
        elif isinstance(event, h2.events.ResponseReceived):
            final = self.response_from(event.headers)
            self.response.status, self.response.headers = final.status, final.headers
        elif isinstance(event, h2.events.DataReceived):
            self.response.body += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            # "No error" only says that the rest of our body was not wanted.
            self.response.reset = event.error_code or None
            self.ended = True
        elif isinstance(event, (h2.events.StreamEnded, h2.events.ConnectionTerminated)):
            self.ended = True

    @staticmethod
    def response_from(headers):
        return Response(status=int(dict(headers)[':status']),
                        headers=[pair for pair in headers if not pair[0].startswith(':')])

    def close(self):
        try:
            self.h2.close_connection()
            self.socket.sendall(self.h2.data_to_send())
            self.socket.shutdown(socket.SHUT_WR)
            read_to_end(self.socket)
        except OSError:
            pass  # the server was faster
