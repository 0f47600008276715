#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""How much of lib/ and httpd/ a test run reached, from what gcov knows: make coverage.

A file of lib/ is compiled twice, for the unit tests and for the module: a line counts when either ran.
Why a line is not run stands in tests/coverage.txt, by file and function. Exit status 1 when a folder is
below its floor, when no reason is given for a line, or when a reason is given for a function that is not
there.
"""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

FLOORS = {'lib': (95, 90), 'httpd': (90, 80)}  # per cent of lines, of branches
REASONS = Path(__file__).with_suffix('.txt')


class Counts:
    """Of one file: how often each line ran, and each branch of each line was taken; whose line it is."""

    def __init__(self):
        self.lines = defaultdict(int)
        self.functions = {}
        self.branches = defaultdict(int)

    def add(self, lines):
        for line in lines:
            number = line['line_number']
            self.lines[number] += line['count']
            self.functions[number] = line['function_name']
            for at, branch in enumerate(line['branches']):
                self.branches[number, at] += branch['count']


def read_reasons():
    """{(file, function): reason}"""
    reasons, reason = {}, None
    for line in REASONS.read_text().splitlines():
        if line.startswith('    '):
            file, *functions = line.split()
            reasons.update({(file, function): reason for function in functions})
        elif not line.startswith('#'):
            reason = line
    return reasons


def percent(counts):
    return 100 * sum(count > 0 for count in counts) / len(counts) if counts else 100


def read(gcov, source, build):
    """{path relative to the sources: Counts}"""
    files = defaultdict(Counts)
    data = [str(path.resolve()) for path in build.rglob('*.gcda')]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([gcov, '--json-format', '--branch-probabilities', '--hash-filenames', *data],
                       cwd=folder, check=True, stdout=subprocess.DEVNULL)
        for path in Path(folder).glob('*.json.gz'):
            with gzip.open(path) as report:
                for file in json.load(report)['files']:
                    add(files, file, source)
    return files


def add(files, file, source):
    path = Path(file['file']).resolve()
    if path.is_relative_to(source):
        relative = path.relative_to(source)
        if relative.parts[0] in FLOORS and relative.suffix == '.c':
            files[str(relative)].add(file['lines'])


def ranges(numbers):
    """[1, 2, 3, 7] as "1-3 7"."""
    parts = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ' '.join(str(first) if first == last else f'{first}-{last}' for first, last in parts)


def print_file(path, counts, reasons):
    """Returns whether there is a reason for each line that is not run."""
    unseen = defaultdict(list)
    for number, count in sorted(counts.lines.items()):
        if count == 0:
            unseen[counts.functions[number]].append(number)
    half = sorted({number for (number, _), count in counts.branches.items()
                   if count == 0 and counts.lines[number] > 0})
    print(f'{path:32} {percent(counts.lines.values()):6.1f} {percent(counts.branches.values()):6.1f}')
    for function, numbers in unseen.items():
        reason = reasons.get((path, function), 'NO REASON GIVEN')
        print(f'    lines not run:       {ranges(numbers)} in {function}: {reason}')
    if half:
        print(f'    branches not taken:  {ranges(half)}')
    return all((path, function) in reasons for function in unseen)


def print_strangers(files, reasons):
    """Returns whether each function that a reason is given for is there."""
    known = {(path, function) for path, counts in files.items() for function in counts.functions.values()}
    strangers = sorted(set(reasons) - known)
    for path, function in strangers:
        print(f'{REASONS.name}: there is no {function} in {path}')
    return not strangers


def print_folder(folder, files):
    lines = [count for counts in files for count in counts.lines.values()]
    branches = [count for counts in files for count in counts.branches.values()]
    reached, floor = (percent(lines), percent(branches)), FLOORS[folder]
    met = all(have >= want for have, want in zip(reached, floor))
    print(f'{folder + "/":32} {reached[0]:6.1f} {reached[1]:6.1f}   floor {floor[0]} and {floor[1]}: '
          + ('met' if met else 'NOT MET'))
    return met


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--gcov', default='gcov')
    parser.add_argument('source', type=Path)
    parser.add_argument('build', type=Path)
    options = parser.parse_args()
    files = read(options.gcov, options.source.resolve(), options.build)
    print(f'{"per cent of":32} {"lines":>6} {"branches":>6}')
    reasons = read_reasons()
    met = [print_file(path, files[path], reasons) for path in sorted(files)]
    met.append(print_strangers(files, reasons))
    met += [print_folder(folder, [counts for path, counts in files.items() if path.startswith(f'{folder}/')])
           for folder in FLOORS]
    sys.exit(0 if all(met) else 1)


if __name__ == '__main__':
    main()
