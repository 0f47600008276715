# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What became of sessions that many clients changed at once, as these saw it.

A writer owns one key of each session, and each change of his leaves a trace of its own there. So whatever
was acknowledged must be in the session at the end, and may not be missing in between; and each change has
one write counter, which no other has.
"""

import collections
import json
import random
import socket
import threading
import time
from dataclasses import dataclass, field

from client import SECONDS, Request, Response, parse_http1, read_to_end
from common import JSON, PATCH
from cookies import Native

WINDOW = 0.02  # seconds, at most, between the head of a request and its body: it has loaded the session by then


def ask(server, method, path, headers=(), body=None, cookie=None, window=0):
    """A request whose body comes late; a Response without a status when none came."""
    headers = [*headers.items()] if isinstance(headers, dict) else [*headers]
    request = Request(method, path, headers + [('Cookie', f'session={cookie}')], body)
    head, end, rest = request.to_http1().partition(b'\r\n\r\n')
    try:
        with socket.create_connection(('127.0.0.1', server.port), SECONDS) as connection:
            connection.sendall(head + end)
            if rest:
                time.sleep(window)
                connection.sendall(rest)
            return parse_http1(read_to_end(connection))
    except OSError:
        return Response()


def as_object(response):
    """What an endpoint says the session is; None when it says nothing."""
    return json.loads(response.body) if response.status == 200 else None


# --- changes -------------------------------------------------------------------------------------

ACKNOWLEDGED, REFUSED, UNKNOWN = 'acknowledged', 'refused', 'unknown'


def of_endpoint(response):
    """409: others changed it all the time, or it has ended. 503: it may have been saved nevertheless."""
    if response.status in (200, 201, 204):
        return ACKNOWLEDGED
    return REFUSED if response.status == 409 else UNKNOWN


def of_update(response):
    return ACKNOWLEDGED if response.set_cookies() else UNKNOWN


def patch(server, cookie, key, traces, window):
    change = json.dumps({key: {traces[-1]: 1}})
    return ask(server, 'PATCH', '/session', PATCH, change, cookie, window), of_endpoint


def put(server, cookie, key, traces, window):
    whole = json.dumps(dict.fromkeys(traces, 1))
    return ask(server, 'PUT', f'/session/{key}', JSON, whole, cookie, window), of_endpoint


def update(server, cookie, key, traces, window):
    """An application's response header."""
    headers = {'X-Change-Header': json.dumps({key: {traces[-1]: 1}})}
    return ask(server, 'GET', f'/application/sleep/{int(window * 1000)}', headers, None, cookie), of_update


def script(server, cookie, key, traces, window):
    """The same of a CGI script."""
    return ask(server, 'GET', f'/cgi/update?{key}&{traces[-1]}', (), None, cookie), of_update


SCRIPT = '''#!/bin/sh
printf 'Content-Type: text/plain\\nX-Update: {"%s":{"%s":1}}\\n\\nok\\n' "${QUERY_STRING%&*}" "${QUERY_STRING#*&}"
'''


# --- sessions and who changes them ---------------------------------------------------------------


@dataclass
class Session:
    first: str  # the cookie that it began with
    counters: list = field(default_factory=list)  # of the changes that were acknowledged

    @classmethod
    def begin(cls, server):
        response = server.request('PUT', '/session/begun', JSON, 'true')
        assert response.status == 201, response.body
        return cls(response.cookie())


@dataclass
class Trail:
    """What one writer did to one session."""
    cookie: str
    traces: list = field(default_factory=list)  # of all changes that may have been made
    acknowledged: set = field(default_factory=set)
    refused: set = field(default_factory=set)


class History:
    """Writers with keys w0, w1, ... over sessions, through any of these servers, until somebody stops them."""

    def __init__(self, servers, sessions, kinds, loses_answers=False):
        self.servers = servers
        self.sessions = [Session.begin(servers[0]) for _ in range(sessions)]
        self.kinds, self.loses_answers = kinds, loses_answers
        self.trails = {}  # (session, writer)
        self.counts = collections.Counter()
        self.faults = []  # what somebody saw that may not be
        self.over = threading.Event()
        self.random = random.Random(1)

    def run(self, seconds, meanwhile=lambda: None):
        """`meanwhile` is called again and again."""
        tasks = [(self.write, number, kind) for number, kind in enumerate(self.kinds)] + [(self.read,)]
        threads = [threading.Thread(target=self.guarded, args=task) for task in tasks]
        for thread in threads:
            thread.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            meanwhile()
            time.sleep(0.05)
        self.over.set()
        for thread in threads:
            thread.join()
        return self

    def guarded(self, task, *arguments):
        try:
            task(*arguments)
        except Exception as error:  # in a thread nobody else would hear of it
            self.faults.append(f'{task.__name__} failed: {error!r}')

    def write(self, number, kind):
        chance = random.Random(number)
        key = f'w{number}'
        while not self.over.is_set():
            session = chance.choice(self.sessions)
            trail = self.trails.setdefault((id(session), number), Trail(session.first))
            self.change(chance.choice(self.servers), session, trail, key, kind, chance.random() * WINDOW)
            if chance.random() < 0.3:
                self.look(chance.choice(self.servers), trail, key)

    def change(self, server, session, trail, key, kind, window):
        trace = str(len(trail.traces))
        trail.traces.append(trace)
        traces = [made for made in trail.traces if made not in trail.refused]
        response, judge = kind(server, trail.cookie, key, traces, window)
        outcome = judge(response)
        self.counts[outcome] += 1
        if outcome == ACKNOWLEDGED:
            # whoever puts a whole value has put what he did not know of as well
            trail.acknowledged.update(traces if kind is put else [trace])
            if response.set_cookies():
                trail.cookie = response.cookie()
                session.counters.append(Native.open(trail.cookie, fetch=False).counter)
            else:
                self.faults.append(f'{kind.__name__} was acknowledged without a cookie')
            if kind is patch:
                self.compare(trail, as_object(response).get(key, {}), 'the answer to a change')
        elif outcome == REFUSED:
            trail.refused.add(trace)

    def look(self, server, trail, key):
        response = ask(server, 'GET', '/session', cookie=trail.cookie)
        self.counts['looks'] += 1
        if response.status == 200:
            self.compare(trail, as_object(response).get(key, {}), 'a look')
        elif response.status is not None:
            self.counts[f'looks answered with {response.status}'] += 1

    def compare(self, trail, seen, where):
        missing = trail.acknowledged - set(seen)
        if missing:
            self.faults.append(f'{where} does not show {sorted(missing)}')
        made_up = set(seen) - set(trail.traces)
        if made_up:
            self.faults.append(f'{where} shows {sorted(made_up)}')

    def read(self):
        """Somebody with the first cookie of each session: what he has seen stays."""
        seen = [{} for _ in self.sessions]
        while not self.over.is_set():
            for session, before in zip(self.sessions, seen):
                now = as_object(ask(self.random.choice(self.servers), 'GET', '/session', cookie=session.first))
                if now is None:
                    continue
                for key, traces in before.items():
                    if set(traces) - set(now.get(key, {})):
                        self.faults.append(f'what a reader had seen of {key} is gone')
                before.update((key, traces) for key, traces in now.items() if key != 'begun')

    # --- the end -----------------------------------------------------------------------------

    def lost(self):
        """Everything that is wrong, one line each."""
        return self.faults + [fault for session in self.sessions for fault in self.faults_of(session)]

    def faults_of(self, session):
        faults = []
        trails = {f'w{number}': trail for (whose, number), trail in self.trails.items() if whose == id(session)}
        for server in self.servers:
            now = as_object(server.request('GET', '/session', cookie=f'session={session.first}')) or {}
            for key, trail in trails.items():
                there = set(now.get(key, {}))
                if trail.acknowledged - there:
                    faults.append(f'{key}: {len(trail.acknowledged - there)} acknowledged changes are lost')
                refused = trail.refused - trail.acknowledged
                if there & refused:
                    faults.append(f'{key}: {len(there & refused)} refused changes are there')
        return faults + self.faults_of_counters(session, trails.values())

    def faults_of_counters(self, session, trails):
        counter = Native.open(session.first).record.counter
        acknowledged = len(session.counters)
        tried = sum(len(trail.traces) - len(trail.refused) for trail in trails)
        faults = []
        # whose save was made, and its answer lost, is led to whatever is there by then
        if len(set(session.counters)) < acknowledged and not self.loses_answers:
            faults.append('two changes have the same write counter')
        if not 1 + acknowledged <= counter <= 1 + tried:
            faults.append(f'the write counter is {counter} after {acknowledged} acknowledged of {tried} changes')
        return faults


# --- logouts -------------------------------------------------------------------------------------


class Logout:
    """Sessions that many read and change, and that somebody ends meanwhile: who asks after the answer to that
    must not see them, on any server and by any of their cookies."""

    CHANGERS = [patch, patch, update, put]

    def __init__(self, servers, sessions, end):
        self.servers = servers
        self.sessions = [Session.begin(servers[0]) for _ in range(sessions)]
        self.cookies = {id(session): [session.first] for session in self.sessions}
        self.ended = {}  # id(session): when the answer was there
        self.end = end
        self.counts = collections.Counter()  # of requests, by when they were under way
        self.faults = []
        self.over = threading.Event()

    def run(self, before, after):
        """Seconds in front of the first end, and behind the last one."""
        threads = [threading.Thread(target=self.guarded, args=(session, number))
                   for session in self.sessions for number in range(len(self.CHANGERS))]
        for thread in threads:
            thread.start()
        time.sleep(before)
        for number, session in enumerate(self.sessions):
            response = self.end(self.servers[number % len(self.servers)], session.first)
            self.ended[id(session)] = time.monotonic()
            if response.status not in (200, 204) or len(response.set_cookies()) != 1:
                self.faults.append(f'the end was answered with {response}')
        time.sleep(after)
        self.over.set()
        for thread in threads:
            thread.join()
        for session in self.sessions:
            self.look(session, random.Random(0))
        return self

    def guarded(self, session, number):
        try:
            self.change(session, number)
        except Exception as error:  # in a thread nobody else would hear of it
            self.faults.append(f'failed: {error!r}')

    def change(self, session, number):
        chance = random.Random(number)
        traces = []
        while not self.over.is_set():
            traces.append(str(len(traces)))
            cookie = chance.choice(self.cookies[id(session)])
            began = time.monotonic()
            response, judge = self.CHANGERS[number](chance.choice(self.servers), cookie, f'w{number}', traces,
                                                    chance.random() * WINDOW)
            self.note(session, began)
            if self.is_over(session, began):
                if judge(response) == ACKNOWLEDGED or response.set_cookies():
                    self.faults.append(f'a change was made in a session that has ended: {response}')
            elif response.set_cookies():
                self.cookies[id(session)].append(response.cookie())
            self.look(session, chance)

    def is_over(self, session, began):
        return began > self.ended.get(id(session), began)

    def note(self, session, began):
        ended = self.ended.get(id(session))
        when = 'before' if ended is None else 'after' if began > ended else 'across'
        self.counts[when] += 1

    def look(self, session, chance):
        """By any cookie that the session ever had, also one that was given while it ended."""
        began = time.monotonic()
        response = ask(chance.choice(self.servers), 'GET', '/session', cookie=chance.choice(self.cookies[id(session)]))
        self.note(session, began)
        if self.is_over(session, began) and as_object(response) != {}:
            self.faults.append(f'a session that has ended is back: {response.body}')
