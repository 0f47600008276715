# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""A place for members, a login that leads back, and a visitor who comes to them."""

from urllib.parse import urljoin

from common import NAVIGATE
from cookies import native
from harness import cgi_module

MODULES = (f'alias auth_basic auth_form authn_core authn_file authz_host authz_user dir expires headers request '
           f'rewrite session session_cookie {cgi_module()}')
ALICE = native({'user': 'alice'})
DENIALS = ['AH01630', 'AH01631', 'AH01629', 'AH01797', 'AH01276', 'AH01617', 'AH01618', 'AH01806', 'AH01807', 'AH01808', 'AH01811']

MEMBERS = '''
<Location "/members">
    AuthType signed-session
    AuthName "members"
    Require valid-user
    SignedSessionLoginPage /login
</Location>
'''
# Whoever has the password is logged in, and led back.
PASSWORD = '''
<Location "/in">
    AuthType Basic
    AuthName "passwords"
    AuthUserFile "{dir}/users"
    Require valid-user
    SignedSessionSet user %{REMOTE_USER}
    SignedSessionReturn return /members/
</Location>
'''
WELCOME = '''
<Location "/welcome">
    SignedSessionReturn return /file.txt
</Location>
'''
# What the session says is said to it again, which is no login.
OWN = '''
<Location "/own">
    AuthType signed-session
    Require valid-user
    SignedSessionSet user %{REMOTE_USER}
    SignedSessionReturn return
</Location>
'''


def ask(server, path, headers=(), cookie=None, method='GET', **more):
    server.allow(*DENIALS)
    return server.request(method, path, headers, cookie=cookie, **more)


def enter(visitor, path):
    """Open a page as a browser does: the address where it ends, and the answer."""
    for _ in range(10):
        response = visitor.request('GET', path, NAVIGATE)
        if response.status not in (302, 303):
            return path, response
        path = urljoin(path, response.get('Location'))
    raise AssertionError('led round and round')
