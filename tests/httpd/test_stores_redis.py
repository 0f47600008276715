# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""SignedSessionStore redis: through httpd."""

import concurrent.futures
import json
import signal
import time

import pytest

import harness
from common import FORM, PATCH
from cookies import Native, Record
from harness import Jar, Server, configtest
from histories import History, patch, put, update
from redis_peers import Asker, Certificates, FaultServer, drip, says, says_and_closes, silent
from servers import Redis
from test_store_history import serve

MODULES = 'signed_session_redis'
SECONDS = 1
CONF = f'''
    {{store}}
    SignedSessionStoreTimeout {SECONDS}s
    SignedSession On
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable *
    </Location>
'''


@pytest.fixture(scope='module')
def redis():
    with Redis() as redis:
        yield redis


@pytest.fixture(scope='module')
def server(redis):
    with Server(CONF, MODULES, store=f'SignedSessionStore redis://127.0.0.1:{redis.port}') as server:
        yield server


def change(jar, patch):
    response = jar.request('PATCH', '/session', PATCH, json.dumps(patch).encode())
    return response.status


def keys(redis):
    return set(redis.ask('KEYS', '*').split())


def key_of(jar, prefix='ss:'):
    return f'{prefix}s:{{{Native.open(jar.cookies["session"]).id.hex()}}}'


def test_a_session_lives_in_redis(server, redis):
    redis.ask('FLUSHALL')
    jar = Jar(server)
    assert change(jar, {'a': 1, 'text': 'x' * 10000}) == 200
    assert keys(redis) == {key_of(jar)} and len(jar.cookies['session']) < 100
    assert change(jar, {'b': 2}) == 200
    assert jar.request('GET', '/session').json() == {'a': 1, 'text': 'x' * 10000, 'b': 2}
    # the default lifetime of a session, and a minute
    assert 29 * 86400 > int(redis.ask('TTL', key_of(jar))) > 86400
    redis.ask('DEL', key_of(jar))
    assert jar.request('GET', '/session').json() == {}


def test_sessions_outlive_restarts(server, redis):
    jar = Jar(server)
    assert change(jar, {'a': 1}) == 200
    for _ in range(3):
        server.graceful()
        assert jar.request('GET', '/session').json() == {'a': 1}


def test_a_stopped_redis_is_503_and_no_logout(server, redis):
    jar = Jar(server)
    assert change(jar, {'a': 1}) == 200
    redis.process.send_signal(signal.SIGSTOP)
    try:
        server.expect('SS0401', 'no answer in time')
        response = jar.request('GET', '/session')
        assert response.status == 503 and 'Set-Cookie' not in response.headers
        assert server.request('GET', '/file.txt').status == 200
    finally:
        redis.process.send_signal(signal.SIGCONT)
    time.sleep(0.05)
    assert jar.request('GET', '/session').json() == {'a': 1}


def test_the_servers_own_words_are_in_the_log_only(server, redis):
    redis.ask('CONFIG', 'SET', 'maxmemory', '100kb')
    try:
        server.expect('SS0402', 'OOM', 'its maxmemory is used up')
        response = Jar(server).request('PATCH', '/session', PATCH, b'{"a":1}')
        assert response.status == 507 and b'OOM' not in response.body
    finally:
        redis.ask('CONFIG', 'SET', 'maxmemory', '0')


def test_who_waits_for_others_does_not_take_the_store_for_dead():
    """A store with a long way to it, and a session that many change at once: there is not time enough for all of them."""
    kept, delay = {}, 0

    def answer(wire, words):
        time.sleep(delay)
        if words[0] == b'GET':
            wire.bulk(kept.get(words[1]))
        elif words[4] in (b'any', kept.get(words[3], b'')[:12]):
            kept[words[3]] = words[5]
            wire.send(':1\r\n')
        else:
            wire.bulk(kept[words[3]])

    with FaultServer() as peer, Server(CONF.replace('1s', '200ms'), MODULES, store=f'SignedSessionStore redis:{peer.words}') as server:
        peer.fault = answer
        jar, other = Jar(server), Jar(server)
        assert change(jar, {'a': 1}) == change(other, {'a': 1}) == 200
        delay = 0.06

        def write(number):
            return server.request('PATCH', '/session', PATCH, b'{"k%d":1}' % number, cookie=f'session={jar.session}').status

        def look(number):
            time.sleep(number * 0.1)
            return server.request('GET', '/session', cookie=f'session={other.session}').status

        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            looks, writes = pool.map(look, range(8)), pool.map(write, range(12))
        assert list(looks) == [200] * 8
        answers = list(writes)
        assert 200 in answers and set(answers) <= {200, 409, 503}
        if harness.mpm != 'prefork':  # whose processes do not wait for each other
            assert 409 in answers
        assert 'SS0408' not in server.error_log()
        server.allow('SS0402')
        # whoever logs out has the time that it takes
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            writes = pool.map(write, range(12))
            time.sleep(0.1)
            assert jar.request('DELETE', '/session').status == 204
        assert set(writes) <= {200, 409, 503}


LOG = CONF.replace('1s', '200ms') + '''
    SignedSessionRevocation store
    <Location "/revoke">
        SetHandler signed-session-revoke
    </Location>
'''


def revoke(server, name):
    return server.request('POST', '/revoke', FORM, f'subject={name}').status


def test_everybody_of_many_at_once_is_revoked():
    """They wait for each other, and the store is a long way off."""
    kept = {}

    def answer(wire, words):
        time.sleep(0.03)
        if words[0] == b'GET':
            wire.bulk(kept.get(words[1]))
        else:
            kept[words[3]] = words[5]
            wire.send(':1\r\n')

    with FaultServer() as peer, Server(LOG, MODULES, store=f'SignedSessionStore redis:{peer.words}') as server:
        peer.fault = answer
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            assert list(pool.map(lambda number: revoke(server, f'user{number}'), range(10))) == [204] * 10


def test_a_log_that_others_write_all_the_time():
    def answer(wire, words):
        wire.bulk(None if words[0] == b'GET' else b'another record')

    with FaultServer() as peer, Server(LOG, MODULES, store=f'SignedSessionStore redis:{peer.words}') as server:
        peer.fault = answer
        assert revoke(server, 'alice') == 503
        server.expect('SS0423: nothing was revoked: other servers write to the revocation log all the time')


@pytest.mark.parametrize('fault', [drip, silent, says('*1000000000\r\n'), says_and_closes('$40\r\n0123')])
def test_a_fault_is_503_and_the_next_request_is_right(fault):
    with FaultServer() as peer, Server(CONF, MODULES, store=f'SignedSessionStore redis:{peer.words}') as server:
        kept = {}

        def keep(wire, words):
            if words[0] == b'GET':
                wire.bulk(kept.get(words[1]))
            else:
                kept[words[3]] = words[5]
                wire.send(':1\r\n')

        peer.fault = keep
        jar = Jar(server)
        assert change(jar, {'a': 1}) == 200
        peer.fault = fault
        server.expect('SS0401')
        began = time.monotonic()
        assert jar.request('GET', '/session').status == 503
        assert time.monotonic() - began < 1.8 * SECONDS  # it does not begin anew with a second connection
        peer.fault = keep
        assert jar.request('GET', '/session').json() == {'a': 1}


# --- histories -----------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def two(redis):
    """Two servers with one Redis."""
    place = f'redis://127.0.0.1:{redis.port}'
    with serve(place, MODULES) as one, serve(place, MODULES) as other:
        yield [one, other]


def nothing(redis):
    pass


def kill_connections(redis):
    time.sleep(0.2)
    redis.ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')


def stop_for_a_second(redis):
    time.sleep(0.4)
    redis.process.send_signal(signal.SIGSTOP)
    time.sleep(1)
    redis.process.send_signal(signal.SIGCONT)


def forget_the_script(redis):
    redis.ask('SCRIPT', 'FLUSH')


@pytest.mark.parametrize('disturb', [nothing, kill_connections, stop_for_a_second, forget_the_script])
def test_no_acknowledged_change_is_lost(two, redis, disturb, monkeypatch):
    """Whatever becomes of connections: an answer that was lost, and asked for again, counts once."""
    if disturb is kill_connections:  # one that is killed while it begins is not tried again
        for server in two:
            server.allow('SS0401', 'SS0402')
    history = History(two, 2, [patch] * 6 + [update] * 2 + [put] * 2, loses_answers=disturb is kill_connections).run(2.5, lambda: disturb(redis))
    with Asker(f'//127.0.0.1:{redis.port}') as asker:
        monkeypatch.setattr(Record, 'find', lambda id, *seal: Record.open(asker.load(int.from_bytes(id, 'big')).bytes, id, *seal))
        assert history.lost() == []
    assert history.counts['acknowledged'] > 50, history.counts
    assert disturb is kill_connections or not history.counts['unknown'], history.counts


# --- what the directives say ---------------------------------------------------------------------


def test_password_prefix_and_tls(tmp_path):
    """Of the main server and of a virtual host, each for its own store."""
    certificates = Certificates(tmp_path / 'tls', 'DNS:redis.test')
    conf = f'''
        SignedSessionStore rediss://127.0.0.1:{{redis}}/2
        SignedSessionRedisAuth file:password
        SignedSessionRedisTLS CA={certificates.ca} Cert={certificates.cert} Key={certificates.key} Name=redis.test
        <VirtualHost 127.0.0.1:{{port}}>
            ServerName main.test
        </VirtualHost>
        <VirtualHost 127.0.0.1:{{port}}>
            ServerName other.test
            SignedSessionStore redis:{{path}}
            SignedSessionRedisAuth bob "exec:echo bobs"
            SignedSessionRedisPrefix bob/
        </VirtualHost>
    ''' + CONF.replace('{store}', '')
    with Redis('--requirepass', 'open', '--unixsocketperm', '777', tls=certificates) as redis:
        redis.env['REDISCLI_AUTH'] = 'open'
        redis.ask('ACL', 'SETUSER', 'bob', 'on', '>bobs', '~bob/*', '+get', '+set', '+getrange', '+eval', '+evalsha')
        with Server(conf, MODULES, files={'password': 'open\n'}, redis=redis.port, path=redis.path) as server:
            server.allow('SS0418')
            for host, prefix, database in (('main.test', 'ss:', 2), ('other.test', 'bob/', 0)):
                response = server.request('PATCH', '/session', {**PATCH, 'Host': host}, b'{"a":1}')
                assert response.status == 200, response.body
                found = redis.ask('-n', database, 'KEYS', '*')
                assert found.startswith(f'{prefix}s:{{')
                read = server.request('GET', '/session', {'Host': host}, cookie=f'session={response.cookie()}')
                assert read.json() == {'a': 1}


def test_a_wrong_password_is_in_the_log(start):
    with Redis('--requirepass', 'open') as redis:
        server = start(CONF, MODULES, env={'REDIS_PASSWORD': 'shut-up'}, store=f'''
            SignedSessionStore redis://127.0.0.1:{redis.port}
            SignedSessionRedisAuth env:REDIS_PASSWORD''')
        server.expect('SS0402', 'WRONGPASS', 'correct the user or the password of SignedSessionRedisAuth')
        assert change(Jar(server), {'a': 1}) == 503
        assert 'shut-up' not in server.error_log()


def test_a_redis_that_evicts_is_told_of(start):
    with Redis('--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru') as redis:
        server = start(CONF, MODULES, store=f'SignedSessionStore redis://127.0.0.1:{redis.port}')
        server.expect('SS0416', 'maxmemory-policy allkeys-lru')
        jar = Jar(server)
        assert change(jar, {'a': 1}) == 200
        assert jar.request('GET', '/session').json() == {'a': 1}


@pytest.mark.parametrize('place, why', [
    ('redis:nonsense', 'accepted are //HOST:PORT'), ('redis://:open@h', 'no password may stand here'), ('redis', 'accepted are'),
    ('rediss:/run/redis', 'redis:/PATH'), ('redis+sentinel://h', 'is no name of a primary'),
    ('rediss+sentinel:/run/redis', 'HOST:PORT/NAME'), ('redis+cluster://h', 'there is no store "redis+cluster"')])
def test_a_place_that_is_none_stops_the_start(place, why):
    rc, text = configtest(f'SignedSessionStore {place}\nSignedSession On', MODULES)
    assert rc == 1 and ('SS0411' in text or 'SS0410' in text) and why in text


def test_files_of_tls_are_read_at_the_start():
    rc, text = configtest('SignedSessionStore rediss://h\nSignedSessionRedisTLS CA=none.pem', MODULES)
    assert rc == 1 and 'SS0411: SignedSessionStore rediss://h: the CA file' in text and '/none.pem cannot be used' in text


@pytest.mark.parametrize('host, is_warned', [
    ('SignedSessionRedisPrefix b:', True), ('SignedSessionRedisPrefix b:\nSignedSessionIdleTimeout 1h', False),
    ('SignedSessionRedisPrefix b:\nSignedSessionStore file', True), ('SignedSessionRedisPrefix b:\nSignedSessionStore redis://h', False),
    ('SignedSessionIdleTimeout 1h', False), ('', False)])
def test_directives_of_a_virtual_host_without_a_store_of_its_own(host, is_warned):
    rc, text = configtest(f'SignedSessionStore redis://h\nSignedSession On\n<VirtualHost *:1>\nServerName shop.test\n{host}\n</VirtualHost>', MODULES)
    assert rc == 0
    assert ('SS0424' in text) == is_warned and ('virtual host shop.test' in text) == is_warned
