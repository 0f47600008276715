# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""mkdocs.yml and the README name every page; scripts/site itself takes packages that only it needs."""

import re

import pytest

from common import TOP

pytestmark = pytest.mark.once

PAGES = {path.name for path in (TOP / 'docs').glob('*.md')}


def test_every_page_is_in_the_site():
    named = set(re.findall(r': (\S+\.md)$', (TOP / 'mkdocs.yml').read_text(), re.M))
    assert PAGES <= named
    assert named - PAGES == {'index.md', 'CONTRIBUTING.md', 'SECURITY.md', 'bench/README.md'}


def test_every_page_is_in_the_readme():
    named = set(re.findall(r'\]\(docs/([\w-]+\.md)', (TOP / 'README.md').read_text()))
    assert PAGES == named
