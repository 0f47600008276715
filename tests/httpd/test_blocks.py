# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Nothing is printed that was not tried: each fenced block of README.md, docs/*.md and the other pages is a test.

documents.py says how a page says what is done with a block.
"""

import ast
import json
import re
import shlex
import subprocess
import textwrap
from pathlib import Path

import pytest
import yaml

from common import TOP
from documents import BY_LANGUAGE, Block, all_blocks, blocks_of
from harness import OUR_MODULES, SECRET, Server, apxs_query, cgi_module
from scenes import SCENES
from starting import OTHER, THIRD

pytestmark = pytest.mark.once

HERE = Path(__file__).parent
BLOCKS = all_blocks()
FEW = 0.15  # of all blocks may be skipped
LICENCE = re.compile(r'^.*(?:SPDX-License-Identifier|Copyright the ).*\n', re.M)

# --- a configuration ------------------------------------------------------------------------------

MODULES = f'''alias auth_basic auth_form auth_gssapi authn_core authn_dbd authn_file authz_groupfile authz_host authz_user dbd dir env headers
    include proxy proxy_http request rewrite session session_cookie ssl {cgi_module()} signed_session_redis'''
# What the pages name, on a Debian; all else is not looked at by "httpd -t".
FILES = {
    '/etc/apache2/signed_session.secret': SECRET, '/etc/httpd/conf/signed_session.secret': SECRET,
    **{f'/etc/apache2/{name}.secret': SECRET for name in ('starlette', 'flask', 'django', 'express')},
    '/run/credentials/apache2.service/signed_session': SECRET, '/etc/apache2/redis.password': 'open sesame', '/etc/apache2/http.keytab': '',
    '/usr/local/bin/vault-read': f'#!/bin/sh\necho {THIRD}\n', '/var/lib/apache2/.keep': '', '/var/log/apache2/.keep': ''}
ENVIRONMENT = {'SESSION_KEY': OTHER, 'CREDENTIALS_DIRECTORY': '{dir}/debian/run/credentials/apache2.service'}
NAMED = re.compile('(' + '|'.join(sorted({re.escape(name.removesuffix('.keep')) for name in FILES})) + ')')


class Debian(Server):
    """Has the files of a Debian below its own directory."""

    def prepare(self):
        super().prepare()
        for path in self.dir.glob('debian/**/*'):
            if path.is_file() and not path.read_bytes().startswith(b'#!'):
                path.chmod(0o400)
        self.env = {name: self.filled_in(text) for name, text in self.env.items()}


def there(text):
    return NAMED.sub(r'{dir}/debian\1', text)


def configtest(text):
    """What httpd says of it, with sessions on: so it reads the secrets. Modules are loaded from elsewhere."""
    for name, file in re.findall(r'^LoadModule (\S+) (\S+)$', text, re.M):
        assert re.fullmatch(r'modules/mod_(\w+)\.so', file)[1] in OUR_MODULES and file == f'modules/mod_{name.removesuffix("_module")}.so', file
    text = re.sub(r'^LoadModule .*\n', '', text, flags=re.M) + '\nSignedSession On\n'
    files = {f'debian{name}': content + '\n' * (content != '') for name, content in FILES.items()}
    return Debian(there(text), MODULES, {**files, 'logs/.keep': ''}, env=ENVIRONMENT).run_once('-t')


def config(block, words, _):
    """httpd takes it, or refuses it as the page says."""
    assert block.language == 'apache'
    rc, said = configtest(block.text)
    if words:
        wanted = re.fullmatch(r'fails "(.+)"', words)[1]
        assert rc != 0 and wanted in said, said
    else:
        assert (rc, said) == (0, 'Syntax OK\n'), said


# --- a language -----------------------------------------------------------------------------------

# What a few lines of C are taken out of.
IN_A_HANDLER = '''
#include "httpd.h"
#include "apr_optional.h"
#include "mod_signed_session.h"
static APR_OPTIONAL_FN_TYPE(signed_session_get) *session_get;
static APR_OPTIONAL_FN_TYPE(signed_session_set) *session_set;
void handler(request_rec *r);
void handler(request_rec *r)
{
    const char *user;
    session_set = APR_RETRIEVE_OPTIONAL_FN(signed_session_set);
'''


def accepted(*command, text):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def parse_c(text):
    """A whole file, or lines of a handler in which dots stand for what the reader writes."""
    if '#include' not in text:
        text = IN_A_HANDLER + text.replace(' ...', ' (void)user;') + '}\n'
    folders = [TOP, apxs_query('INCLUDEDIR'), apxs_query('APR_INCLUDEDIR'), apxs_query('APU_INCLUDEDIR')]
    accepted('gcc', '-std=c99', '-D_GNU_SOURCE', '-fsyntax-only', '-Wall', '-Wextra', '-Werror', *(f'-I{folder}' for folder in folders), '-xc', '-', text=text)


PARSERS = {
    'c': parse_c,
    'js': lambda text: accepted('node', '--check', '-', text=text),
    'json': json.loads,
    'python': lambda text: compile(textwrap.dedent(text), 'printed', 'exec'),
    'yaml': yaml.safe_load,
}


def parse(block, *_):
    PARSERS[block.language](block.text)


# --- somewhere else -------------------------------------------------------------------------------


def copied(block, words, _):
    """Its lines stand in a file, licence or not."""
    files = [path for word in words.split() for path in ([TOP / word] if (TOP / word).is_file() else (TOP / word).rglob('*')) if path.is_file()]
    assert files, f'{words}: there is no such file'
    texts = (LICENCE.sub('', path.read_text(errors='replace')) for path in files)
    assert any(f'\n{block.text}' in f'\n{text}' for text in texts), f'{words} does not have these lines'


def tried(block, words, _):
    """Those tests are there, in a file that names the page."""
    for word in words.split():
        file, _, name = word.partition('::')
        text = (HERE / file).read_text()
        there_are = {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
        assert name.startswith('test_') and name in there_are, f'there is no test {word}'
        assert re.search(rf'\b{Path(block.page).stem}\b', text), f'{file} does not name {block.page}'


def run(block, words, folder):
    SCENES[words](block, folder)


def skip(block, words, _):
    pytest.skip(f'a printed block, {block.name}: {words}')


# --- all of them ----------------------------------------------------------------------------------

WAYS = {'config': config, 'parse': parse, 'from': copied, 'tested': tried, 'skip': skip, 'run': run}
ADVICE = '''{name} (```{language}) has nobody who tries it. Say in the line before it what is done with it, for example:
    <!-- example: run SCENE -->                  {scenes}
    <!-- example: tested FILE::TEST -->          a test that reads the page, and tries what is printed
    <!-- example: from PATH -->                  a file that other tests run, in which it stands
    <!-- example: skip REASON -->                when nothing else will do
Nothing need be said for {languages}.'''


def try_it(block, folder):
    verb, _, words = (block.mark or '').partition(' ')
    assert verb in WAYS, ADVICE.format(name=block.name, language=block.language, scenes=' '.join(SCENES), languages=', '.join(BY_LANGUAGE))
    assert block.language, f'{block.name}: say its language, "text" if it has none'
    WAYS[verb](block, words, folder)


@pytest.mark.parametrize('block', BLOCKS, ids=[block.name for block in BLOCKS])
def test_block(block, tmp_path):
    try_it(block, tmp_path)


def test_few_are_skipped():
    skipped = [block.name for block in BLOCKS if (block.mark or '').startswith('skip ')]
    assert len(BLOCKS) > 100 and len(skipped) < FEW * len(BLOCKS), skipped


def test_every_scene_is_played():
    assert set(SCENES) == {block.mark.removeprefix('run ') for block in BLOCKS if (block.mark or '').startswith('run ')}


# --- the tests themselves -------------------------------------------------------------------------

# What is wrong with it: (language, mark, text, what the failure says)
PLANTED = {
    'nobody tries it': ('sh', None, 'true', 'nobody who tries it'),
    'an unknown language': ('ruby', None, 'puts 1', 'nobody who tries it'),
    'no language': ('', 'skip a drawing', 'o--o', 'say its language'),
    'an unknown way': ('sh', 'walk away', 'true', 'nobody who tries it'),
    'a word that httpd does not know': ('apache', None, 'SignedSession Maybe', 'SignedSession'),
    'a refusal that does not come': ('apache', 'config fails "SS0101"', 'SignedSession On', 'Syntax OK'),
    'a secret that is not there': ('apache', None, 'SignedSessionSecret file:/etc/apache2/session.secret', 'SS0106'),
    'a module that we have not': ('apache', None, 'LoadModule signed_session_module modules/mod_session.so', 'mod_session.so'),
    'another refusal': ('apache', 'config fails "SS0101"', 'SignedSession Maybe', 'SS0101'),
    'python': ('python', None, 'if x', 'expected'),
    'js': ('js', None, 'const = 1', 'SyntaxError'),
    'json': ('json', None, '{"a": 1,}', 'property name'),
    'yaml': ('yaml', None, 'a: [', 'expected'),
    'c': ('c', None, 'session_get(r);', 'too few arguments'),
    'lines that are nowhere': ('html', 'from conf/demo', '<p>nowhere\n', 'does not have these lines'),
    'a part of a line': ('html', 'from conf/demo', '<p>You are\n', 'does not have these lines'),
    'a test that is not there': ('sh', 'tested test_guide.py::test_nothing', 'true', 'there is no test'),
    'a test of something else': ('sh', 'tested test_deps.py::test_apt_is_quiet_when_all_goes_well', 'true', 'does not name'),
    'a program that is not there': ('sh', 'run installed', 'frobnicate', 'frobnicate'),
    'a package that is not there': ('sh', 'run installed', 'sudo apt install libapache2-mod-signed-sesion', 'there is no package'),
    'a file of such a package': ('sh', 'run installed', 'sudo apt install ./libapache2-mod-signed_session_*.deb', 'there is no package'),
    'a module that is not there': ('sh', 'run installed', 'sudo a2enmod signed-session', 'there is no module'),
    'a site that is not there': ('sh', 'run installed', 'sudo a2ensite shop', 'there is no site'),
    'a configuration that breaks': ('sh', 'run installed', 'echo Nonsense >/etc/apache2/sites-enabled/shop.conf', 'Nonsense'),
    'the same before a restart': ('sh', 'run installed', 'echo Nonsense >/etc/apache2/sites-enabled/shop.conf\nsudo systemctl restart apache2', 'Nonsense'),
    'a path outside of the machine': ('sh', 'run installed', 'rm -rf /usr/lib/', 'no path of the machine'),
    'an option of ssctl': ('sh', 'run installed', 'ssctl keygen --good', 'no such option'),
    'a secret that others read': ('sh', 'run secret', 'ssctl keygen >/etc/apache2/signed_session.secret', 'others can read it'),
    'an option of configure': ('sh', 'run sources', './configure --with-pleasure', 'unknown option'),
    'a target of make': ('sh', 'run sources', 'make haste', 'no rule to make haste'),
    'an option of a script': ('sh', 'run sources', 'scripts/demo --forever', 'does not know --forever'),
    'an address that is not there': ('sh', 'run endpoint', 'curl http://localhost/nowhere', '404'),
    'another output': ('console', 'run endpoint', "$ curl -b jar http://localhost/session\n{}\n", 'alice'),
    'another header': ('text', 'run update', 'X-Session-Update: {"user": "alice", "cart": 1}\n', 'hint'),
    'a step of an image': ('dockerfile', 'run image', 'RUN a2enmod nothing', 'there is no module'),
}


@pytest.mark.parametrize('language, mark, text, said', PLANTED.values(), ids=PLANTED)
def test_what_is_wrong_is_found(language, mark, text, said, tmp_path):
    block = Block('docs/page.md', 1, language, text, mark or BY_LANGUAGE.get(language))
    with pytest.raises((AssertionError, SyntaxError, ValueError, yaml.YAMLError)) as failure:
        try_it(block, tmp_path)
    assert said in str(failure.value)


def test_what_httpd_refuses_as_the_page_says():
    config(Block('docs/page.md', 1, 'apache', 'SignedSession Maybe', None), 'fails "SignedSession"', None)


def test_a_comment_without_a_fence_is_found():
    with pytest.raises(AssertionError, match='no fence is below the comment of line 1'):
        list(blocks_of('<!-- example: config -->\n\n```apache\n```\n', 'page.md'))


def test_what_a_page_says_once_holds_for_all_others():
    text = '<!-- examples: from a -->\n\n```text\n1\n```\n\n* item\n\n    <!-- example: skip b -->\n    ```sh\n    2\n    ```\n'
    assert [(block.line, block.mark, block.text) for block in blocks_of(text, 'page.md')] == [(3, 'from a', '1\n'), (10, 'skip b', '2\n')]
