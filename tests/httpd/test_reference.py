# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""docs/reference.conf: made from docs/directives.md, and httpd accepts what it says."""

import re
import subprocess

import pytest

from common import TOP
from harness import configtest

pytestmark = pytest.mark.once

REFERENCE = TOP / 'docs/reference.conf'
DIRECTIVES = TOP / 'docs/directives.md'


def test_it_is_made_from_the_documentation():
    made = subprocess.run(['awk', '-f', TOP / 'docs/reference.awk', DIRECTIVES], check=True, capture_output=True, text=True).stdout
    assert made == REFERENCE.read_text(), 'run: make reference'


def test_every_directive_is_there():
    named = set(re.findall(r'^# Syntax: (\w+)', REFERENCE.read_text(), re.M))
    assert named == set(re.findall(r'^### (SignedSession\w*)$', DIRECTIVES.read_text(), re.M))


def test_what_holds_may_be_written():
    """Each line, out of its comment, where its context lets it stand: the start is as it was."""
    lines = {True: [], False: []}
    context = ''
    for line in REFERENCE.read_text().splitlines():
        context = line if line.startswith('# Context:') else context
        if re.match('#SignedSession(?!Redis)', line):
            lines['server config' in context].append(line[1:])
    assert len(lines[True]) > 30
    rc, text = configtest('\n'.join(lines[True] + ['<Location "/a">', *lines[False], '</Location>']))
    assert (rc, 'SS0' in text) == (0, False), text
