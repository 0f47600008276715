# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The house is as docs/internals.md says: arrows point down, and a piece of state has one owner."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

TOP = Path(__file__).resolve().parents[2]
FILES = [TOP / 'mod_signed_session.c', *(path for folder in ('lib', 'httpd') for path in (TOP / folder).rglob('*.[ch]'))]
# A group of files is one room for who looks from outside: its private headers know its public one.
GROUPS = {'lib/json', 'lib/format'}


def room_of(name):
    name = re.sub(r'\.[ch]$', '', name)
    return next((group for group in GROUPS if name.startswith(f'{group}/')), name)


def includes():
    """room: the rooms that it includes."""
    graph = {}
    for path in FILES:
        room = room_of(str(path.relative_to(TOP)))
        found = {room_of(name) for name in re.findall(r'^#include "((?:lib|httpd)/[\w/]+\.h)"', path.read_text(), re.M)}
        graph.setdefault(room, set()).update(found - {room})
    return graph


def test_no_include_leads_back():
    """Each room stands on a floor of its own, above all that it includes."""
    graph, floors = includes(), {}
    while len(floors) < len(graph):
        rising = {room for room, below in graph.items() if room not in floors and below <= floors.keys()}
        assert rising, f'a ring: {sorted(graph.keys() - floors.keys())}'
        floors.update({room: len(floors) for room in rising})


def test_the_core_knows_nothing_of_httpd():
    for path in (TOP / 'lib').rglob('*.[ch]'):
        assert not re.findall(r'#include ["<](?:httpd|http_|util_|ap_|mod_|scoreboard)', path.read_text()), path


def test_the_store_in_files_stands_alone():
    files = list((TOP / 'stores').glob('file*.[ch]'))
    assert files
    for path in files:
        for header in re.findall(r'^#include "(.*)"', path.read_text(), re.M):
            assert header == 'mod_signed_session_store.h' or header.startswith('stores/file'), (path, header)


def test_only_one_file_sees_libcrypto_and_one_zlib():
    for header, owner in (('openssl/', 'crypto'), ('zlib.h', 'deflate')):
        found = {path.stem for path in FILES if f'#include <{header}' in path.read_text()}
        assert found == {owner}


def test_what_is_noted_of_a_visit_is_written_by_its_owner_alone():
    """visit.h: a struct for each room, called like the file that writes it."""
    header = (TOP / 'httpd/visit.h').read_text()
    owners = set(re.findall(r'ss_(\w+)_note_t \w+;', header)) - {'sealed'}
    assert len(owners) > 5
    for path in FILES:
        for owner in owners:
            writes = re.findall(rf'visit->{owner}\.\w+ (?:\+|-)?=(?!=)|&visit->{owner}[.;,)]', path.read_text())
            assert not writes or path.name in (f'{owner}.c', 'expression.c' if owner == 'expression' else ''), (path, writes)


def test_stores_know_what_a_store_may_know():
    """APR, sockets, and the libraries of a server: they are linked, and tested, without lib/ and without httpd."""
    ours = {'mod_signed_session_store.h', *(str(path.relative_to(TOP)) for path in (TOP / 'stores').glob('*.h'))}
    files = list((TOP / 'stores').rglob('*.[ch]'))
    for path in files:
        assert set(re.findall(r'^#include "(.*)"', path.read_text(), re.M)) <= ours, path
        assert not re.findall(r'#include <(?:httpd|http_|util_|ap_|mod_|scoreboard)', path.read_text()), path
    assert [path.name for path in files if '#include <hiredis/' in path.read_text()] == ['resp.c']
