# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The man pages are the pages of docs/, and say what the programs say."""

import os
import re
import shutil
import subprocess

import pytest

from common import TOP

pytestmark = pytest.mark.once

GO_MD2MAN = shutil.which('go-md2man')
PAGES = {'ssctl.1': ['ssctl.md'], 'mod_signed_session.5': ['directives.md', 'messages.md']}


def run(*words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True, **more)
    return done.stdout, done.stderr


def help_of(*words):
    return run(os.environ['SS_SSCTL'], *words, '--help')[0]


@pytest.fixture(scope='module')
def pages(tmp_path_factory):
    """Made by the rules of the Makefile, where there is neither a compiler nor httpd."""
    path = tmp_path_factory.mktemp('man')
    made = (TOP / 'Makefile.in').read_text()
    for name, value in {'srcdir': TOP, 'GO_MD2MAN': GO_MD2MAN, 'MKDIR_P': 'mkdir -p', 'PACKAGE_VERSION': '1.2.3'}.items():
        made = made.replace(f'@{name}@', str(value))
    (path / 'Makefile').write_text(re.sub(r'@\w+@', '', made))
    run('make', '-C', path, *(f'docs/{page}' for page in PAGES), env={**os.environ, 'MAKEFLAGS': ''})
    return path / 'docs'


@pytest.fixture(params=PAGES)
def page(request, pages):
    return pages / request.param


def shown(page, width=80):
    """As a terminal so wide shows it; and what man complains of."""
    return run('man', '--warnings', '-l', page, env={**os.environ, 'LC_ALL': 'C.UTF-8', 'MANWIDTH': str(width), 'MANPAGER': 'cat'})


@pytest.mark.parametrize('width', [60, 80, 200])
def test_man_has_nothing_to_complain_of(page, width):
    text, complaints = shown(page, width)
    assert complaints == ''
    assert 'mod_signed_session 1.2.3' in text and '\nNAME\n' in text and '\nSEE ALSO\n' in text


def test_nothing_of_the_markdown_is_left(page):
    text, _ = shown(page, 200)
    # in an example, which stands further to the right, "#" begins a comment
    assert re.findall(r'\]\(|^ {0,7}#+ |\*\*|---\||```|\\\|', text, re.M) == []


def test_every_heading_is_there(page):
    text, _ = shown(page, 200)
    for source in PAGES[page.name]:
        headings = re.findall(r'^##+ (.*)', re.sub(r'^```.*?^```', '', (TOP / 'docs' / source).read_text(), flags=re.M | re.S), re.M)
        assert headings
        for heading in headings:
            assert re.search(rf'^ *(messages: )?{re.escape(heading)}$', text, re.M | re.I), heading


def test_every_row_of_a_table_is_there(pages):
    text = ' '.join(shown(pages / 'mod_signed_session.5', 200)[0].replace('\u2010\n', '').split())
    for row in ('SignedSessionRevocation Off|file:PATH|store', 'session:KEY variable: SESSION_KEY; each top-level key'):
        assert row in text


def rows_of(heading):
    section = re.search(rf'^## {heading}\n(.*?)^## ', (TOP / 'docs/ssctl.md').read_text(), re.M | re.S)[1]
    return dict(re.findall(r'^\| `([^`]+)` \| (.*) \|$', section, re.M))


def commands():
    """What ssctl --help lists: the words for each."""
    return dict(re.findall(r'^  (\w+) +(.*)', help_of().partition('commands:\n')[2], re.M))


def test_the_table_of_commands_is_that_of_the_program():
    assert commands() == rows_of('Commands')


def test_the_table_of_options_is_that_of_the_program():
    told = {' '.join(words).strip() for command in commands()
            for words in re.findall(r'^  (--[\w-]+) +([A-Z]+(?=  ))?', help_of(command), re.M)}
    assert len(told) > 10
    assert told == set(rows_of('Options'))
