# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What the scripts in these folders share: the secrets, the time, and the form of vectors.json."""

import json

SECRET = 'correct-horse-battery-staple-0123456789'
OTHER_SECRET = 'Zx8-mT2_vKq0Lr5.Yw7:Nb4+Hd1=Pc9/Jf6~Sg3'
TIME = 1767225600  # 2026-01-01T00:00:00Z


def completed(row, **more):
    """A row with everything that it leaves out; `more` is so in every row of its script."""
    return {'what': '', 'secret': SECRET, 'cookie_name': 'session', 'audience': '', 'value': '', 'json': '', 'renewed': TIME,
            'created': None, 'id': '', 'counter': None, **more, **row}


def sealed(row, seal, document):
    """A row of a framework. seal(cookie, session) gives its cookie's value, document(value) the JSON in that."""
    cookie = completed({name: value for name, value in row.items() if name != 'session'})
    cookie['value'] = seal(cookie, row['session'])
    cookie['json'] = document(cookie['value'])
    return cookie


def print_vectors(made_with, cookies):
    print(json.dumps({'made_with': made_with, 'cookies': cookies}, indent=2))
