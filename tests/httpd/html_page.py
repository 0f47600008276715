# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""A page of HTML, read strictly: what a browser would mend in silence is an error here."""

import re
from html.parser import HTMLParser

VOID = {'meta', 'input', 'link', 'br', 'hr', 'img'}
# Attributes that name the id of another element.
POINTS = {'for', 'aria-labelledby', 'aria-describedby', 'list'}


class Page(HTMLParser):
    """`texts` has the text of each element that is asked for by its name, `find` its attributes."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.seen = [], [], ''
        assert text.startswith('<!doctype html>\n<html lang="en">'), text[:80]
        assert not re.search(r'[\x00-\x08\x0b-\x1f\x7f-\x9f]', text), 'a control character'
        # What looks like a reference is one that ends.
        assert not re.search(r'&(?!(?:amp|lt|gt|quot|#39);)', re.sub(r'<(script|style)>.*?</\1>', '', text, flags=re.S))
        self.feed(text)
        self.close()
        assert self.open == [], self.open
        self.judge()

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        assert 'style' not in names and not any(name.startswith('on') for name in names), (tag, names)
        element = {'tag': tag, 'attrs': dict(attrs), 'text': '', 'inside': [one['tag'] for one in self.open]}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1]['tag'] == tag, (tag, [one['tag'] for one in self.open])
        self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element['text'] += data
        if not any(element['tag'] in ('script', 'style') for element in self.open):
            self.seen += data

    def handle_comment(self, data):
        raise AssertionError(f'a comment: {data}')

    def unknown_decl(self, data):
        raise AssertionError(f'a declaration: {data}')

    def find(self, tag, **attrs):
        return [one for one in self.elements if one['tag'] == tag
                and all(one['attrs'].get(name.replace('_', '-')) == value for name, value in attrs.items())]

    def judge(self):
        ids = [one['attrs']['id'] for one in self.elements if 'id' in one['attrs']]
        assert len(ids) == len(set(ids)), ids
        for one in self.elements:
            for name, value in one['attrs'].items():
                if name in POINTS:
                    assert value in ids, (one['tag'], name, value)
                if name == 'href' and value.startswith('#'):
                    assert value[1:] in ids, value
        for one in self.find('svg'):
            assert one['attrs'].get('aria-hidden') == 'true' or one['attrs'].get('aria-label'), one
        for one in self.find('section'):
            assert one['attrs'].get('aria-labelledby'), one
        assert len(self.find('h1')) == len(self.find('main')) == len(self.find('title')) == 1

    @property
    def state(self):
        return self.find('h2', id='verdict')[0]['text']

    @property
    def keys(self):
        """What the table of keys says: name to (type, value, size)."""
        rows, table = {}, False
        for one in self.elements:
            if one['tag'] == 'table':
                table = one['attrs'].get('class') == 'keys'
            if table and one['tag'] == 'th' and one['attrs'].get('scope') == 'row':
                row = rows.setdefault(one['text'], [])
            if table and one['tag'] == 'td' and one['attrs'].get('class') != 'do js':
                row.append(one['text'])
        return {name: tuple(row) for name, row in rows.items()}

    @property
    def configuration(self):
        """(directive, value, place) of each row."""
        cells, rows, table = [], [], False
        for one in self.elements:
            if one['tag'] == 'table':
                table = 'class' not in one['attrs']
            if table and (one['tag'] == 'td' or one['attrs'].get('scope') == 'row'):
                cells.append(one['text'])
                if len(cells) == 3:
                    rows.append(tuple(cells))
                    cells = []
        return rows
