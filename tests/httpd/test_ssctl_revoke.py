# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""ssctl revoke and revoked: lines of the log that ends sessions on all devices, as an administrator writes and lists them."""

import json
import os
import re
import stat
import subprocess
import time

import pytest

pytestmark = pytest.mark.once

FIRST = '# revocation log of mod_signed_session: only append to it, never rotate it\n'
NOW = 1767225600  # 2026-01-01T00:00:00Z
DAY = 86400
ID = '000102030405060708090a0b0c0d0e0f'


def ssctl(*words):
    return subprocess.run([os.environ['SS_SSCTL'], *map(str, words)], capture_output=True, text=True, timeout=20)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / 'revoked'
    path.write_text(FIRST)
    path.chmod(0o600)
    return path


def revoke(log, *words):
    done = ssctl('revoke', '--file', log, *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


def revoked(log, *words):
    done = ssctl('revoked', '--file', log, *words)
    assert (done.returncode, done.stderr) == (0, '')
    return done.stdout


def lines(log):
    text = log.read_text()
    assert text.startswith(FIRST) and text.endswith('\n')
    return text.splitlines()[1:]


@pytest.mark.parametrize('words, line', [
    (['--all'], f'all {NOW} {NOW + 3650 * DAY}'),
    (['--subject', 'alice'], f'subject alice {NOW} {NOW + 3650 * DAY}'),
    (['--subject', 'a.b+c@example.org', '--lifetime', '14d'], f'subject a.b+c@example.org {NOW} {NOW + 14 * DAY}'),
    (['--subject', 'Zo\u00eb M%\n'], f'subject Zo%c3%ab%20M%25%0a {NOW} {NOW + 3650 * DAY}'),
    (['--subject=-x', '--lifetime', '1w'], f'subject -x {NOW} {NOW + 7 * DAY}'),
    (['--id', ID.upper()], f'id {ID} {NOW + 3650 * DAY}'),
    (['--id', ID, '--lifetime', '90'], f'id {ID} {NOW + 90}'),
    (['--all', '--lifetime', 'none'], f'all {NOW} {2 ** 40 - 1}'),
], ids=' '.join)
def test_one_line_is_appended(log, words, line):
    revoke(log, '--now', NOW - 60, '--all')
    revoke(log, '--now', NOW, *words)
    assert lines(log) == [f'all {NOW - 60} {NOW - 60 + 3650 * DAY}', line]


@pytest.mark.parametrize('there, words, before', [
    (f'subject alice {NOW}', ['--subject', 'alice'], NOW + 1),
    (f'subject alice {NOW}', ['--all'], NOW + 1),
    (f'subject alice {NOW}', ['--subject', 'bob'], NOW),
    (f'all {NOW + 3}', ['--subject', 'bob'], NOW + 4),
    (f'all {NOW + 3}', ['--all'], NOW + 4),
    (f'all {NOW - 1}', ['--all'], NOW),
    # no cookie is accepted from further ahead, and nobody is to be kept out by a slip of the pen
    (f'subject alice {NOW + 9999}', ['--all'], NOW + 30),
    (f'subject alice {NOW + 9999}', ['--all', '--skew', '60'], NOW + 60),
    (f'subject alice {NOW + 9999}', ['--all', '--skew', '0'], NOW + 2),
], ids=str)
def test_sessions_that_an_earlier_line_dated_ahead_are_meant_too(log, there, words, before):
    with log.open('a') as file:
        file.write(f'{there} {NOW + DAY}\n')
    revoke(log, '--now', NOW, *words)
    assert lines(log)[-1].split()[-2] == str(before)


def test_now_is_now(log):
    before = int(time.time())
    revoke(log, '--all')
    assert before <= int(lines(log)[0].split()[1]) <= int(time.time())


def test_the_log_keeps_its_mode_and_its_owner(log):
    if os.geteuid() == 0:
        os.chown(log, 65534, 65534)
    before = log.stat()
    revoke(log, '--all')
    after = log.stat()
    assert (after.st_ino, after.st_uid, after.st_gid, after.st_mode) == (
        before.st_ino, before.st_uid, before.st_gid, before.st_mode)
    assert stat.S_IMODE(after.st_mode) == 0o600


def test_a_line_that_somebody_left_without_its_end(log):
    with log.open('a') as file:
        file.write(f'all 1 {NOW}')
    revoke(log, '--now', NOW, '--all')
    assert lines(log) == [f'all 1 {NOW}', f'all {NOW} {NOW + 3650 * DAY}']


def test_what_holds_is_listed(log):
    assert revoked(log) == ''
    assert revoked(log, '--json') == '[]\n'
    revoke(log, '--now', NOW, '--all', '--lifetime', '1d')
    revoke(log, '--now', NOW, '--subject', 'Zo\u00eb', '--lifetime', '14d')
    revoke(log, '--now', NOW, '--id', ID, '--lifetime', '13d')
    revoke(log, '--now', NOW + 60, '--subject', 'Zo\u00eb', '--lifetime', '14d')
    assert revoked(log, '--now', NOW).splitlines() == [
        'all, created up to 2026-01-01T00:00:00Z, until 2026-01-02T00:00:00Z',
        'subject Zo%c3%ab, created up to 2026-01-01T00:01:00Z, until 2026-01-15T00:01:00Z',
        f'id {ID}, until 2026-01-14T00:00:00Z']
    assert revoked(log, '--now', NOW + DAY + 1).splitlines() == revoked(log, '--now', NOW).splitlines()[1:]
    assert json.loads(revoked(log, '--now', NOW, '--json')) == [
        {'kind': 'all', 'value': None, 'before': NOW, 'until': NOW + DAY},
        {'kind': 'subject', 'value': 'Zo\u00eb', 'before': NOW + 60, 'until': NOW + 60 + 14 * DAY},
        {'kind': 'id', 'value': ID, 'before': None, 'until': NOW + 13 * DAY}]
    assert revoked(log, '--now', NOW + 15 * DAY, '--json') == '[]\n'


def test_a_session_that_was_bound_is_listed(log):
    with log.open('a') as file:
        file.write(f'replaced {ID} {NOW} {NOW + DAY}\n')
    assert revoked(log, '--now', NOW) == f'replaced {ID}, from 2026-01-01T00:00:00Z, until 2026-01-02T00:00:00Z\n'
    assert json.loads(revoked(log, '--now', NOW, '--json')) == [
        {'kind': 'replaced', 'value': ID, 'before': NOW, 'until': NOW + DAY}]


def test_only_what_a_terminal_can_bear_is_printed(log):
    with log.open('ab') as file:
        file.write(b'subject \xc2\x9b31m\xe2\x80\xae 1 9999999999\n')
    revoke(log, '--subject', '\x1b[31m\u202e')
    assert re.fullmatch('[ -~\n]+', revoked(log) + revoked(log, '--json'))


def test_lines_that_are_not_understood_are_told_of(log):
    with log.open('a') as file:
        file.write(f'# a note\n\nuser alice 1 2\nid 12 1\nall 1 {NOW}\n')
    done = ssctl('revoked', '--file', log, '--now', NOW)
    assert (done.returncode, done.stdout) == (0, 'all, created up to 1970-01-01T00:00:01Z, until 2026-01-01T00:00:00Z\n')
    assert done.stderr == 'ssctl: warning: 2 lines are not understood\n'


@pytest.mark.parametrize('command', [['revoke', '--all'], ['revoked']], ids=' '.join)
def test_a_missing_log_is_not_made(tmp_path, command):
    path = tmp_path / 'revoked'
    done = ssctl(*command, '--file', path)
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr == (f'ssctl: there is no {path}: httpd makes it, when it starts with SignedSessionRevocation '
                           'file:PATH\n')
    assert not path.exists()


@pytest.mark.parametrize('text', ['', 'root:x:0:0:root\n', FIRST[:-1], 'x' * 100000], ids=['empty', 'another', 'half', 'long'])
@pytest.mark.parametrize('command', [['revoke', '--all'], ['revoked']], ids=' '.join)
def test_what_is_no_log_stays_as_it_is(log, command, text):
    log.write_text(text)
    done = ssctl(*command, '--file', log)
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr == f'ssctl: {log} does not begin as a revocation log does\n'
    assert log.read_text() == text


def test_a_directory_is_none(tmp_path):
    assert ssctl('revoked', '--file', tmp_path).stderr == f'ssctl: {tmp_path} is no plain file\n'
    assert 'Is a directory' in ssctl('revoke', '--all', '--file', tmp_path).stderr


@pytest.mark.parametrize('words, why', [
    (['revoke', '--all'], 'revoke takes --file'),
    (['revoked'], 'revoked takes --file'),
    (['revoke', '--file', 'LOG'], 'revoke takes one of --subject, --id and --all'),
    (['revoke', '--file', 'LOG', '--all', '--id', ID], 'revoke takes one of --subject, --id and --all'),
    (['revoke', '--file', 'LOG', '--subject', 'a', '--id', ID], 'revoke takes one of --subject, --id and --all'),
    (['revoke', '--file', 'LOG', '--subject', 'a', '--all'], 'revoke takes one of --subject, --id and --all'),
    (['revoke', '--file', '', '--all'], '--file: accepted is the path of a file'),
    (['revoke', '--file', 'LOG', '--subject', ''], '--subject: accepted is what SignedSessionSubject holds, 1 to 4096 bytes'),
    (['revoke', '--file', 'LOG', '--subject', 'x' * 4097],
     '--subject: accepted is what SignedSessionSubject holds, 1 to 4096 bytes'),
    (['revoke', '--file', 'LOG', '--id', ID[1:]], '--id: accepted is the id of a session, 32 hexadecimal digits'),
    (['revoke', '--file', 'LOG', '--id', ID[1:] + 'g'], '--id: accepted is the id of a session, 32 hexadecimal digits'),
    (['revoke', '--file', 'LOG', '--all', 'alice'], 'revoke takes no argument'),
    (['revoke', '--file', 'LOG', '--json', '--all'], 'revoke has no such option'),
    (['revoke', '--file', 'LOG', '--all', '--lifetime', '0'], '--lifetime: accepted is '),
    (['revoked', '--file', 'LOG', '--all'], 'revoked has no such option'),
], ids=lambda words: ' '.join(words)[:60] if isinstance(words, list) else '')
def test_misuse(log, words, why):
    done = ssctl(*(log if word == 'LOG' else word for word in words))
    assert (done.returncode, done.stdout) == (2, '')
    assert f'\nssctl: {why}' in done.stderr
    assert log.read_text() == FIRST


def test_the_longest_subject(log):
    revoke(log, '--subject', '\u00eb' * 2048)
    assert json.loads(revoked(log, '--json'))[0]['value'] == '\u00eb' * 2048


def test_a_time_that_the_log_cannot_hold(log):
    done = ssctl('revoke', '--file', log, '--all', '--now', 2 ** 40 - 1)
    assert (done.returncode, done.stderr) == (1, 'ssctl: the time is too far ahead for the log\n')
    assert log.read_text() == FIRST
