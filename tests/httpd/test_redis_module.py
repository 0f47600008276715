# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""mod_signed_session_redis in httpd: where its password comes from, and that it is in nobody's way."""

import pytest

import harness
from starting import command, daemon, failed_start, one_line, prepared, restarts, wait_for

MODULES = 'signed_session_redis'
PASSWORD = 'correct-horse-battery-staple'
UNSET = 'SS0417: SignedSessionRedisAuth: the environment variable REDIS_PASSWORD is unset; named at '

# what: (directive, files, variables, what is wrong)
BROKEN = {
    'an unset variable': ('env:REDIS_PASSWORD', {}, {}, UNSET),
    'an empty variable': ('env:REDIS_PASSWORD', {}, {'REDIS_PASSWORD': ''}, 'env:REDIS_PASSWORD is set but empty'),
    'no file': ('file:keys/redis', {}, {}, 'cannot read file:{dir}/keys/redis'),
    'an empty file': ('file:keys/redis', {'keys/redis': '\n'}, {}, 'file:{dir}/keys/redis holds no secret'),
    'two lines': ('file:keys/redis', {'keys/redis': f'{PASSWORD}\nanother\n'}, {}, 'file:keys/redis holds 2 lines, and one is the password'),
    'a NUL': ('file:keys/redis', {'keys/redis': f'{PASSWORD}\0x\n'}, {}, 'file:keys/redis holds a NUL'),
    'a command that fails': ('"exec:false"', {}, {}, 'exec:false ended with exit status 1'),
}
GOOD = {
    'a variable': ('env:REDIS_PASSWORD', {}, {'REDIS_PASSWORD': PASSWORD}),
    'a short one': ('env:REDIS_PASSWORD', {}, {'REDIS_PASSWORD': 'x'}),
    'the file of a variable': ('env:REDIS_PASSWORD', {'keys/redis': f'{PASSWORD}\n'}, {'REDIS_PASSWORD_FILE': '{dir}/keys/redis'}),
    'a file': ('shop file:keys/redis', {'keys/redis': f'# of Redis\n{PASSWORD}\n'}, {}),
    'a command': (f'shop "exec:echo {PASSWORD}"', {}, {}),
}


@pytest.mark.parametrize('source, files, env, why', BROKEN.values(), ids=BROKEN)
def test_a_password_that_cannot_be_read_stops_the_start(source, files, env, why):
    conf = f'SignedSessionRedisAuth {source}'
    with prepared(conf, MODULES, files=files, env=env) as server:
        rc, text = server.run('-t')
        line = one_line(text, 'SS0417')
        assert rc == 1 and server.filled_in(why) in line and PASSWORD not in text
    rc, terminal, log = failed_start(conf, MODULES, files=files, env=env)
    assert rc == 1 and 'SS0417' in log and PASSWORD not in terminal + log
    # what needs no reading is said while there is a terminal
    assert ('SS0417' in terminal) == (why == UNSET)


@pytest.mark.parametrize('source, files, env', GOOD.values(), ids=GOOD)
def test_a_password_that_can_be_read(source, files, env):
    with prepared(f'SignedSessionRedisAuth {source}', MODULES, files=files, env=env) as server:
        assert server.run('-t') == (0, 'Syntax OK\n')


def test_each_is_read_once_and_its_fault_said_once(start):
    """By the main server, which wrote it, and by none of those that inherit it."""
    conf = '''
        SignedSessionRedisAuth "exec:{dir}/count.sh"
        <VirtualHost 127.0.0.1:{port}>
        </VirtualHost>
        <VirtualHost 127.0.0.1:{port}>
            SignedSessionStore redis://127.0.0.1:1
            SignedSessionRedisPrefix other:
        </VirtualHost>'''
    with prepared(conf, MODULES, files={'count.sh': '#!/bin/sh\necho run >> "${0%/*}/runs"\necho x\n'}) as server:
        assert server.run('-t') == (0, 'Syntax OK\n')
        assert (server.dir / 'runs').read_text() == 'run\n'


def test_a_file_that_others_can_read_is_a_warning():
    rc, text = harness.configtest('SignedSessionRedisAuth file:password', MODULES, files={'password': PASSWORD})
    assert rc == 0 and 'can be read by other users' in one_line(text, 'SS0418')


def test_signals_need_no_password():
    with daemon('SignedSessionRedisAuth env:REDIS_PASSWORD', modules=MODULES, env={'REDIS_PASSWORD': PASSWORD}) as server:
        # said for the start that this might have been, as it is of secrets
        rc, _ = command(server, 'graceful', {'REDIS_PASSWORD': None})
        assert rc == 0
        wait_for(lambda: restarts(server) == 2, 'the restart')
        rc, _ = command(server, 'stop', {'REDIS_PASSWORD': None})
        assert rc == 0
        wait_for(lambda: not (server.dir / 'httpd.pid').exists(), 'the end')


def test_no_source_is_read_to_stop():
    conf = 'SignedSessionRedisAuth "exec:{dir}/count.sh"'
    with daemon(conf, modules=MODULES, files={'count.sh': '#!/bin/sh\necho run >> "${0%/*}/runs"\necho x\n'}) as server:
        before = (server.dir / 'runs').read_text()
        assert command(server, 'stop', {})[0] == 0
        wait_for(lambda: not (server.dir / 'httpd.pid').exists(), 'the end')
        assert (server.dir / 'runs').read_text() == before == 'run\n' * 2  # both passes of the start


@pytest.mark.parametrize('ours', [True, False], ids=['with mod_signed_session', 'alone'])
def test_the_module_does_nothing_by_itself(ours):
    with harness.Server('', MODULES, ours=ours) as server:
        for _ in range(3):
            assert server.request('GET', '/file.txt').status == 200
            server.graceful()


@pytest.mark.parametrize('order', ['signed_session signed_session_redis', 'signed_session_redis signed_session'])
def test_the_order_of_the_modules_does_not_matter(order):
    assert harness.configtest('SignedSessionRedisPrefix a:\nSignedSession On', order, ours=False)[0] == 0

