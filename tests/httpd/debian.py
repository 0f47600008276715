# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Commands that a page prints, run on a machine that is a directory.

Its files are those of a Debian with apache2, and paths in commands and configurations lead there. What would change a real
machine has a double, which refuses what the real one would: a package that there is none of, a module that httpd has not, a
configuration that it does not take. A program that is neither a double nor one of TOOLS is not found.

    debian.py NAME ARGUMENT...      a double, where DEBIAN_ROOT is the directory
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

SSCTL = os.environ.get('SS_SSCTL')
TOP = Path(__file__).resolve().parents[2]
PACKAGE = 'libapache2-mod-signed-session'
MODULE_FOLDER = '/usr/lib/apache2/modules'
# What Debian's apache2 has switched on.
MODULES_ON = {'access_compat', 'alias', 'auth_basic', 'authn_core', 'authn_file', 'authz_core', 'authz_host', 'authz_user', 'autoindex',
              'deflate', 'dir', 'env', 'filter', 'mime', 'negotiation', 'reqtimeout', 'setenvif', 'status'}
# What a2enmod switches on besides: its files say so.
PULLED_IN = {'proxy_http': 'proxy', 'auth_form': 'session', 'include': 'mime', 'ssl': 'socache_shmcb'}
# Packages of Debian that are neither ours nor needed for a build.
OF_DEBIAN = {'apache2', 'curl', 'ssl-cert'}

PATHS = 'etc|opt|run|srv|tmp|var|usr/share/doc|usr/lib/cgi-bin|usr/local/bin'
OURS = re.compile(rf'(?<![\w/.}}-])/(?=(?:{PATHS})(?:/|\b))')
ELSEWHERE = re.compile(r'(?<![\w/.:}<=-])/(?!dev/null\b|bin/sh\b|proc/)[a-z]+/')

TOOLS = ('base64', 'bash', 'cat', 'chmod', 'cp', 'cut', 'echo', 'env', 'grep', 'head', 'ls', 'mkdir', 'nproc', 'printf', 'rm', 'sed', 'sh', 'tail',
         'tee', 'tr')
SECONDS = 60


def on_the_machine(text, root):
    """The same text, with paths that lead into the directory."""
    return OURS.sub(f'{root}/', text)


class Machine:
    """The directory, and a shell there."""

    def __init__(self, folder):
        self.root, self.bin, self.home = folder / 'root', folder / 'bin', folder / 'home'
        for path in (self.bin, self.home):
            path.mkdir(parents=True)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        for name in DOUBLES:
            self.has(name, f'exec {sys.executable} -B {__file__} {name} "$@"')
        self.has('sudo', 'exec env "$@"')
        self.has('ssctl', f'exec {SSCTL} "$@"')
        self.env = {**{name: text for name, text in os.environ.items() if not name.startswith('SIGNED_SESSION_')}, 'PATH': str(self.bin),
                    'DEBIAN_ROOT': str(self.root), 'no_proxy': '*', 'LC_ALL': 'C.UTF-8'}
        self.lay_out()

    def lay_out(self):
        for path in ('etc/apache2/mods-enabled', 'etc/apache2/mods-available', 'etc/apache2/sites-available', 'etc/apache2/sites-enabled',
                     'etc/ssl/certs', 'etc/ssl/private', 'run', 'srv', 'tmp', 'usr/share/doc', 'var/lib/apt/lists', 'var/lib/apache2',
                     'var/log/apache2', 'var/www/html', 'var/www/members'):
            (self.root / path).mkdir(parents=True)
        for name in MODULES_ON:
            switch_on(self.root, name)
        (self.root / 'etc/apache2/envvars').write_text('export APACHE_RUN_USER=www-data\n')
        (self.root / 'etc/apache2/sites-available/000-default.conf').write_text('')

    def has(self, name, script):
        """A program."""
        path = self.bin / name
        path.write_text(f'#!/bin/sh\n{script}\n')
        path.chmod(0o755)

    def uses(self, port, strict, plain=None):
        """Where curl finds the server, whichever it asks, and by http; `strict`: an answer of 400 or more is a failure."""
        by_http = f'--connect-to :80:127.0.0.1:{plain}' if plain else ''
        self.has('curl', f'exec {shutil.which("curl")} -sS {"--fail-with-body" * strict} {by_http} --connect-to ::127.0.0.1:{port} "$@"')

    def run(self, script):
        """(exit code, what it printed)"""
        stray = ELSEWHERE.search(OURS.sub('', script))
        assert not stray, f'{stray[0]} is no path of the machine that is a directory: see PATHS in tests/httpd/debian.py'
        done = subprocess.run(['bash', '-e', '-c', on_the_machine(script, self.root)], cwd=self.home, env=self.env, timeout=SECONDS,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def install(self):
        install_package(self.root, PACKAGE)

    def configtest(self):
        return configtest(self.root, self.env, 'SignedSession On\n')


# --- the directory --------------------------------------------------------------------------------


def switch_on(root, name):
    """a2enmod, of a module that has no files of its own in this tree."""
    (root / f'etc/apache2/mods-enabled/{name}.load').write_text(f'LoadModule {name}_module {MODULE_FOLDER}/mod_{name}.so\n')


def has_module(name):
    from harness import LIBEXECDIR, STATIC, UNPACKED_MODULES  # which asks httpd, and most doubles need none
    return name in STATIC or any((folder / f'mod_{name}.so').exists() for folder in (LIBEXECDIR, UNPACKED_MODULES))


def install_package(root, name):
    """The files that the package is made of, where they go; a module is switched on."""
    for line in (TOP / f'debian/{name}.install').read_text().splitlines():
        *sources, target = line.split()
        if not sources and target.startswith('etc/apache2/mods-available/'):
            path = root / target
            shutil.copy(TOP / 'conf' / path.name, path)
            (root / 'etc/apache2/mods-enabled' / path.name).symlink_to(f'../mods-available/{path.name}')
    examples = TOP / f'debian/{name}.examples'
    if examples.exists():
        folder = root / f'usr/share/doc/{name}/examples'
        folder.mkdir(parents=True)
        for pattern in examples.read_text().split():
            for path in filter(Path.is_file, TOP.glob(pattern)):
                shutil.copy(path, folder)


def configtest(root, env, more=''):
    """`apachectl configtest` on this machine, from a shell with this environment."""
    from harness import Server
    conf, modules = more, []
    enabled = root / 'etc/apache2/mods-enabled'
    for path in sorted(enabled.glob('*.load')):
        name, where = re.search(r'^LoadModule (\w+)_module (\S+)$', path.read_text(), re.M).groups()
        if where != f'{MODULE_FOLDER}/mod_{name}.so':
            return 1, f'Cannot load {where} into server\n'
        modules.append(name)
    for path in [*sorted(enabled.glob('*.conf')), *sorted((root / 'etc/apache2/sites-enabled').glob('*'))]:
        conf += on_the_machine(path.read_text(), root)
    env = {'SIGNED_SESSION_SECRET': None, **{name: text for name, text in env.items() if name.startswith('SIGNED_SESSION_')},
           **dict(re.findall(r'^export (\w+)=(.*)', (root / 'etc/apache2/envvars').read_text(), re.M))}
    others = [name for name in modules if name not in ('signed_session', *Server.BASE_MODULES)]
    others.sort(key=lambda name: name not in PULLED_IN.values())
    return Server(conf, ' '.join(others), ours='signed_session' in modules, env=env).run_once('-t')


# --- the doubles ----------------------------------------------------------------------------------


def fail(text):
    sys.exit(f'{Path(sys.argv[1]).name}: {text}')


def apt(root, *words):
    """Only packages that there are."""
    verb, *names = [word for word in words if not word.startswith('-')]
    control = (TOP / 'debian/control').read_text()
    ours = set(re.findall(r'^Package: (\S+)$', control, re.M))
    known = {*OF_DEBIAN, *ours, *re.findall(r'[\w.+-]+', (TOP / 'scripts/deps').read_text())}
    for name in names:
        file = re.fullmatch(r'(?:.*/)?([\w-]+)_\*\.deb', name)  # nothing is there that it could be spelled out to
        package = file[1] if file else name
        if package not in (ours if file else known):
            fail(f'there is no package {package}')
        if verb == 'install' and package in ours:
            install_package(root, package)
        if verb == 'install' and package == 'ssl-cert':
            for path in ('certs/ssl-cert-snakeoil.pem', 'private/ssl-cert-snakeoil.key'):
                (root / 'etc/ssl' / path).write_text('made\n')
    if verb not in ('update', 'install', 'remove'):
        fail(f'there is no command {verb}')


def a2enmod(root, *names):
    available, enabled = root / 'etc/apache2/mods-available', root / 'etc/apache2/mods-enabled'
    for name in names:
        files = [path for path in available.glob('*') if path.stem == name]
        for path in files:
            (enabled / path.name).unlink(missing_ok=True)
            (enabled / path.name).symlink_to(f'../mods-available/{path.name}')
        for module in [] if files else [name, *filter(None, [PULLED_IN.get(name)])]:
            if not has_module(module):
                fail(f'there is no module {module}')
            switch_on(root, module)


def a2ensite(root, name):
    if not (root / f'etc/apache2/sites-available/{name}.conf').exists():
        fail(f'there is no site {name}')
    (root / f'etc/apache2/sites-enabled/{name}.conf').symlink_to(f'../sites-available/{name}.conf')


def a2dissite(root, name):
    if not (root / f'etc/apache2/sites-available/{name}.conf').exists():
        fail(f'there is no site {name}')
    (root / f'etc/apache2/sites-enabled/{name}.conf').unlink(missing_ok=True)


def apachectl(root, *words):
    rc, text = configtest(root, os.environ)
    if words == ('-M',) and rc == 0:
        text = ''.join(f' {path.stem}_module (shared)\n' for path in sorted((root / 'etc/apache2/mods-enabled').glob('*.load')))
    elif words not in (('configtest',), ('-k', 'graceful'), ('-D', 'FOREGROUND')):
        fail(f'unknown words: {words}')
    print(text, end='')
    sys.exit(rc)


def systemctl(root, verb, *units):
    """httpd starts when its configuration is good."""
    if verb not in ('start', 'restart', 'reload') or units != ('apache2',):
        fail(f'unknown words: {verb} {units}')
    rc, text = configtest(root, os.environ)
    sys.exit(text if rc else 0)


def htpasswd(_, *words):
    *options, path, user = words
    if set(options) - {'-B', '-c'}:
        fail(f'unknown options: {options}')
    with open(path, 'w' if '-c' in options else 'a', encoding='ascii') as file:
        file.write(f'{user}:made\n')


def autoreconf(_, *words):
    if words != ('-fi',) or not (TOP / 'configure.ac').exists():
        fail(f'unknown words: {words}')


def configure(_, *words):
    """Only what it knows."""
    known = subprocess.run([TOP / 'configure', '--help'], env={'PATH': '/usr/bin:/bin'}, check=True, capture_output=True, text=True).stdout
    for word in words:
        if not re.search(rf'^ +{re.escape(word.partition("=")[0])}\b', known, re.M):
            fail(f'unknown option: {word}')


def make(_, *words):
    """Only targets and variables that there are."""
    text = (TOP / 'Makefile.in').read_text()
    for word in words:
        name, is_variable, _ = word.partition('=')
        if not re.fullmatch(r'-j\d+', word) and not re.search(rf'\$\({name}\)' if is_variable else rf'^{name}:', text, re.M):
            fail(f'no rule to make {word}')


def script(_, name, *words):
    """One of ours. Its text has all options, and the few words, that it takes."""
    path = TOP / name
    if not os.access(path, os.X_OK):
        fail(f'there is no program {name}')
    sources = [path, *(path.parent.glob('lab.py') if name.startswith('bench/') else [])]
    text = ''.join(source.read_text() for source in sources)
    for word in words:
        is_value = '/' in word or word.isupper()
        if not is_value and not re.search(rf'(?<![\w-]){re.escape(word)}\b', text):
            fail(f'{name} does not know {word}')


DOUBLES = {'apt': apt, 'apt-get': apt, 'a2enmod': a2enmod, 'a2ensite': a2ensite, 'a2dissite': a2dissite, 'apachectl': apachectl,
           'apache2ctl': apachectl, 'systemctl': systemctl, 'htpasswd': htpasswd, 'autoreconf': autoreconf, 'configure': configure, 'make': make,
           'script': script}

if __name__ == '__main__':
    DOUBLES[sys.argv[1]](Path(os.environ['DEBIAN_ROOT']), *sys.argv[2:])
