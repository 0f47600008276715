# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""scripts/demo, run as a visitor of the project runs it; only the build is there already."""

import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from common import TOP

# The demo runs make in the one build directory: two at a time would build what is not up to date twice.
pytestmark = [pytest.mark.once, pytest.mark.xdist_group('demo')]

SECONDS = 20


@pytest.fixture
def place():
    """Where the demo makes its directory: httpd's children must be able to enter."""
    with tempfile.TemporaryDirectory(prefix='signed-session-test-') as name:
        path = Path(name)
        path.chmod(0o755)
        (path / 'tmp').mkdir()
        yield path


def heed_interrupts():
    """A shell that puts its jobs into the background has them ignore what Ctrl-C sends, and bash keeps to that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def demo(place, *words):
    environment = {name: text for name, text in os.environ.items() if not name.startswith(('MAKE', 'MFLAGS'))}
    build = Path(os.environ['SS_SSCTL']).parent
    return subprocess.Popen([str(TOP / 'scripts/demo'), '--build', str(build), *words], text=True,
                            env={**environment, 'TMPDIR': str(place / 'tmp')}, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                            preexec_fn=heed_interrupts)


def introduction(process):
    """What it prints until it waits."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if 'Ctrl-C' in line:
            return ''.join(lines)
    raise AssertionError('the demo did not start:\n' + ''.join(lines))


def finish(process):
    """Its last words, and its exit status."""
    try:
        text, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return text, process.returncode


def command_lines():
    for path in Path('/proc').glob('[0-9]*/cmdline'):
        try:
            yield path.read_bytes().decode('utf-8', 'replace')
        except OSError:
            pass  # it has just ended


def nothing_is_left(place):
    return (list((place / 'tmp').iterdir()) == []
            and not [line for line in command_lines() if str(place) in line])


def curl(line, place):
    assert line.startswith('curl ')
    done = subprocess.run(['sh', '-c', line.replace('curl ', "curl -sS --noproxy '*' -w '%{http_code}' ", 1)],
                          cwd=place, capture_output=True, text=True, timeout=SECONDS)
    assert (done.returncode, done.stderr) == (0, '')
    return done.stdout


def test_it_runs_answers_what_it_prints_and_leaves_nothing(place):
    process = demo(place, '--seconds', '4')
    text = introduction(process)
    url = re.search(r'^    (http://127\.0\.0\.1:\d+/)$', text, re.M)[1]
    calls = re.findall(r'^    (curl .*)$', text, re.M)
    assert len(calls) == 3 and all(url in call for call in calls)
    assert [curl(call, place) for call in calls] == ['201', '"dark"\n200', '204']
    assert '<h1>mod_signed_session</h1>' in curl(f'curl {url}', place)
    assert 'Hello, stranger' in curl(f'curl {url}app/', place)
    assert 'Visit number 1' in curl(f'curl {url}counter', place)
    assert '<h1>Log in</h1>' in curl(f"curl -L -H 'Accept: text/html' {url}members/", place)
    form = "-d httpd_username=bob -d 'httpd_password=banana split'"
    assert 'Hello, bob' in curl(f"curl -b jar -c jar -L {form} '{url}login?return=/members/'", place)
    for name in ('access', 'error'):
        log = re.search(rf'(/\S+/{name}\.log)$', text, re.M)[1]
        assert Path(log).is_relative_to(place / 'tmp') and Path(log).stat().st_size > 0
    assert finish(process) == ('demo: stopped\n', 0)
    assert nothing_is_left(place)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_it_stops_when_it_is_told_to(place, number):
    process = demo(place)
    introduction(process)
    assert not nothing_is_left(place)
    process.send_signal(number)
    assert finish(process) == ('demo: stopped\n', 0)
    assert nothing_is_left(place)


@pytest.mark.parametrize('words', [['--seconds'], ['--seconds', '0'], ['--seconds', '-1'], ['--seconds', '1.5'],
                                   ['--seconds', 'ten'], ['--build'], ['--port', '80'], ['now']])
def test_misuse_is_answered_with_the_usage(place, words):
    text, status = finish(demo(place, *words))
    assert status == 2 and 'Usage: scripts/demo' in text
    assert nothing_is_left(place)
