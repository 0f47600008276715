#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Does anything cost more than twice as much when twice as much of it comes in? Counted in instructions: make check-growth.

Each row is something of tests/growth.c, done under callgrind to one, two and four times as much. Names are
sorted, which is a little more than linear: hence a factor that is a little more than two.
Exit status 1 when something grows faster.
"""

import argparse
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

FACTORS = (1, 2, 4)
LIMIT = 2.4  # of the cost, for twice the input


def instructions(program, name, size):
    command = ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', '--toggle-collect=measured',
               program, name, str(size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(re.search(r'Collected *: *(\d+)', done.stderr)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('program')
    parser.add_argument('--only', metavar='PATTERN', default='', help='only rows whose name matches this regex')
    given = parser.parse_args()
    listed = subprocess.run([given.program], check=True, capture_output=True, text=True).stdout
    rows = [(name, int(size)) for name, size in map(str.split, listed.splitlines()) if re.search(given.only, name)]
    print(f'{"instructions":24} {"size":>6}' + ''.join(f'{f"x {factor}":>12}' for factor in FACTORS) + '   growth')
    failed = not rows
    with ThreadPoolExecutor(2) as pool:
        for name, size in rows:
            counts = list(pool.map(lambda factor: instructions(given.program, name, factor * size), FACTORS))
            growth = [after / before for before, after in zip(counts, counts[1:])]
            too_fast = max(growth) > LIMIT
            failed |= too_fast
            print(f'{name:24} {size:6}' + ''.join(f'{count:12}' for count in counts) + '  '
                  + ''.join(f' {factor:.2f}' for factor in growth) + ('  TOO FAST' if too_fast else ''), flush=True)
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
