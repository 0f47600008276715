#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Does refusing a signature take longer when more of it is right? Counted in instructions: make check-timing.

Each case is a run of tests/timing.c of its own under callgrind, which counts in one function and what it calls.
Exit status 1 when two cases that must not differ do so by a single instruction in thousands of comparisons.
"""

import argparse
import re
import subprocess
import sys

ROUNDS = 2000  # as in timing.c

# (what, function that is counted, where the signature is wrong, is a right one as much work?)
ROWS = [
    ('equal', 'ss_equal', ['0', '15', '31', 'all'], True),
    ('verify', 'ss_mac_verify', ['0', '15', '31', 'all'], True),
    ('signed', 'ss_candidates_open', ['0', '15', '31', 'all'], False),
    ('encrypted', 'ss_candidates_open', ['0', '7', '15', 'all'], False),
    ('remembered', 'ss_candidates_open', ['0', '10', '19', 'all'], False),
]


def instructions(program, function, what, place):
    command = ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', f'--toggle-collect={function}',
               program, what, place]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(re.search(r'Collected *: *(\d+)', done.stderr)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('program')
    program = parser.parse_args().program
    print(f'{"instructions of":16} {"wrong in byte":14} each of {ROUNDS}')
    failed = False
    for what, function, places, none_too in ROWS:
        counts = {place: instructions(program, function, what, place) for place in [*places, 'none']}
        for place, count in counts.items():
            print(f'{what:16} {place:14} {count / ROUNDS:.3f}')
        judged = {count for place, count in counts.items() if place != 'none' or none_too}
        if len(judged) > 1 or 0 in judged:
            print(f'{what}: it depends on where the signature is wrong')
            failed = True
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
