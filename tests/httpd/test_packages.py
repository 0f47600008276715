# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What is in the repository and not in a release: cheap looks at what scripts/package tries in full."""

import re
import shutil
import subprocess

from common import TOP


def run(*words):
    done = subprocess.run([str(word) for word in words], cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


def version():
    return re.search(r'AC_INIT\(\[mod_signed_session\], \[([^]]+)\]\)', (TOP / 'configure.ac').read_text())[1]


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
