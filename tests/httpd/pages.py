# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What a page of docs/ prints, to be served or run as it stands there."""

import re

from common import TOP


def printed(page, language='apache'):
    """The blocks of a page in this language, by the heading that they stand under."""
    found = {}
    for section in re.split(r'^## ', (TOP / f'docs/{page}.md').read_text(), flags=re.M)[1:]:
        blocks = re.findall(rf'^```{language}\n(.*?)^```$', section, re.M | re.S)
        if blocks:
            found[section.partition('\n')[0]] = blocks
    return found


def here(text, replacements):
    """With what is not of this machine replaced: every one of them stands there."""
    for theirs, ours in replacements.items():
        assert theirs in text, theirs
        text = text.replace(theirs, ours)
    return text
