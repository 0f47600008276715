# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What stands behind mod_proxy in the tests: an HTTP server and a FastCGI responder.

Both are given a table: the path's last segment and the answer, which is bytes, or a function of the
request (its head as text for HTTP, its parameters for FastCGI) that returns bytes.
"""

import socketserver
import struct
import threading


class ThreadedBackend:
    def __init__(self, answers):
        self.answers = answers
        self.server = socketserver.ThreadingTCPServer(('127.0.0.1', 0), self.serve, bind_and_activate=True)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *failure):
        self.server.shutdown()
        self.server.server_close()

    def serve(self, connection, address, server):
        connection.settimeout(20)
        try:
            with connection.makefile('rwb') as stream:
                self.answer(stream)
        except OSError:
            pass  # httpd gave up, as some tests mean it to

    def find(self, path, request):
        answer = self.answers[path.split('?')[0].rstrip('/').rsplit('/', 1)[-1]]
        return answer(request) if callable(answer) else answer


class HttpBackend(ThreadedBackend):
    """One request on each connection."""

    def answer(self, stream):
        lines = []
        while line := stream.readline().rstrip(b'\r\n'):
            lines.append(line.decode('latin-1'))
        if not lines:
            return
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(':') for line in lines[1:])}
        stream.read(int(headers.get('content-length', 0)))
        stream.write(self.find(lines[0].split(' ')[1], '\r\n'.join(lines)))
        stream.flush()
        if headers.get('upgrade'):
            stream.read()  # the tunnel lasts until the other side ends it


def http_answer(status, *headers, body=b'from the backend\n'):
    lines = [f'HTTP/1.1 {status} Backend', 'Connection: close', *headers]
    if not any(line.lower().startswith(('content-length', 'transfer-encoding')) for line in lines):
        if body:
            lines.append(f'Content-Length: {len(body)}')
    return '\r\n'.join([*lines, '', '']).encode('latin-1') + body


class FcgiBackend(ThreadedBackend):
    """The responder role of FastCGI, as far as mod_proxy_fcgi speaks it."""

    BEGIN_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6
    HEADER = struct.Struct('>BBHHBx')

    def answer(self, stream):
        received = {self.BEGIN_REQUEST: b'', self.PARAMS: b'', self.STDIN: b''}
        while True:
            header = stream.read(self.HEADER.size)
            if len(header) < self.HEADER.size:
                return
            _, kind, request_id, length, padding = self.HEADER.unpack(header)
            received[kind] += stream.read(length)
            stream.read(padding)
            if kind == self.STDIN and length == 0:
                break
        parameters = self.parameters(received[self.PARAMS])
        output = self.find(parameters['REQUEST_URI'], parameters)
        for start in range(0, len(output), 65535):
            self.send(stream, self.STDOUT, request_id, output[start:start + 65535])
        self.send(stream, self.STDOUT, request_id, b'')
        self.send(stream, self.END_REQUEST, request_id, bytes(8))
        stream.flush()

    def send(self, stream, kind, request_id, content):
        stream.write(self.HEADER.pack(1, kind, request_id, len(content), 0) + content)

    @staticmethod
    def parameters(data):
        found, offset = {}, 0

        def length():
            nonlocal offset
            size = 4 if data[offset] & 0x80 else 1
            value = int.from_bytes(data[offset:offset + size], 'big') & 0x7fffffff
            offset += size
            return value

        def text(size):
            nonlocal offset
            offset += size
            return data[offset - size:offset].decode('latin-1')

        while offset < len(data):
            name_length, value_length = length(), length()
            name = text(name_length)
            found[name] = text(value_length)
        return found
