# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Starting, stopping and restarting: with and without a secret, also from a shell that has none."""

import base64
import re

import pytest

from common import ENDPOINT, JSON, TOP
from cookies import Native
from harness import SECRET, Server, StartError, configtest
from starting import (COUNTED, COUNTING, GOOD, NO_SECRET, OTHER, SHORT, SS0101, THIRD, VARIABLE,
                      Keyed, anns_cookie, answers, command, daemon, failed_start, one_line, opens, pid_of, prepared,
                      restarts, sealed_with, wait_for)


# --- no module ---------------------------------------------------------------------------------


def test_where_the_module_is_off(start):
    """What docs/troubleshooting.md quotes, so that an administrator finds it."""
    said = (TOP / 'docs/troubleshooting.md').read_text()
    for line, message in (('SignedSession On', "Invalid command 'SignedSession', perhaps misspelled or defined by a module"),
                          ('<Location "/a">\nRequire signed-session user\n</Location>', 'Unknown Authz provider: signed-session')):
        rc, text = configtest(line, ours=False)
        assert rc == 1 and message in text and message in said
    server = start('<Location "/a">\nAuthType signed-session\nRequire valid-user\n</Location>', 'authn_core authz_user', ours=False)
    assert server.request('GET', '/a').status == 500
    message = 'AH01796: AuthType signed-session configured without corresponding module'
    server.expect(message)
    assert message in said


# --- no secret ---------------------------------------------------------------------------------


def test_configtest_without_a_secret():
    rc, text = configtest('SignedSession On', env=NO_SECRET)
    assert rc == 1
    assert one_line(text, 'SS0101').startswith(SS0101.format(VARIABLE))
    assert 'httpd.conf:' in one_line(text, 'SS0101')  # where it is switched on


OLD_ENVIRONMENT = 'if it is set by now, stop httpd and start it, because a reload keeps the old environment'


def test_start_without_a_secret():
    rc, terminal, log = failed_start('SignedSession On', env=NO_SECRET)
    assert rc == 1
    assert SS0101.format(VARIABLE) in terminal
    assert SS0101.format(VARIABLE) in log and OLD_ENVIRONMENT not in terminal + log


@pytest.mark.parametrize('place', ['<Location "/a">', '<Directory "{dir}/htdocs/a">', '<If "true">',
                                   '<Files "a">', '<VirtualHost 127.0.0.1:{port}>'])
@pytest.mark.parametrize('mode', ['On', 'ReadOnly'])
def test_wherever_it_is_switched_on(place, mode):
    end = '</' + place[1:].split()[0] + '>'
    rc, text = configtest(f'{place}\nSignedSession {mode}\n{end}', env=NO_SECRET)
    assert rc == 1 and SS0101.format(VARIABLE) in text


@pytest.mark.parametrize('conf', ['', 'SignedSession Off', 'SignedSessionMaxSize 1000\nSignedSessionVary Off',
                                  '<VirtualHost *:1>\nSignedSessionIdleTimeout 1h\n</VirtualHost>'])
def test_never_switched_on_needs_no_secret_and_is_quiet(start, conf):
    assert configtest(conf, env=NO_SECRET) == (0, 'Syntax OK\n')
    server = start(conf, env=NO_SECRET)
    assert server.request('GET', '/file.txt').status == 200
    assert 'SS0' not in server.error_log()


def test_a_named_variable_that_is_unset_stops_the_start_by_its_name():
    conf = 'SignedSessionSecret env:SHOP_SECRET\nSignedSession On'
    rc, text = configtest(conf)
    assert rc == 1 and SS0101.format('SHOP_SECRET') in text
    rc, terminal, log = failed_start(conf)
    assert rc == 1 and SS0101.format('SHOP_SECRET') in terminal and SS0101.format('SHOP_SECRET') in log


def test_switched_on_in_htaccess_of_a_server_without_a_secret(start):
    server = start('<Directory "{dir}/htdocs">\nAllowOverride AuthConfig\n</Directory>', env=NO_SECRET,
                   files={'htdocs/in/.htaccess': 'SignedSession On', 'htdocs/in/file.txt': 'x'})
    server.expect('SS0112: ', SS0101.format(VARIABLE))
    assert server.request('GET', '/in/file.txt').status == 500
    assert server.request('GET', '/file.txt').status == 200


def test_switched_on_in_htaccess_of_a_server_with_a_bad_secret(start):
    server = start('<Directory "{dir}/htdocs">\nAllowOverride AuthConfig\n</Directory>', env={VARIABLE: SHORT},
                   files={'htdocs/in/.htaccess': 'SignedSession On', 'htdocs/in/file.txt': 'x'})
    server.expect('SS0112: ', 'SS0102: ')
    assert server.request('GET', '/in/file.txt').status == 500
    assert server.request('GET', '/file.txt').status == 200
    assert SHORT not in server.error_log()


# --- a running server can be stopped and restarted from any shell ----------------------------------


SHELLS = {
    'without the variable': ('', {}, NO_SECRET),
    'with a weak secret': ('', {}, {VARIABLE: SHORT}),
    'with an empty secret': ('', {}, {VARIABLE: ''}),
    'with another variable unset': ('SignedSessionSecret env:SHOP', {'SHOP': SECRET}, {}),
    'with a file that is not there': ('', {}, {VARIABLE: None, f'{VARIABLE}_FILE': '/missing'}),
}


@pytest.mark.parametrize('form', ['native', 'starlette', 'express'])
def test_a_libcrypto_that_refuses_stops_the_start(tmp_path, form):
    """Only certified algorithms, and none is there: whatever is asked for is refused."""
    conf = tmp_path / 'openssl.cnf'
    conf.write_text('openssl_conf = init\n[init]\nalg_section = algorithms\n'
                    '[algorithms]\ndefault_properties = fips=yes\n')
    sessions, env = f'SignedSession On\nSignedSessionFormat {form}', {'OPENSSL_CONF': str(conf)}
    with pytest.raises(StartError, match='SS0111: OpenSSL .* refused to make the keys of SignedSessionSecret'):
        Server(sessions, env=env).start()
    rc, text = configtest(sessions, env=env)
    assert rc == 1 and 'SS0111: OpenSSL' in text
    assert failed_start(sessions, env=env)[0] == 1  # before httpd detaches itself


@pytest.mark.parametrize('conf, env, shell', SHELLS.values(), ids=SHELLS)
def test_graceful_and_stop(conf, env, shell):
    with daemon(conf + ENDPOINT, env=env) as server:
        assert opens(server, SECRET)
        rc, terminal = command(server, 'graceful', shell)
        assert rc == 0, terminal
        wait_for(lambda: restarts(server) == 2, 'the graceful restart')
        assert opens(server, SECRET)
        assert SHORT not in terminal and SECRET not in terminal

        rc, terminal = command(server, 'stop', shell)
        assert rc == 0, terminal
        wait_for(lambda: pid_of(server) is None and not answers(server), 'the stop')


def test_stop_when_the_key_file_is_gone():
    with daemon('SignedSessionSecret file:keys/one' + ENDPOINT, files={'keys/one': SECRET}) as server:
        (server.dir / 'keys/one').unlink()
        rc, terminal = command(server, 'stop', {})
        assert rc == 0, terminal
        wait_for(lambda: pid_of(server) is None and not answers(server), 'the stop')


def test_stop_runs_no_command():
    with daemon(COUNTED + ENDPOINT, files={'secret.sh': COUNTING}) as server:
        runs = (server.dir / 'runs').read_text()
        assert runs
        rc, terminal = command(server, 'stop', {})
        assert rc == 0, terminal
        wait_for(lambda: pid_of(server) is None, 'the stop')
        assert (server.dir / 'runs').read_text() == runs


# --- virtual hosts -------------------------------------------------------------------------------


def virtual_host(name, conf):
    return f'<VirtualHost 127.0.0.1:{{port}}>\nServerName {name}.test\n{conf}\n</VirtualHost>\n'


def test_a_virtual_hosts_secret_replaces_the_main_servers(start):
    server = start(ENDPOINT
                   + virtual_host('heir', '')
                   + virtual_host('kin', 'SignedSessionIdleTimeout 1h')
                   + virtual_host('own', 'SignedSessionSecret env:SHOP')
                   + virtual_host('both', f'SignedSessionSecret env:SHOP {GOOD}'), env={'SHOP': OTHER})
    opening = {name: [opens(server, secret, f'{name}.test') for secret in (SECRET, OTHER)]
               for name in ('heir', 'kin', 'own', 'both')}
    assert opening == {'heir': [True, False], 'kin': [True, False], 'own': [False, True], 'both': [True, True]}


def test_a_virtual_host_without_sessions_needs_no_secret(start):
    server = start(virtual_host('plain', '')
                   + virtual_host('some', 'SignedSessionSecret env:SHOP' + ENDPOINT)
                   + virtual_host('off', 'SignedSession Off\nSignedSessionMaxSize 1000'),
                   env={**NO_SECRET, 'SHOP': OTHER})
    assert opens(server, OTHER, 'some.test')
    for name in ('plain', 'off'):
        assert server.request('GET', '/file.txt', {'Host': f'{name}.test'}).status == 200
    assert 'SS0' not in server.error_log()


def test_a_virtual_host_with_sessions_and_no_secret_stops_the_start():
    conf = (virtual_host('some', 'SignedSessionSecret env:SHOP' + ENDPOINT)
            + virtual_host('lost', 'SignedSession On'))
    env = {**NO_SECRET, 'SHOP': OTHER}
    rc, text = configtest(conf, env=env)
    assert rc == 1 and SS0101.format(VARIABLE) in one_line(text, 'SS0101')
    rc, terminal, log = failed_start(conf, env=env)
    assert rc == 1 and SS0101.format(VARIABLE) in terminal and SS0101.format(VARIABLE) in log


def line_of(text, where):
    """The line that holds this, by its number in the file that httpd reads."""
    return 1 + text[:text.index(where)].count('\n')


PLACES = {  # what the message of SS0101 names, of a virtual host "lost" that lacks its secret
    'its own source': ('SignedSession On', 'SignedSessionSecret env:GONE', 'SignedSessionSecret env:GONE'),
    'its own source and its own On': (
        '', '<Location "/a">\nSignedSession On\n</Location>\nSignedSessionSecret env:GONE',
        'SignedSessionSecret env:GONE'),
    'the default and its own On': ('', 'SignedSession On', 'SignedSession On'),
    'a source alone': ('', 'SignedSessionSecret env:GONE', 'SignedSessionSecret env:GONE'),
    'a file': ('SignedSession On', 'SignedSessionSecret file:gone', 'SignedSessionSecret file:gone'),
    'a weak secret': ('SignedSession On', 'SignedSessionSecret env:WEAK', 'SignedSessionSecret env:WEAK'),
}


@pytest.mark.parametrize('main, own, place', PLACES.values(), ids=PLACES)
def test_the_virtual_host_without_a_secret_and_its_line_are_named(main, own, place):
    good = 'SignedSessionSecret env:SHOP\n' if main else ''
    env = {'SHOP': OTHER, 'WEAK': SHORT, **NO_SECRET}
    with prepared(good + main + '\n' + virtual_host('lost', own), env=env) as server:
        conf = server.dir / 'httpd.conf'
        rc, text = server.run('-t')
        line = one_line(text, 'SS010')
        assert rc == 1
        assert f'{conf}:{line_of(conf.read_text(), place)}' in line
        assert line.endswith(f'(virtual host lost.test, {conf}:{line_of(conf.read_text(), "<VirtualHost")})')
        rc, terminal = server.run('-k', 'start')
        assert rc == 1
        assert one_line(server.error_log(), 'SS010').endswith(line)
        assert 'SS0101' not in line or one_line(terminal, 'SS0101') == line


def test_what_the_main_server_lacks_is_not_said_for_its_virtual_hosts():
    rc, text = configtest('SignedSession On\n' + virtual_host('one', 'SignedSessionMaxSize 1000')
                          + virtual_host('two', 'SignedSessionMaxSize 2000'), env=NO_SECRET)
    assert rc == 1
    assert 'virtual host' not in one_line(text, 'SS0101')


def test_a_virtual_hosts_bad_secret_stops_the_start():
    conf = ENDPOINT + virtual_host('weak', 'SignedSessionSecret env:SHOP')
    rc, text = configtest(conf, env={'SHOP': SHORT})
    assert rc == 1 and 'env:SHOP' in one_line(text, 'SS0102')
    rc, _, log = failed_start(conf, env={'SHOP': SHORT})
    assert rc == 1 and 'env:SHOP' in one_line(log, 'SS0102')


def test_every_virtual_host_at_fault_is_named():
    conf = (virtual_host('one', 'SignedSession On\nSignedSessionSecret env:ONE')
            + virtual_host('two', 'SignedSession On\nSignedSessionSecret file:none'))
    rc, text = configtest(conf)
    assert rc == 1
    assert SS0101.format('ONE') in text and 'file:' in one_line(text, 'SS0106')


def test_a_command_runs_once_however_many_virtual_hosts_inherit_it():
    conf = COUNTED + ENDPOINT + ''.join(virtual_host(name, f'SignedSessionMaxSize 300{name}') for name in '012')
    with prepared(conf, files={'secret.sh': COUNTING}) as server:
        assert server.run('-t') == (0, 'Syntax OK\n')
        assert (server.dir / 'runs').read_text() == 'run\n'


def test_sessions_that_begin_with_a_reload_need_a_secret_of_the_start():
    """The shell of `-k graceful`, which has read envvars anew, sees nothing wrong."""
    told = f'{SS0101.format(VARIABLE)}; {OLD_ENVIRONMENT}; switched on at '
    with prepared('', env=NO_SECRET) as server:
        assert server.run('-k', 'start') == (0, '')
        wait_for(lambda: answers(server), 'the start')
        conf = server.dir / 'httpd.conf'
        conf.write_text(f'{conf.read_text()}\nSignedSession On\n')
        terminal = server.run('-t')[1]
        assert SS0101.format(VARIABLE) in terminal and told not in terminal
        assert command(server, 'graceful', {})[0] == 0
        wait_for(lambda: not answers(server), 'the end')
        assert told in server.error_log()


# --- restarts ------------------------------------------------------------------------------------


def test_a_secret_is_rotated_by_a_graceful_restart():
    with Keyed('SignedSessionSecret file:keys/one' + ENDPOINT, files={'keys/one': f'{OTHER}\n'}) as server:
        assert sealed_with(server, OTHER) and not opens(server, THIRD)

        server.write('keys/one', f'# since today\n{THIRD}\n# until tomorrow\n{OTHER}\n')
        server.graceful()
        # A child of the old generation may answer until it has heard of the restart.
        wait_for(lambda: opens(server, THIRD), 'the new secret')
        assert opens(server, OTHER)
        assert sealed_with(server, THIRD)

        server.write('keys/one', f'{THIRD}\n')
        server.graceful()
        wait_for(lambda: not opens(server, OTHER), 'the end of the old secret')
        assert opens(server, THIRD)


def test_an_old_cookie_is_written_back_under_the_new_secret():
    with Keyed('SignedSessionSecret file:keys/one' + ENDPOINT, files={'keys/one': f'{THIRD}\n{OTHER}\n'}) as server:
        cookie = anns_cookie(OTHER)
        written = server.request('PUT', '/session/a', JSON, '1', cookie=cookie).cookie()
        assert Native.open(written, THIRD).data == {'who': 'Ann', 'a': 1}


def test_the_environment_of_the_start_holds_after_a_graceful_restart(start):
    server = start(ENDPOINT)
    server.graceful()
    assert opens(server, SECRET)


def test_versions_are_said_once_at_each_start(start):
    server = start('', log_level='info')
    wait_for(lambda: restarts(server), 'the start')
    line = one_line(server.error_log(), 'SS0100')
    assert line.startswith('[info] [signed_session] SS0100: mod_signed_session ')
    for part in (r'mod_signed_session \d+\.\d+\.\d+', r'built with 2\.4\.\d+, running Apache/2\.4\.\d+',
                 r'OpenSSL built with .*3\.\d+\.\d+.*, running .*3\.\d+\.\d+'):
        assert re.search(part, line), line


def key_id(secret, name='session', audience=''):
    cookie = Native({}).seal(secret, name, audience)
    return base64.urlsafe_b64decode(cookie[:8])[2:4].hex()


def test_the_key_ids_of_each_virtual_host_are_said_at_a_start():
    conf = ('SignedSession On\n'
            + virtual_host('heir', '')
            + virtual_host('own', f'SignedSessionSecret env:SHOP {GOOD}')
            + virtual_host('named', 'SignedSessionCookie sid\nSignedSessionAudience shop')
            + virtual_host('foreign', 'SignedSessionFormat flask')
            + virtual_host('both', 'SignedSessionFormat flask native'))
    with Server(conf, env={'SHOP': OTHER}, log_level='info') as server:
        log = server.error_log()
        hosts = {re.search(r'\((main server|virtual host [^,]*)', line)[1]: line.split('SS0100: ')[1]
                 for line in log.splitlines() if 'key ids' in line}
        assert log.count('key ids') == 6
        usual = f'key ids {key_id(SECRET)} (cookie "session", audience "")'
        assert hosts['main server'] == f'{usual} (main server)'
        assert hosts['virtual host heir.test'].startswith(usual)
        assert hosts['virtual host own.test'].startswith(f'key ids {key_id(OTHER)} {key_id(SECRET)} (cookie')
        assert hosts['virtual host named.test'].startswith(
            f'key ids {key_id(SECRET, "sid", "shop")} (cookie "sid", audience "shop")')
        assert hosts['virtual host foreign.test'].startswith('key ids none: no native cookies (cookie')
        assert hosts['virtual host both.test'].startswith(usual)
        assert SECRET not in log and OTHER not in log


def test_no_key_ids_where_nothing_asks_for_sessions(start):
    server = start('', log_level='info')
    assert 'key ids' not in server.error_log()


def test_versions_are_not_said_at_the_usual_level(start):
    server = start(ENDPOINT)
    wait_for(lambda: restarts(server), 'the start')
    assert 'SS0' not in server.error_log()
