# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""ssctl, as an administrator types it: every command, every exit status, and never a secret in what it says."""

import fcntl
import hashlib
import json
import os
import pty
import re
import struct
import subprocess
import termios
import time

import pytest

from common import DAY, TOP
from cookies import Native, starlette
from harness import SECRET, configtest

pytestmark = pytest.mark.once

OTHER = 'Zk4-second_secret.Vn82qLwTy6hRb1XcPe0Mj'
VARIABLE = 'SIGNED_SESSION_SECRET'
FORMATS = ['native', 'starlette', 'flask', 'django', 'express']
NOW = 1767225600  # 2026-01-01T00:00:00Z
SESSION = {'user': 'alice', 'n': 1, 'cart': {'items': [7, None]}, 'name': 'Zo\u00eb'}


def ssctl(*words, stdin='', env=None):
    """Run it; whatever it says, a secret must not be in it."""
    variables = {name: text for name, text in os.environ.items() if not name.startswith(VARIABLE)}
    variables.update({VARIABLE: SECRET, 'OTHER': OTHER, **(env or {})})
    done = subprocess.run([os.environ['SS_SSCTL'], *map(str, words)], input=stdin, capture_output=True, text=True,
                          env={name: text for name, text in variables.items() if text is not None}, timeout=20)
    for secret in (SECRET, OTHER, 'literal secret'):
        assert secret not in done.stdout + done.stderr
    return done


def good(*words, **more):
    done = ssctl(*words, **more)
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.endswith('\n') and done.stdout.count('\n') == 1
    return done.stdout[:-1]


def refused(*words, status=1, **more):
    done = ssctl(*words, **more)
    assert (done.returncode, done.stdout) == (status, '')
    return done.stderr


def seal(session=SESSION, *words, **more):
    return good('seal', *words, json.dumps(session), **more)


# --- keygen, version, formats --------------------------------------------------------------------


def test_keygen_prints_one_good_secret():
    made = [good('keygen') for _ in range(20)]
    assert all(re.fullmatch(r'[!-~]{32,}', secret) for secret in made)
    assert len(set(made)) == len(made)
    assert configtest('SignedSession On', env={VARIABLE: made[0]}) == (0, 'Syntax OK\n')


def test_keygen_into_a_full_disk_fails():
    with open('/dev/full', 'w') as full:
        done = subprocess.run([os.environ['SS_SSCTL'], 'keygen'], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and 'cannot write' in done.stderr


def test_version():
    version = re.search(r'AC_INIT\(\[mod_signed_session\], \[([^]]+)\]\)', (TOP / 'configure.ac').read_text())[1]
    assert good('--version') == f'ssctl {version}'


def test_formats():
    done = ssctl('formats')
    assert (done.returncode, done.stderr) == (0, '')
    assert [line.split()[0] for line in done.stdout.splitlines()] == FORMATS
    listed = {row['name']: row for row in json.loads(good('formats', '--json'))}
    assert list(listed) == FORMATS
    assert listed['native'] == {'name': 'native', 'timed': True, 'created': True, 'bound': True, 'encryption': True,
                                'idle_timeout': 14 * DAY, 'companion': None}
    assert listed['flask']['idle_timeout'] == 31 * DAY
    assert (listed['express']['companion'], listed['express']['timed']) == ('.sig', False)


# --- seal and open -------------------------------------------------------------------------------


@pytest.mark.parametrize('name', FORMATS)
def test_what_is_sealed_opens(name):
    cookie = seal(SESSION, '--format', name)
    assert json.loads(good('open', '--format', name, cookie)) == SESSION
    assert json.loads(good('open', f'--format={name}', stdin=cookie + '\n')) == SESSION
    assert json.loads(good('open', '--format', name, f'a=b; {cookie}' if name == 'express'
                           else f'a=b; session={cookie}')) == SESSION


def test_the_argument_may_come_from_standard_input():
    cookie = good('seal', stdin='\n {"user": "alice"}\n')
    assert good('open', stdin=f'  {cookie}\r\n') == '{"user":"alice"}'


def test_encrypted():
    cookie = seal(SESSION, '--encrypt')
    assert json.loads(good('open', cookie)) == SESSION
    assert json.loads(good('inspect', '--json', cookie))['kind'] == 'encrypted'
    assert seal(SESSION, '--encrypt', '--now', NOW) != seal(SESSION, '--encrypt', '--now', NOW)


def test_others_open_what_is_sealed():
    assert Native.open(seal(), SECRET).data == SESSION
    assert Native.open(seal(SESSION, '--cookie-name', 'sid', '--audience', 'shop'), SECRET, 'sid', 'shop').data == SESSION


def test_what_others_sealed_opens():
    assert json.loads(good('open', Native(SESSION).seal())) == SESSION
    assert json.loads(good('open', '--format', 'starlette', starlette(SESSION))) == SESSION
    assert good('open', '--format', 'starlette', starlette({'a': float('nan')})) == '{"a":null}'


BASE_POINT = bytes.fromhex('036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296')


def test_a_bound_session_shows_its_key():
    cookie = Native(SESSION, point=BASE_POINT).seal()
    assert json.loads(good('open', cookie)) == SESSION
    assert json.loads(good('open', '--json', cookie))['bound_to'] == BASE_POINT.hex()
    seen = json.loads(good('inspect', '--json', cookie))
    assert (seen['flags'], seen['kind'], seen['bound to'], seen['session']) == (
        4, 'signed, bound', BASE_POINT.hex(), SESSION)
    for words, kind in ((['--encrypt'], 'encrypted, bound'), ([], 'signed, bound')):
        again = good('convert', '--from', 'native', '--to', 'native', *words, cookie)
        opened = Native.open(again, SECRET)
        assert (opened.data, opened.point) == (SESSION, BASE_POINT), kind
        assert json.loads(good('inspect', '--json', again))['kind'] == kind


def test_runs_can_be_repeated():
    words = ['--format', 'flask', '--now', NOW, '--skew', '0']
    assert seal({'n': 1, 'user': 'alice'}, *words, '--secret', 'env:DOCUMENTED',
                env={'DOCUMENTED': 'correct-horse-battery-staple-0123456789'}) == (
        'eyJuIjoxLCJ1c2VyIjoiYWxpY2UifQ.aVW5AA.n5SzyIWsPghFEgzf2Izh-nGDfn0')


def test_details_for_scripts():
    made = json.loads(seal({'user': 'alice'}, '--json', '--now', NOW))
    assert (made['cookie'], made['format'], made['encrypted'], made['name'], made['companion'], made['max_age']) == (
        made['value'], 'native', False, 'session', None, 14 * DAY)
    assert made['bytes'] == len('session') + len(made['value'])

    opened = json.loads(good('open', '--json', '--now', NOW + 60, made['cookie']))
    assert re.fullmatch('[0-9a-f]{32}', opened.pop('id'))
    assert opened == {'state': 'valid', 'format': 'native', 'key': 0, 'key_ids': [key_id(seal())],
                      'created': NOW, 'renewed': NOW, 'counter': 1, 'bound_to': None, 'expires_in': 14 * DAY - 60, 'absolute_expires_in': None,
                      'bytes': made['bytes'], 'session': {'user': 'alice'}}


def test_details_of_two_cookies():
    made = json.loads(seal({'user': 'alice'}, '--json', '--format', 'express'))
    assert made['cookie'] == f'session={made["value"]}; session.sig={made["companion"]}'
    opened = json.loads(good('open', '--json', '--format', 'express', made['cookie']))
    assert (opened['renewed'], opened['created'], opened['expires_in'], opened['id']) == (None, None, None, None)
    assert opened['bytes'] == made['bytes'] == len('sessionsession.sig' + made['value'] + made['companion'])


@pytest.mark.parametrize('name, session, max_age', [
    ('flask', {'a': 1}, None), ('flask', {'_permanent': True}, 31 * DAY), ('django', {'_session_expiry': 300}, 300),
    ('django', {'_session_expiry': 0}, None), ('starlette', {'a': 1}, 14 * DAY)])
def test_the_document_may_decide_max_age(name, session, max_age):
    assert json.loads(seal(session, '--json', '--format', name))['max_age'] == max_age


def test_the_first_secret_seals_and_all_open():
    old, new = ['--secret', 'env:OTHER'], ['--secret', f'env:{VARIABLE}']
    cookie = seal(SESSION, *old)
    assert json.loads(good('open', *new, *old, '--json', cookie))['key'] == 1
    assert json.loads(good('open', *new, '--json', seal(SESSION, *new, *old)))['key'] == 0
    assert 'unknown-key' in refused('open', *new, cookie)


def test_a_secret_from_a_file(tmp_path):
    path = tmp_path / 'key'
    path.write_text(f'# ours\n{OTHER}\n')
    path.chmod(0o400)
    cookie = seal(SESSION, '--secret', f'file:{path}')
    assert json.loads(good('open', '--secret', 'env:OTHER', cookie)) == SESSION
    path.chmod(0o644)
    done = ssctl('open', '--secret', f'file:{path}', cookie)
    assert done.returncode == 0 and 'warning: ' in done.stderr and 'chmod 0400' in done.stderr


def test_states_are_those_of_the_documentation():
    listed = json.loads(good('states', '--json'))
    assert len(listed) > 13
    table = re.findall(r'^\| `([\w-]+)` \| (.*) \| (.*) \|$', (TOP / 'docs/troubleshooting.md').read_text(), re.M)
    assert table == [(row['state'], row['meaning'], row['remedy']) for row in listed]
    text = ssctl('states').stdout
    assert all(row['meaning'] in text and row['remedy'] in text for row in listed)


# --- on a terminal -------------------------------------------------------------------------------


def on_terminal(*words, columns=100, **env):
    """What a terminal of so many columns is sent."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 25, columns, 0, 0))
    subprocess.run([os.environ['SS_SSCTL'], *words], stdout=theirs, check=True, timeout=20,
                   env={**os.environ, VARIABLE: SECRET, 'TERM': 'xterm', **env})
    os.close(theirs)
    sent = b''
    try:
        while part := os.read(ours, 65536):
            sent += part
    except OSError:  # Linux says so that the other end is closed
        pass
    os.close(ours)
    return sent.decode().replace('\r\n', '\n')


def without_colours(text):
    return re.sub('\033\\[[0-9]*m', '', text)


def test_colours_only_where_they_are_wanted():
    cookie = seal()
    assert '\033[' in on_terminal('inspect', cookie) and '\033[' in on_terminal('states')
    for env in ({'NO_COLOR': '1'}, {'TERM': 'dumb'}):
        assert '\033' not in on_terminal('inspect', cookie, **env)
    assert '\033' not in ssctl('inspect', cookie).stdout + ssctl('states').stdout
    assert '\033[' in on_terminal('inspect', cookie, NO_COLOR='')


@pytest.mark.parametrize('columns', [30, 80, 200])
@pytest.mark.parametrize('name', FORMATS)
def test_inspect_draws_the_fields_to_scale(name, columns):
    cookie = seal({'user': 'alice', 'text': hashlib.sha512(b'what does not compress').hexdigest()}, '--format', name)
    now = ('--now', str(int(time.time())))
    bar, *lines = without_colours(on_terminal('inspect', *now, cookie, columns=columns)).splitlines()
    drawn, count = re.fullmatch(r'([a-z]+)  (\d+) bytes', bar).groups()
    assert columns == 30 or len(bar) <= columns
    marked = [line[0] for line in lines if re.match('[a-z] ', line)]
    assert re.sub(r'(.)\1*', r'\1', drawn) == ''.join(marked)
    plain = ssctl('inspect', *now, cookie).stdout.splitlines()
    assert [line[2:] for line in lines[:-1]] == plain[:-1] and lines[-1] == plain[-1]
    session = next(line[0] for line in lines if re.match('session {5}', line[2:]))
    assert abs(drawn.count(session) / len(drawn) - 154 / int(count)) < 0.25
    if name == 'native' and columns == 200:
        assert (len(drawn) == int(count)) == (int(count) <= 180)


# --- why a cookie is refused ---------------------------------------------------------------------


def altered(cookie):
    return cookie[:50] + ('A' if cookie[50] != 'A' else 'B') + cookie[51:]


def cut(cookie):
    return cookie.rsplit(';', 1)[0]


REFUSALS = {
    'altered': ([], lambda: altered(seal()), 'bad-signature: its key id is known, but its signature is wrong'),
    'of another secret': ([], lambda: Native(SESSION).seal(OTHER), 'unknown-key: its key id, '),
    'for another name': ([], lambda: Native(SESSION).seal(name='other'), 'cookie name or audience'),
    'old': ([], lambda: Native(SESSION, renewed=NOW).seal(), 'expired-idle: renewed 2026-01-01T00:00:00Z, '),
    'too old': (['--absolute-timeout', '1h', '--now', NOW + 7201],
                lambda: Native(SESSION, renewed=NOW + 7200, created=NOW).seal(),
                'expired-absolute: created 2026-01-01T00:00:00Z, 2h ago; the limit is 1h'),
    'idle': (['--idle-timeout', '90s', '--now', NOW + 91], lambda: Native(SESSION, renewed=NOW).seal(),
             'expired-idle: renewed 2026-01-01T00:00:00Z, 1min 31s ago; the limit is 1min 30s'),
    'ahead': (['--now', NOW - 3600], lambda: Native(SESSION, renewed=NOW).seal(),
              'from-future: renewed 2026-01-01T00:00:00Z, which is 1h ahead; the skew allowed is 30s'),
    'created ahead': (['--now', NOW], lambda: Native(SESSION, renewed=NOW, created=NOW + 86400).seal(),
                      'from-future: created 2026-01-02T00:00:00Z, which is 1d ahead'),
    'nothing': ([], lambda: '', 'malformed: it has not the shape of the format native: it is shorter than the header'),
    'garbage': ([], lambda: '\u20ac;', 'malformed: it has not the shape of the format native: it is not base64url'),
    'of another version': ([], lambda: Native(SESSION, version=2).seal(), 'its version is not 1'),
    'with unknown flags': ([], lambda: Native(SESSION, flags=8).seal(), 'flags that have no meaning'),
    'encrypted reference': ([], lambda: Native(SESSION, flags=3).seal(), 'flags that have no meaning'),
    'bound to no point': ([], lambda: Native(SESSION, point=b'\x04' + bytes(32)).seal(), 'no compressed point'),
    'of another format': ([], lambda: starlette(SESSION), 'it looks like a cookie of the format starlette'),
    'no object': ([], lambda: Native(b'[]').seal(), 'malformed: its signature holds, but its payload is not a JSON'),
    'too large': ([], lambda: 'A' * 4090, 'too-large: name and value have 4097 bytes, at most 4096 are read'),
    'half a cookie': (['--format', 'express'], lambda: cut(seal(SESSION, '--format', 'express')),
                      'bad-signature: the other cookie, with the signature, is missing'),
    'no signature': (['--format', 'django'], lambda: 'e30:1vb66i:', 'bad-signature: its signature is not 43'),
    'no dots': (['--format', 'flask'], lambda: 'e30', 'malformed: it has not the shape of the format flask: '),
}


@pytest.mark.parametrize('words, make, why', REFUSALS.values(), ids=REFUSALS)
def test_open_says_why_a_cookie_is_refused(words, make, why):
    cookie = make()
    said = refused('open', *words, stdin=cookie)
    assert said.startswith('ssctl: ') and why in said and said.count('\n') == 1

    done = ssctl('open', '--json', *words, stdin=cookie)
    answer = json.loads(done.stdout)
    assert done.returncode == 1 and done.stderr == said == f'ssctl: {answer["state"]}: {answer["why"]}\n'
    assert answer['remedy'] in ssctl('states').stdout


def key_id(cookie, *words):
    return json.loads(good('inspect', '--json', *words, cookie))['key id']


def test_open_says_which_key_ids_the_secrets_have():
    ours, others = key_id(seal()), key_id(seal(SESSION, '--secret', 'env:OTHER'))
    cookie = Native(SESSION).seal('of somebody else, whom nobody knows')
    secrets = ['--secret', 'env:OTHER', '--secret', f'env:{VARIABLE}']
    assert f'{key_id(cookie)}, is that of none of the secrets given, which have {others}, {ours}: ' in refused(
        'open', *secrets, cookie)
    answer = json.loads(ssctl('open', '--json', *secrets, cookie).stdout)
    assert (answer['state'], answer['key_ids']) == ('unknown-key', [others, ours])
    assert json.loads(good('open', '--json', *secrets, seal()))['key_ids'] == [others, ours]
    assert json.loads(good('open', '--json', '--format', 'flask', seal(SESSION, '--format', 'flask')))['key_ids'] is None


# what: (options it was sealed with, options to open it with, what would do)
NEAR = {
    'another name': (['--cookie-name', '__Host-session'], [], 'it opens with --cookie-name __Host-session'),
    'the usual name': ([], ['--cookie-name', 'sid'], 'it opens with --cookie-name session'),
    "Django's name": (['--cookie-name', 'sessionid'], [], 'it opens with --cookie-name sessionid'),
    'no audience': ([], ['--audience', 'shop'], 'it opens without --audience'),
    'both': (['--cookie-name', '__Secure-session'], ['--audience', 'shop'],
             'it opens with --cookie-name __Secure-session and without --audience'),
    'another name, the same audience': (['--cookie-name', 'sid', '--audience', 'shop'], ['--audience', 'shop'],
                                        'it opens with --cookie-name sid'),
    'encrypted': (['--encrypt'], ['--audience', 'shop'], 'it opens without --audience'),
    'the second secret': (['--secret', 'env:OTHER'],
                          ['--secret', f'env:{VARIABLE}', '--secret', 'env:OTHER', '--audience', 'shop'],
                          'it opens without --audience'),
}


@pytest.mark.parametrize('sealed, opened, what', NEAR.values(), ids=NEAR)
def test_open_says_what_would_do(sealed, opened, what):
    said = refused('open', *opened, seal(SESSION, *sealed))
    assert said.startswith('ssctl: unknown-key: ') and said.endswith(f': {what}\n') and said.count('\n') == 1


def test_open_says_what_would_do_for_a_cookie_with_its_name_signed():
    cookie = seal(SESSION, '--format', 'express', '--cookie-name', 'sid').replace('sid', 'session')
    assert refused('open', '--format', 'express', cookie).endswith('; it opens with --cookie-name sid\n')


def test_open_does_not_say_what_would_not_do():
    for cookie in (Native(SESSION).seal(OTHER), altered(seal()), seal(SESSION, '--audience', 'shop'),
                   seal(SESSION, '--cookie-name', 'a-name-of-its-own')):
        assert 'it opens' not in refused('open', cookie)
    done = ssctl('open', '--secret', 'file:/dev/stdin', Native(SESSION).seal(), stdin=OTHER)
    assert 'unknown-key: its key id, ' in done.stderr


def test_a_warning_is_not_said_twice(tmp_path):
    path = tmp_path / 'key'
    path.write_text(OTHER)
    path.chmod(0o644)
    assert refused('open', '--secret', f'file:{path}', seal()).count('chmod 0400') == 1


# --- what people paste ---------------------------------------------------------------------------


LINES = {
    'Cookie': 'Cookie: a=b; session={0}; c=d',
    'cookie, without a blank': 'cookie:session={0}',
    'Set-Cookie': 'Set-Cookie: session={0}; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600',
    'set-cookie': 'set-cookie: session={0}; path=/',
    'as curl -v shows a request': '> GET / HTTP/1.1\n> Host: localhost\n> Cookie: session={0}\n> Accept: */*\n>\n',
    'as curl -v shows an answer': '< HTTP/1.1 200 OK\n< Set-Cookie: other=1; Path=/\n< Set-Cookie: session={0}; Path=/\n',
    'as curl -i shows an answer': 'HTTP/1.1 200 OK\r\nDate: today\r\nSet-Cookie: session={0}; Path=/\r\n\r\n<p>A page\n',
}


@pytest.mark.parametrize('line', LINES.values(), ids=LINES)
@pytest.mark.parametrize('name', ['native', 'starlette', 'django'])
def test_a_pasted_header_is_taken(line, name):
    pasted = line.format(seal(SESSION, '--format', name))
    assert json.loads(good('open', '--format', name, pasted)) == SESSION
    assert json.loads(good('open', '--format', name, stdin=pasted)) == SESSION
    seen = json.loads(good('inspect', '--json', pasted))
    assert name in (seen['format'], seen['or'])
    assert json.loads(good('open', good('convert', '--from', name, pasted))) == SESSION


def test_two_pasted_lines_of_one_session():
    value, signature = seal(SESSION, '--format', 'express').split('; ')
    pasted = f'Set-Cookie: {value}; path=/; httponly\nSet-Cookie: {signature}; path=/; httponly\n'
    assert json.loads(good('open', '--format', 'express', stdin=pasted)) == SESSION


ABSENT = {
    'a Cookie line': ('Cookie: theme=dark; __Host-session={0}; sid=1', 'there are theme, __Host-session, sid'),
    'without the word': ('__Host-session={0}', 'there is __Host-session'),
    'a Set-Cookie line': ('Set-Cookie: sessionid={0}; Path=/; HttpOnly', 'there is sessionid'),
    'a line without any': ('Cookie:', 'there is none'),
}


@pytest.mark.parametrize('line, there', ABSENT.values(), ids=ABSENT)
@pytest.mark.parametrize('command', ['open', 'inspect', 'convert'])
def test_a_header_without_our_cookie(command, line, there):
    said = refused(command, line.format(seal()))
    assert said.count('\n') == 1 and 'no cookie called session' in said and there in said and '--cookie-name' in said
    if command == 'open':
        answer = json.loads(ssctl(command, '--json', line.format(seal())).stdout)
        assert answer['state'] == 'none' and there in answer['why']


@pytest.mark.parametrize('rest', range(1, 60))
def test_a_cookie_that_was_cut_short(rest):
    """Wherever: that is what is said, and not that it is something else."""
    said = refused('open', seal()[:-rest])
    assert 'cut short' in said and 'base64url' not in said


@pytest.mark.parametrize('value, why', [
    ('AQAA+', 'it is not base64url: "+" is none of its characters'),
    ('AQAA\x1b', r'it is not base64url: "\x1b" is none of its characters'),
    ('AQAA%3D', 'it is not base64url: "%" is none of its characters'),
    ('"AQAA', 'it is not base64url: """ is none of its characters')])
def test_a_character_that_is_none_of_base64url(value, why):
    assert why in refused('open', '--', value)


@pytest.mark.parametrize('source, why', [
    ('exec:/bin/echo hello', 'accepted is env:NAME or file:PATH: exec: is for httpd, run the command yourself'),
    ('literal secret', 'accepted is env:NAME or file:PATH: a secret itself is never an argument'),
    ('/etc/keys', 'accepted is env:NAME or file:PATH: before a path stands "file:"'),
    ('./keys', 'accepted is env:NAME or file:PATH: before a path stands "file:"'),
    ('env:', 'accepted is env:NAME, the name of an environment variable'),
    ('env:literal secret', 'accepted is env:NAME, the name of an environment variable'),
    ('file:', 'accepted is file:PATH, the path of a file with one secret on each line')])
def test_a_source_that_is_none(source, why):
    assert refused('open', '--secret', source, 'x', status=2).splitlines()[-1].startswith(f'ssctl: --secret: {why}')


@pytest.mark.parametrize('json_text, why', [
    ('[]', 'a session is a JSON object'), ('{"a":}', 'line 1, column 6'), ('{"a":1,"a":2}', 'used twice'),
    ('{"a":NaN}', 'malformed JSON'), ('', 'malformed JSON')])
def test_seal_refuses_what_is_no_session(json_text, why):
    assert why in refused('seal', stdin=json_text)


@pytest.mark.parametrize('name', FORMATS)
def test_seal_refuses_what_does_not_fit(name):
    text = ''.join(chr(0x4e00 + 7 * i % 20000) for i in range(2000))  # little to compress
    assert 'bytes over the limit of 4096' in refused('seal', '--format', name, stdin=json.dumps({'text': text}))


# --- inspect -------------------------------------------------------------------------------------


@pytest.mark.parametrize('name', ['native', 'starlette', 'flask', 'django'])
def test_what_a_framework_reads_is_dated_back_by_the_skew(name):
    seen = json.loads(good('inspect', '--json', seal({'a': 1}, '--format', name, '--now', NOW)))
    assert seen['renewed'] == (NOW if name == 'native' else NOW - 30)


@pytest.mark.parametrize('name', FORMATS)
def test_inspect_needs_no_secret(name):
    session = {'user': 'alice'}
    cookie = seal(session, '--format', name, '--now', NOW, '--skew', '0')
    seen = json.loads(good('inspect', '--json', cookie, env={VARIABLE: None}))
    assert (seen['format'], seen['or'], seen['why'], seen['session']) == (name, None, None, session)
    assert re.fullmatch('[0-9a-f]{40}|[0-9a-f]{64}', seen['signature'])
    if name != 'express':
        assert seen['renewed'] == NOW

    done = ssctl('inspect', '--now', NOW + 3 * DAY, cookie, env={VARIABLE: None})
    assert (done.returncode, done.stderr) == (0, '')
    assert re.match(rf'format +{name}\n', done.stdout) and 'Nothing here is verified' in done.stdout
    if name != 'express':
        assert re.search(rf'\nrenewed +{NOW}  \(2026-01-01T00:00:00Z, 3d ago\)\n', done.stdout)


def test_inspect_shows_every_field_of_a_native_cookie():
    cookie = Native(SESSION, renewed=NOW, created=NOW - 60, id=bytes(range(16)), counter=3).seal()
    seen = json.loads(good('inspect', '--json', cookie))
    assert (seen['version'], seen['flags'], seen['kind'], seen['created'], seen['counter'], seen['session id']) == (
        1, 0, 'signed', NOW - 60, 3, '000102030405060708090a0b0c0d0e0f')
    assert re.fullmatch('[0-9a-f]{4}', seen['key id'])


def test_inspect_shows_nothing_of_an_encrypted_session():
    cookie = seal({'user': 'alice'}, '--encrypt')
    seen = json.loads(good('inspect', '--json', cookie))
    assert 'session' not in seen and len(seen['nonce']) == 48 and len(seen['tag']) == 32
    assert 'alice' not in ssctl('inspect', cookie).stdout


def test_inspect_sees_compression():
    cookie = seal({'text': 'a' * 500}, '--format', 'django')
    seen = json.loads(good('inspect', '--json', cookie))
    assert (seen['kind'], seen['session']) == ('compressed', {'text': 'a' * 500})


def test_inspect_half_of_two_cookies():
    seen = json.loads(good('inspect', '--json', cut(seal(SESSION, '--format', 'express'))))
    assert seen['format'] == 'express' and 'missing' in seen['why']
    done = ssctl('inspect', cut(seal(SESSION, '--format', 'express')))
    assert done.returncode == 0 and 'perhaps express' in done.stdout and 'is missing' in done.stdout


@pytest.mark.parametrize('session, words', [
    ({'a': 1, 'bb': 22}, 'flask, or starlette'), ({'a': 11}, 'flask'), ({'a': 'a' * 99}, 'flask')])
def test_inspect_says_when_two_formats_look_alike(session, words):
    done = ssctl('inspect', seal(session, '--format', 'flask'))
    assert done.stdout.splitlines()[0].split(None, 1) == ['format', words]


@pytest.mark.parametrize('text', ['', 'x', 'a.b.c', '\u20ac', 'e30', 'A' * 5000])
def test_inspect_says_of_what_it_does_not_know_why(text):
    said = refused('inspect', stdin=text)
    assert said.startswith('ssctl: it has the shape of no format here\n')
    assert all(f'  {name}: it' in said for name in FORMATS)
    assert json.loads(ssctl('inspect', '--json', stdin=text).stdout) == {'format': None}


# ESC, BEL, DEL, two of C1 (CSI, NEL), overrides and isolates of direction, a zero-width space, a line separator
UNBEARABLE = '\x1b[31m\x07\x7f\x9b31m\x85\u202e\u2066\u200b\u2028\ufeff'


def is_bearable(done):
    return all(' ' <= c <= '~' or c == '\n' for c in done.stdout + done.stderr)


@pytest.mark.parametrize('words', [['open'], ['open', '--json'], ['inspect'], ['inspect', '--json'], ['convert'],
                                   ['convert', '--json']], ids=' '.join)
def test_only_what_a_terminal_can_bear_is_printed(words):
    session = {'text': UNBEARABLE, UNBEARABLE + 'key': [UNBEARABLE]}
    done = ssctl(*words, Native(session).seal())
    assert done.returncode == 0 and is_bearable(done)
    if words == ['open']:
        assert json.loads(done.stdout) == session


@pytest.mark.parametrize('words', [['open', '--secret', f'file:/{UNBEARABLE}', 'x'], ['open', UNBEARABLE],
                                   ['open', '--json', UNBEARABLE], ['inspect', UNBEARABLE], ['seal', UNBEARABLE],
                                   ['open', '--cookie-name', UNBEARABLE, 'x'], [UNBEARABLE]], ids=range(7))
def test_nor_in_what_is_said_of_it(words):
    done = ssctl(*words)
    assert done.returncode > 0 and is_bearable(done)


# --- convert -------------------------------------------------------------------------------------


@pytest.mark.parametrize('old', FORMATS)
@pytest.mark.parametrize('new', FORMATS)
def test_convert(old, new):
    cookie = good('convert', '--from', old, '--to', new, seal(SESSION, '--format', old))
    assert json.loads(good('open', '--format', new, cookie)) == SESSION


def test_convert_takes_nothing_of_an_application_for_an_entry_of_a_module():
    """What a session hides is encrypted: a cookie that is only signed hides nothing."""
    cookie = good('convert', '--from', 'flask', '--to', 'native', seal({'a': 1, 'mod_session': {'x': 'y'}}, '--format', 'flask'))
    assert json.loads(good('open', cookie)) == {'a': 1}
    assert json.loads(good('inspect', '--json', cookie))['kind'] == 'signed'


def test_convert_keeps_what_a_session_hides():
    again = good('convert', seal({'a': 1, 'mod_session': {'x': 'y'}}))
    assert json.loads(good('open', again)) == {'a': 1}
    assert json.loads(good('inspect', '--json', again))['kind'] == 'encrypted'


def test_convert_keeps_what_a_session_is():
    cookie = Native(SESSION, renewed=NOW, created=NOW - DAY, id=b'0123456789abcdef', counter=7).seal()
    again = good('convert', '--encrypt', '--now', NOW + 60, cookie)
    opened = json.loads(good('open', '--json', '--now', NOW + 60, again))
    assert (opened['created'], opened['renewed'], opened['counter'], opened['id']) == (
        NOW - DAY, NOW + 60, 7, b'0123456789abcdef'.hex())


def test_convert_to_another_secret():
    cookie = seal(SESSION, '--secret', 'env:OTHER')
    again = good('convert', '--secret', f'env:{VARIABLE}', '--secret', 'env:OTHER', cookie)
    assert json.loads(good('open', again)) == SESSION


def test_convert_refuses_what_open_refuses():
    assert 'bad-signature' in refused('convert', '--to', 'flask', altered(seal()))
    assert 'expired-idle' in refused('convert', '--to', 'flask', Native(SESSION, renewed=int(time.time()) - 15 * DAY).seal())


# --- misuse --------------------------------------------------------------------------------------


@pytest.mark.parametrize('words', [
    [], [''], ['make-coffee'], ['--help', 'extra'], ['keygen', 'extra'], ['keygen', '--json'], ['--version', 'extra'],
    ['seal', '{}', '{}'], ['seal', '--format', 'jwt', '{}'], ['seal', '--format'], ['seal', '--from', 'native', '{}'],
    ['seal', '--nonsense', '{}'], ['seal', '-x', '{}'], ['seal', '--encrypt', '--format', 'flask', '{}'],
    ['convert', '--format', 'flask', 'x'], ['convert', '--encrypt', '--to', 'express', 'x'],
    ['open', '--idle-timeout', '0', 'x'], ['open', '--idle-timeout', 'soon', 'x'], ['open', '--skew', 'none', 'x'],
    ['open', '--absolute-timeout', '-1', 'x'], ['open', '--now', 'today', 'x'], ['open', '--now', '-1', 'x'],
    ['open', '--now', '', 'x'], ['open', '--now', '9' * 30, 'x'], ['open', '--cookie-name', 'a b', 'x'],
    ['open', '--json=yes', 'x'], ['inspect', '--secret', f'env:{VARIABLE}', 'x'], ['formats', 'native'],
    ['open', '--secret', 'literal secret', 'x'], ['literal secret'], ['open', '--literal secret', 'x'],
    ['open', '--secret', 'exec:/bin/echo hello', 'x'], ['seal', '--secret', 'env:', '{}'],
], ids=lambda words: ' '.join(words) or 'nothing')
def test_misuse_is_answered_with_the_usage(words):
    said = refused(*words, status=2)
    assert said.startswith('usage: ssctl ') and 'keygen' in said and '--version' in said
    assert re.search(r'\nssctl: .+\n$', said)


@pytest.mark.parametrize('words, env, why', [
    ([], {VARIABLE: None}, f'no secret: the environment variable {VARIABLE} is not set'),
    (['--secret', 'env:NOWHERE'], {}, 'no secret: the environment variable NOWHERE is not set'),
    (['--secret', 'file:/nowhere'], {}, '/nowhere'),
    (['--secret', 'env:SHORT'], {'SHORT': 'too short'}, 'SS0102'),
    (['--secret', 'env:SAME', '--secret', 'env:OTHER'], {'SAME': OTHER}, 'SS0105'),
    (['--secret', 'env:EASY'], {'EASY': 'a' * 40}, 'SS0103'),
], ids=['none', 'unset', 'no file', 'too short', 'twice', 'easy'])
@pytest.mark.parametrize('command', ['seal', 'open', 'convert'])
def test_without_a_usable_secret_nothing_is_done(command, words, env, why):
    said = refused(command, *words, '{}', status=2, env=env)
    assert said.startswith('ssctl: ') and why in said


COMMANDS = ['keygen', 'seal', 'open', 'inspect', 'convert', 'formats', 'states', 'revoke', 'revoked']


@pytest.mark.parametrize('command', COMMANDS)
def test_help(command):
    done = ssctl(command, '--help')
    assert (done.returncode, done.stderr) == (0, '') and done.stdout.startswith(f'usage: ssctl {command} ')
    assert command in ssctl('--help').stdout


def test_input_is_limited():
    assert 'over 65536 bytes' in refused('open', stdin='A' * 65537)
    assert 'NUL' in refused('inspect', stdin='A\0B')
