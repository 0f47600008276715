# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What packagers and administrators do with the sources: build elsewhere, install, make a release."""

import os
import re
import shlex
import shutil
import subprocess

import pytest

from common import TOP
from harness import APXS, LIBEXECDIR, apxs_query, configtest
from starting import SS0101, VARIABLE

# One worker builds the release.
pytestmark = [pytest.mark.once, pytest.mark.xdist_group('install')]


def run(directory, *words, expect=0, **more):
    """Run a command there: what it printed."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith(('MAKE', 'MFLAGS'))}
    done = subprocess.run([str(word) for word in words], cwd=directory, env=environment, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    assert done.returncode == expect, done.stdout
    return done.stdout


def version():
    return re.search(r'AC_INIT\(\[mod_signed_session\], \[([^]]+)\]\)', (TOP / 'configure.ac').read_text())[1]


def files_in(directory):
    return {str(path.relative_to(directory)) for path in directory.rglob('*') if not path.is_dir()}


@pytest.fixture(scope='session')
def sources(tmp_path_factory):
    """What a user of a release has. A checkout makes the release first; anything else is one."""
    directory = tmp_path_factory.mktemp('release')
    name = f'mod_signed_session-{version()}'
    if (TOP / '.git').exists():
        run(directory, TOP / 'configure', f'--with-apxs={APXS}', '--quiet')
        run(directory, 'make', 'dist')
        run(directory, 'tar', '-xzf', f'{name}.tar.gz')
    else:
        shutil.copytree(TOP, directory / name)
    return directory / name


@pytest.fixture(scope='session')
def built(sources, tmp_path_factory):
    """The one build, outside the sources."""
    directory = tmp_path_factory.mktemp('build')
    before = files_in(sources)
    run(directory, sources / 'configure', f'--with-apxs={APXS}', '--quiet')
    run(directory, 'make', '-j2')
    assert files_in(sources) == before  # a build elsewhere leaves the sources alone
    return directory


# --- build -------------------------------------------------------------------------------------


def test_a_release_holds_what_is_needed_and_nothing_that_was_made(sources):
    files = files_in(sources)
    assert {'configure', 'configure.ac', 'Makefile.in', 'LICENSE', 'README.md', 'mod_signed_session.c',
            'lib/base.c', 'httpd/config.c', 'tools/ssctl.c', 'conf/signed_session.conf',
            'tests/httpd/harness.py', 'docs/ssctl.1', 'docs/mod_signed_session.5'} <= files
    assert not {file for file in files if file.startswith('debian/')}
    assert os.access(sources / 'configure', os.X_OK)
    if (TOP / '.git').exists():
        made = [file for file in files if file.startswith(('.git/', 'autom4te.cache/')) or
                file.endswith(('.o', '.lo', '.la', '.so', '.pyc')) or file in ('Makefile', 'config.status', 'ssctl')]
        assert made == []


def copy_of_checkout(path):
    for name in run(TOP, 'git', 'ls-files', '-z').split('\0'):
        if name and (TOP / name).exists():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, path / name)
    git = TOP / '.git'
    (shutil.copytree if git.is_dir() else shutil.copy)(git, path / '.git')


def test_a_release_is_made_of_the_same_bytes_elsewhere(sources, tmp_path):
    """Another tree, umask, locale, zone, user's home and time of the files."""
    if not (TOP / '.git').exists():
        return  # a release cannot make one: see the next test
    copy_of_checkout(tmp_path / 'tree')
    run(tmp_path / 'tree', 'autoreconf', '-fi')
    odd = ['env', 'LC_ALL=C.UTF-8', 'TZ=Pacific/Kiritimati', f'HOME={tmp_path}']
    run(tmp_path, *odd, 'sh', '-c', f'umask 077 && tree/configure --with-apxs={APXS} --quiet && make dist')
    name = f'{sources.name}.tar.gz'
    assert (tmp_path / name).read_bytes() == (sources.parent / name).read_bytes()


def test_dist_outside_a_checkout_says_what_it_needs(sources, built):
    if (sources / '.git').exists():
        shutil.rmtree(sources / '.git')
    assert 'needs a checkout' in run(built, 'make', 'dist', expect=2)


NAMES = ['signed_session', 'signed_session_redis']


@pytest.mark.parametrize('name', NAMES)
def test_a_module_exports_one_symbol(built, name):
    symbols = run(built, 'nm', '-D', '--defined-only', f'.libs/mod_{name}.so').split('\n')
    assert [line.split()[-1] for line in symbols if line] == [f'{name}_module']


def test_only_the_module_for_redis_needs_what_redis_needs(built):
    needed = {name: re.findall(r'NEEDED.*\[(?:lib)(hiredis|ssl)\.', elf(built, f'.libs/mod_{name}.so', '-d')) for name in NAMES}
    assert needed == {'signed_session': [], 'signed_session_redis': ['hiredis', 'ssl']}


def test_vector_code_is_left_out_where_it_is_not_wanted(sources, tmp_path):
    run(tmp_path, sources / 'configure', f'--with-apxs={APXS}', '--quiet', '--disable-vector')
    tests = ['tests/unit/test_encode', 'tests/unit/test_vector_base64']
    run(tmp_path, 'make', '-j2', *tests)
    assert 'ss_vector' not in run(tmp_path, 'nm', 'lib/encode.o')
    for test in tests:
        run(tmp_path, f'./{test}')


def test_redis_is_left_out_where_it_is_not_wanted_or_hiredis_is_not_there(sources, tmp_path):
    absent = 'HIREDIS_LIBS=-lhiredis-that-is-nowhere'
    (tmp_path / 'root').mkdir()
    for words in (['--with-redis=no'], [absent]):
        run(tmp_path, sources / 'configure', f'--with-apxs={APXS}', '--quiet', *words)
        assert '\nHAVE_REDIS = no\n' in (tmp_path / 'Makefile').read_text()
    assert 'libhiredis-dev' in run(tmp_path, sources / 'configure', f'--with-apxs={APXS}', '--quiet', '--with-redis=yes', absent, expect=1)
    assert 'auto, yes or no' in run(tmp_path, sources / 'configure', f'--with-apxs={APXS}', '--quiet', '--with-redis=maybe', expect=1)
    run(tmp_path, 'make', '-j2')
    assert {path.name for path in (tmp_path / '.libs').glob('*.so')} == {'mod_signed_session.so'}
    run(tmp_path, 'make', 'install', f'DESTDIR={tmp_path}/root', f'sysconfdir={tmp_path}/none')
    assert {path.name for path in (tmp_path / 'root').rglob('*.so')} == {'mod_signed_session.so'}


@pytest.fixture
def older(tmp_path):
    """An apxs of an httpd whose headers are one step below the floor, and an OpenSSL before 3.0."""
    headers = tmp_path / 'httpd'
    shutil.copytree(apxs_query('INCLUDEDIR'), headers)
    magic = (headers / 'ap_mmn.h').read_text()
    (headers / 'ap_mmn.h').write_text(re.sub(r'(define MODULE_MAGIC_NUMBER_MINOR +)\d+', r'\g<1>120', magic))
    apxs = tmp_path / 'apxs'
    apxs.write_text(f'#!/bin/sh\ncase "$*" in "-q INCLUDEDIR") echo {headers};; *) exec {APXS} "$@";; esac\n')
    apxs.chmod(0o755)
    (tmp_path / 'openssl').mkdir()
    (tmp_path / 'openssl/opensslv.h').write_text('#define OPENSSL_VERSION_NUMBER 0x1010117fL\n')
    return tmp_path


def test_configure_refuses_what_is_too_old(sources, older):
    said = run(older, sources / 'configure', f'--with-apxs={older}/apxs', '--quiet', expect=1)
    assert 'httpd 2.4.52 or later of the 2.4 series is needed (module magic number 20120211:121)' in said
    said = run(older, sources / 'configure', f'--with-apxs={APXS}', f'CRYPTO_CFLAGS=-I{older}', '--quiet', expect=1)
    assert 'OpenSSL 3.0 or later is needed' in said


def test_the_built_module_loads(built, monkeypatch):
    monkeypatch.setenv('SS_MODULE', str(built / '.libs/mod_signed_session.so'))
    assert configtest('SignedSession On', 'signed_session_redis') == (0, 'Syntax OK\n')


# --- hardened --------------------------------------------------------------------------------


# what: (file, what readelf is asked for, a pattern in its answer)
HARDENED = {
    'nothing of the module is bound late': ('.libs/mod_signed_session.so', '-d', r'BIND_NOW|FLAGS_1.*\bNOW\b'),
    'nothing of the module for Redis is bound late': ('.libs/mod_signed_session_redis.so', '-d', r'BIND_NOW|FLAGS_1.*\bNOW\b'),
    'its tables of addresses are read-only': ('.libs/mod_signed_session.so', '-l', r'GNU_RELRO'),
    'its stack is guarded': ('.libs/mod_signed_session.so', '-s', r'__stack_chk_fail'),
    'its stack is no code': ('.libs/mod_signed_session.so', '-l', r'GNU_STACK +\S+ \S+ \S+ \S+ \S+ RW '),
    'nothing of ssctl is bound late': ('ssctl', '-d', r'BIND_NOW|FLAGS_1.*\bNOW\b'),
    "ssctl's tables are read-only": ('ssctl', '-l', r'GNU_RELRO'),
    'ssctl is loaded anywhere': ('ssctl', '-h', r'Type: +DYN'),
    "ssctl's stack is guarded": ('ssctl', '-s', r'__stack_chk_fail'),
    'ssctl checks the sizes that it knows': ('ssctl', '-s', r'__\w+_chk@'),
}


def elf(directory, file, what):
    return run(directory, 'readelf', '-W', what, file)


@pytest.mark.parametrize('file, what, pattern', HARDENED.values(), ids=HARDENED)
def test_what_is_built_is_hardened(built, file, what, pattern):
    assert re.search(pattern, elf(built, file, what))


def test_the_packagers_flags_have_the_last_word(sources, tmp_path):
    run(tmp_path, sources / 'configure', f'--with-apxs={APXS}', '--quiet',
        'CFLAGS=-O1 -Wall -Werror -fno-stack-protector -D_FORTIFY_SOURCE=1 -fno-pie',
        'LDFLAGS=-Wl,-z,lazy -Wl,-z,norelro -no-pie')
    run(tmp_path, 'make', '-j2')
    for file in ('.libs/mod_signed_session.so', 'ssctl'):
        assert not re.search(r'BIND_NOW|FLAGS_1.*\bNOW\b', elf(tmp_path, file, '-d'))
        assert 'GNU_RELRO' not in elf(tmp_path, file, '-l')
        assert '__stack_chk_fail' not in elf(tmp_path, file, '-s')
    assert re.search('Type: +EXEC', elf(tmp_path, 'ssctl', '-h'))


@pytest.mark.parametrize('flags', ['-O0', '-O1 -fsanitize=undefined', '-O1 -D_FORTIFY_SOURCE=1', '-O1 -U_FORTIFY_SOURCE'])
def test_sizes_are_checked_only_where_that_works(sources, tmp_path, flags):
    """Without optimisation the C library only warns; a sanitizer checks more and must see the plain calls."""
    run(tmp_path, sources / 'configure', f'--with-apxs={APXS}', '--quiet', f'CFLAGS={flags} -Wall -Werror')
    assert not re.search(r'^HARDENING_\w+ =.*_FORTIFY_SOURCE', (tmp_path / 'Makefile').read_text(), re.M)


# --- install -----------------------------------------------------------------------------------


SSCTL = 'usr/local/bin/ssctl'
PAGES = ('man1/ssctl.1', 'man5/mod_signed_session.5')
INSTALLED = {SSCTL, *(f'usr/local/share/man/{page}' for page in PAGES),
             *(f'{LIBEXECDIR}/mod_{name}.so'.lstrip('/') for name in NAMES),
             *(f'{apxs_query("INCLUDEDIR")}/mod_{name}.h'.lstrip('/') for name in ('signed_session', 'signed_session_store'))}
CONFIGURATION = ('signed_session.load', 'signed_session.conf', 'signed_session_redis.load')


def install(built, target, *variables, verb='install'):
    return run(built, 'make', verb, f'DESTDIR={target}', *variables)


@pytest.fixture
def sysconfdir(tmp_path):
    """A configuration directory of the kind that a2enmod works on."""
    (tmp_path / 'etc/mods-available').mkdir(parents=True)
    return tmp_path / 'etc'


def test_install_and_uninstall(built, tmp_path):
    elsewhere = f'sysconfdir={tmp_path}/none'
    target = tmp_path / 'root'
    install(built, target, elsewhere)
    assert files_in(target) == INSTALLED
    assert os.access(target / SSCTL, os.X_OK) and all((target / file).stat().st_mode & 0o444 == 0o444 for file in INSTALLED)
    install(built, target, elsewhere, verb='uninstall')
    assert files_in(target) == set()


def test_install_twice(built, tmp_path):
    for _ in range(2):
        install(built, tmp_path / 'root', f'sysconfdir={tmp_path}/none')
    assert files_in(tmp_path / 'root') == INSTALLED


def test_install_where_mods_available_is(built, tmp_path, sysconfdir):
    target = tmp_path / 'root'
    available = f'{sysconfdir}/mods-available'.lstrip('/')
    folder = f'{available}/signed_session'
    install(built, target, f'sysconfdir={sysconfdir}')
    assert files_in(target) == INSTALLED | {f'{available}/{name}' for name in CONFIGURATION}
    assert (target / f'{folder}.load').read_text() == (
        f'LoadModule signed_session_module {LIBEXECDIR}/mod_signed_session.so\n')
    assert (target / f'{folder}_redis.load').read_text() == (
        f'# Depends: signed_session\nLoadModule signed_session_redis_module {LIBEXECDIR}/mod_signed_session_redis.so\n')
    assert (target / f'{folder}.conf').read_text() == (TOP / 'conf/signed_session.conf').read_text()
    assert (target / f'{folder}.load').stat().st_mode & 0o777 == 0o644
    assert files_in(sysconfdir) == set()  # DESTDIR is the only place that is written to
    install(built, target, f'sysconfdir={sysconfdir}', verb='uninstall')
    assert files_in(target) == set()


def test_the_secret_of_the_readme(built, tmp_path, sysconfdir):
    """Its command makes a file that only its owner reads, and never another in its place; the line that it uncomments names that file."""
    name = '/etc/apache2/signed_session.secret'
    command = f"sh -c 'set -C; umask 377; ssctl keygen >{name}'"
    conf = (TOP / 'conf/signed_session.conf').read_text()
    line = f'#SignedSessionSecret file:{name}\n'
    assert f'sudo {command}\n' in (TOP / 'README.md').read_text() and f'sudo {command}\n' in conf and conf.count(line) == 1
    secret = tmp_path / 'signed_session.secret'
    run(built, 'env', f'PATH={built}:/usr/bin:/bin', *shlex.split(command.replace(name, str(secret))))
    assert secret.stat().st_mode & 0o777 == 0o400
    first = secret.read_bytes()
    again = subprocess.run(['env', f'PATH={built}:/usr/bin:/bin', *shlex.split(command.replace(name, str(secret)))], capture_output=True, text=True)
    assert again.returncode != 0 and 'File exists' in again.stderr and secret.read_bytes() == first
    assert configtest(f'SignedSession On\n{conf.replace(line, line[1:].replace(name, str(secret)))}', env={VARIABLE: None}) == (0, 'Syntax OK\n')


def test_install_says_what_it_leaves_out(built, tmp_path, sysconfdir):
    """Debian's apache2-dev brings no mods-available: whoever builds before he installs the server looks for a2enmod in vain."""
    target = tmp_path / 'root'
    said = install(built, target, f'sysconfdir={tmp_path}/none').splitlines()
    at = said.index('************************************************************************')
    assert f'NOT INSTALLED: {" ".join(CONFIGURATION)}, as there is no {tmp_path}/none/mods-available.' in said[at + 1]
    assert 'install the package apache2' in said[at + 2] and '"make install" again' in said[at + 2]
    assert said[at] == said[-1]
    assert 'NOT INSTALLED' not in install(built, target, f'sysconfdir={sysconfdir}')


def test_a_packager_makes_the_folder(built, tmp_path):
    """He builds where no server is installed."""
    folder = tmp_path / f'root/{tmp_path}/none/mods-available'
    folder.mkdir(parents=True)
    assert 'NOT INSTALLED' not in install(built, tmp_path / 'root', f'sysconfdir={tmp_path}/none')
    assert {path.name for path in folder.iterdir()} == set(CONFIGURATION)


@pytest.mark.parametrize('name', CONFIGURATION)
def test_what_is_switched_on_is_not_uninstalled(built, tmp_path, sysconfdir, name):
    """httpd would not start without what the links of a2enmod lead to, and a2dismod would find only half of it."""
    target = tmp_path / 'root'
    where = f'sysconfdir={sysconfdir}'
    install(built, target, where)
    link = target / f'{sysconfdir}/mods-enabled/{name}'.lstrip('/')
    link.parent.mkdir()
    link.symlink_to(f'../mods-available/{name}')
    before = files_in(target)
    said = run(built, 'make', 'uninstall', f'DESTDIR={target}', where, expect=2)
    assert f'"a2dismod {name.rpartition(".")[0]}"' in said and str(link) in said
    assert files_in(target) == before
    link.unlink()
    install(built, target, where, verb='uninstall')
    assert files_in(target) == set()


def test_what_depends_on_another_is_switched_off_first(built, tmp_path):
    """a2dismod refuses to switch off what something else depends on."""
    target = tmp_path / 'root'
    where = f'sysconfdir={tmp_path}/etc'
    (tmp_path / 'etc/mods-available').mkdir(parents=True)
    install(built, target, where)
    enabled = target / f'{tmp_path}/etc/mods-enabled'.lstrip('/')
    enabled.mkdir()
    for name in ('signed_session.conf', 'signed_session.load', 'signed_session_redis.load'):
        (enabled / name).symlink_to(f'../mods-available/{name}')
    assert '"a2dismod signed_session_redis signed_session"' in run(built, 'make', 'uninstall', f'DESTDIR={target}', where, expect=2)


def test_uninstall_removes_what_a_build_with_redis_has_installed(built, tmp_path):
    target = tmp_path / 'root'
    where = f'sysconfdir={tmp_path}/etc'
    (tmp_path / 'etc/mods-available').mkdir(parents=True)
    install(built, target, where)
    assert any(file.endswith('signed_session_redis.load') for file in files_in(target))
    install(built, target, where, 'HAVE_REDIS=no', verb='uninstall')
    assert files_in(target) == set()


@pytest.mark.parametrize('kind, other', [('conf', 'load'), ('load', 'conf')])
def test_what_an_administrator_wrote_stays(built, tmp_path, sysconfdir, kind, other):
    """An upgrade puts the new version beside it, in a file that httpd does not read."""
    target = tmp_path / 'root'
    folder = target / f'{sysconfdir}/mods-available'.lstrip('/')
    edited, untouched = folder / f'signed_session.{kind}', folder / f'signed_session.{other}'
    where = f'sysconfdir={sysconfdir}'
    assert 'stays' not in install(built, target, where)
    shipped, mine = edited.read_text(), f'SignedSession On\n{edited.read_text()}'

    assert 'stays' not in install(built, target, where)
    assert files_in(folder) == set(CONFIGURATION)

    edited.write_text(mine)
    for _ in range(2):
        said = install(built, target, where)
        line, = [line for line in said.splitlines() if line.startswith(f'{edited} ')]
        assert 'stays' in line and f'{edited}.new' in line and str(untouched) not in line
        assert files_in(folder) == {*CONFIGURATION, f'{edited.name}.new'}
        assert (edited.read_text(), (folder / f'{edited.name}.new').read_text()) == (mine, shipped)

    said = install(built, target, where, verb='uninstall')
    assert [line for line in said.splitlines() if line.startswith(f'{edited} ') and 'stays' in line]
    assert files_in(target) == {str(edited.relative_to(target))} and edited.read_text() == mine


def test_what_is_new_no_more_goes(built, tmp_path, sysconfdir):
    """Once the administrator has taken the new version over, the copy beside it says nothing any more."""
    conf = sysconfdir / 'mods-available/signed_session.conf'
    where = [f'sysconfdir={sysconfdir}', f'libexecdir={tmp_path}/modules', f'prefix={tmp_path}/opt',
             f'includedir={tmp_path}/include']
    conf.write_text('# of an older version\n')
    install(built, '', *where)
    assert conf.read_text() == '# of an older version\n'
    (conf.parent / f'{conf.name}.new').rename(conf)
    conf.with_name(f'{conf.name}.new').write_text('')
    install(built, '', *where)
    assert {path.name for path in conf.parent.iterdir()} == set(CONFIGURATION)


def test_install_in_other_places(built, tmp_path, sysconfdir):
    """The installed .load file finds the module where it went."""
    where = [f'sysconfdir={sysconfdir}', f'libexecdir={tmp_path}/modules', f'prefix={tmp_path}/opt',
             f'includedir={tmp_path}/include']
    install(built, '', *where)
    assert files_in(tmp_path) == {*(f'modules/mod_{name}.so' for name in NAMES), 'opt/bin/ssctl', *(f'opt/share/man/{page}' for page in PAGES),
                                  'include/mod_signed_session.h', 'include/mod_signed_session_store.h',
                                  *(f'etc/mods-available/{name}' for name in CONFIGURATION)}
    conf = ''.join(f'Include {sysconfdir}/mods-available/{name}\n' for name in CONFIGURATION)
    assert configtest(conf, ours=False, env={VARIABLE: None}) == (0, 'Syntax OK\n')
    rc, text = configtest(conf + 'SignedSession On', ours=False, env={VARIABLE: None})
    assert rc == 1 and SS0101.format(VARIABLE) in text
    install(built, '', *where, verb='uninstall')
    assert files_in(tmp_path) == set()
