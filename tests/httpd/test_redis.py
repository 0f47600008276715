# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""mod_signed_session_redis and a real Redis: rights, errors, what is written, and its directives."""

import os
import re
import signal
import subprocess
import time

import pytest

from common import TOP
from harness import StartError
from redis_peers import GRACE, LIMIT, Asker, Certificates, key, record
from servers import Redis

pytestmark = pytest.mark.once

MODULE = 'signed_session_redis'


def words(redis):
    return f'//127.0.0.1:{redis.port}'


@pytest.fixture(scope='module')
def redis():
    with Redis() as redis:
        yield redis


@pytest.fixture
def asker(redis):
    redis.ask('FLUSHALL')
    with Asker(words(redis)) as asker:
        yield asker


# --- what is written -----------------------------------------------------------------------------


def test_a_session_is_one_string_with_a_lifetime(redis, asker):
    assert asker.save(0xabc, 'new', record(1), lifetime=100000).what == 'SAVED'
    assert redis.ask('KEYS', '*') == 'ss:s:{00000000000000000000000000000abc}' == key(0xabc)
    assert redis.ask('STRLEN', key(0xabc)) == str(len(record(1)))
    assert 99000 < int(redis.ask('PTTL', key(0xabc))) <= 100000
    assert asker.save(0xabc, record(1), record(2), lifetime=500000).what == 'SAVED'
    assert 499000 < int(redis.ask('PTTL', key(0xabc))) <= 500000


def test_the_prefix(redis):
    redis.ask('FLUSHALL')
    with Asker(words(redis), prefix='shop/') as shop, Asker(words(redis)) as other:
        assert shop.save(1, 'new', record(1)).what == 'SAVED'
        assert other.load(1).what == 'ABSENT' and shop.load(1).bytes == record(1)
    assert redis.ask('KEYS', '*') == key(1, 'shop/')


@pytest.mark.parametrize('place, database', [('', 0), ('/', 0), ('/0', 0), ('/3', 3), ('/15', 15)])
def test_the_database(redis, place, database):
    redis.ask('FLUSHALL')
    with Asker(words(redis) + place) as asker:
        assert asker.save(1, 'new', record(1)).what == 'SAVED'
    assert redis.ask('-n', database, 'EXISTS', key(1)) == '1'


def test_a_database_that_the_server_does_not_have(redis):
    with Asker(words(redis) + '/16') as asker:
        assert 'DB index is out of range' in asker.load(1).text


def test_the_socket_of_a_server_on_this_machine(redis, asker):
    with Asker(redis.path) as local:
        assert local.save(1, 'new', record(1)).what == 'SAVED'
        assert asker.load(1).bytes == local.load(1).bytes == record(1)


def test_the_script_is_sent_once(redis):
    """It is called by its SHA-1: were that wrong, each save would send the script."""
    redis.ask('FLUSHALL')
    redis.ask('SCRIPT', 'FLUSH')
    redis.ask('CONFIG', 'RESETSTAT')
    with Asker(words(redis)) as asker:
        for number in range(10):
            assert asker.save(number, 'new', record(1)).what == 'SAVED'
    calls = dict(re.findall(r'cmdstat_(\w+):calls=(\d+)', redis.ask('INFO', 'commandstats')))
    assert (calls['evalsha'], calls['eval'], calls['set']) == ('10', '1', '10')


def test_a_load_is_one_command_and_a_save_another(redis):
    redis.ask('FLUSHALL')
    with Asker(words(redis)) as asker:
        asker.save(1, 'new', record(1))
        redis.ask('CONFIG', 'RESETSTAT')
        for _ in range(10):
            assert asker.load(1).what == 'FOUND'
        assert asker.save(1, record(1), record(2)).what == 'SAVED'
        calls = dict(re.findall(r'cmdstat_(\w+):calls=(\d+)', redis.ask('INFO', 'commandstats')))
    assert (calls['get'], calls['evalsha'], calls.get('eval')) == ('10', '1', None)


def test_our_connections_can_be_told_from_others(redis, asker):
    asker.load(1)
    assert ' name=mod_signed_session ' in redis.ask('CLIENT', 'LIST')


# --- errors --------------------------------------------------------------------------------------


def test_a_key_that_is_no_string_is_a_record_that_does_not_open(redis, asker):
    redis.ask('LPUSH', key(1), 'x')
    assert (asker.load(1).what, asker.load(1).text) == ('FOUND', '')
    for expected in ('new', record(1)):
        assert (asker.save(1, expected, record(2)).what, asker.load(1).text) == ('CONFLICT', '')
    assert asker.save(1, 'any', record(2)).what == 'SAVED'
    assert asker.load(1).bytes == record(2)


def test_a_full_server_refuses_saves_and_still_answers_loads():
    with Redis() as redis, Asker(words(redis)) as asker:
        assert asker.save(1, 'new', record(1)).what == 'SAVED'
        redis.ask('CONFIG', 'SET', 'maxmemory', '100kb')
        for answer in (asker.save(2, 'new', record(1)), asker.save(1, record(1), record(2)), asker.save(1, 'any', record(2))):
            assert answer.what == 'FULL' and 'OOM' in answer.text and 'its maxmemory is used up' in answer.text
        assert asker.load(1).bytes == record(1) and asker.load(2).what == 'ABSENT'
        # what would not be written is no matter of memory
        assert asker.save(1, 'new', record(2)).what == 'CONFLICT' and asker.save(2, record(1), record(2)).what == 'ABSENT'


@pytest.mark.parametrize('options, policy', [
    (['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'], 'allkeys-lru'),
    (['--maxmemory', '50mb', '--maxmemory-policy', 'volatile-ttl'], 'volatile-ttl'),
    (['--maxmemory', '50mb', '--maxmemory-policy', 'noeviction'], None),
    (['--maxmemory-policy', 'allkeys-lru'], None)], ids=['all keys', 'volatile keys', 'none', 'no limit'])
def test_a_server_that_evicts_is_told_of_once(options, policy):
    with Redis(*options) as redis, Asker(words(redis)) as asker:
        for _ in range(3):
            assert asker.load(1).what == 'ABSENT'
            redis.ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
            time.sleep(0.02)
    assert asker.said == ('', f'evicts: {policy}\n' if policy else '')


def test_a_replica_that_is_all_there_is(redis):
    with Redis('--replicaof', '127.0.0.1', str(redis.port)) as replica, Asker(words(replica)) as asker:
        answer = asker.save(1, 'new', record(1))
        assert answer.what == 'UNAVAILABLE' and 'READONLY' in answer.text and 'it is a replica' in answer.text


@pytest.mark.parametrize('options, error, advice', [
    (['--rename-command', 'EVAL', '', '--rename-command', 'EVALSHA', ''], 'unknown command', 'sessions need GET, SET, GETRANGE, EVAL and EVALSHA'),
    (['--replicaof', '127.0.0.1', '1', '--replica-serve-stale-data', 'no'], 'MASTERDOWN', 'name the primary'),
    (['--cluster-enabled', 'yes'], 'CLUSTERDOWN', 'part of a Redis Cluster, which is not supported'),
    (['--requirepass', 'x'], 'NOAUTH', 'name it in SignedSessionRedisAuth')], ids=lambda value: value if isinstance(value, str) else '')
def test_what_a_server_lacks_is_said_with_what_to_do(options, error, advice):
    with Redis(*options) as redis, Asker(words(redis)) as asker:
        answer = asker.save(1, 'new', record(1))
        assert answer.what == 'UNAVAILABLE' and error in answer.text and advice in answer.text


def test_a_server_that_wants_replicas_refuses_saves():
    with Redis('--min-replicas-to-write', '1') as redis, Asker(words(redis)) as asker:
        answer = asker.save(1, 'new', record(1))
        assert answer.what == 'FULL' and 'it wants more replicas' in answer.text
        assert asker.load(1).what == 'ABSENT'


def test_a_server_that_has_no_room_for_another_connection():
    with Redis('--maxclients', '1') as redis, Asker(words(redis)) as first, Asker(words(redis)) as second:
        assert first.load(1).what == 'ABSENT'
        answer = second.load(1)
        assert answer.what == 'UNAVAILABLE' and 'max number of clients' in answer.text


def test_a_server_that_is_busy_with_a_script(redis, asker):
    redis.ask('CONFIG', 'SET', 'busy-reply-threshold', '50')
    assert asker.load(1).what == 'ABSENT'
    loop = subprocess.Popen([redis.program('redis-cli'), '-s', redis.path, 'EVAL', 'while true do end', '0'],
                            env=redis.env, stdout=subprocess.DEVNULL)
    try:
        time.sleep(0.2)
        answer = asker.load(1)
        assert answer.what == 'UNAVAILABLE' and 'BUSY' in answer.text
    finally:
        redis.ask('SCRIPT', 'KILL')
        loop.wait()
    assert asker.load(1).what == 'ABSENT'


def test_a_cluster_says_that_it_is_none_of_ours():
    with Redis('--cluster-enabled', 'yes', '--cluster-require-full-coverage', 'no') as redis, Asker(words(redis)) as asker:
        answer = asker.load(1)
        assert answer.what == 'UNAVAILABLE' and 'CLUSTERDOWN' in answer.text


# --- it comes and goes ---------------------------------------------------------------------------


def test_connections_that_the_server_has_closed_cost_nothing(redis, asker):
    asker.save(1, 'new', record(1))
    for _ in range(3):
        redis.ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
        time.sleep(0.02)
        assert asker.load(1).bytes == record(1)


def test_a_stopped_server_is_unavailable_in_time_and_good_again_after():
    with Redis() as redis, Asker(words(redis)) as asker:
        assert asker.save(1, 'new', record(1)).what == 'SAVED'
        redis.process.send_signal(signal.SIGSTOP)
        try:
            times = []
            for _ in range(3):
                for answer in (asker.load(1, LIMIT), asker.save(2, 'new', record(1), LIMIT)):
                    assert answer.what == 'UNAVAILABLE' and LIMIT / 1000 - 0.002 < answer.seconds, answer
                    times.append(answer.seconds)
            assert sorted(times)[2] < LIMIT / 1000 + GRACE  # a busy machine may delay some
        finally:
            redis.process.send_signal(signal.SIGCONT)
        assert asker.load(1).bytes == record(1)


# --- who we are ----------------------------------------------------------------------------------


def test_a_password():
    with Redis('--requirepass', 'open sesame') as redis:
        for members, what, why in (({'password': 'open sesame'}, 'ABSENT', ''), ({'password': 'wrong'}, 'UNAVAILABLE', 'WRONGPASS'),
                                   ({}, 'UNAVAILABLE', 'NOAUTH')):
            with Asker(words(redis), **members) as asker:
                answer = asker.load(1)
                assert answer.what == what and why in answer.text and 'wrong' not in answer.text
                assert what == 'ABSENT' or 'SignedSessionRedisAuth' in answer.text


def test_the_documented_rights_are_enough_and_needed():
    line = re.search(r'^ACL SETUSER shop on >PASSWORD (.*)$', (TOP / 'docs/directives.md').read_text(), re.M)[1].split()
    needed = {'+get': 'load', '+set': 'save', '+getrange': 'save', '+evalsha': 'save', '+eval': 'save'}
    assert set(needed) < set(line)

    def outcome(rights, place=''):
        with Redis() as redis:
            redis.ask('ACL', 'SETUSER', 'shop', 'on', '>secret', *rights)
            with Asker(words(redis) + place, user='shop', password='secret') as asker:
                return {'save': asker.save(1, 'new', record(1)), 'load': asker.load(1), 'again': asker.save(1, record(1), record(2))}

    assert {name: answer.what for name, answer in outcome(line, '/2').items()} == {'save': 'SAVED', 'load': 'FOUND', 'again': 'SAVED'}
    few = [word for word in line if word in needed or word.startswith('~')]
    assert {name: answer.what for name, answer in outcome(few).items()} == {'save': 'SAVED', 'load': 'FOUND', 'again': 'SAVED'}
    for right, what in needed.items():
        answer = outcome([word for word in line if word != right])[what]
        assert answer.what == 'UNAVAILABLE' and re.search("NOPERM|can't (?:access|run)", answer.text), (right, answer)
        assert 'its ACL must allow' in answer.text
    answer = outcome([word.replace('~ss:', '~other:') for word in line])['load']
    assert answer.what == 'UNAVAILABLE' and 'NOPERM' in answer.text


def test_tls_of_a_real_server(tmp_path):
    certificates = Certificates(tmp_path / 'tls')
    with Redis(tls=certificates) as redis:
        mine = {'cert': certificates.cert, 'key': certificates.key}
        with Asker(words(redis), 'rediss', ca=certificates.ca, **mine) as asker:
            assert asker.save(1, 'new', record(1, 1 << 20)).what == 'SAVED'
            assert asker.load(1).bytes == record(1, 1 << 20)
        with Asker(words(redis), 'rediss', ca=certificates.ca) as asker:
            assert asker.load(1).what == 'UNAVAILABLE'  # it asks for a certificate of ours
        with Asker(words(redis)) as asker:
            assert asker.load(1).what == 'UNAVAILABLE'


# --- what may stand behind the colon -------------------------------------------------------------

PLACES = {
    '': 'accepted are', '/': 'accepted are', '//': 'no HOST:PORT', 'localhost:6379': 'accepted are', '//host:': 'no HOST:PORT',
    '//host:0': 'no HOST:PORT', '//host:65536': 'no HOST:PORT', '//host:+1': 'no HOST:PORT', '//host:1x': 'no HOST:PORT',
    '//host:99999999999': 'no HOST:PORT', '//a b': 'no HOST:PORT', '//host,': 'no HOST:PORT', '//,host': 'no HOST:PORT',
    '//[::1': 'no HOST:PORT', '//[]:1': 'no HOST:PORT', '//[host]:1': 'no HOST:PORT', '//::1': 'no HOST:PORT',
    '//host/x': 'no number of a database', '//host/-1': 'no number of a database', '//host/1/2': 'no number of a database',
    '//host/9999999999': 'no number of a database', '//host?db=1': 'no HOST:PORT',
    '//:secret@host': 'no password may stand here', '//user:secret@host:1/2': 'no password may stand here',
    '/' + 'x' * 108: 'at most 107 bytes',
}


@pytest.mark.parametrize('place', PLACES)
def test_words_that_are_no_place(place):
    why = Asker(place).refusal()
    assert PLACES[place] in why and 'secret' not in why and '\n' not in why


@pytest.mark.parametrize('place', ['//host', '//host:1', '//a.b-c_d:65535', '//[::1]:6379', '//[::1]', '//127.0.0.1,[::1]:7,x:8/15',
                                   '/run/redis/redis.sock', '//host/'])
def test_words_that_are_a_place(place):
    with Asker(place):
        pass


def test_tls_is_not_for_a_socket():
    assert 'redis:/PATH' in Asker('/run/redis', 'rediss').refusal()


@pytest.mark.parametrize('members, why', [
    ({'ca': '/nowhere'}, 'the CA file /nowhere cannot be used'), ({'ca': '{dir}/noise'}, 'the CA file {dir}/noise cannot be used'),
    ({'cert': '/nowhere', 'key': '{dir}/key.pem'}, 'the certificate /nowhere cannot be used'),
    ({'cert': '{dir}/cert.pem', 'key': '{dir}/noise'}, 'the key {dir}/noise cannot be used'),
    ({'cert': '{dir}/ca.pem', 'key': '{dir}/key.pem'}, 'the key {dir}/key.pem cannot be used')])
def test_files_of_tls_that_cannot_be_used(tmp_path, members, why):
    folder = tmp_path / 'tls'
    Certificates(folder)
    (folder / 'noise').write_text('-----BEGIN nothing-----\n')
    said = Asker('//host', 'rediss', **{name: text.replace('{dir}', str(folder)) for name, text in members.items()}).refusal()
    assert said.startswith(why.replace('{dir}', str(folder))) and '\n' not in said
