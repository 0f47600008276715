# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The tests leave nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once


def test_a_run_leaves_no_temporary_files(tmp_path):
    done = subprocess.run(
        [sys.executable, '-B', '-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'test_deps.py', '-k', 'quiet'],
        cwd=Path(__file__).parent, env={**os.environ, 'TMPDIR': str(tmp_path)}, capture_output=True, text=True)
    assert '1 passed' in done.stdout, done.stdout
    assert list(tmp_path.iterdir()) == []
