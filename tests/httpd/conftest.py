# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors

import contextlib
import tempfile
from pathlib import Path

import pytest

import common
import harness

pytest.register_assert_rewrite('scenes')  # it asserts for test_blocks.py


def pytest_addoption(parser):
    parser.addoption('--mpm', choices=('event', 'prefork', 'worker'), default='event',
                     help='the multi-processing module that httpd runs with')
    parser.addoption('--no-memory', action='store_true',
                     help='verify every cookie anew: httpd runs with -DSIGNED_SESSION_NO_MEMORY')
    parser.addoption('--store', metavar='PLACE',
                     help='where sessions live unless a test says so, wherever that is possible: file')
    parser.addoption('--dead-pools', action='store_true',
                     help='nobody can read the memory of a pool that is no more: httpd runs with dead_pools.c')
    parser.addoption('--no-express', action='store_true',
                     help='npm could not fetch what the tests with Express need: count them as not run')


def pytest_configure(config):
    harness.mpm = config.getoption('--mpm')
    if config.getoption('--no-memory'):
        harness.defines.append('SIGNED_SESSION_NO_MEMORY')
    harness.store = config.getoption('--store')
    if config.getoption('--dead-pools'):
        harness.preload.append(harness.dead_pools())
    common.may_lack_express = config.getoption('--no-express')


@pytest.hookimpl(hookwrapper=True)
def pytest_cmdline_main(config):
    """Give pytest a directory that goes when it is done: it would keep those of its last three runs."""
    if config.option.basetemp:  # also in each of several processes
        yield
        return
    with tempfile.TemporaryDirectory(prefix='signed-session-') as directory:
        config.option.basetemp = str(Path(directory) / 't')
        yield


def pytest_report_header(config):
    where = f', sessions in {harness.store}' if harness.store else ''
    return f'httpd: {harness.HTTPD} with the {harness.mpm} MPM{where}'


def pytest_generate_tests(metafunc):
    """A test that takes `protocol` runs over each protocol that this httpd speaks."""
    if 'protocol' in metafunc.fixturenames:
        metafunc.parametrize('protocol', ['http/1.1', 'h2'] if harness.speaks_http2() else ['http/1.1'])


LONGEST_NAME = 40


def pytest_make_parametrize_id(val, argname):
    """A cookie in a test's name makes it unreadable, and another one in each process that collects it."""
    return argname if isinstance(val, (str, bytes)) and len(val) > LONGEST_NAME else None


# What a test may need of httpd, by its marker.
NEEDS = {
    'http2': harness.speaks_http2,
    'children': lambda: not harness.WRAPPER,
    'own_memory': lambda: not harness.preload,
    'living_pools': lambda: not any('dead_pools' in name for name in harness.preload),
    'once': lambda: harness.mpm == 'event' and not harness.store and 'SIGNED_SESSION_NO_MEMORY' not in harness.defines,
    'address_sanitizer': lambda: any('libasan' in name for name in harness.preload),
}


def lacks_something(item):
    return any(item.get_closest_marker(name) and not is_there() for name, is_there in NEEDS.items())


def pytest_collection_modifyitems(config, items):
    """Without what it needs it is no test."""
    config.hook.pytest_deselected(items=[item for item in items if lacks_something(item)])
    items[:] = [item for item in items if not lacks_something(item)]


def pytest_runtest_setup(item):
    """What is about the cookie that holds the session has nothing to look at where it lives elsewhere; it is counted."""
    marker = item.get_closest_marker('in_cookie')
    if marker and harness.store:
        pytest.skip(f'the session must be in the cookie: {marker.args[0]}')


@pytest.fixture(autouse=True)
def quiet_error_logs():
    """Whatever a test did not announce in the error log of a server fails it."""
    yield
    for server in list(harness.Server.running):
        server.log.check()


@pytest.fixture
def start():
    """Start servers for this test only: start(conf, modules=..., files=..., env=...)."""
    with contextlib.ExitStack() as servers:  # also those behind one whose end fails the test
        yield lambda *arguments, **more: servers.enter_context(harness.Server(*arguments, **more))
