# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""A Starlette application that does what the handlers of mod_ss_bench.c do.

BENCH_USE says what with each request: "without" the session middleware, "read" the session or "change" it. /begin
puts BENCH_SESSION, a JSON object, into the session.
"""

import json
import os

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

USE = os.environ['BENCH_USE']


async def answer(request):
    if USE != 'without' and request.session['visits'] and USE == 'change':
        request.session['visits'] = 2
    return PlainTextResponse('a short answer\n')


async def begin(request):
    request.session.update(json.loads(os.environ['BENCH_SESSION']))
    return PlainTextResponse('a short answer\n')


app = Starlette(
    routes=[Route('/', answer), Route('/begin', begin)],
    middleware=[] if USE == 'without' else [
        Middleware(SessionMiddleware, secret_key=os.environ['SIGNED_SESSION_SECRET'])])
