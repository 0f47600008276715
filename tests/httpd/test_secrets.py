# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Secrets: where they come from, which are refused, and that none is ever shown."""

import re

import pytest

import harness
from common import ENDPOINT, JSON, TOP
from cookies import Native, native
from harness import SECRET, cgi_module, configtest
from starting import (GOOD, OTHER, SHORT, SS0101, THIRD, VARIABLE, Keyed, anns_cookie, failed_start,
                      one_line, opens, prepared, restarts, sealed_with, wait_for)


# --- sources that work -------------------------------------------------------------------------


WORKING = {
    'the default variable': ('', {}, {}, [SECRET]),
    'env:NAME': ('env:SHOP', {}, {'SHOP': OTHER}, [OTHER]),
    'env:NAME verbatim, blanks and # too': ('env:SHOP', {}, {'SHOP': f' #{OTHER} '}, [f' #{OTHER} ']),
    'NAME_FILE': ('env:SHOP', {'keys/one': OTHER}, {'SHOP_FILE': '{dir}/keys/one'}, [OTHER]),
    'NAME goes before NAME_FILE': ('env:SHOP', {'keys/one': OTHER},
                                   {'SHOP': THIRD, 'SHOP_FILE': '{dir}/keys/one'}, [THIRD]),
    'the default variable as a file': ('', {'keys/one': OTHER},
                                       {VARIABLE: None, f'{VARIABLE}_FILE': '{dir}/keys/one'}, [OTHER]),
    'file: with an absolute path': ('file:{dir}/keys/one', {'keys/one': OTHER}, {}, [OTHER]),
    'file: relative to ServerRoot': ('file:keys/one', {'keys/one': OTHER + '\n'}, {}, [OTHER]),
    'comments, blanks and empty lines': (
        'file:keys/one', {'keys/one': f'# new\n\n \t{OTHER}\t \r\n   # old\n\n#{THIRD}\n{SECRET}'}, {},
        [OTHER, SECRET]),
    'a byte order mark': ('file:keys/one', {'keys/one': f'\ufeff# new\n{OTHER}\n'}, {}, [OTHER]),
    'a # inside a secret': ('file:keys/one', {'keys/one': f'{OTHER}#tail # x\n'}, {}, [f'{OTHER}#tail # x']),
    'exec:': ('exec:{dir}/secret.sh', {'secret.sh': f'#!/bin/sh\necho {OTHER}\n'}, {}, [OTHER]),
    'exec: output as a key file': (
        'exec:{dir}/secret.sh',
        {'secret.sh': f'#!/bin/sh\necho "# new"\necho\necho "  {OTHER} "\necho {THIRD}\n'}, {}, [OTHER, THIRD]),
    'exec: in quotes, with arguments': (
        '"exec:{dir}/secret.sh \'a b\' ' + OTHER + '"',
        {'secret.sh': '#!/bin/sh\n[ "$1" = "a b" ] && echo "$2"\n'}, {}, [OTHER]),
    'exec: large output within the limit': (
        'exec:{dir}/secret.sh',
        {'secret.sh': f'#!/bin/sh\nseq -f "# comment %g" 4000\necho {OTHER}\n'}, {}, [OTHER]),
    'several, in order': (
        '"exec:{dir}/secret.sh" file:keys/one env:SHOP',
        {'secret.sh': f'#!/bin/sh\necho {OTHER}\n', 'keys/one': THIRD}, {'SHOP': SECRET}, [OTHER, THIRD, SECRET]),
}


@pytest.mark.parametrize('sources, files, env, secrets', WORKING.values(), ids=WORKING)
def test_the_first_secret_seals_and_all_open(sources, files, env, secrets):
    conf = f'SignedSessionSecret {sources}\n' if sources else ''
    assert Keyed(conf + ENDPOINT, files=files, env=env).run_once('-t') == (0, 'Syntax OK\n')
    with Keyed(conf + ENDPOINT, files=files, env=env) as server:
        assert sealed_with(server, secrets[0])
        for secret in secrets:
            assert opens(server, secret)
        for secret in {SECRET, OTHER, THIRD} - set(secrets):
            assert not opens(server, secret)


def test_written_again_it_replaces():
    conf = 'SignedSessionSecret env:GONE file:missing\nSignedSessionSecret env:SHOP\n'
    with Keyed(conf + ENDPOINT, env={'SHOP': OTHER}) as server:
        assert opens(server, OTHER) and not opens(server, SECRET)


def test_exec_is_no_shell(start):
    """What a shell would act on arrives as plain words."""
    words = ['$HOME', '$(touch', '{dir}/made)', '`id`', ';', '>{dir}/made', '*', '&&', '|']
    script = f'#!/bin/sh\nfor word; do echo "$word"; done > "${{0%/*}}/words"\necho {OTHER}\n'
    command_line = ' '.join(words)
    server = start(f'SignedSessionSecret "exec:{{dir}}/secret.sh {command_line}"' + ENDPOINT,
                   files={'secret.sh': script})
    assert opens(server, OTHER)
    assert (server.dir / 'words').read_text().splitlines() == [server.filled_in(word) for word in words]
    assert not (server.dir / 'made').exists()


# --- sources that do not work --------------------------------------------------------------------


# what: (sources, files, environment, fragments of the message)
BROKEN = {
    'a file that is not there': ('file:keys/none', {}, {}, ['SS0106', 'file:{dir}/keys/none', 'No such file']),
    'a directory': ('file:htdocs', {}, {}, ['SS0106', 'file:{dir}/htdocs', 'directory']),
    'an empty file': ('file:keys/one', {'keys/one': ''}, {}, ['SS0106', 'file:{dir}/keys/one', 'no secret']),
    'only comments and blanks': ('file:keys/one', {'keys/one': f'# {OTHER}\n \t \n\n#\n'}, {},
                                 ['SS0106', 'file:{dir}/keys/one', 'no secret']),
    "a comment of another file's kind": ('file:keys/one', {'keys/one': f'; {SECRET}\n{OTHER}\n'}, {},
                                         ['SS0106', 'file:{dir}/keys/one line 1', 'comment']),
    'a private key': ('"exec:{dir}/secret.sh"', {'secret.sh': '#!/bin/sh\necho -----BEGIN PRIVATE KEY-----\n'}, {},
                      ['SS0106', 'exec:{dir}/secret.sh line 1', 'PEM']),
    'a file without an end': ('file:/dev/zero', {}, {}, ['SS0106', 'file:/dev/zero', '65536 bytes']),
    'a file that is too big': ('file:keys/one', {'keys/one': '#' * 70000 + '\n' + OTHER}, {},
                               ['SS0106', 'file:{dir}/keys/one', '65536 bytes']),
    'an empty variable': ('env:SHOP', {}, {'SHOP': ''}, ['SS0106', 'env:SHOP', 'empty']),
    'an empty variable beside a good file': ('env:SHOP', {'keys/one': OTHER},
                                             {'SHOP': '', 'SHOP_FILE': '{dir}/keys/one'},
                                             ['SS0106', 'env:SHOP', 'empty']),
    'NAME_FILE that is empty': ('env:SHOP', {}, {'SHOP_FILE': ''}, ['SS0106', 'SHOP_FILE', 'empty']),
    'NAME_FILE of a missing file': ('env:SHOP', {}, {'SHOP_FILE': '{dir}/none'},
                                    ['SS0106', '{dir}/none', 'SHOP_FILE', 'No such file']),
    'a command that is not there': ('exec:{dir}/none', {}, {}, ['SS0106', 'exec:{dir}/none', 'No such file']),
    'a file that is no command': ('exec:{dir}/plain', {'plain': OTHER}, {},
                                  ['SS0106', 'exec:{dir}/plain', 'Permission denied']),
    'a command that fails, with a secret': (
        'exec:{dir}/secret.sh', {'secret.sh': f'#!/bin/sh\necho {OTHER}\nexit 3\n'}, {},
        ['SS0106', 'exec:{dir}/secret.sh', 'exit status 3']),
    'a command that is killed, with a secret': (
        'exec:{dir}/secret.sh', {'secret.sh': f'#!/bin/sh\necho {OTHER}\nkill -9 $$\n'}, {},
        ['SS0106', 'exec:{dir}/secret.sh', 'signal 9']),
    'a command that says nothing': ('exec:{dir}/secret.sh', {'secret.sh': '#!/bin/sh\n'}, {},
                                    ['SS0106', 'exec:{dir}/secret.sh', 'no secret']),
    'a command that never stops talking': (
        'exec:{dir}/secret.sh', {'secret.sh': '#!/bin/sh\nexec yes\n'}, {},
        ['SS0106', 'exec:{dir}/secret.sh', '65536 bytes']),
    'an unset variable': ('env:SHOP', {}, {}, [SS0101.format('SHOP')]),
}


@pytest.mark.parametrize('sources, files, env, fragments', BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize('order', ['{0}', '{0} {1}', '{1} {0}'], ids=['alone', 'first', 'last'])
def test_a_broken_source_stops_the_start(sources, files, env, fragments, order):
    conf = 'SignedSessionSecret ' + order.replace('{0}', sources).replace('{1}', GOOD) + '\nSignedSession On'
    with prepared(conf, files=files, env=env) as server:
        rc, text = server.run('-t')
        assert rc == 1
        line = one_line(text, fragments[0])
        for fragment in fragments:
            assert server.filled_in(fragment) in line
        assert OTHER not in text and SECRET not in text

    rc, terminal, log = failed_start(conf, files=files, env=env)
    assert rc == 1
    assert fragments[0] in log
    assert not any(secret in terminal + log for secret in (OTHER, SECRET))


def test_a_broken_source_stops_the_start_wherever_sessions_are_off():
    rc, text = configtest('SignedSessionSecret file:none')
    assert rc == 1 and 'SS0106' in text


LITERALS = {
    'a secret': SECRET,
    'a short one': SHORT,
    'known text': 'changeme',
    'a secret behind a good source': f'{GOOD} {OTHER}',
    'a path without file:': '/etc/signed_session.secret',
    'a secret for a name': f'env:{SECRET}',
    'unknown kind': f'text:{OTHER}',
    'exec: without quotes': f'exec:/bin/echo {OTHER}',
}


@pytest.mark.parametrize('literal', LITERALS.values(), ids=LITERALS)
def test_literal_text_is_refused_and_not_repeated(literal):
    """Not even a path: it may be a secret of base64, whose first character is often a slash."""
    rc, text = configtest(f'SignedSessionSecret {literal}\nSignedSession On')
    assert rc == 1
    line = one_line(text, 'SignedSessionSecret: ')
    assert 'env:' in line
    for word in literal.split():
        assert word.startswith(('env:SIGNED', 'exec:')) or word.split(':')[-1] not in text


def test_a_path_is_answered_with_how_to_write_it():
    rc, text = configtest('SignedSessionSecret /etc/signed_session.secret\nSignedSession On')
    assert rc == 1 and 'write file:/path' in one_line(text, 'SignedSessionSecret: ')


# --- weak secrets ------------------------------------------------------------------------------


WEAK = {
    'too short': (SHORT, 'SS0102', 'too short: 11 bytes, at least 32'),
    'one byte too short': (SECRET[:31], 'SS0102', '31 bytes'),
    'one character': ('x' * 64, 'SS0103', 'entropy'),
    'few characters': ('0110100110010110' * 4, 'SS0103', 'entropy'),
    'a short unit again and again': ('k3VzQ9fW' * 6, 'SS0103', 'entropy'),
    'changeme': ('changeme', 'SS0104', 'documentation'),
    'your-secret-key': ('your-secret-key', 'SS0104', 'documentation'),
    'Your_Secret_Key, in other clothes': ('Your_Secret_Key!', 'SS0104', 'documentation'),
    'secret': ('secret', 'SS0104', 'documentation'),
    'known text, long enough by repetition': ('changeme' * 5, 'SS0104', 'documentation'),
    'known text, long enough by padding': ('your-secret-key' + '0' * 30, 'SS0104', 'documentation'),
    'an example that says so': ('CHANGE_ME_TO_A_RANDOM_STRING_OF_32_CHARS', 'SS0104', 'says itself'),
    'as Django makes it for development': ('django-insecure-k2#x@9vq1$w8z!r4t7y0u3i6o5p_s-d(f)g=h', 'SS0104',
                                           'says itself'),
    'a key printed in a tutorial': ('09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7', 'SS0104',
                                    'documentation'),
}


@pytest.mark.parametrize('secret, number, fragment', WEAK.values(), ids=WEAK)
def test_a_weak_secret_is_refused(secret, number, fragment):
    rc, text = configtest('SignedSession On', env={VARIABLE: secret})
    assert rc == 1
    line = one_line(text, number)
    assert fragment in line and f'env:{VARIABLE}' in line and 'ssctl keygen' in line
    assert len(re.findall(r'SS\d{4}', text)) == 1
    if secret != 'secret':  # an ordinary word of the message
        assert secret not in text

    rc, _, log = failed_start('SignedSession On', env={VARIABLE: secret})
    assert rc == 1
    assert fragment in one_line(log, number)


def test_thirty_two_bytes_are_enough():
    assert configtest('SignedSession On', env={VARIABLE: SECRET[:32]}) == (0, 'Syntax OK\n')


TWICE = {
    'in one file': ('file:keys/one', {'keys/one': f'{OTHER}\n{SECRET}\n{OTHER}\n'}, ['line 1', 'line 3']),
    'in a file and a variable': (f'{GOOD} file:keys/one', {'keys/one': f'{OTHER}\n {SECRET}\n'},
                                 [GOOD, 'file:{dir}/keys/one line 2']),
    'the same source': (f'{GOOD} {GOOD}', {}, [f'{GOOD} and {GOOD}']),
}


@pytest.mark.parametrize('sources, files, fragments', TWICE.values(), ids=TWICE)
def test_the_same_secret_twice(sources, files, fragments):
    with prepared(f'SignedSessionSecret {sources}\nSignedSession On', files=files) as server:
        rc, text = server.run('-t')
        assert rc == 1
        line = one_line(text, 'SS0105')
        for fragment in fragments:
            assert server.filled_in(fragment) in line
        assert SECRET not in text and OTHER not in text


def test_a_weak_secret_among_good_ones_is_found_by_its_line():
    with prepared('SignedSessionSecret file:keys/one\nSignedSession On',
                  files={'keys/one': f'# new\n{OTHER}\n{SHORT}\n'}) as server:
        rc, text = server.run('-t')
    assert rc == 1
    assert 'keys/one line 3' in one_line(text, 'SS0102')
    assert SHORT not in text and OTHER not in text


def test_the_secret_of_our_configuration_example_is_no_secret():
    """Whatever looks like a secret in our own documents must not work as one."""
    documents = [path for folder in ('', 'docs', 'conf') for path in sorted((TOP / folder).glob('*'))
                 if path.suffix in ('.md', '.conf')]
    assert documents
    examples = {text for path in documents
                for text in re.findall(rf'{VARIABLE}=["\']?([^\s"\'$`]+)', path.read_text())}
    for text in sorted(examples):
        rc, output = configtest('SignedSession On', env={VARIABLE: text})
        assert rc == 1 and 'SS010' in output, f'{text} is printed in our documents and works as a secret'


# --- key files that others can read --------------------------------------------------------------


@pytest.mark.parametrize('mode, complaint', [(0o400, None), (0o600, None), (0o440, None), (0o444, 'read'),
                                             (0o604, 'read'), (0o602, 'changed')])
@pytest.mark.parametrize('way', ['file', 'variable'])
def test_a_key_file_that_others_can_read_is_a_warning(way, mode, complaint):
    conf = ('SignedSessionSecret file:one\n' if way == 'file' else '') + ENDPOINT
    env = {} if way == 'file' else {VARIABLE: None, f'{VARIABLE}_FILE': '{dir}/one'}
    with prepared(conf, files={'one': OTHER}, env=env) as server:
        (server.dir / 'one').chmod(mode)
        rc, tested = server.run('-t')
        assert rc == 0 and tested.endswith('Syntax OK\n') and OTHER not in tested
        rc, terminal = server.run('-k', 'start')
        assert rc == 0, terminal + server.error_log()
        wait_for(lambda: restarts(server), 'the start')
        assert opens(server, OTHER)
        log = server.error_log()
        if complaint is None:
            assert 'SS0110' not in log + tested
        else:
            line = one_line(log, 'SS0110')
            assert '[warn]' in line and complaint in line and f'{server.dir}/one' in line
            assert one_line(tested, 'SS0110') in line
        assert OTHER not in log


# --- no secret is ever shown ---------------------------------------------------------------------


SHOW_CGI = '#!/bin/sh\necho Content-Type: text/plain\necho\nenv\nset\ncat /proc/self/environ\n'
SHOW_LUA = '''
function handle(r)
    r.content_type = 'text/plain'
    for _, every in ipairs({r:notes_table(), r:subprocess_env_table(), r:headers_in_table(),
                            r:err_headers_out_table()}) do
        for name, value in pairs(every) do
            r:puts(tostring(name), '=', tostring(value), '\\n')
        end
    end
    return apache2.OK
end
'''
SHOWN = '''
    SignedSessionEnv On
    SetEnvIf Request_URI ^ VISIBLE=yes
    ScriptAlias /cgi "{dir}/show.cgi"
    ScriptSock "{dir}/cgid.sock"
    LuaMapHandler /lua "{dir}/show.lua"
    <Location "/info">
        SetHandler server-info
    </Location>
    <Location "/status">
        SetHandler server-status
    </Location>
'''
SHOWN_SOURCES = 'SignedSessionSecret env:SHOP file:keys/one "exec:{dir}/secret.sh"'
SHOWN_FILES = {'keys/one': OTHER, 'secret.sh': f'#!/bin/sh\necho {THIRD}\n', 'show.cgi': SHOW_CGI,
               'show.lua': SHOW_LUA}


def shows_no_secret(text):
    return not any(secret in text for secret in (SECRET, OTHER, THIRD))


@pytest.fixture(scope='module')
def showing():
    conf = SHOWN_SOURCES + ENDPOINT + SHOWN
    if harness.mpm == 'prefork':
        conf = conf.replace('ScriptSock "{dir}/cgid.sock"', '')
    modules = f'alias setenvif info status lua {cgi_module()}'
    with Keyed(conf, modules, files=SHOWN_FILES, env={VARIABLE: None, 'SHOP': SECRET},
               log_level='trace8') as server:
        yield server


@pytest.mark.parametrize('path, mark', [('/cgi', 'SESSION_who=Ann'), ('/lua', 'session:who=Ann'),
                                        ('/info', 'SignedSessionSecret'), ('/info?config', 'env:SHOP'),
                                        ('/status', 'Server uptime'), ('/session?meta', 'valid'),
                                        ('/session', 'Ann')])
def test_no_page_shows_a_secret(showing, path, mark):
    cookie = anns_cookie(SECRET)
    text = showing.request('GET', path, cookie=cookie).text
    assert mark in text
    assert shows_no_secret(text)


def test_the_error_log_shows_no_secret_at_any_level(showing):
    for cookie in (native({'who': 'Ann'}), anns_cookie(THIRD), 'session=x',
                   f'session={Native({}).seal("of somebody else, whom nobody knows")}'):
        showing.request('PUT', '/session/a', JSON, '1', cookie=cookie)
    assert 'SS0203' in showing.error_log()
    assert shows_no_secret(showing.error_log())


def test_dump_config_shows_no_secret():
    server = Keyed(SHOWN_SOURCES + ENDPOINT, 'info', files=SHOWN_FILES, env={VARIABLE: None, 'SHOP': SECRET})
    rc, text = server.run_once('-t', '-DDUMP_CONFIG')
    assert rc == 0
    assert 'SignedSessionSecret env:SHOP' in text and shows_no_secret(text)
