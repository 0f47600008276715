# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""scripts/deps on machines that do not let it do everything: with doubles of the programs that it calls."""

import os
import re
import shutil
import subprocess

import pytest

import common
from common import TOP

pytestmark = pytest.mark.once

TOOLS = ('cat', 'cmp', 'cp', 'dirname', 'env', 'mkdir', 'mktemp', 'mv', 'rm', 'sh')
ALL_THERE = 'printf "ii "'
NONE_THERE = 'exit 1'
NPM_FETCHES = 'mkdir -p node_modules; echo >>"$CALLS" npm'
UNPACKED, PEERS = (re.search(rf"^{name}='(.*)'", (TOP / 'scripts/deps').read_text(), re.M)[1]
                   for name in ('unpacked', 'peers'))
CHATTER = 'Selecting previously unselected package gcc.'


class Machine:
    """A directory with scripts/deps, what it reads, and the only programs that it finds."""

    def __init__(self, path):
        self.path = path
        self.node = path / 'tests/httpd/node'
        self.calls = path / 'calls'
        self.calls.touch()
        shutil.copytree(TOP / 'tests/httpd/node', self.node, ignore=shutil.ignore_patterns('node_modules'))
        self.unpacked = path / 'tests/httpd/unpacked'
        self.peers = path / 'bench/unpacked'
        for folder, packages in (self.unpacked, UNPACKED), (self.peers, PEERS):
            folder.mkdir(parents=True)
            (folder / 'packages').write_text(f'{packages}\n')
        (path / 'scripts').mkdir()
        shutil.copy(TOP / 'scripts/deps', path / 'scripts')
        (path / 'bin').mkdir()
        for tool in TOOLS:
            (path / 'bin' / tool).symlink_to(shutil.which(tool))
        self.has('dpkg-query', ALL_THERE)
        self.has('npm', NPM_FETCHES)
        self.has('id', 'echo 0')
        self.has('apt-get', f'echo "{CHATTER}"; echo >>"$CALLS" apt-get')

    def has(self, name, script):
        program = self.path / 'bin' / name
        program.write_text(f'#!/bin/sh\n{script}\n')
        program.chmod(0o755)

    def deps(self, what='test'):
        env = {**os.environ, 'PATH': str(self.path / 'bin'), 'CALLS': str(self.calls)}
        done = subprocess.run(['/bin/sh', self.path / 'scripts/deps', what], env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


# --- npm -----------------------------------------------------------------------------------------


def test_what_npm_fetched_is_not_fetched_again(machine):
    for _ in range(2):
        rc, said, complaints = machine.deps()
        assert (rc, complaints) == (0, '') and said.endswith('deps: everything for "test" is installed\n')
    assert machine.calls.read_text() == 'npm\n'


def test_npm_that_cannot_fetch_stops_nothing_but_is_heard(machine):
    machine.has('npm', 'echo "npm error code ECONNREFUSED" >&2; exit 1')
    rc, _, complaints = machine.deps()
    assert rc == 3
    assert 'ECONNREFUSED' in complaints and 'NOT INSTALLED' in complaints and 'Only the tests with Express' in complaints


def test_the_build_does_not_ask_for_npm(machine):
    machine.has('npm', 'exit 1')
    assert machine.deps('build') == (0, 'deps: everything for "build" is installed\n', '')


@pytest.mark.parametrize('code', ['EINTEGRITY', 'EUSAGE'])
def test_packages_that_are_not_those_of_the_lock_file_are_a_failure(machine, code):
    machine.has('npm', f'echo "npm error code {code}" >&2; exit 1')
    rc, _, complaints = machine.deps()
    assert rc == 1 and code in complaints


def test_what_an_older_lock_file_installed_does_not_count(machine):
    assert machine.deps()[0] == 0
    (machine.node / 'package-lock.json').write_text('{}')
    machine.has('npm', 'exit 1')
    for _ in range(2):
        assert machine.deps()[0] == 3


# --- apt -----------------------------------------------------------------------------------------


def test_apt_is_quiet_when_all_goes_well(machine):
    machine.has('dpkg-query', NONE_THERE)
    rc, said, complaints = machine.deps('build')
    assert (rc, complaints) == (0, '') and CHATTER not in said
    assert machine.calls.read_text() == 'apt-get\n' * 2


def test_whose_packages_would_start_servers_is_only_unpacked(machine):
    shutil.rmtree(machine.unpacked)
    unpack_and_look(machine)


def test_no_package_of_a_module_is_installed(machine):
    """It would switch the module on in the httpd of this machine. Nor is the server itself, which would start."""
    machine.has('dpkg-query', NONE_THERE)
    machine.has('apt-get', 'echo "$*" >>"$CALLS"')
    assert machine.deps('checks')[0] == 0 and machine.deps('package')[0] == 0
    assert 'apache2' not in machine.calls.read_text().split() and 'lintian' in machine.calls.read_text().split()
    assert 'libapache2-mod' not in machine.calls.read_text() and 'libapache2-mod' in UNPACKED


def test_the_server_that_is_measured_beside_ours_is_only_unpacked(machine):
    """And only for the checks: it would start, too."""
    shutil.rmtree(machine.peers)
    machine.has('apt-get', ': >nginx.deb; echo "$*" >>"$CALLS"')
    machine.has('dpkg-deb', ': >"$3/unpacked-nginx"')
    assert machine.deps('test')[0] == 0 and not machine.peers.exists()
    assert machine.deps('checks')[0] == 0 and (machine.peers / 'unpacked-nginx').exists()
    assert machine.calls.read_text() == f'npm\n-qq -o Dpkg::Use-Pty=0 download {PEERS}\n'


def test_what_an_older_list_unpacked_is_unpacked_anew(machine):
    (machine.unpacked / 'packages').write_text('slapd\n')
    (machine.unpacked / 'slapd').touch()
    unpack_and_look(machine)


def unpack_and_look(machine):
    machine.has('apt-get', 'for word; do case $word in slapd | krb5-* | redis-* | libapache2-* | modsecurity-crs | php*-fpm | prometheus) : >"$word.deb";; esac; done; echo "$*" >>"$CALLS"')
    machine.has('dpkg-deb', 'name=${2##*/}; : >"$3/${name%.deb}"')
    for _ in range(2):
        assert machine.deps()[0] == 0
    assert {path.name for path in machine.unpacked.iterdir()} == {'packages', *UNPACKED.split()}
    assert machine.calls.read_text() == f'-qq -o Dpkg::Use-Pty=0 download {UNPACKED}\nnpm\n'


def test_what_cannot_be_downloaded_is_a_failure_every_time(machine):
    shutil.rmtree(machine.unpacked)
    machine.has('apt-get', 'echo "E: no such package" >&2; exit 100')
    for _ in range(2):
        rc, _, complaints = machine.deps()
        assert rc == 1 and 'E: no such package' in complaints and 'could not be downloaded: slapd' in complaints


def line_for_root(complaints):
    return complaints.splitlines()[-1].strip()


def test_what_apt_says_is_shown_when_it_fails(machine):
    machine.has('dpkg-query', NONE_THERE)
    machine.has('apt-get', 'echo "E: Unable to fetch some archives" >&2; exit 100')
    rc, _, complaints = machine.deps('build')
    assert rc == 1 and 'E: Unable to fetch' in complaints
    assert line_for_root(complaints).startswith('apt-get update && apt-get install')


@pytest.mark.parametrize('sudo', [None, 'echo "sudo: a password is required" >&2; exit 1'], ids=['no sudo', 'no password'])
def test_who_may_not_install_is_told_the_whole_line(machine, sudo):
    machine.has('id', 'echo 1000')
    machine.has('dpkg-query', NONE_THERE)
    if sudo is not None:
        machine.has('sudo', sudo)
    rc, _, complaints = machine.deps()
    assert rc == 1 and machine.calls.read_text() == ''
    assert ('a password is required' in complaints) == (sudo is not None)
    # it is complete: after it, nothing is missing
    machine.has('apt-get', 'echo "$*" >>"$CALLS"')
    subprocess.run(['/bin/sh', '-c', line_for_root(complaints)], check=True,
                   env={'PATH': str(machine.path / 'bin'), 'CALLS': str(machine.calls)})
    machine.has('dpkg-query', f'''
for name; do :; done
while read -r line; do case " $line " in *" $name "*) {ALL_THERE};; esac; done <"$CALLS"''')
    assert machine.deps()[0] == 0


def test_of_a_machine_that_is_not_debian_nothing_is_claimed(machine):
    (machine.path / 'bin/dpkg-query').unlink()
    rc, said, _ = machine.deps('build')
    assert rc == 0 and 'this is not Debian; needed are the counterparts of: gcc' in said and 'everything' not in said


def test_the_readme_names_the_same_packages(machine):
    """And the server itself, which the script leaves out, as it would start at once."""
    machine.has('dpkg-query', NONE_THERE)
    machine.has('apt-get', 'exit 100')
    line = line_for_root(machine.deps('build')[2]).partition('--no-install-recommends ')[2]
    assert f'\nsudo apt install --no-install-recommends apache2 {line}\n' in (TOP / 'README.md').read_text()


# --- the tests that need it ----------------------------------------------------------------------


def test_without_express_its_tests_are_not_run(monkeypatch):
    monkeypatch.setattr(common, 'may_lack_express', True)
    with pytest.raises(pytest.skip.Exception, match='npm could not fetch'):
        common.need_express()


def test_packages_that_are_just_missing_are_a_failure(monkeypatch, tmp_path):
    monkeypatch.setattr(common, 'may_lack_express', False)
    monkeypatch.setattr(common, 'NODE_MODULES', tmp_path / 'node_modules')
    with pytest.raises(AssertionError, match='run scripts/deps test'):
        common.need_express()
