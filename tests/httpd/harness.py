# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""A real httpd for each configuration: write it, start it, ask it, stop it, read its error log.

    with Server('SignedSession On', modules='alias') as server:
        response = server.request('GET', '/file.txt', cookie='session=...')
        server.expect('SS0301')

After every test, and when a server stops, the error log may hold only what was announced.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

from client import Request, exchange_http1, exchange_http2
from ports import free_port

SECRET = 'xq3vT0p-8mWc_5Zr1Yk9HnBd7LsGf2Ja4Ue6'
COOKIE = 'session'

# For checks that watch httpd itself: libraries that it is started with, or a command that runs it as
# one process, in which {dir} is filled in. What they find goes to files, and there must be none.
preload = os.environ.get('SS_PRELOAD', '').split()
WRAPPER = os.environ.get('SS_WRAPPER', '').split()
SANITIZER_OPTIONS = ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'TSAN_OPTIONS')
# As one process it has given up its rights by the time it tidies up: mod_cgid's socket stays.
AS_ONE_PROCESS = ['AH01240'] if WRAPPER else []
PATIENCE = 5 if preload or WRAPPER else 1

START_SECONDS = 20 * PATIENCE
STOP_SECONDS = 20 * PATIENCE
LOG_SECONDS = 3
IDLE_SECONDS = 1 * PATIENCE
LEAVE_SECONDS = 3 * PATIENCE
SETTLE_SECONDS = 0.01 * PATIENCE
READY = 'resuming normal operations'

APXS = os.environ.get('SS_APXS') or shutil.which('apxs') or 'apxs'
# Built by us: where the environment says, and modules for tests beside the first of them.
OUR_MODULES = {'signed_session': 'SS_MODULE', 'signed_session_redis': 'SS_MODULE', 'ss_testing': 'SS_TEST_MODULE', 'ss_api': 'SS_TEST_MODULE', 'ss_entries': 'SS_TEST_MODULE', 'ss_careless': 'SS_TEST_MODULE',
               'visits': 'SS_TEST_MODULE'}

# "event", "prefork" or "worker": conftest.py sets it from --mpm.
mpm = 'event'
# Names for httpd's -D: conftest.py adds to them.
defines = []
# Where sessions live unless a test's configuration says so: conftest.py sets it from --store.
store = None
# What a configuration was right to say where sessions live in the cookie: SignedSessionEncrypt.
IN_STORE = ['SS0415']


def apxs_query(name):
    return subprocess.run([APXS, '-q', name], check=True, capture_output=True, text=True).stdout.strip()


HTTPD = str(Path(apxs_query('SBINDIR')) / apxs_query('PROGNAME'))
LIBEXECDIR = Path(apxs_query('LIBEXECDIR'))
# Modules of other projects, which scripts/deps has not installed.
UNPACKED_MODULES = Path(__file__).with_name('unpacked') / 'usr/lib/apache2/modules'
STATIC = set(re.findall(r'mod_(\w+)\.c', subprocess.run([HTTPD, '-l'], capture_output=True, text=True).stdout))


def cgi_module():
    return 'cgi' if mpm == 'prefork' else 'cgid'


def dead_pools():
    """The library with which the memory of a pool dies with the pool."""
    return str(Path(os.environ['SS_TEST_MODULE']).with_name('dead_pools.so').resolve(strict=True))


def speaks_http2():
    """mod_http2 switches itself off under prefork."""
    return mpm != 'prefork'


# Our clients begin with it, and no others are to be offered it.
HTTP2 = 'Protocols h2c http/1.1\nH2Upgrade Off\n'


def load_module(name):
    if name in STATIC:
        return ''
    if name in OUR_MODULES:
        variable = OUR_MODULES[name]
        if not os.environ.get(variable):
            raise RuntimeError(f'{variable} must name a built module')
        path = Path(os.environ[variable]).with_name(f'mod_{name}.so')
    else:
        path = UNPACKED_MODULES / f'mod_{name}.so'
        if not path.exists():
            path = LIBEXECDIR / f'mod_{name}.so'
    return f'LoadModule {name}_module "{path}"\n'


def sockets_of(port):
    """State and name of each socket that this port of the machine has, in /proc's own words."""
    rows = [line.split() for line in Path('/proc/net/tcp').read_text().splitlines()[1:]]
    return [(row[3], f'socket:[{row[9]}]') for row in rows if row[1].endswith(f':{port:04X}')]


TIME_WAIT, LISTEN = '06', '0A'


def has_connections(port):
    """Is there one that is not over on httpd's side?"""
    return any(state not in (TIME_WAIT, LISTEN) for state, _ in sockets_of(port))


def listeners(port):
    """The sockets that connections to the port come from. Looking for them is slow where many connections have been."""
    return {name for state, name in sockets_of(port) if state == LISTEN}


def files_of(pid):
    """What the process has open, in /proc's own words; nothing when it has ended."""
    with contextlib.suppress(OSError):
        for path in Path(f'/proc/{pid}/fd').iterdir():
            with contextlib.suppress(OSError):
                yield os.readlink(path)


def children_of(parent):
    pids = []
    for path in Path('/proc').glob('[0-9]*/stat'):
        try:
            # the name, in parentheses, may hold anything
            state, parents_pid = path.read_text().rpartition(')')[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        if int(parents_pid) == parent and state != 'Z':
            pids.append(int(path.parent.name))
    return sorted(pids)


def states_of(pid):
    """One letter for each thread of a process; none when it is no more."""
    with contextlib.suppress(OSError):
        for path in Path(f'/proc/{pid}/task').iterdir():
            with contextlib.suppress(OSError):  # it ended while we looked
                yield (path / 'stat').read_text().rpartition(')')[2].split()[0]


def are_asleep(parent):
    """httpd's prefork MPM ends a child within a handler of the signal, and libcrypto's own end then frees memory, whatever malloc was
    doing: while a child is starting, behind a restart above all (its functions stand one above the other in the core)."""
    return not any(state in 'RD' for pid in (parent, *children_of(parent)) for state in states_of(pid))


def unprivileged_account():
    """User and group httpd's children run as when the tests run as root."""
    import grp
    import pwd
    for name in ('www-data', 'apache', 'nobody'):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return name, grp.getgrgid(entry.pw_gid).gr_name
    raise RuntimeError('no unprivileged account to run httpd as')


class StartError(Exception):
    """httpd did not start: its exit code, and what it wrote to the terminal and the error log."""

    def __init__(self, rc, text):
        super().__init__(f'httpd ended with {rc}:\n{text}')
        self.rc = rc
        self.text = text


class ErrorLog:
    """Reads the log forward and holds each new line against what was announced."""

    LINE = re.compile(r'\[(emerg|alert|crit|error|warn)\] |exit signal')
    KNOWN_FORM = re.compile(r'\[\w+\] ')

    def __init__(self, path):
        self.path = path
        self.offset = 0
        self.expected = []
        self.allowed = []

    def new_text(self):
        try:
            with open(self.path, 'rb') as log:
                log.seek(self.offset)
                return log.read().decode('utf-8', 'backslashreplace')
        except FileNotFoundError:
            return ''

    def missing(self):
        text = self.new_text()
        return [mark for mark in self.expected if mark not in text]

    def check(self):
        deadline = time.monotonic() + LOG_SECONDS
        while self.missing() and time.monotonic() < deadline:
            time.sleep(0.01)
        missing, text = self.missing(), self.new_text()
        announced = self.expected + self.allowed + AS_ONE_PROCESS + (IN_STORE if store else [])
        surprises = [line for line in text.splitlines()
                     if (self.LINE.search(line) or not self.KNOWN_FORM.match(line))
                     and not any(mark in line for mark in announced)]
        self.offset += len(text.encode('utf-8', 'backslashreplace'))
        self.expected, self.allowed = [], []
        assert not surprises, 'the error log holds unannounced lines:\n' + '\n'.join(surprises)
        assert not missing, f'the error log does not hold {missing}:\n{text}'


class Server:
    """One httpd with one small configuration.

    conf     httpd.conf lines; {dir}, {port} and the names given as `values` are filled in
    modules  names without "mod_", beside the few that every test needs
    files    relative path: text; under htdocs/ they can be requested; text that begins with "#!"
             becomes executable
    env      variables of httpd's own environment; None removes one
    http2    for tests that take `protocol`: both, where this httpd speaks them
    """

    running = []
    directories = []  # of all that there are, running or not

    BASE_MODULES = ('unixd', 'log_config', 'authz_core', 'mime')

    def __init__(self, conf='', modules='', files=None, env=None, log_level='warn', ours=True, http2=False, **values):
        speaks = http2 and speaks_http2()
        self.conf, self.values, self.log_level = (HTTP2 if speaks else '') + conf, values, log_level
        self.modules = [*self.BASE_MODULES, *modules.split(), *(['http2'] if speaks else []),
                        *(['signed_session'] if ours else [])]
        self.files = {'htdocs/file.txt': 'a file\n' * 20, **(files or {})}
        self.env = self.environment(env or {})
        self.dir = None
        self.is_test = False
        self.process = None
        self.port = None

    @staticmethod
    def environment(changes):
        env = {name: value for name, value in os.environ.items() if not name.startswith('SIGNED_SESSION_')}
        env.update({'LC_ALL': 'C', 'SIGNED_SESSION_SECRET': SECRET, 'LD_PRELOAD': ' '.join(preload) or None}, **changes)
        return {name: value for name, value in env.items() if value is not None}

    # --- files -----------------------------------------------------------------------------

    def write(self, name, text):
        """A file; where the name ends with a slash, a folder for httpd's children to write in."""
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith('/'):
            path.mkdir()
            path.chmod(0o777)
            return path
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(0o755 if text[:2] in ('#!', b'#!') else 0o644)
        return path

    def prepare(self):
        """Everything httpd needs, in a directory that its children can enter."""
        self.dir.chmod(0o755)
        Server.directories.append(self.dir)
        (self.dir / 'htdocs').mkdir()
        self.collect_reports()
        for name, text in self.files.items():
            self.write(name, text)
        self.write_configuration()

    def collect_reports(self):
        folder = self.dir / 'reports'
        folder.mkdir()
        folder.chmod(0o1777)
        for name in SANITIZER_OPTIONS:
            if self.env.get(name):
                self.env[name] += f':log_path={folder}/{name}'
        self.env['SS_DEAD_POOLS'] = f'{folder}/dead_pools'

    def reports(self):
        return ''.join(path.read_text(errors='backslashreplace') for path in sorted(self.dir.glob('reports/*')))

    def write_configuration(self):
        self.port = free_port()
        self.write('httpd.conf', self.preamble() + self.filled_in(self.conf) + '\n')

    def filled_in(self, text):
        values = {'dir': self.dir, 'port': self.port, **self.values}
        for _ in range(2):  # a value may name {dir} or {port}
            text = re.sub(r'\{(\w+)\}', lambda match: str(values.get(match[1], match[0])), text)
        return text

    def preamble(self):
        user = ''
        if os.geteuid() == 0:
            user = 'User {}\nGroup {}\n'.format(*unprivileged_account())
        return (
            ''.join(load_module(name) for name in (f'mpm_{mpm}', *self.modules))
            + user
            + f'ServerRoot "{self.dir}"\n'
            + f'DefaultRuntimeDir "{self.dir}"\n'
            + f'PidFile "{self.dir}/httpd.pid"\n'
            + f'ErrorLog "{self.dir}/error.log"\n'
            + 'ErrorLogFormat "[%l] [%-m] %7F: %E: %M"\n'
            + f'LogLevel {self.log_level}\n'
            + f'Listen 127.0.0.1:{self.port}\n'
            + f'ServerName 127.0.0.1:{self.port}\n'
            + f'DocumentRoot "{self.dir}/htdocs"\n'
            + 'TypesConfig /dev/null\n'
            + 'AddType text/plain .txt\n'
            + 'AddType text/html .html\n'
            + 'StartServers 1\n'
            + 'MaxRequestWorkers 32\n'
            + ('MinSpareServers 4\n' if mpm == 'prefork'
               else 'ServerLimit 2\nThreadsPerChild 16\nMinSpareThreads 4\nMaxSpareThreads 32\n')
            + 'Timeout 10\n'
            + 'KeepAliveTimeout 5\n'
            + self.default_store()
        )

    def default_store(self):
        """Unless the configuration itself says where sessions live, or what it says allows no store (SS0412, SS0413).
        One that is only tested keeps none."""
        conf = self.filled_in(self.conf)
        allowed = ('signed_session' in self.modules and 'SignedSessionStore' not in conf
                   and set(re.findall(r'SignedSessionFormat\s+"?(\w+)', conf)) <= {'native'}
                   and not re.search(r'SignedSessionIdleTimeout\s+none', conf))
        return f'SignedSessionStore {store}\n' if store and allowed and not self.is_test else ''

    # --- life ------------------------------------------------------------------------------

    def command(self, *arguments):
        wrapper = [word.replace('{dir}', str(self.dir)) for word in WRAPPER]
        return [*wrapper, HTTPD, *(f'-D{name}' for name in defines), '-d', str(self.dir), '-f', str(self.dir / 'httpd.conf'),
                *arguments]

    def run_once(self, *arguments):
        """Make the directory, run httpd to its end as in `run_once('-t')`, remove the directory."""
        self.dir = Path(tempfile.mkdtemp(prefix='signed-session-test-'))
        self.is_test = True
        try:
            self.prepare()
            return self.run(*arguments)
        finally:
            self.discard()

    def run(self, *arguments):
        """Run another httpd with this configuration to its end: (exit code, what it printed)."""
        done = subprocess.run(self.command(*arguments), env=self.env, timeout=START_SECONDS, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def start(self):
        self.dir = Path(tempfile.mkdtemp(prefix='signed-session-test-'))
        try:
            self.prepare()
            for attempt in range(3):
                try:
                    self.launch()
                    break
                except StartError as error:
                    # Somebody took the port between our look and httpd's bind.
                    if 'could not bind' not in error.text or attempt == 2:
                        raise
                    self.write_configuration()
        except BaseException:
            self.discard()
            raise
        self.log = ErrorLog(self.dir / 'error.log')
        Server.running.append(self)
        return self

    def launch(self):
        terminal = self.dir / 'terminal.txt'
        notices = self.error_log().count(READY)
        with open(terminal, 'wb') as output:
            self.process = subprocess.Popen(self.command('-X' if WRAPPER else '-DFOREGROUND'), env=self.env, stdout=output,
                                            stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
                                            start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise StartError(self.process.returncode, terminal.read_text() + self.error_log())
            if self.is_ready(notices):
                # A child has to close this: it may crash when it is stopped while it still starts.
                socket.create_connection(('127.0.0.1', self.port), START_SECONDS).close()
                return
            time.sleep(0.01)
        raise StartError(None, terminal.read_text() + self.error_log())

    def is_ready(self, notices):
        # As one process httpd does not say when it is.
        is_up = bool(listeners(self.port)) if WRAPPER else self.error_log().count(READY) > notices
        return is_up and self.cgi_daemon_is_ready()

    def cgi_daemon_is_ready(self):
        """It gives its socket away some time after httpd is ready; before that, requests for scripts fail."""
        if 'cgid' not in self.modules or os.geteuid() != 0:
            return True
        try:
            return any(path.stat().st_uid != 0 for path in self.dir.glob('cgi*sock.*'))
        except FileNotFoundError:
            return False  # that of the daemon before, in a restart

    def error_log(self):
        try:
            return (self.dir / 'error.log').read_text(errors='backslashreplace')
        except FileNotFoundError:
            return ''

    def graceful(self):
        """A graceful restart: the new children answer when this returns, but for what the old ones were at."""
        self.restart(signal.SIGUSR1)

    def restart(self, how=signal.SIGHUP):
        """A restart that breaks off what is under way, or another one."""
        if how == signal.SIGHUP:
            self.wait_until_idle()
        notices, old, sockets = self.error_log().count(READY), self.children(), listeners(self.port)
        self.process.send_signal(how)
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready(notices):
            assert self.process.poll() is None, f'httpd ended in a restart:\n{self.error_log()}'
            assert time.monotonic() < deadline, 'httpd did not come back from a restart'
            time.sleep(0.01)
        # httpd is ready before the old children have heard of it. One of the prefork MPM that is at a request keeps
        # the socket until that is done, and takes no other.
        deadline = time.monotonic() + LEAVE_SECONDS
        while any(not sockets.isdisjoint(files_of(pid)) for pid in old) and time.monotonic() < deadline:
            time.sleep(0.01)

    def children(self):
        """The processes that httpd made and that still run."""
        return children_of(self.process.pid)

    def is_idle(self):
        return not has_connections(self.port) and are_asleep(self.process.pid)

    def wait_until_idle(self):
        """httpd's event MPM may crash when it is stopped while it closes a connection, as a plain one does: its main thread
        shuts down the sockets of its workers (apr_os_sock_get in the core), of which one has just freed its own."""
        deadline = time.monotonic() + IDLE_SECONDS
        while not self.is_idle() and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(SETTLE_SECONDS)  # it is gone from the system's table before httpd's thread is done with it

    def end_process(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.wait_until_idle()
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process = None

    def discard(self):
        try:
            self.end_process()
            reports = self.reports()
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)
            Server.directories.remove(self.dir)
        assert not reports, f'httpd was reported on:\n{reports}'

    def stop(self):
        if self in Server.running:
            Server.running.remove(self)
        try:
            self.end_process()
            self.log.check()
        finally:
            self.discard()

    def __enter__(self):
        return self.start()

    def __exit__(self, *failure):
        self.stop()

    # --- the error log ---------------------------------------------------------------------

    def expect(self, *marks):
        """These must stand in the error log by the end of this test."""
        self.log.expected += marks

    def allow(self, *marks):
        """Lines with one of these may stand there."""
        self.log.allowed += marks

    # --- requests --------------------------------------------------------------------------

    def url(self, path='/', host='127.0.0.1'):
        return f'http://{host}:{self.port}{path}'

    def request(self, method='GET', path='/', headers=(), body=None, cookie=None, protocol='http/1.1',
                **more):
        """One request on a connection of its own; `headers` is a dict or a list of pairs."""
        headers = list(headers.items() if isinstance(headers, dict) else headers)
        if cookie is not None:
            headers.append(('Cookie', cookie))
        request = Request(method, path, headers, body, authority=f'127.0.0.1:{self.port}', **more)
        exchange = exchange_http2 if protocol == 'h2' else exchange_http1
        return exchange(self.port, request)

    def h2(self, *arguments, **more):
        return self.request(*arguments, protocol='h2', **more)

    def raw(self, text):
        """Send bytes as they are, read until the server closes."""
        return exchange_http1(self.port, text)


class Jar:
    """A browser's view of one server: cookies come back until they are deleted."""

    def __init__(self, server):
        self.server = server
        self.cookies = {}

    def request(self, method='GET', path='/', headers=(), body=None, **more):
        cookie = '; '.join(f'{name}={value}' for name, value in self.cookies.items()) or None
        response = self.server.request(method, path, headers, body, cookie=cookie, **more)
        for line in response.get_all('Set-Cookie'):
            self.keep(line)
        return response

    def keep(self, line):
        pair, *attributes = [part.strip() for part in line.split(';')]
        name, _, value = pair.partition('=')
        attributes = {key.lower(): text for key, _, text in (part.partition('=') for part in attributes)}
        if self.is_over(attributes):
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    @staticmethod
    def is_over(attributes):
        """Max-Age goes before Expires, RFC 6265 section 5.3."""
        if 'max-age' in attributes:
            return int(attributes['max-age']) <= 0
        if 'expires' in attributes:
            return parsedate_to_datetime(attributes['expires']).timestamp() <= time.time()
        return False

    @property
    def session(self):
        return self.cookies.get(COOKIE)


def configtest(conf, modules='', **more):
    """`httpd -t` for this configuration: (exit code, what it printed)."""
    return Server(conf, modules, **more).run_once('-t')
