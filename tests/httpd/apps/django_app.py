# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""A Django application in one file, as docs/django.md puts it behind httpd: django.contrib.auth logs in, and its
sessions are in signed cookies. The users are in memory, where one connection of one thread sees them.

Started as a program it takes a free port of 127.0.0.1, prints it, and serves.
"""

import os
from pathlib import Path
from wsgiref.simple_server import WSGIServer

import django
from django.conf import settings
from django.core.management import call_command
from django.core.servers.basehttp import WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST

lines = Path(os.environ['SESSION_SECRETS']).read_text('utf-8-sig').split('\n')
secrets = [line.strip() for line in lines if line.strip() and not line.strip().startswith('#')]
settings.configure(
    SECRET_KEY=secrets[0],
    SECRET_KEY_FALLBACKS=secrets[1:],  # read by Django 4.1 and later
    SESSION_ENGINE='django.contrib.sessions.backends.signed_cookies',
    SESSION_SERIALIZER='django.contrib.sessions.serializers.JSONSerializer',
    SESSION_COOKIE_AGE=14 * 24 * 3600,
    ALLOWED_HOSTS=['localhost', '127.0.0.1'],
    MIDDLEWARE=['django.contrib.sessions.middleware.SessionMiddleware',
                'django.contrib.auth.middleware.AuthenticationMiddleware'],
    INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes'],
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}},
    DEFAULT_AUTO_FIELD='django.db.models.BigAutoField',
    USE_TZ=True,
    ROOT_URLCONF=__name__,
)
django.setup()

from django.contrib import auth  # noqa: E402  (models need the settings)
from django.contrib.auth.hashers import make_password  # noqa: E402

FORM = '''<!DOCTYPE html>
<title>Log in</title>
<form method="post" action="/login"><input name="user"><input name="password" type="password"><button>Log in</button>
</form>
'''


def login(request):
    if request.method != 'POST':
        return HttpResponse(FORM)
    user = auth.authenticate(request, username=request.POST['user'], password=request.POST['password'])
    if user is None:
        return HttpResponse(FORM, status=403)
    auth.login(request, user)
    return HttpResponseRedirect('/whoami', status=303)


@require_POST
def logout(request):
    auth.logout(request)
    return HttpResponseRedirect('/login', status=303)


def whoami(request):
    return JsonResponse({'user': request.user.get_username() or None, 'session': dict(request.session.items())})


def theme(request):
    if request.method == 'POST':
        request.session['theme'] = request.POST['theme']
        return HttpResponse(status=204)
    return HttpResponse(request.session.get('theme', ''), content_type='text/plain')


urlpatterns = [path('login', login), path('logout', logout), path('whoami', whoami), path('theme', theme)]


if __name__ == '__main__':
    call_command('migrate', verbosity=0)
    # A salt that stays: after a restart her password, and with it her login, is the same.
    auth.get_user_model().objects.create(username='alice', password=make_password('apple-pie', 'pinch'))
    server = WSGIServer(('127.0.0.1', 0), WSGIRequestHandler)
    server.set_app(get_wsgi_application())
    print(server.server_port, flush=True)
    server.serve_forever()
