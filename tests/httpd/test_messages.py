# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The documentation is whole: every message and every directive of the code is there, and no other; and every
test that it names exists."""

import re
from pathlib import Path

import pytest

from common import TOP
from test_directives import ANYWHERE, SECTION, SERVER, listed

pytestmark = pytest.mark.once

CODE = [*TOP.glob('*.c'),
        *(path for folder in ('httpd', 'lib', 'stores', 'tools') for path in (TOP / folder).rglob('*.[ch]'))]
LEVELS = {'CRIT': 'crit', 'ERR': 'error', 'WARNING': 'warn', 'NOTICE': 'notice', 'INFO': 'info', 'DEBUG': 'debug'}


def sections(name):
    """The third-level headings of a page, in order, and what stands below each."""
    parts = re.split(r'^### (.*)\n', (TOP / 'docs' / name).read_text(), flags=re.M)
    return dict(zip(parts[1::2], (part.split('\n## ')[0] for part in parts[2::2])))


def code_without_examples():
    """The C code; a comment may show how a message is written."""
    return '\n'.join(re.sub(r'/\*.*?\*/', '', path.read_text(), flags=re.S) for path in CODE)


# --- messages ----------------------------------------------------------------------------------


def test_every_message_is_documented_and_no_other():
    numbers = set(re.findall(r'SS\d{4}', code_without_examples()))
    assert len(numbers) > 25
    assert set(sections('messages.md')) == numbers


def test_messages_stand_in_numeric_order():
    headings = re.findall(r'^### (.*)', (TOP / 'docs/messages.md').read_text(), re.M)
    assert headings == sorted(set(headings))


def test_every_message_has_its_level():
    documented = sections('messages.md')
    logged = re.findall(r'ss_log(?:_server)?\([\w>-]+,\s*APLOG_(\w+),\s*"(SS\d{4})"', code_without_examples())
    assert len(logged) > 15
    for level, number in logged:
        assert documented[number].startswith(f'\nLevel: {LEVELS[level]}. `'), number


def test_every_message_has_cause_and_remedy():
    for number, text in sections('messages.md').items():
        first = text.strip()
        assert first.startswith(('Level: crit. `', 'Level: error. `', 'Level: warn. `', 'Level: notice. `', 'Level: info. `',
                                 'Level: debug. `', 'Not logged: ')), number
        assert re.search(r'\n\nCause: .*\n\nRemedy: ', text, re.S), number


def test_messages_that_other_pages_name_exist():
    known = set(sections('messages.md'))
    for path in [TOP / 'README.md', *(TOP / 'docs').glob('*.md')]:
        assert set(re.findall(r'SS\d{4}', path.read_text())) <= known, path.name


# --- directives --------------------------------------------------------------------------------

CONTEXTS = {
    SERVER: 'server config, virtual host',
    ANYWHERE: 'server config, virtual host, directory, .htaccess',
    SECTION: 'server config, virtual host, directory',
}


def directives():
    return {name: text for name, text in sections('directives.md').items() if name.startswith('SignedSession')}


def test_every_directive_is_documented_and_no_other():
    assert set(directives()) == set(listed())


def test_every_directive_says_how_and_where_it_is_written():
    for name, text in directives().items():
        rows = dict(re.findall(r'^\| (Syntax|Default|Context) \| (.*) \|$', text, re.M))
        assert rows.keys() == {'Syntax', 'Default', 'Context'}, name
        assert rows['Syntax'].startswith(f'`{name} ')
        # refused at server level for a reason of its own
        context = 'directory' if name == 'SignedSessionUpdate' else CONTEXTS[listed()[name][1]]
        assert rows['Context'] == context, name


def test_the_list_at_the_top_leads_to_every_directive():
    page = (TOP / 'docs/directives.md').read_text()
    assert re.findall(r'^  \[(SignedSession\w*)\]\(#\w+\),?$', page, re.M) == list(directives())


def test_links_between_the_pages_lead_somewhere():
    pages = {path: path.read_text() for path in [TOP / 'README.md', *(TOP / 'docs').glob('*.md')]}
    anchors = {path: {anchor(heading) for heading in re.findall(r'^#+ (.*)', text, re.M)}
               for path, text in pages.items()}
    for path, text in pages.items():
        for target in re.findall(r'\]\(([^)\s]+)\)', text):
            file, _, name = target.partition('#')
            if '://' not in target:
                there = (path.parent / file).resolve() if file else path
                assert there.exists(), (path.name, target)
                assert not name or name in anchors[there], (path.name, target)


# --- attacks -----------------------------------------------------------------------------------


def names_in(file):
    """The names of the tests in a file of tests/."""
    folder, pattern = {'.py': ('httpd', r'^def (test_\w+)'), '.c': ('unit', r'^START_TEST\((\w+)\)')}[Path(file).suffix]
    return re.findall(pattern, (TOP / 'tests' / folder / file).read_text(), re.M)


def test_every_attack_is_tried_by_tests_that_exist():
    makefile = (TOP / 'tests/checks.mk').read_text()
    rows = re.findall(r'^\| .* \| .* \| (.*) \|$', (TOP / 'docs/attacks.md').read_text(), re.M)
    proofs = [row.strip('`').split('` `') for row in rows if row not in ('test', 'tests')]
    assert len(proofs) > 50
    for proof in (one for row in proofs for one in row):
        file, _, name = proof.partition('::')
        if name:
            assert name in names_in(file), proof
        elif file.startswith('make '):
            assert f'\n{file.removeprefix("make ")}: ' in makefile, proof
        else:
            assert (TOP / 'tests/fuzz' / file).exists() and re.fullmatch(r'fuzz_\w+\.c', file), proof


def anchor(heading):
    """As GitHub makes it."""
    return re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')
