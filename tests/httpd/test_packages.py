# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What is in the repository and not in a release: cheap looks at what scripts/package tries in full."""

import os
import re
import shutil
import subprocess

import pytest

from common import TOP
from harness import LIBEXECDIR, apxs_query
from test_install import CONFIGURATION, INSTALLED

pytestmark = pytest.mark.once


def run(*words):
    done = subprocess.run([str(word) for word in words], cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


def version():
    return re.search(r'AC_INIT\(\[mod_signed_session\], \[([^]]+)\]\)', (TOP / 'configure.ac').read_text())[1]


def words_of(path):
    return [line.split() for line in path.read_text().splitlines() if line and not line.startswith('#')]


# --- debian/, and the spec of the RPM packages -----------------------------------------------------


def test_the_packages_have_what_make_install_puts_in_place():
    """Each file in one package; test_install.py compares the list with what is really installed."""
    listed = [words[0] for path in (TOP / 'debian').glob('*.install') for words in words_of(path) if len(words) == 1]
    places = {str(LIBEXECDIR): 'usr/lib/apache2/modules', apxs_query('INCLUDEDIR'): 'usr/include/apache2', '/usr/local': 'usr'}
    wanted = [f'etc/apache2/mods-available/{name}' for name in CONFIGURATION]
    for file in INSTALLED:
        place = next(place for place in places if file.startswith(place.lstrip('/')))
        wanted.append(places[place] + file[len(place) - 1:])
    assert sorted(listed) == sorted(wanted)


def installed_pages():
    """{name below /usr/share/doc/libapache2-mod-signed-session: the file here}"""
    pages = {'changelog.gz': TOP / 'CHANGES', 'copyright': TOP / 'debian/copyright'}
    for kind, folder in (('docs', ''), ('examples', 'examples/')):
        for words in words_of(TOP / f'debian/libapache2-mod-signed-session.{kind}'):
            pages.update({f'{folder}{path.name}': path for path in TOP.glob(words[0]) if path.name != 'CHANGES'})
    for words in words_of(TOP / 'debian/libapache2-mod-signed-session.install'):
        if words[-1] == 'usr/share/doc/libapache2-mod-signed-session/docs':
            pages.update({f'docs/{path.name}': path for word in words[:-1] for path in TOP.glob(word)})
    return pages


def test_every_link_of_the_installed_pages_leads_somewhere():
    pages = installed_pages()
    elsewhere = {'/usr/include/apache2/mod_signed_session.h',
                 '/usr/share/doc/libapache2-mod-signed-session-dev/examples/mod_visits.c'}
    found = set()
    for name, path in pages.items():
        if path.suffix != '.md':
            continue
        for target in re.findall(r'\]\(([^)#:\s]+)[^):]*\)', run('sed', '-f', 'debian/links.sed', path)):
            found.add(target if target.startswith('/') else os.path.normpath(f'{os.path.dirname(name)}/{target}'.lstrip('/')))
    assert found - pages.keys() == elsewhere
    assert {'docs/performance-peers.svg', 'examples/site.conf', 'examples/demo'} <= found


def test_the_spec_has_what_make_install_puts_in_place():
    files = (TOP / 'packaging/mod_signed_session.spec').read_text().partition('\n%files\n')[2]
    for file in INSTALLED:
        assert len(re.findall(rf'^%{{\w+}}\S*/{re.escape(file.rpartition("/")[2])}\*?$', files, re.M)) == 1, file


def test_the_packages_are_of_this_version():
    assert re.match(rf'libapache2-mod-signed-session \({re.escape(version())}-', (TOP / 'debian/changelog').read_text())
    spec = (TOP / 'packaging/mod_signed_session.spec').read_text()
    assert re.search(rf'^Version: +{re.escape(version())}$', spec, re.M)
    assert re.search(rf'^%changelog\n.* - {re.escape(version())}-', spec, re.M)


def test_the_packages_ask_for_what_configure_asks_for():
    configure, control, spec = ((TOP / name).read_text() for name in ('configure.ac', 'debian/control', 'packaging/mod_signed_session.spec'))
    floors = dict(re.findall(r'\[(?:for )?(httpd|OpenSSL|zlib|hiredis) ([\d.]+) or later', configure))
    floors['hiredis'] = re.search(r'for hiredis ([\d.]+) or later', configure)[1]
    names = {'httpd': ('apache2-bin', 'httpd-devel'), 'OpenSSL': ('libssl-dev', 'openssl-devel'),
             'zlib': ('zlib1g-dev', 'zlib-devel'), 'hiredis': ('libhiredis-dev', 'hiredis-devel')}
    assert floors.keys() == names.keys()
    for what, floor in floors.items():
        assert re.search(rf'\b{names[what][0]} \(>= (1:)?{re.escape(floor)}\)', control), what
        assert re.search(rf'\b{names[what][1]} >= {re.escape(floor)}$', spec, re.M), what


def test_no_package_runs_a_script_of_ours_when_it_is_installed():
    """Above all none that makes a secret: each copy of an image would have the same."""
    assert [path.name for path in (TOP / 'debian').iterdir() if path.suffix[1:] in ('preinst', 'postinst', 'prerm', 'postrm', 'config')] == []
    spec = (TOP / 'packaging/mod_signed_session.spec').read_text()
    assert re.findall(r'^%(?:pre|post|preun|postun|posttrans|trigger\w*)\b', spec, re.M) == []


def test_the_lines_of_the_readme_are_those_that_are_tried():
    lines = re.search(r'^sudo apt install apache2 ./libapache2.*?^```', (TOP / 'README.md').read_text(), re.M | re.S)[0].splitlines()[1:-1]
    tried = (TOP / 'packaging/cycle').read_text().splitlines()
    assert len(lines) == 2 and {line.removeprefix('sudo ') for line in lines} <= set(tried)


# --- scripts -------------------------------------------------------------------------------------


def is_shell(path):
    return b'python' not in path.read_bytes().splitlines()[0]


SCRIPTS = [*(f'scripts/{path.name}' for path in sorted((TOP / 'scripts').iterdir()) if is_shell(path)), '.ci/run', 'packaging/cycle', 'debian/tests/smoke']


@pytest.mark.parametrize('script', SCRIPTS)
def test_shellcheck_has_nothing_to_say(script):
    run('shellcheck', script)


def test_package_says_what_it_is_for():
    assert 'Usage: scripts/package' in run('scripts/package', '--help')
    done = subprocess.run([TOP / 'scripts/package', '--nonsense'], capture_output=True, text=True)
    assert done.returncode == 2 and 'unknown argument: --nonsense' in done.stderr and 'Usage' in done.stderr


# --- licences ------------------------------------------------------------------------------------


def test_every_file_says_its_licence(tmp_path):
    """Of the files that git knows: others may lie beside them."""
    for name in run('git', 'ls-files', '-z').split('\0'):
        if name and (TOP / name).exists():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, tmp_path / name)
    assert 'Congratulations' in run('reuse', '--root', tmp_path, 'lint')


def test_the_licence_is_there_once():
    assert (TOP / 'LICENSES/Apache-2.0.txt').read_bytes() == (TOP / 'LICENSE').read_bytes()


def test_changes_begin_with_this_version():
    assert (TOP / 'CHANGES').read_text().splitlines()[0] == version()
