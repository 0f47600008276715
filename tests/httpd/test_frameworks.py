# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Random sessions, sealed by the real frameworks and opened by ssctl, and the other way round."""

import asyncio
import json
import os
import random
import re
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import django.conf
import flask
import pytest
from flask.sessions import SecureCookieSessionInterface
from markupsafe import Markup
from starlette.middleware.sessions import SessionMiddleware

from common import need_express
from harness import SECRET

pytestmark = pytest.mark.once

SESSIONS = 300  # of each framework, in each direction
SEED = 20260101
NODE = Path(__file__).parent / 'node'
MAX_BYTES = 2500  # of JSON: the cookie must fit

django.conf.settings.configure(
    SECRET_KEY=SECRET, SESSION_ENGINE='django.contrib.sessions.backends.signed_cookies',
    SESSION_SERIALIZER='django.contrib.sessions.serializers.JSONSerializer')
from django.contrib.sessions.backends.signed_cookies import SessionStore  # noqa: E402


# --- the frameworks ------------------------------------------------------------------------------


def as_utf8(session):
    """JSON as clients send it, not escaped; but for lone surrogates, which UTF-8 cannot hold."""
    text = json.dumps(session, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(session)
    return text


class Starlette:
    """Its middleware, asked as a server asks it."""

    name = 'starlette'

    def ask(self, use, cookie=None):
        async def application(scope, receive, send):
            use(scope['session'])
            await send({'type': 'http.response.start', 'status': 200, 'headers': []})

        scope = {'type': 'http', 'headers': [(b'cookie', b'session=' + cookie.encode())] if cookie else []}
        sent = []

        async def send(message):
            sent.append(message)

        asyncio.run(SessionMiddleware(application, secret_key=SECRET)(scope, None, send))
        return dict(sent[0]['headers']).get(b'set-cookie', b'').decode()

    def seal(self, sessions):
        return [self.ask(lambda session: session.update(wanted)).split(';')[0].partition('=')[2]
                for wanted in sessions]

    def open(self, cookies):
        found = []
        for cookie in cookies:
            self.ask(lambda session: found.append(dict(session)), cookie)
        return found


class Flask:
    name = 'flask'

    def __init__(self):
        app = flask.Flask('sessions')
        app.secret_key = SECRET
        self.serializer = SecureCookieSessionInterface().get_signing_serializer(app)

    def seal(self, sessions):
        return [self.serializer.dumps(session) for session in sessions]

    def open(self, cookies):
        return [self.serializer.loads(cookie, max_age=60) for cookie in cookies]


class Django:
    name = 'django'

    def seal(self, sessions):
        cookies = []
        for session in sessions:
            store = SessionStore()
            store.update(session)
            store.save()
            cookies.append(store.session_key)
        return cookies

    def open(self, cookies):
        return [dict(SessionStore(cookie).load()) for cookie in cookies]


class Express:
    """One process of node for all sessions; a cookie here is both cookies with their names."""

    name = 'express'

    def node(self, wanted):
        need_express()
        lines = ''.join(json.dumps({'secrets': [SECRET], 'name': 'session', **one}) + '\n' for one in wanted)
        done = subprocess.run(['node', NODE / 'express.js'], input=lines, capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.split('\n') if line]

    def seal(self, sessions):
        made = self.node({'seal': session} for session in sessions)
        return [f'session={one["value"]}; session.sig={one["companion"]}' for one in made]

    def open(self, cookies):
        return [one['session'] for one in self.node({'open': cookie} for cookie in cookies)]


FRAMEWORKS = [Starlette(), Flask(), Django(), Express()]


@pytest.fixture(params=FRAMEWORKS, ids=lambda framework: framework.name)
def framework(request):
    return request.param


# --- random sessions -----------------------------------------------------------------------------


def joined(text):
    """Halves of a surrogate pair that stand side by side become the one character that they mean."""
    return text.encode('utf-16', 'surrogatepass').decode('utf-16', 'surrogatepass')


class Sessions:
    """Everything that JSON can hold and that all of the frameworks bring back as it was."""

    ALPHABETS = ['abcxyzABC0189', ' \t\n\r"\\/\'', '\x00\x01\x1f\x7f', '.:;,=-_~+', '<>&{}[]',
                 '\u00e9\u00df\u20ac\u4e2d\u2028\ufeff', '\U0001f600\U0001f511\U00010000', '\ud83d\udc00']

    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self, longest):
        alphabet = ''.join(self.random.sample(self.ALPHABETS, self.random.randint(1, 3)))
        text = ''.join(self.random.choices(alphabet, k=self.random.randint(0, longest)))
        return joined(text)

    def number(self):
        return self.random.choice([
            0, 1, -1, self.random.randint(-2**53, 2**53), self.random.uniform(-1, 1), self.random.uniform(-1e9, 1e9),
            1e21, 5e-324, 1.7976931348623157e308, 0.1])

    def value(self, depth):
        kinds = [lambda: self.text(40), self.number, lambda: self.random.choice([True, False, None]),
                 lambda: 'a' * self.random.randint(0, 800)]
        if depth > 0:
            kinds += [lambda: [self.value(depth - 1) for _ in range(self.random.randint(0, 4))],
                      lambda: self.object(depth - 1)]
        return self.random.choice(kinds)()

    def object(self, depth):
        # a blank in front would be a type tag of Flask's
        return {'k' + self.name(): self.value(depth) for _ in range(self.random.randint(0, 5))}

    def name(self):
        return self.text(8)

    def session(self):
        while True:
            session = {'user': self.text(20), **self.object(4)}
            if len(json.dumps(session)) <= MAX_BYTES:
                return session


class OurSessions(Sessions):
    """What may be set here: a name holds no control character."""

    def name(self):
        return joined(re.sub('[\x00-\x1f\x7f]', '', self.text(8)))


def sessions(seed, kind=Sessions):
    source = kind(seed)
    return [source.session() for _ in range(SESSIONS)]


# --- ssctl ---------------------------------------------------------------------------------------


def ssctl(words, stdin):
    done = subprocess.run([os.environ['SS_SSCTL'], *words], input=stdin, capture_output=True, text=True,
                          env={**os.environ, 'SIGNED_SESSION_SECRET': SECRET}, timeout=60)
    assert (done.returncode, done.stderr) == (0, ''), (done, stdin)
    return done.stdout[:-1]


def ssctl_each(words, inputs):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda text: ssctl(words, text), inputs))


# --- tests ---------------------------------------------------------------------------------------


def test_what_the_framework_seals_opens_here(framework):
    wanted = sessions(SEED)
    found = ssctl_each(['open', '--format', framework.name], framework.seal(wanted))
    assert [json.loads(text) for text in found] == wanted


def test_what_is_sealed_here_the_framework_opens(framework):
    wanted = sessions(SEED + 1, OurSessions)
    cookies = ssctl_each(['seal', '--format', framework.name], [as_utf8(session) for session in wanted])
    assert framework.open(cookies) == wanted


def test_what_passes_through_comes_back_to_the_framework(framework):
    """There and back through the native format, encrypted: not a byte of the document is touched."""
    wanted = sessions(SEED + 2)
    there = ssctl_each(['convert', '--from', framework.name, '--encrypt'], framework.seal(wanted))
    back = ssctl_each(['convert', '--to', framework.name], there)
    assert framework.open(back) == wanted


def test_altered_cookies_are_refused_on_both_sides(framework):
    wanted = sessions(SEED + 3)[:20]
    source = random.Random(SEED)
    for cookie in framework.seal(wanted):
        at = source.randrange(len('session='), 40)
        altered = cookie[:at] + ('A' if cookie[at] != 'A' else 'B') + cookie[at + 1:]
        done = subprocess.run([os.environ['SS_SSCTL'], 'open', '--format', framework.name], input=altered,
                              capture_output=True, text=True, env={**os.environ, 'SIGNED_SESSION_SECRET': SECRET})
        assert done.returncode == 1 and done.stdout == ''
        try:
            assert not framework.open([altered])[0]
        except flask.sessions.BadSignature:
            pass


class FlaskSessions(Sessions):
    """Beside what JSON has, what Flask has type tags for."""

    def value(self, depth):
        kinds = [
            lambda: tuple(self.value(depth - 1) for _ in range(self.random.randint(0, 3))),
            lambda: self.random.randbytes(self.random.randint(0, 20)),
            lambda: uuid.UUID(bytes=self.random.randbytes(16)),
            lambda: datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=self.random.randint(0, 10**8)),
            lambda: Markup(self.text(20)),
            lambda: {self.random.choice([' t', ' b', ' di', ' m', ' u', ' d', ' t__']): self.value(depth - 1)},
        ]
        return super().value(depth) if depth <= 0 or self.random.random() < 0.6 else self.random.choice(kinds)()


def test_type_tags_pass_through_unharmed():
    source, framework = FlaskSessions(SEED + 4), Flask()
    wanted = [{'user': 'alice', **source.object(3)} for _ in range(SESSIONS)]
    wanted = [session for session in wanted if len(framework.serializer.serializer.dumps(session)) < MAX_BYTES]
    assert len(wanted) > SESSIONS / 2
    there = ssctl_each(['convert', '--from', 'flask'], framework.seal(wanted))
    back = framework.open(ssctl_each(['convert', '--to', 'flask'], there))
    assert [repr(session) for session in back] == [repr(session) for session in wanted]
