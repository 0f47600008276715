# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What many tests say in the same words: headers, scripts, and questions to a server."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from cookies import ENCRYPTED, REFERENCE, Native, opened

TOP = Path(__file__).resolve().parents[2]
NODE_MODULES = Path(__file__).with_name('node') / 'node_modules'
DAY = 86400  # seconds

JSON = {'Content-Type': 'application/json'}
PATCH = {'Content-Type': 'application/merge-patch+json'}
FORM = {'Content-Type': 'application/x-www-form-urlencoded'}
NAVIGATE = {'Sec-Fetch-Mode': 'navigate', 'Accept': 'text/html'}  # as browsers open a page

# The session, for clients to read and write.
ENDPOINT = '''
    SignedSession On
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable *
    </Location>
'''

# Answers with its environment.
ENV_CGI = '''#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
env
'''

# Answers with the header lines of its query string.
ECHO_CGI = f'''#!{sys.executable}
import os, sys, urllib.parse
for line in os.environ['QUERY_STRING'].split('&'):
    sys.stdout.write(urllib.parse.unquote(line) + '\\r\\n')
sys.stdout.write('Content-Type: text/plain\\r\\n\\r\\nbody\\n')
'''

# conftest.py sets it from --no-express.
may_lack_express = False


def need_express():
    """Its packages come from npm. Where that could not fetch them it was told so; else they have to be there."""
    if may_lack_express:
        pytest.skip('npm could not fetch the packages of Express')
    assert NODE_MODULES.is_dir(), 'the packages of tests/httpd/node are missing: run scripts/deps test'


def basic(user, password='right'):
    """The header that logs in."""
    return {'Authorization': 'Basic ' + base64.b64encode(f'{user}:{password}'.encode()).decode()}


def password_file(user, password='right'):
    """A line of an AuthUserFile."""
    digest = subprocess.run(['openssl', 'passwd', '-apr1', password], check=True, capture_output=True, text=True).stdout
    return f'{user}:{digest.strip()}\n'


def state(server, cookie, host=None):
    """What an endpoint at /session says of a cookie."""
    headers = {} if host is None else {'Host': host}
    return server.request('GET', '/session?meta', headers, cookie=cookie).json()['state']


def is_secret(cookie):
    """Is the session in it encrypted, or in a store, which has no others?"""
    return Native.open(cookie).flags & (ENCRYPTED | REFERENCE) != 0


def stored(response):
    """The session that the response stores; None when it sends no cookie."""
    return opened(response).data if response.set_cookies() else None
