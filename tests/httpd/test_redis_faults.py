# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Whatever a server does, a load is over in time, nobody gets what was meant for another, and the next load is right."""

import os
import signal
import os
import socket
import time
from pathlib import Path

import pytest

from redis_peers import (AT_ONCE, LIMIT, Afterwards, Asker, Certificates, FaultServer, Wire, assert_in_time, drip, once, record,
                         says, says_and_closes, silent, stream)

pytestmark = pytest.mark.once

MEGABYTE = 1 << 20

# what: (fault, is it over before the time is, a word of why)
FAULTS = {
    'one byte each 100 ms': (drip, False, 'no answer in time'),
    'silent': (silent, False, 'no answer in time'),
    'half a reply': (says('$40\r\n0123'), False, 'no answer in time'),
    'half a reply, then closed': (says_and_closes('$40\r\n0123'), True, 'closed'),
    'closed': (says_and_closes(''), True, 'closed'),
    '512 MB announced': (says('$536870912\r\n'), False, 'no answer in time'),
    '512 MB announced and sent': (stream('$536870912\r\n', b'x' * MEGABYTE, 512 * MEGABYTE), True, 'too long'),
    'no end of an error': (stream('-ERR 1\r', b'\r' * MEGABYTE, 64 * MEGABYTE), True, 'not what Redis says'),
    'no end of a length': (stream('$', b'1' * MEGABYTE, 64 * MEGABYTE), True, 'not what Redis says'),
    'no end of a line': (stream('+', b'x' * MEGABYTE, 64 * MEGABYTE), True, 'not what Redis says'),
    '10^9 elements': (says('*1000000000\r\n'), True, 'not what Redis says'),
    '2^32 + 1 elements': (says('*4294967297\r\n$1\r\nx\r\n'), True, 'not what Redis says'),
    'no elements': (says('*0\r\n'), True, 'not what Redis says'),
    '520000 levels': (stream('', b'*1\r\n' * 1000, 4 * 520000), True, 'not what Redis says'),
    'HTTP': (says_and_closes('HTTP/1.1 400 Bad Request\r\n\r\n'), True, 'not what Redis says'),
    'noise': (says_and_closes(bytes(range(255, -1, -1))), True, 'not what Redis says'),
    'a negative length': (says('$-2\r\n'), True, 'not what Redis says'),
    'a negative number of elements': (says('*-2\r\n'), True, 'not what Redis says'),
    'a length beyond 64 bits': (says('$99999999999999999999\r\n'), True, 'not what Redis says'),
    'a length beyond 32 bits': (says('$4294967300\r\n0123\r\n'), False, 'no answer in time'),
    'a length that is no number': (says('$4x\r\n0123\r\n'), True, 'not what Redis says'),
    'a number that is none': (says(':x\r\n'), True, 'not what Redis says'),
    'a number beyond 64 bits': (says(':99999999999999999999\r\n'), True, 'not what Redis says'),
    'RESP3: map': (says('%1\r\n+a\r\n+b\r\n'), True, 'not what Redis says'),
    'RESP3: set': (says('~1\r\n+a\r\n'), True, 'not what Redis says'),
    'RESP3: truth': (says('#t\r\n'), True, 'not what Redis says'),
    'RESP3: double': (says(',1.5\r\n'), True, 'not what Redis says'),
    'RESP3: big number': (says('(123\r\n'), True, 'not what Redis says'),
    'RESP3: text with a type': (says('=5\r\ntxt:a\r\n'), True, 'not what Redis says'),
    'RESP3: push': (says('>1\r\n+a\r\n'), True, 'not what Redis says'),
    'two replies': (says('$1\r\na\r\n$1\r\nb\r\n'), True, 'not what Redis says'),
    'a reply, and the beginning of one': (says('$1\r\na\r\n$'), True, 'not what Redis says'),
    'a number': (says(':1\r\n'), True, 'no answer to our command'),
    'a word': (says('+OK\r\n'), True, 'no answer to our command'),
    'an error': (says('-ERR it \x07hurts\r\n'), True, ': ERR it ?hurts'),
    'an empty error': (says('-\r\n'), True, ': '),
    'a long error': (says(f'-ERR {"x" * 9999}\r\n'), True, 'x' * 190),
}


def assert_right(asker, name=5):
    answer = asker.load(name)
    assert (answer.what, answer.bytes) == ('FOUND', record(name)), answer


@pytest.fixture
def server():
    with FaultServer() as server:
        yield server


@pytest.mark.parametrize('is_kept', [False, True], ids=['first', 'kept'])
@pytest.mark.parametrize('name', FAULTS)
def test_a_fault_is_over_in_time_and_the_next_try_is_right(server, name, is_kept):
    """On the first connection, and on one that has served before."""
    fault, is_at_once, why = FAULTS[name]
    with Asker(server.words) as asker:
        if is_kept:
            assert_right(asker)
        server.fault = fault
        answer = asker.load(1, LIMIT)
        assert answer.what == 'UNAVAILABLE', answer
        assert f'127.0.0.1:{server.port}: ' in answer.text and why in answer.text and len(answer.text) < 300
        assert_in_time(asker, answer, is_at_once)
        server.fault = None
        assert_right(asker)
        assert_right(asker, 6)


def peak_of(process):
    """KB of memory, at most until now."""
    return int(Path(f'/proc/{process.pid}/status').read_text().partition('VmHWM:')[2].split()[0])


def test_nothing_of_what_is_refused_is_kept_in_memory(server, monkeypatch):
    # a sanitizer would keep what was freed
    monkeypatch.setenv('ASAN_OPTIONS', f'{os.environ.get("ASAN_OPTIONS", "")}:quarantine_size_mb=0:thread_local_quarantine_size_kb=0')
    with Asker(server.words) as asker:
        assert_right(asker)
        before = peak_of(asker.process)
        server.fault = FAULTS['512 MB announced and sent'][0]
        for _ in range(5):
            assert asker.load(1, LIMIT).what == 'UNAVAILABLE'
        assert peak_of(asker.process) < before + 16000


@pytest.mark.parametrize('name', ['closed', 'half a reply, then closed', 'two replies', '10^9 elements', 'HTTP'])
def test_a_fault_that_is_none_the_second_time_is_not_seen(server, name):
    """Asked again at once, on another connection."""
    with Asker(server.words) as asker:
        server.fault = once(server, FAULTS[name][0])
        assert_right(asker)
        assert server.connections == 2


def test_a_late_reply_is_nobodys_answer(server):
    """The server answers when the time is over: what comes on that connection is not read any more."""
    def late(wire, words):
        time.sleep(0.3)
        wire.bulk(record(1))

    with Asker(server.words) as asker:
        server.fault = once(server, late)
        assert asker.load(1, LIMIT).what == 'UNAVAILABLE'
        for _ in range(20):
            assert_right(asker)
            time.sleep(0.01)


@pytest.mark.parametrize('stray', ['$3\r\nbad\r\n', '$', '-ERR\r\n', b'\0'])
def test_a_reply_that_nobody_asked_for_is_nobodys_answer(server, stray):
    server.fault = Afterwards(5, lambda wire: wire.send(stray))
    with Asker(server.words) as asker:
        for _ in range(3):
            assert_right(asker)
            server.fault.wait()
        assert server.connections == 3


def test_what_was_closed_while_nobody_used_it_costs_nothing(server):
    server.fault = Afterwards(5, Wire.close)
    with Asker(server.words) as asker:
        for _ in range(3):
            assert_right(asker)
            server.fault.wait()
        assert len([words for words in server.seen if words[0] == b'GET']) == 3


def test_a_connection_is_kept(server):
    with Asker(server.words) as asker:
        for name in range(50):
            assert_right(asker, name)
    assert server.connections == 1


# --- no connection -------------------------------------------------------------------------------


def test_nobody_there():
    with socket.socket() as holder:
        holder.bind(('127.0.0.1', 0))
        with Asker(f'//127.0.0.1:{holder.getsockname()[1]}') as asker:
            answer = asker.load(1, LIMIT)
            assert (answer.what, answer.text.partition(': ')[2]) == ('UNAVAILABLE', 'Connection refused')
            assert_in_time(asker, answer, True)


@pytest.mark.parametrize('path', ['{}/no-socket', '{}/file'])
def test_no_socket_there(tmp_path, path):
    (tmp_path / 'file').touch()
    with Asker(path.format(tmp_path)) as asker:
        answer = asker.load(1, LIMIT)
        assert answer.what == 'UNAVAILABLE'
        assert_in_time(asker, answer, True)


def test_a_full_queue():
    """The kernel drops what does not fit: to us the machine is dead."""
    with socket.socket() as full:
        full.bind(('127.0.0.1', 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        time.sleep(0.05)
        with Asker(f'//127.0.0.1:{full.getsockname()[1]}') as asker:
            answer = asker.load(1, LIMIT)
            assert answer.what == 'UNAVAILABLE' and 'no connection in time' in answer.text
            assert_in_time(asker, answer, False)
        for one in waiting:
            one.close()


def test_closed_before_we_could_say_anything(server):
    def close(wire, words):
        wire.close()

    server.greeting = close
    with Asker(server.words) as asker:
        answer = asker.load(1, LIMIT)
        assert answer.what == 'UNAVAILABLE'
        assert_in_time(asker, answer, True)
        server.greeting = None
        assert_right(asker)


@pytest.mark.parametrize('greeting, is_at_once, why', [
    (silent, False, 'no answer in time'), (drip, False, 'no answer in time'),
    (says_and_closes('-ERR max number of clients reached\r\n'), True, 'max number of clients'),
    (stream('$536870912\r\n', b'x' * MEGABYTE, 512 * MEGABYTE), True, 'too long'),
    (says('*1000000000\r\n'), True, 'not what Redis says')])
def test_a_fault_at_the_greeting(server, greeting, is_at_once, why):
    server.greeting = greeting
    with Asker(server.words) as asker:
        answer = asker.load(1, LIMIT)
        assert answer.what == 'UNAVAILABLE' and why in answer.text, answer
        assert_in_time(asker, answer, is_at_once)
        server.greeting = None
        assert_right(asker)


def test_a_server_that_does_not_read(server):
    """A large record does not fit into the buffers between us."""
    def deaf(wire, words):
        time.sleep(1)

    server.greeting = deaf
    with Asker(server.words) as asker:
        assert_in_time(asker, asker.save(1, 'new', record(1, MEGABYTE), LIMIT), False)


# --- several addresses ---------------------------------------------------------------------------


def test_the_first_address_that_answers_is_taken(server):
    with socket.socket() as holder:
        holder.bind(('127.0.0.1', 0))
        with Asker(f'//127.0.0.1:{holder.getsockname()[1]},{server.words[2:]}') as asker:
            assert_right(asker)


def test_an_address_that_says_nothing_leaves_time_for_the_next(server):
    with FaultServer() as dumb:
        dumb.greeting = silent
        with Asker(f'{dumb.words},{server.words[2:]}') as asker:
            answer = asker.load(5, 5 * LIMIT)
            assert (answer.what, answer.bytes) == ('FOUND', record(5))
            assert answer.seconds < 0.75 * 5 * LIMIT / 1000  # the first address has half of it
            assert_right(asker)
        assert dumb.connections == 1


def test_the_address_that_served_is_tried_first_the_next_time(server):
    with FaultServer() as dumb:
        dumb.greeting = silent
        with Asker(f'{dumb.words},{server.words[2:]}') as asker:
            assert_right(asker)
            server.fault = once(server, says_and_closes(''))
            assert_right(asker)
        assert dumb.connections == 1 and server.connections == 2


def test_where_none_answers_each_says_why(server):
    server.greeting = says('-ERR not you\r\n')
    with socket.socket() as holder:
        holder.bind(('127.0.0.1', 0))
        port = holder.getsockname()[1]
        with Asker(f'//127.0.0.1:{port},{server.words[2:]}/3') as asker:
            assert asker.load(1, LIMIT).text == (f'127.0.0.1:{port}: Connection refused; 127.0.0.1:{server.port}: ERR not you')


def test_names_are_looked_up(server):
    with Asker(f'//localhost:{server.port}') as asker:
        answer = asker.load(5)
        assert (answer.what, answer.bytes) == ('FOUND', record(5)), answer


def test_a_name_that_nobody_has():
    with Asker('//nobody.invalid:6379') as asker:
        answer = asker.load(1, LIMIT)
        assert answer.what == 'UNAVAILABLE' and ('nobody.invalid has no address' in answer.text or 'looked up' in answer.text)
        assert_in_time(asker, answer, answer.seconds < AT_ONCE)


def test_a_name_that_nobody_has_beside_one_that_is_there(server):
    with Asker(f'//nobody.invalid:6379,localhost:{server.port}') as asker:
        assert asker.load(5).what == 'FOUND'


# --- a save whose answer is lost ------------------------------------------------------------------


def lost_save(server, then):
    """The server takes the record and closes; asked again it says `then`."""
    def bad(wire, words):
        server.fault = then
        wire.close()
    return bad


@pytest.mark.parametrize('then, what', [
    (lambda wire, words: wire.bulk(words[5]), 'SAVED'),
    (lambda wire, words: wire.bulk(record(7)), 'CONFLICT'),
    (lambda wire, words: wire.bulk(b'short'), 'CONFLICT'),
    (says(':1\r\n'), 'SAVED'), (says('$-1\r\n'), 'ABSENT'),
    (says_and_closes(''), 'UNAVAILABLE')],
    ids=['it had been made', 'another came after', 'something else', 'it had not', 'it has expired', 'nobody knows'])
def test_a_save_whose_answer_is_lost_is_asked_for_again(server, then, what):
    server.fault = lost_save(server, then)
    with Asker(server.words) as asker:
        assert asker.save(1, record(1), record(2)).what == what
    assert len([words for words in server.seen if words[0] == b'EVALSHA']) == 2


def test_our_own_token_is_in_the_way_only_of_a_second_try(server):
    server.fault = lambda wire, words: wire.bulk(words[5])
    with Asker(server.words) as asker:
        assert asker.save(1, record(1), record(2)).what == 'CONFLICT'


# --- a replica that was the primary --------------------------------------------------------------


def test_a_replica_is_left_for_the_next_address(server):
    with FaultServer() as primary:
        with Asker(f'{server.words},{primary.words[2:]}') as asker:
            assert asker.save(1, 'new', record(1)).what == 'SAVED'
            server.fault = says("-READONLY You can't write against a read only replica.\r\n")
            for _ in range(3):
                assert asker.save(1, 'new', record(1)).what == 'SAVED'
        assert (server.connections, primary.connections) == (1, 1)


def test_where_all_are_replicas_it_says_so(server):
    server.fault = says("-READONLY You can't write against a read only replica.\r\n")
    with Asker(server.words) as asker:
        answer = asker.save(1, 'new', record(1))
        assert answer.what == 'UNAVAILABLE' and 'READONLY' in answer.text and 'it is a replica' in answer.text
        assert len([words for words in server.seen if words[0] == b'EVALSHA']) == 2


# --- TLS -------------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp('certificates')
    return {name: Certificates(folder / name.replace(' ', '-'), names) for name, names in
            {'right': 'IP:127.0.0.1,DNS:localhost', 'other name': 'DNS:other.example', 'other authority': 'IP:127.0.0.1'}.items()}


def over_tls(server, certificates, host='127.0.0.1', **members):
    return Asker(f'//{host}:{server.port}', 'rediss', ca=certificates['right'].ca, **members)


def test_tls_without_a_fault(certificates):
    with FaultServer(certificates['right']) as server, over_tls(server, certificates) as asker:
        for name in range(20):
            answer = asker.load(name)
            assert (answer.what, answer.bytes) == ('FOUND', record(name)), answer
        assert asker.save(1, 'new', record(1, MEGABYTE - 100)).what == 'SAVED'
        assert server.connections == 1


@pytest.mark.parametrize('host, members', [('localhost', {}), ('127.0.0.1', {'name': 'localhost'})])
def test_the_name_of_the_certificate(certificates, host, members):
    with FaultServer(certificates['right']) as server, over_tls(server, certificates, host, **members) as asker:
        assert asker.load(5).what == 'FOUND'


@pytest.mark.parametrize('name', ['other name', 'other authority'])
def test_another_certificate_is_refused(certificates, name):
    pair = certificates['right'] if name == 'other name' else certificates[name]
    members = {'name': 'other.example'} if name == 'other name' else {}
    with FaultServer(pair) as server, over_tls(server, certificates, **members) as asker:
        answer = asker.load(5)
        assert answer.what == 'UNAVAILABLE' and 'certificate is not accepted' in answer.text
        assert server.seen == []


def test_a_server_of_this_machines_authorities_only(certificates):
    with FaultServer(certificates['right']) as server, Asker(server.words, 'rediss') as asker:
        assert 'certificate is not accepted' in asker.load(5).text


def test_tls_to_a_server_that_speaks_none(server, certificates):
    """It waits for the end of a line that never comes."""
    with over_tls(server, certificates) as asker:
        answer = asker.load(1, LIMIT)
        assert answer.what == 'UNAVAILABLE'
        assert_in_time(asker, answer, answer.seconds < AT_ONCE)


def test_no_tls_to_a_server_that_wants_it(certificates):
    with FaultServer(certificates['right']) as server, Asker(server.words) as asker:
        answer = asker.load(1, LIMIT)
        assert answer.what == 'UNAVAILABLE'
        assert_in_time(asker, answer, answer.seconds < AT_ONCE)


def test_tls_to_a_server_that_does_not_move(certificates):
    with socket.create_server(('127.0.0.1', 0)) as dumb:
        with Asker(f'//127.0.0.1:{dumb.getsockname()[1]}', 'rediss', ca=certificates['right'].ca) as asker:
            answer = asker.load(1, LIMIT)
            assert answer.what == 'UNAVAILABLE' and 'no end of the TLS handshake in time' in answer.text
            assert_in_time(asker, answer, False)


@pytest.mark.parametrize('name', ['one byte each 100 ms', 'silent', 'closed', 'two replies', '512 MB announced and sent'])
def test_faults_over_tls(certificates, name):
    fault, is_at_once, why = FAULTS[name]
    with FaultServer(certificates['right']) as server, over_tls(server, certificates) as asker:
        assert asker.load(5).what == 'FOUND'
        server.fault = fault
        # what ends by itself is waited for, however slow the other end is at encrypting it
        answer = asker.load(1) if is_at_once else asker.load(1, LIMIT)
        assert answer.what == 'UNAVAILABLE' and (why in answer.text or name == 'closed'), answer
        if not is_at_once:
            assert_in_time(asker, answer, False)
        server.fault = None
        answer = asker.load(5)
        assert (answer.what, answer.bytes) == ('FOUND', record(5)), answer
