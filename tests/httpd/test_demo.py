# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""scripts/demo, run as a visitor of the project runs it; only the build is there already."""

import contextlib
import os
import re
import shlex
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from browsers import leave
from common import TOP
from harness import APXS, LIBEXECDIR, STATIC
from ports import free_port

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


def demo(place, *words, **more):
    environment = {name: text for name, text in os.environ.items() if not name.startswith(('MAKE', 'MFLAGS'))}
    build = Path(os.environ['SS_SSCTL']).parent
    return subprocess.Popen([str(TOP / 'scripts/demo'), '--build', str(build), *words], text=True,
                            env={**environment, 'TMPDIR': str(place / 'tmp'), **more}, stdin=subprocess.DEVNULL,
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


def curl(line, place, show='%{http_code}'):
    """What is answered, and the status behind it."""
    assert line.startswith('curl ')
    done = subprocess.run(['sh', '-c', line.replace('curl ', f"curl -sS --noproxy '*' -w '{show}' ", 1)],
                          cwd=place, capture_output=True, text=True, timeout=SECONDS)
    assert (done.returncode, done.stderr) == (0, '')
    return done.stdout


def printed(text):
    """The address of the site, and the commands that are to be tried."""
    return (re.search(r'^    (http://127\.0\.0\.1:\d+/)$', text, re.M)[1], re.findall(r'^    (curl .*)$', text, re.M),
            re.findall(r'^    (chromium .*)$', text, re.M))


@contextlib.contextmanager
def running(place, **more):
    """What a demo has printed, as long as it runs."""
    process = demo(place, **more)
    try:
        yield introduction(process)
    finally:
        process.send_signal(signal.SIGINT)
        end = finish(process)
    assert end == ('demo: stopped\n', 0)
    assert nothing_is_left(place)


@pytest.fixture
def started(place):
    with running(place) as text:
        yield text


def test_it_runs_answers_what_it_prints_and_leaves_nothing(place):
    process = demo(place, '--seconds', '4')
    text = introduction(process)
    url, calls, _ = printed(text)
    calls, over_tls = calls[:3], calls[3:]
    assert all(url in call for call in calls) and len(over_tls) == 1
    assert [curl(call, place) for call in calls] == ['201', '"dark"\n200', '204']
    assert '<h1>mod_signed_session</h1>' in curl(f'curl {url}', place)
    assert '<h1>mod_signed_session</h1>' in curl(over_tls[0], place)
    assert 'Hello, stranger' in curl(f'curl {url}app/', place)
    assert 'Visit number 1' in curl(f'curl {url}counter', place)
    assert '<h1>Log in</h1>' in curl(f"curl -L -H 'Accept: text/html' {url}members/", place)
    form = "-d httpd_username=bob -d 'httpd_password=banana split'"
    assert 'Hello, bob' in curl(f"curl -b jar -c jar -L {form} '{url}login?return=/members/'", place)
    for name in ('access', 'error'):
        log = re.search(rf'(/\S+/{name}\.log)$', text, re.M)[1]
        assert Path(log).is_relative_to(place / 'tmp') and Path(log).stat().st_size > 0
    assert not re.search(r'\[\w+:(warn|error|crit|alert|emerg)\]', Path(log).read_text())
    assert finish(process) == ('demo: stopped\n', 0)
    assert nothing_is_left(place)


def test_over_tls_it_is_another_session_and_one_logout_for_both(place, started):
    """One jar for both, as a browser has at one host: cookies do not know ports."""
    url, (*_, over_tls), _ = printed(started)
    tls, url = over_tls.split()[-1], url.replace('127.0.0.1', 'localhost')
    call = f"{over_tls.rsplit(' ', 1)[0]} -b jar -c jar"
    alice = "-d httpd_username=alice -d 'httpd_password=apple pie'"
    bob = "-d httpd_username=bob -d 'httpd_password=banana split'"
    for address, who in ((url, alice), (tls, bob)):
        assert curl(f"{call} -H 'Host: {address.split('/')[2]}' {who} {address}login", place).endswith('303')
    jar = (place / 'jar').read_text()
    assert re.search(r'^#HttpOnly_localhost\tFALSE\t/\tFALSE\t\d+\tsession\t', jar, re.M)
    assert re.search(r'^#HttpOnly_localhost\tFALSE\t/\tTRUE\t\d+\t__Host-session\t', jar, re.M)
    assert curl(f'{call} {url}session/user', place) == '"alice"\n200'
    assert curl(f'{call} {tls}session/user', place) == '"bob"\n200'
    assert curl(f'{call} {alice} {tls}login', place).endswith('303')
    assert curl(f'{call} -X POST {url}logout/everywhere', place) == '303'
    assert curl(f'{call} {tls}session', place) == '{}\n200'


def test_the_certificate_is_of_this_run_and_its_key_a_secret(place, started):
    url, (*_, over_tls), (chromium,) = printed(started)
    certificate = Path(over_tls.split()[2])
    assert certificate.is_relative_to(place / 'tmp')
    key = certificate.with_name('key.pem')
    assert stat.S_IMODE(certificate.parent.stat().st_mode) == 0o700 and stat.S_IMODE(key.stat().st_mode) == 0o600
    refused = subprocess.run(['curl', '-sS', '--noproxy', '*', over_tls.split()[-1]], capture_output=True, text=True)
    assert refused.returncode == 60, refused
    assert curl(over_tls.replace('localhost', '127.0.0.1'), place).endswith('200')
    public = subprocess.run(['openssl', 'x509', '-in', certificate, '-pubkey', '-noout'], check=True, capture_output=True).stdout
    der = subprocess.run(['openssl', 'pkey', '-pubin', '-outform', 'DER'], input=public, check=True, capture_output=True).stdout
    digest = subprocess.run('openssl dgst -sha256 -binary | openssl base64', shell=True, input=der, check=True, capture_output=True).stdout
    assert f'--ignore-certificate-errors-spki-list={digest.decode().strip()} ' in chromium
    assert curl(over_tls, place, '%{http_version}').endswith('2' if has_module('http2') else '1.1')


def has_module(name):
    return name in STATIC or (LIBEXECDIR / f'mod_{name}.so').exists()


@pytest.fixture
def lacking(place):
    """lacking(MODULE): an apxs that leads to all modules of this httpd but this one."""
    def make(name):
        modules = place / 'modules'
        modules.mkdir()
        for path in LIBEXECDIR.glob('*.so'):
            if path.name != f'mod_{name}.so':
                (modules / path.name).symlink_to(path)
        apxs = place / 'apxs'
        apxs.write_text(f'#!/bin/sh\n[ "$2" != LIBEXECDIR ] || {{ echo "{modules}"; exit; }}\nexec "{shutil.which(APXS)}" "$@"\n')
        apxs.chmod(0o755)
        return str(apxs)
    return make


def test_without_mod_http2_it_speaks_http1(place, lacking):
    with running(place, APXS=lacking('http2')) as text:
        _, (*_, over_tls), _ = printed(text)
        assert curl(over_tls, place, '%{http_version}').endswith('1.1')


def test_without_mod_ssl_there_is_http_alone(place, lacking):
    with running(place, APXS=lacking('ssl')) as text:
        url, calls, chromium = printed(text)
        assert (len(calls), chromium) == (3, []) and 'https' not in text
        page = curl(f'curl {url}', place)
        assert '<dd>not bound' in page and 'https:' not in page


def text_of(driver, selector):
    return driver.execute_script('return document.querySelector(arguments[0]).innerText', selector)


def wait(what):
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(params=[True])
def chromium(request, started):
    """Started as the demo says, besides that it has no window; or without the features that bind."""
    _, _, (line,) = printed(started)
    command, *arguments, address = shlex.split(line)
    if not request.param:
        arguments = [argument for argument in arguments if not argument.startswith('--enable-features=')] + ['--disable-features=DeviceBoundSessions']
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which(command)
    for argument in (*arguments, '--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking',
                     '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--no-proxy-server'):
        options.add_argument(argument)
    driver = webdriver.Chrome(service=Service(shutil.which('chromedriver'), port=free_port(), log_path=os.devnull), options=options)
    try:
        driver.set_page_load_timeout(20)
        driver.get(address)
        yield driver
    finally:
        driver.quit()


def log_in(driver):
    leave(driver, driver.find_element(By.LINK_TEXT, 'Log in').click)
    for name, text in (('httpd_username', 'alice'), ('httpd_password', 'apple pie')):
        driver.find_element(By.NAME, name).send_keys(text)
    leave(driver, driver.find_element(By.TAG_NAME, 'button').click)


@pytest.mark.parametrize('chromium', [False], indirect=True)
def test_a_browser_that_cannot_bind_its_session_is_served_and_told(place, chromium):
    log_in(chromium)
    wait(lambda: 'This browser has not answered' in text_of(chromium, '#bound'))
    chromium.find_element(By.CSS_SELECTOR, '#bound summary').click()
    assert text_of(chromium, '#bound b') == 'not bound' and text_of(chromium, '.tile dd') == 'alice'
    assert '"state":"valid"' in curl(text_of(chromium, '#bound pre'), place)


def test_the_browser_that_it_prints_binds_its_session(place, chromium):
    assert 'Nobody is logged in here' in text_of(chromium, '#bound')
    log_in(chromium)
    wait(lambda: text_of(chromium, '#bound b') == 'bound')
    chromium.find_element(By.CSS_SELECTOR, '#bound summary').click()
    assert '"state":"unproven"' in curl(text_of(chromium, '#bound pre'), place)
    assert 'bound to' in text_of(chromium, '#cookie dl') and 'signed, bound' in text_of(chromium, '#cookie dl')
    for button, state, is_bound in (('Alter one byte', 'bad-signature', 'not bound'), ('Put it back', 'valid', 'bound')):
        chromium.find_element(By.XPATH, f'//button[text()="{button}"]').click()
        wait(lambda: text_of(chromium, '.verdict b') == state)
        assert text_of(chromium, '#bound b') == is_bound


def test_the_pictures_of_the_documentation_are_taken(place):
    environment = {name: text for name, text in os.environ.items() if not name.startswith(('MAKE', 'MFLAGS'))}
    build = Path(os.environ['SS_SSCTL']).parent
    done = subprocess.run([sys.executable, str(TOP / 'scripts/screenshots'), '--build', build, '--into', place, '/=start', '/session?meta=meta'],
                          env={**environment, 'TMPDIR': str(place / 'tmp')}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for name in ('start', 'meta'):
        for which, size in (('light', (1280, 812)), ('dark', (1280, 812)), ('narrow', (400, 860))):
            png = (place / f'{name}-{which}.png').read_bytes()
            assert png[:8] == b'\x89PNG\r\n\x1a\n' and struct.unpack('>II', png[16:24]) == size and len(png) < 100_000
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
