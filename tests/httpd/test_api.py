# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The optional functions of mod_signed_session.h, called by C modules."""

import pytest

from cookies import Native, native, opened
from harness import Jar, Server
from starting import VARIABLE

CONF = '''
    SignedSession On
    <LocationMatch "^/(on|readonly|off)">
        SetHandler ss-api
    </LocationMatch>
    <Location "/readonly">
        SignedSession ReadOnly
    </Location>
    <Location "/off">
        SignedSession Off
    </Location>
'''


@pytest.fixture(scope='module')
def server():
    with Server(CONF, modules='ss_api') as one:
        yield one


def run(server, *calls, path='/on', data=None, cookie=None):
    """Each call is a list of words; returns the response, and what each call gave."""
    header = '|'.join('\t'.join(words) for words in calls).encode().decode('latin-1')
    cookie = native(data) if data is not None else cookie
    response = server.request('GET', path, {'X-Calls': header}, cookie=cookie)
    assert response.status == 200
    return response, response.body.decode().splitlines()


DATA = {'user': 'Zoë', 'n': 1.5, 'cart': {'items': [{'id': 7}]}, 'a.b': 'exact', 'bell': '\x07', 'nan': float('nan')}
READING = [
    (('get', 'user'), 'ok Zoë'),
    (('get', 'n'), 'ok 1.5'),
    (('get', 'cart'), 'ok {"items":[{"id":7}]}'),
    (('get', 'cart.items.0.id'), 'ok 7'),
    (('get', 'cart.items.1.id'), 'not found'),
    (('get', 'a.b'), 'ok exact'),
    (('get', 'none'), 'not found'),
    (('get', 'bell'), 'not found'),
    (('get', 'nan'), 'ok null'),
    (('get_json', 'user'), 'ok "Zoë"'),
    (('get_json', 'bell'), 'ok "\\u0007"'),
    (('get_json', 'none'), 'not found'),
    (('state',), 'ok valid'),
]


@pytest.mark.parametrize('words, want', READING, ids=[' '.join(row[0]) for row in READING])
def test_reading(server, words, want):
    for path in ('/on', '/readonly'):
        response, (got,) = run(server, words, path=path, data=DATA)
        assert (got, response.set_cookies()) == (want, [])


def test_the_number_of_the_interface(server):
    assert run(server, ['api'], path='/off')[1] == ['ok 1']


def test_the_whole_session(server):
    assert run(server, ['get_json', 'NULL'], data={'a': [1, {'b': None}]})[1] == ['ok {"a":[1,{"b":null}]}']
    assert run(server, ['get_json', 'NULL'])[1] == ['ok {}']


def test_iterating_stops_when_told(server):
    assert run(server, ['each'], data={'a': 1, 'b': 'x', 'c': 3})[1] == ['a=1;b="x";ok']
    assert run(server, ['each'])[1] == ['ok']


def test_iterating_ends_though_members_are_added_meanwhile(server):
    assert run(server, ['each_adding'], data={'a': 1, 'b': 2})[1] == ['a=1;b=2;ok']


@pytest.mark.parametrize('cookie, state', [(None, 'none'), ('session=x', 'malformed')])
def test_the_state_of_a_refused_cookie(server, cookie, state):
    assert run(server, ['state'], ['get', 'a'], cookie=cookie)[1] == [f'ok {state}', 'not found']


def test_changes_are_seen_at_once_and_written_once(server):
    response, got = run(server, ['set', 'name', 'Zoë "x"'], ['get', 'name'], ['set_json', 'a.b', '[1, 2.50]'],
                        ['get', 'a.b.1'], ['unset', 'old'], ['unset', 'old'], ['patch', '{"cart":{"m":2,"n":null}}'],
                        ['get', 'cart'], data={'old': 1, 'cart': {'n': 1}})
    assert got == ['ok', 'ok Zoë "x"', 'ok', 'not found', 'ok', 'not found', 'ok', 'ok {"m":2}']
    assert opened(response).data == {'cart': {'m': 2}, 'name': 'Zoë "x"', 'a.b': [1, 2.5]}
    assert opened(response).counter == 2


def test_a_new_subject_gets_a_new_session(server):
    before = Native({'cart': 1}, counter=9)
    bob = opened(run(server, ['set', 'user', 'bob'], cookie=f'session={before.seal()}')[0])
    assert (bob.data, bob.counter) == ({'cart': 1, 'user': 'bob'}, 1) and bob.id != before.id
    eve = opened(run(server, ['set', 'user', 'eve'], cookie=f'session={bob.seal()}')[0])
    assert (eve.data, eve.counter) == ({'user': 'eve'}, 1) and eve.id != bob.id


def test_ending_and_beginning_anew(server):
    old = Native({'a': 1}, counter=9)
    response, got = run(server, ['clear'], cookie=f'session={old.seal()}')
    assert got == ['ok'] and response.cookie() == ''
    response, got = run(server, ['patch', 'null'], ['set', 'b', 'x'], cookie=f'session={old.seal()}')
    new = opened(response)
    assert (new.data, new.counter) == ({'b': 'x'}, 1) and new.id != old.id


@pytest.mark.parametrize('rules', [0, 1, 2])
def test_a_change_that_comes_too_late_is_reported(start, rules):
    """Also where rules have changed the session meanwhile, and are taken back for it."""
    lines = ''.join(f'SignedSessionSet rule{number} 1\n' for number in range(rules))
    server = start(f'SignedSession On\n<Location "/on">\nSetHandler ss-api\n{lines}</Location>', modules='ss_api')
    response, got = run(server, ['flush'], ['set', 'late', 'yes'], data={'a': 1})
    assert got == ['ok', 'ok']
    assert opened(response).data == {'a': 1, **{f'rule{number}': '1' for number in range(rules)}} if rules else True
    server.expect('SS0301')


@pytest.mark.parametrize('rules', ['', 'SignedSessionSet rule 1\n'])
def test_what_is_no_change_cannot_come_too_late(start, rules):
    server = start(f'SignedSession On\n<Location "/on">\nSetHandler ss-api\n{rules}</Location>', modules='ss_api')
    run(server, ['flush'], ['set', 'a', 'x'], data={'a': 'x'})
    server.log.check()


INVALID = [('set', 'ke\udcff', 'x'), ('set', 'key', '\udcff'), ('set_json', 'key', '{"a":1,"a":2}'),
           ('set_json', 'key', 'nul'), ('set_json', 'key', '[' * 256 + ']' * 256), ('set_json', 'key', 'NaN'),
           ('set_json', 'key', '"' + 'x' * 20000 + '"'), ('patch', '[]'), ('patch', '{"a":'), ('patch', '"x"')]


@pytest.mark.parametrize('words', INVALID, ids=lambda words: ' '.join(words)[:30].encode('ascii', 'replace').decode())
def test_what_is_not_acceptable_changes_nothing(start, server, words):
    if len(''.join(words)) > 8000:
        server = start('LimitRequestFieldSize 40000\n' + CONF, modules='ss_api')
    header = '\t'.join(words).encode('utf-8', 'surrogateescape').decode('latin-1')
    response = server.request('GET', '/on', {'X-Calls': header}, cookie=native({'a': 1}))
    assert (response.status, response.body, response.set_cookies()) == (200, b'invalid\n', [])


CHANGING = [('set', 'a', 'x'), ('set_json', 'a', '2'), ('unset', 'a'), ('clear',), ('patch', '{"a":2}'), ('patch', 'null')]


@pytest.mark.parametrize('words', CHANGING, ids=' '.join)
def test_where_sessions_are_read_only_or_off_it_says_which(server, words):
    response, got = run(server, words, path='/readonly', data={'a': 1})
    assert (got, response.set_cookies()) == (['read-only'], [])
    response, got = run(server, words, path='/off', data={'a': 1})
    assert (got, response.set_cookies()) == (['off'], [])


@pytest.mark.parametrize('words', [('state',), ('get', 'a'), ('get_json', 'NULL'), ('each',)], ids=' '.join)
def test_reading_where_sessions_are_off(server, words):
    assert run(server, words, path='/off', data={'a': 1})[1] == ['off']


def test_without_the_module_the_functions_are_absent():
    with Server('SetHandler ss-api', modules='ss_api', ours=False) as server:
        assert server.request('GET', '/').text == 'absent\n'


def test_the_example_of_the_documentation_counts_visits(start):
    server = start('<Location "/visits">\nSetHandler visits\nSignedSession On\n</Location>\n'
                   '<Location "/off">\nSetHandler visits\n</Location>\n'
                   '<Location "/readonly">\nSetHandler visits\nSignedSession ReadOnly\n</Location>', modules='visits')
    jar = Jar(server)
    assert [jar.request('GET', '/visits').text for _ in range(3)] == ['visits=1\n', 'visits=2\n', 'visits=3\n']
    assert jar.request('GET', '/readonly').text == 'visits=4 (not kept)\n'
    assert server.request('GET', '/off').status == 403


# --- a logout everywhere -------------------------------------------------------------------------

LOG = 'SignedSessionRevocation file:{dir}/log/revoked\n'


def state(server, sealed):
    return run(server, ['state'], cookie=f'session={sealed}')[1]


@pytest.mark.parametrize('kind, value', [('subject', 'alice'), ('id', None), ('all', 'NULL')])
def test_a_module_logs_somebody_out_everywhere(start, kind, value):
    server = start(LOG + CONF, modules='ss_api', files={'log/': ''})
    alice, bob = Native({'user': 'alice'}), Native({'user': 'bob'})
    assert (state(server, alice.seal()), state(server, bob.seal())) == (['ok valid'], ['ok valid'])
    assert run(server, ['revoke', kind, value or alice.id.hex()])[1] == ['ok']
    assert state(server, alice.seal()) == ['ok revoked']
    assert state(server, bob.seal()) == ['ok revoked' if kind == 'all' else 'ok valid']


@pytest.mark.parametrize('words', [('subject', 'NULL'), ('id', 'alice'), ('id', 'NULL'), ('nobody', 'alice'), ('', 'alice')])
def test_what_names_nobody_is_invalid(start, words):
    server = start(LOG + CONF, modules='ss_api', files={'log/': ''})
    assert run(server, ['revoke', *words])[1] == ['invalid']


def test_without_a_log_nobody_can_be_logged_out(server):
    assert run(server, ['revoke', 'subject', 'alice'])[1] == ['no log']


def test_without_a_secret_either(start):
    server = start('<Location "/off">\nSetHandler ss-api\n</Location>', modules='ss_api', env={VARIABLE: None})
    assert run(server, ['revoke', 'subject', 'alice'], path='/off')[1] == ['off']
