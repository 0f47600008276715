# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What has happened, counted: SetHandler signed-session-status, and mod_status."""

import concurrent.futures
import json
import re
import subprocess
import time

import pytest

from common import DAY, PATCH, TOP
from cookies import native, starlette
from documents import blocks_of
from harness import Jar, Server
from servers import ROOT

CONF = '''
    SignedSession On
    {more}
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable a
    </Location>
    <Location "/readonly">
        SignedSession ReadOnly
        SetHandler signed-session
        SignedSessionWritable a
    </Location>
    <Location "/off">
        SignedSession Off
    </Location>
    <Location "/guarded">
        SignedSessionGuard On
    </Location>
    <Location "/metrics">
        SignedSession Off
        SetHandler signed-session-status
    </Location>
    <Location "/server-status">
        SignedSession Off
        SetHandler server-status
    </Location>
'''
FILES = {'htdocs/off': 'x', 'htdocs/guarded': 'x'}
OTHER = 'another-secret-of-the-tests-0123456789abcdef'


@pytest.fixture
def server():
    with Server(CONF, 'status', FILES, more='') as running:
        yield running


def counts(server):
    return server.request('GET', '/metrics?format=json').json()


def metrics(server, accept='*/*'):
    return server.request('GET', '/metrics', {'Accept': accept})


def test_every_state_is_counted_once(server):
    for cookie in (native({'a': 1}), native({'a': 2}), 'session=nonsense', native({'a': 1}, renewed=1000), None):
        server.request('GET', '/file.txt', cookie=cookie)
    server.request('GET', '/off', cookie=native({'a': 1}))
    found = counts(server)['requests']
    assert {state: number for state, number in found.items() if number} == {'valid': 2, 'malformed': 1, 'expired-idle': 1, 'none': 1}


def test_writes_by_their_reason(server):
    jar = Jar(server)
    jar.request('PATCH', '/session', PATCH, b'{"a":1}')
    jar.request('PATCH', '/session', PATCH, b'{"a":2}')
    server.request('GET', '/file.txt', cookie=native({'a': 1}, renewed=int(time.time()) - 7 * DAY))
    jar.request('DELETE', '/session')
    assert counts(server)['writes'] == {'created': 1, 'changed': 1, 'renewed': 1, 'ended': 1, 'migrated': 0}


def test_a_migration(start):
    server = start(CONF, 'status', FILES, more='SignedSessionFormat native starlette')
    server.request('PATCH', '/session', PATCH, b'{"a":2}', cookie=f'session={starlette({"a": 1})}')
    assert counts(server)['writes']['migrated'] == 1


@pytest.mark.in_cookie('its size')
def test_refusals_by_their_reason(server):
    server.request('PATCH', '/session', PATCH, b'{"b":1}')
    server.request('PATCH', '/readonly', PATCH, b'{"a":1}')
    server.request('PATCH', '/session', {**PATCH, 'Sec-Fetch-Site': 'cross-site'}, b'{"a":1}')
    server.request('POST', '/guarded', {'Sec-Fetch-Site': 'cross-site'}, b'')
    server.expect('SS0209')
    server.request('PATCH', '/session', PATCH, json.dumps({'a': 'x' * 5000}).encode())
    found = {reason: number for reason, number in counts(server)['refusals'].items() if number}
    assert found == {'key-not-allowed': 1, 'read-only': 1, 'cross-site': 2, 'too-large': 1}


def test_which_secret_opens_cookies(start):
    server = start(CONF, 'status', FILES, more='SignedSessionSecret env:NEW env:SIGNED_SESSION_SECRET', env={'NEW': OTHER})
    server.request('GET', '/file.txt', cookie=native({'a': 1}))
    assert counts(server)['opened']['1'] == 1 and counts(server)['opened']['0'] == 0
    text = metrics(server).text
    assert re.search(r'^signed_session_key_last_used_timestamp_seconds\{key="1"\} \d{10}$', text, re.M)
    assert 'key_last_used_timestamp_seconds{key="0"}' not in text


def test_nothing_is_lost_in_restarts_or_among_children(server):
    def ask(_):
        return server.request('GET', '/file.txt', cookie=native({'a': 1})).status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = pool.map(ask, range(300))
        server.graceful()
        assert set(asked) == {200}
    server.restart()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(100))) == {200}
    assert counts(server)['requests']['valid'] == 400


# --- formats -------------------------------------------------------------------------------------

LINE = re.compile(r'signed_session_\w+(\{\w+="[\w.-]+"\})? \d+')


@pytest.mark.parametrize('accept, kind', [('*/*', 'text/plain; version=0.0.4; charset=utf-8'),
                                          ('application/openmetrics-text;version=1.0.0', 'application/openmetrics-text; version=1.0.0; charset=utf-8')])
def test_what_a_scraper_reads(server, accept, kind):
    answer = metrics(server, accept)
    assert (answer.status, answer.get('Content-Type'), answer.get('Cache-Control')) == (200, kind, 'no-store')
    families = {}
    is_open = 'openmetrics' in accept
    lines = answer.text.splitlines()
    if is_open:
        assert lines.pop() == '# EOF'
    for line in lines:
        if line.startswith('# TYPE'):
            _, _, name, what = line.split()
            assert name not in families
            families[name] = what
            current = name
        elif not line.startswith('# HELP'):
            assert LINE.fullmatch(line), line
            name = re.split('[{ ]', line)[0]
            assert name == (f'{current}_total' if is_open and families[current] == 'counter' else current)
    assert families


def promtool():
    """The tool of Prometheus: without it, what needs it fails."""
    tool = ROOT / 'usr/bin/promtool'
    assert tool.exists(), 'promtool is not there: scripts/deps test unpacks it'
    return tool


def test_prometheus_has_nothing_to_say(server):
    done = subprocess.run([promtool(), 'check', 'metrics'], input=metrics(server, '*/*').text, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


def test_only_reading(server):
    answer = server.request('POST', '/metrics', body=b'')
    assert (answer.status, answer.get('Allow')) == (405, 'GET, HEAD')
    assert server.request('HEAD', '/metrics').status == 200


def test_in_server_status(server):
    server.request('GET', '/file.txt', cookie=native({'a': 1}))
    assert 'SignedSessionRequestsValid: 1\n' in server.request('GET', '/server-status?auto').text
    page = server.request('GET', '/server-status').text
    assert '<h2>Signed sessions</h2>' in page and '<td>requests</td><td>valid</td><td>1</td>' in page


def test_every_family_is_documented(server):
    page = (TOP / 'docs/observing.md').read_text()
    families = set(re.findall(r'^# TYPE (\w+) ', metrics(server).text, re.M))
    assert families == set(re.findall(r'^\| `(signed_session_\w+)', page, re.M))


def test_what_prometheus_is_asked(server, tmp_path):
    """The questions of docs/observing.md are about what is counted, and Prometheus understands them."""
    page = TOP / 'docs/observing.md'
    questions = [line for block in blocks_of(page.read_text(), page.name) if block.language == 'promql' for line in block.text.splitlines()]
    assert len(questions) > 3
    server.request('GET', '/file.txt', cookie=native({'a': 1}))
    counted = metrics(server).text
    for family, label, values in re.findall(r'\b([a-z]+_\w+)(?:\{(\w+)=~?"([^"]*)"\})?', '\n'.join(questions)):
        assert f'# TYPE {family} ' in counted
        for value in values.split('|') if label else []:
            assert re.search(rf'^{family}\{{{label}="{"[0-9]+" if label == "key" else value}"', counted, re.M), (family, value)
    rules = [{'record': f'question:{number}', 'expr': text} for number, text in enumerate(questions)]
    (tmp_path / 'rules').write_text(json.dumps({'groups': [{'name': 'page', 'rules': rules}]}))
    done = subprocess.run([promtool(), 'check', 'rules', tmp_path / 'rules'], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, '')
