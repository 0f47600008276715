# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What the documentation prints: every fenced block of its pages, and what the page says that is done with it.

A comment, which no reader sees, says it: on the line before one fence, or anywhere for the rest of the page:

    <!-- example: run SCENE -->                 the commands, in a scene of scenes.py
    <!-- example: config -->                    httpd takes it; of "apache" nothing else need be said
    <!-- example: config fails "SS0101" -->     httpd refuses it, and says this
    <!-- example: parse -->                     it is of its language; of "c", "js", "json", "python" and "yaml" likewise
    <!-- example: from PATH... -->              it stands in one of these files, which other tests run
    <!-- example: tested FILE::TEST... -->      those tests read the page, and try what it prints
    <!-- example: skip REASON -->               nothing; it is counted
    <!-- examples: tested FILE::TEST -->        all blocks of this page that say nothing themselves
"""

import re
from dataclasses import dataclass

from markdown_it import MarkdownIt

from common import TOP

PAGES = [*sorted(TOP.glob('*.md')), *sorted((TOP / 'docs').glob('*.md')), TOP / 'bench/README.md']
OF_ONE, OF_PAGE = 'example', 'examples'
BY_LANGUAGE = {'apache': 'config', **dict.fromkeys(('c', 'js', 'json', 'python', 'yaml'), 'parse')}


@dataclass(frozen=True)
class Block:
    page: str  # from the top of the tree
    line: int  # of the fence
    language: str
    text: str
    mark: str  # None when nobody says what is done with it

    @property
    def name(self):
        return f'{self.page}:{self.line}'


def marks(lines, kind):
    """(line number, what the comment says)"""
    found = ((number, re.fullmatch(rf'\s*<!-- {kind}: (.+) -->\s*', line)) for number, line in enumerate(lines))
    return {number: match[1] for number, match in found if match}


def blocks_of(text, page):
    lines = text.splitlines()
    ours, of_page = marks(lines, OF_ONE), [*marks(lines, OF_PAGE).values(), None][0]
    for token in MarkdownIt('commonmark').parse(text):
        if token.type == 'fence':
            mark = ours.pop(token.map[0] - 1, None) or of_page or BY_LANGUAGE.get(token.info.strip())
            yield Block(page, token.map[0] + 1, token.info.strip(), token.content, mark)
    assert not ours, f'{page}: no fence is below the comment of line {min(ours) + 1}'


def all_blocks():
    return [block for page in PAGES for block in blocks_of(page.read_text(), str(page.relative_to(TOP)))]
