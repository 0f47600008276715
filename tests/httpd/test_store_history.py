# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Histories of sessions in a store: no acknowledged change is lost, and nothing brings back what has ended."""

import contextlib
import os
import signal
import time

import pytest

import histories
from harness import Server, cgi_module
from histories import History, Logout, ask, patch, put, script, update

SECONDS = 2.5
CONF = '''
    {store}
    SignedSessionStoreTimeout {timeout}
    SignedSession On
    StartServers 2
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable *
    </Location>
    <Location "/application">
        SetHandler ss-testing
        SignedSessionUpdate X-Update
    </Location>
    <IfModule alias_module>
        <IfModule cgid_module>
            ScriptSock {dir}/cgisock
        </IfModule>
        ScriptAlias "/cgi/" "{dir}/cgi/"
        <Location "/cgi">
            SignedSessionUpdate X-Update
        </Location>
    </IfModule>
    <Location "/logout">
        SignedSessionClear On
    </Location>
    <Location "/login">
        SignedSessionClear Before
        SignedSessionSet user alice
    </Location>
'''
FILES = {'cgi/update': histories.SCRIPT, 'htdocs/logout': 'a page', 'htdocs/login': 'a page'}


def serve(store='file', modules=f'alias {cgi_module()}', timeout='5s'):
    return Server(CONF, store=f'SignedSessionStore {store}', timeout=timeout, modules=f'ss_testing ss_careless {modules}', files=FILES)


@pytest.fixture(scope='module')
def one():
    with serve() as server:
        yield server


@pytest.fixture(scope='module')
def two(one):
    """Two servers with one store."""
    with serve(f'file:{one.dir}/sessions') as other:
        yield [one, other]


@pytest.fixture(scope='module')
def careless():
    with serve('careless:{dir}/sessions') as server:
        yield server


# --- changes -------------------------------------------------------------------------------------


def test_no_acknowledged_change_is_lost(one):
    history = History([one], 3, [patch] * 5 + [update] * 2 + [put] * 2 + [script]).run(SECONDS)
    assert history.lost() == []
    assert history.counts['acknowledged'] > 50 and not history.counts['unknown'], history.counts


def test_none_of_many_writers_of_one_session_loses_a_change(one):
    history = History([one], 1, [patch] * 14 + [update]).run(SECONDS)
    assert history.lost() == []
    assert history.counts['acknowledged'] > 50 and not history.counts['unknown'], history.counts


def test_two_servers_lose_nothing_of_each_other(two):
    history = History(two, 2, [patch] * 5 + [update] * 2 + [put] * 2 + [script]).run(SECONDS)
    assert history.lost() == []
    assert history.counts['acknowledged'] > 50 and not history.counts['unknown'], history.counts


def test_a_graceful_restart_loses_nothing(one):
    history = History([one], 3, [patch] * 5 + [update] * 2 + [put] * 2).run(SECONDS, one.graceful)
    assert history.lost() == []
    assert history.counts['acknowledged'] > 30 and not history.counts['unknown'], history.counts


@pytest.mark.children
def test_children_that_are_killed_lose_nothing():
    def kill():
        time.sleep(0.4)
        for pid in server.children()[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    with serve(modules='') as server:  # no daemon among the children
        server.allow('exit signal Killed (9)')
        history = History([server], 3, [patch] * 5 + [update] * 2 + [put] * 2).run(SECONDS, kill)
        assert history.lost() == []
    assert history.counts['acknowledged'] > 30 and history.counts['unknown'], history.counts


def test_who_saves_over_whatever_is_there_loses_changes(careless):
    """The control: it would be seen."""
    careless.expect('SS0407')
    history = History([careless], 2, [patch] * 6 + [update] * 2).run(1)
    faults = ' '.join(history.lost())
    assert 'acknowledged changes are lost' in faults
    assert 'a look does not show' in faults and 'what a reader had seen' in faults
    assert 'the same write counter' in faults


# --- logouts -------------------------------------------------------------------------------------

# How a session ends: answers of httpd, of an application, of a login that begins another one.
ENDS = {
    'DELETE': lambda server, cookie: ask(server, 'DELETE', '/session', cookie=cookie),
    'Clear': lambda server, cookie: ask(server, 'GET', '/logout', cookie=cookie),
    'null': lambda server, cookie: ask(server, 'GET', '/application/ok', {'X-Change-Header': 'null'}, cookie=cookie),
    'login': lambda server, cookie: ask(server, 'GET', '/login', {'Authorization': 'Basic YWxpY2U6cmlnaHQ='}, cookie=cookie),
}


@pytest.mark.parametrize('how', ENDS)
def test_nobody_sees_a_session_that_has_ended(two, how):
    for server in two:
        server.allow('SS0403')  # who was under way
    logout = Logout(two, 4, ENDS[how]).run(0.3, 0.5)
    assert logout.faults == []
    assert logout.counts['before'] > 20 and logout.counts['after'] > 20 and logout.counts['across'] > 3, logout.counts


def test_who_saves_over_whatever_is_there_brings_sessions_back(careless):
    """The control: it would be seen."""
    careless.allow('SS0407', 'SS0403')
    for _ in range(5):  # it takes a request that was under way
        logout = Logout([careless], 4, ENDS['DELETE']).run(0.3, 0.3)
        if 'is back' in ' '.join(logout.faults):
            return
    raise AssertionError(logout.counts)
