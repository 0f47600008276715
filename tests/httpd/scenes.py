# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Where the documentation's examples are run: each scene takes a block and a directory, and fails as the block would.

Shell commands have the machine of debian.py around them, and what a page leaves open (a cookie that ends in dots, PASSWORD) is
given a value. A session of a console is compared with what the page prints:

    ...               in a line is any text
    a long number     of seven digits or more is any number: a time
    a space in front  is the line before, which was too long for the page
"""

import json
import re
import shlex
import subprocess
import time
from pathlib import Path

import yaml

from common import ENDPOINT, JSON, TOP, stored
from cookies import Native, native, starlette
from debian import SSCTL, Machine, on_the_machine
from documents import all_blocks
from harness import LOG_SECONDS, SECRET, Jar, Server, cgi_module
from starting import OTHER, THIRD
from test_recipes import Site

SESSION = {'user': 'alice', 'visits': 1}
NEW_YEAR = 1767225600  # 2026-01-01, which the pages like
IN_THE_JAR = 'localhost\tFALSE\t/\tFALSE\t0\tsession\t{}\n'


def other(page, mark):
    """The block of this page that has these words in it."""
    found, = [block for block in all_blocks() if block.page == page and mark in block.text]
    return found.text


# --- commands -------------------------------------------------------------------------------------


def filled_in(text, renewed=None):
    """What a page leaves open."""
    text = re.sub(r'THE-COOKIE-FROM-THE-BROWSER|AQAE[\w-]*\.\.\.', Native(SESSION, renewed=renewed).seal(), text)
    text = re.sub(r'eyJ[\w.-]*\.\.\.', starlette(SESSION), text)
    return text.replace('PASSWORD', 'right')


def pattern_of(printed):
    """What an output has to match."""
    text = re.escape(re.sub(r'\n +', '', printed.rstrip('\n')))
    return re.sub(r'\d{7,}', r'\\d+', text.replace(re.escape('...'), '.*'))


def steps_of(text):
    """Each command of a console, and what it prints."""
    assert text.startswith('$ '), 'a console begins with "$ "'
    return [(command, printed) for command, printed in re.findall(r'^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*(?:\n|\Z))*)', text, re.M)]


def play(machine, block, renewed=None):
    """Run the block's commands, which end well, and print what the page says."""
    text = filled_in(block.text, renewed)
    if block.language != 'console':
        rc, said = machine.run(text)
        assert rc == 0, said
        return
    for command, printed in steps_of(text):
        wanted, deadline = pattern_of(printed), time.monotonic() + LOG_SECONDS
        rc, said = machine.run(command)
        while command.startswith('sudo tail ') and not re.fullmatch(wanted, said.rstrip('\n')) and time.monotonic() < deadline:
            rc, said = machine.run(command)  # a log is written behind the answer
        assert re.fullmatch(wanted, said.rstrip('\n')), f'{command}\nprints:\n{said}'
        assert rc == 0 or printed, f'{command} ended with {rc}'


def with_secret(machine):
    """Switched on, as the README does it."""
    machine.install()
    (machine.root / 'etc/apache2/signed_session.secret').write_text(f'{SECRET}\n')
    (machine.root / 'etc/apache2/signed_session.secret').chmod(0o400)
    (machine.home / 'my.secret').write_text(f'{OTHER}\n')
    (machine.home / 'my.secret').chmod(0o400)
    conf = machine.root / 'etc/apache2/mods-available/signed_session.conf'
    conf.write_text(conf.read_text().replace('#SignedSessionSecret', 'SignedSessionSecret'))
    return machine


def httpd_takes_it(machine):
    rc, said = machine.configtest()
    assert (rc, said) == (0, 'Syntax OK\n'), said


def fresh(block, folder):
    """A Debian with apache2 and nothing of ours; in the end httpd has sessions."""
    machine = Machine(folder)
    play(machine, block)
    httpd_takes_it(machine)


def secret(block, folder):
    """The same; in the end there is a secret, for root alone."""
    machine = Machine(folder)
    play(machine, block)
    made = machine.root / 'etc/apache2/signed_session.secret'
    assert made.stat().st_mode & 0o777 == 0o400, f'others can read it: {made.stat().st_mode:o}'
    assert len(made.read_text()) > 32


def installed(block, folder):
    """One with our package, and a secret; in the end httpd takes the configuration."""
    machine = with_secret(Machine(folder))
    play(machine, block)
    httpd_takes_it(machine)


def unconfigured(block, folder):
    """One with our package and no secret, which the commands make."""
    machine = Machine(folder)
    machine.install()
    assert machine.configtest()[0] == 1
    play(machine, block)
    httpd_takes_it(machine)


def expired(block, folder):
    """15 days and two hours after the visitor was there."""
    machine = with_secret(Machine(folder))
    machine.has('ssctl', f'verb=$1; shift; exec {SSCTL} "$verb" --now {NEW_YEAR + 15 * 86400 + 2 * 3600} "$@"')
    play(machine, block, NEW_YEAR)


def sources(block, folder):
    """The top of this tree, with doubles of its programs."""
    machine = Machine(folder)
    for path in (*TOP.glob('scripts/*'), *TOP.glob('bench/*')):
        if path.is_file():
            name = f'{path.parent.name}/{path.name}'
            (machine.home / path.parent.name).mkdir(exist_ok=True)
            machine.has(f'../home/{name}', f'exec script {name} "$@"')
    machine.has('../home/configure', 'exec configure "$@"')
    play(machine, block)


# --- commands, and a server -----------------------------------------------------------------------


def beside(server, folder, block):
    """A machine whose curl finds this server."""
    machine = with_secret(Machine(folder))
    machine.uses(server.port, strict=block.language != 'console')
    return machine


def endpoint(block, folder):
    """An endpoint, and the cookie of a session in the jar."""
    with Server(ENDPOINT) as server:
        machine = beside(server, folder, block)
        (machine.home / 'jar').write_text(IN_THE_JAR.format(Native(SESSION).seal()))
        play(machine, block)


def site(block, folder):
    """The whole site of the README."""
    with Site(folder) as server:
        machine = beside(server, folder, block)
        machine.uses(server.port, strict=False, plain=server.plain)
        server.allow('AH01617', 'AH01629', 'AH01630', 'AH01807')
        logs = machine.root / 'var/log/apache2'
        logs.rmdir()
        logs.symlink_to(server.dir / 'logs')
        play(machine, block)


def revoking(block, folder):
    """A log of revocations, and the handler of docs/logout.md: whatever is said stands in the log."""
    conf = 'SignedSessionRevocation file:{dir}/log/revoked\nSignedSession On\n' + other('docs/logout.md', 'signed-session-revoke')
    with Server(conf, files={'log/': ''}) as server:
        machine = beside(server, folder, block)
        state = machine.root / 'var/lib/apache2'
        state.rmdir()
        state.symlink_to(server.dir / 'log')
        before = (server.dir / 'log/revoked').read_text()
        play(machine, block)
        lines = (server.dir / 'log/revoked').read_text().removeprefix(before).splitlines()
        assert len(lines) == len(re.findall(r'-d \w+=|ssctl revoke ', block.text)), lines


# --- programs -------------------------------------------------------------------------------------


def cgi(block, folder):
    """A CGI script, with the configuration that the page has for it."""
    conf = other(block.page, '<Location "/cgi-bin/you">')
    with Server(f'SignedSession On\nScriptAlias "/cgi-bin/" "{{dir}}/cgi/"\n{conf}', f'alias {cgi_module()}', {'cgi/you': block.text}) as server:
        answer = server.request('GET', '/cgi-bin/you', cookie=native({'user': 'bob', 'cart': 1}))
        assert (answer.text, stored(answer)) == ('You were bob\n', {'user': 'alice'})


def lua(block, folder):
    """A script of mod_lua."""
    with Server('SignedSession On\nAddHandler lua-script .lua', 'lua', {'htdocs/you.lua': block.text}) as server:
        answer = server.request('GET', '/you.lua', cookie=native({'cart': 1}))
        assert (answer.text, stored(answer)) == ('You were nobody\n', {'user': 'alice', 'cart': 1})
        assert server.request('GET', '/you.lua', cookie=native({'user': 'bob'})).text == 'You were bob\n'


def update(block, folder):
    """The header of an application's answer."""
    name, _, value = block.text.strip().partition(': ')
    conf = f'SignedSession On\nScriptAlias "/app" "{{dir}}/app"\n<Location "/app">\nSignedSessionUpdate {name}\n</Location>'
    program = f"#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n'\necho '{name}: {value}'\necho\n"
    with Server(conf, f'alias {cgi_module()}', {'app': program}) as server:
        change = json.loads(value)
        before = {'user': change['user'], 'cart': 1, 'hint': 'old', 'more': 1}
        wanted = {key: text for key, text in {**before, **change}.items() if text is not None}
        assert stored(server.request('GET', '/app', cookie=native(before))) == wanted != before


def event(block, folder):
    """A line of the log of events, of a login: which members it has, and what they say of any login."""
    conf = other(block.page, 'session-events env=')
    login = 'SignedSession On\nScriptAlias "/login" "{dir}/login"\n<Location "/login">\nSignedSessionUpdate X-Session-Update\n</Location>\n'
    program = "#!/bin/sh\nprintf 'Status: 303\\r\\nLocation: /\\r\\nX-Session-Update: {\"user\":\"alice\"}\\r\\n\\r\\n'\n"
    with Server(login + conf.replace('/var/log/apache2/', '{dir}/'), f'alias {cgi_module()}', {'login': program}) as server:
        server.request('GET', '/login')
        path, deadline = server.dir / 'session-events.json', time.monotonic() + LOG_SECONDS
        while not path.read_text() and time.monotonic() < deadline:
            time.sleep(0.01)
        made, printed = json.loads(path.read_text()), json.loads(block.text)
        own = ('time', 'session.id', 'client.address')
        assert list(made) == list(printed) and all(len(made[name]) == len(printed[name]) for name in own[:2])
        assert [made[name] for name in made if name not in own] == [printed[name] for name in made if name not in own]


def rotation(block, folder):
    """A file of secrets: the first line seals, the others open."""
    secrets = folder / 'secrets'
    secrets.write_text(block.text.replace('the new secret', OTHER).replace('the old secret', THIRD))
    secrets.chmod(0o400)
    with Server(f'{ENDPOINT}\nSignedSessionSecret file:{secrets}') as server:
        jar = Jar(server)
        jar.cookies['session'] = Native(SESSION).seal(THIRD)
        assert jar.request('GET', '/session').json() == SESSION
        assert jar.request('PUT', '/session/visits', JSON, '2').status == 204
        assert Native.open(jar.session, OTHER).data == {**SESSION, 'visits': 2}


# --- neither --------------------------------------------------------------------------------------


def synopsis(block, folder):
    """Lines of a program's help."""
    program = block.text.split()[0]
    assert program == 'ssctl'
    said = subprocess.run([SSCTL, '--help'], check=True, capture_output=True, text=True).stdout
    usage = said.partition('\n\n')[0].removeprefix('usage: ')
    assert [line.strip() for line in usage.splitlines()] == block.text.splitlines()


def compose(block, folder):
    """Secrets are mounted where the environment says, which names variables that the module reads."""
    found = yaml.safe_load(block.text)
    secrets = {f'/run/secrets/{name}': folder / name for name in found['secrets']}
    for service in found['services'].values():
        for variable, path in service['environment'].items():
            env = {'SIGNED_SESSION_SECRET': None, variable: str(secrets[path])}
            assert Path(path).name in service['secrets']
            assert 'SS0106' in Server('SignedSession On', env=env).run_once('-t')[1]
            secrets[path].write_text(SECRET)
            secrets[path].chmod(0o400)
            assert Server('SignedSession On', env=env).run_once('-t') == (0, 'Syntax OK\n')
    commands = other(block.page, 'ssctl keygen')
    for source in found['secrets'].values():
        assert re.search(rf'>{re.escape(source["file"].removeprefix("./"))}\)?\n', commands)


def image(block, folder):
    """Each step of a Dockerfile, on the machine that is a directory."""
    machine = Machine(folder)
    (folder / 'mounted').write_text(SECRET)
    (folder / 'mounted').chmod(0o400)
    machine.env['SIGNED_SESSION_SECRET_FILE'] = str(folder / 'mounted')
    for step in re.sub(r' *\\\n', '', block.text).splitlines():
        verb, _, words = step.partition(' ')
        if verb == 'RUN':
            rc, said = machine.run(words)
            assert rc == 0, said
        elif verb == 'COPY':
            source, target = words.split()
            text = {'users': 'alice:made\n', 'pages': None}.get(source) or (TOP / 'conf/examples' / source)
            if not source.endswith('.deb') and source != 'pages':
                with open(on_the_machine(target, machine.root), 'w', encoding='utf-8') as file:
                    file.write(text if isinstance(text, str) else text.read_text())
        elif verb == 'CMD':
            rc, said = machine.run(shlex.join(json.loads(words)))
            assert (rc, said) == (0, 'Syntax OK\n'), said
        else:
            assert verb == 'FROM', f'{verb} is no step that this scene knows'


SCENES = {'fresh': fresh, 'secret': secret, 'unconfigured': unconfigured, 'installed': installed, 'expired': expired, 'sources': sources, 'endpoint': endpoint,
          'site': site, 'revoking': revoking, 'cgi': cgi, 'lua': lua, 'update': update, 'event': event, 'rotation': rotation,
          'synopsis': synopsis, 'compose': compose, 'image': image}
