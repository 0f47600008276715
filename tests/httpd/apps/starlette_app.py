# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""A Starlette application with a login, as docs/starlette.md puts it behind httpd.

Started as a program it takes a free port of 127.0.0.1, prints it, and serves.
"""

import os
import socket
from pathlib import Path
from urllib.parse import parse_qs

import uvicorn
from itsdangerous import TimestampSigner
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route


class RotatingSessionMiddleware(SessionMiddleware):
    """The first secret signs, all of them open."""

    def __init__(self, app, secrets, **options):
        super().__init__(app, secret_key=secrets[0], **options)
        self.signer = TimestampSigner(secrets[::-1])  # wants the newest last


PASSWORDS = {'alice': 'apple-pie'}
FORM = '''<!DOCTYPE html>
<title>Log in</title>
<form method="post" action="/login"><input name="user"><input name="password" type="password"><button>Log in</button>
</form>
'''


async def form(request):
    """The fields of a form, without the package that request.form() needs."""
    return {name: values[-1] for name, values in parse_qs((await request.body()).decode()).items()}


async def login_form(request):
    return HTMLResponse(FORM)


async def log_in(request):
    fields = await form(request)
    user = fields.get('user')
    if user not in PASSWORDS or PASSWORDS[user] != fields.get('password'):
        return HTMLResponse(FORM, 403)
    request.session.clear()
    request.session['user'] = user
    return RedirectResponse('/whoami', 303)


async def log_out(request):
    request.session.clear()
    return RedirectResponse('/login', 303)


async def whoami(request):
    return JSONResponse({'user': request.session.get('user'), 'session': request.session})


async def theme(request):
    return PlainTextResponse(request.session.get('theme', ''))


async def set_theme(request):
    request.session['theme'] = (await form(request))['theme']
    return Response(status_code=204)


lines = Path(os.environ['SESSION_SECRETS']).read_text('utf-8-sig').split('\n')
secrets = [line.strip() for line in lines if line.strip() and not line.strip().startswith('#')]
app = Starlette(
    routes=[Route('/login', login_form), Route('/login', log_in, methods=['POST']),
            Route('/logout', log_out, methods=['POST']), Route('/whoami', whoami),
            Route('/theme', theme), Route('/theme', set_theme, methods=['POST'])],
    middleware=[Middleware(RotatingSessionMiddleware, secrets=secrets, max_age=14 * 24 * 3600)])


if __name__ == '__main__':
    listener = socket.create_server(('127.0.0.1', 0))
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level='error', lifespan='off')).run([listener])
