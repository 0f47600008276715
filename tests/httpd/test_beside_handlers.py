# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Beside modules that take a request for themselves: where the section says SetHandler signed-session, the endpoint
answers all the same. What a rewrite rule of the place decides is obeyed."""

import pytest

from backends import HttpBackend, http_answer
from common import ENDPOINT, JSON
from cookies import native, opened
from harness import Server, cgi_module

ALICE = native({'user': 'alice'})
CGI = '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\nfrom a script\\n"\n'

# What stands around the endpoint: modules, configuration, files.
BESIDE = {
    'Dav': ('dav dav_fs', '<Location "/">\nDav On\n</Location>', {}),
    'Dav in the directory': ('dav dav_fs', '<Directory "{dir}/htdocs">\nDav On\n</Directory>', {}),
    'Dav and a collection': ('dav dav_fs', '<Location "/">\nDav On\n</Location>', {'htdocs/session/a.txt': 'x'}),
    'a directory': ('dir autoindex', '', {'htdocs/session/x': 'x'}),
    'a directory with an index': ('dir', 'DirectoryIndex index.txt', {'htdocs/session/index.txt': 'an index\n'}),
    'DirectoryIndexRedirect': ('dir', 'DirectoryIndex index.txt\nDirectoryIndexRedirect On',
                               {'htdocs/session/index.txt': 'an index\n'}),
    'an index elsewhere': ('dir', 'DirectoryIndex /file.txt', {'htdocs/session/x': 'x'}),
    'keys that are directories': ('dir', 'DirectoryIndex index.txt',
                                  {'htdocs/session/user/index.txt': 'x', 'htdocs/session/n/index.txt': 'x'}),
    'FallbackResource': ('dir', 'FallbackResource /file.txt', {}),
    'FallbackResource and a directory': ('dir', 'FallbackResource /file.txt', {'htdocs/session/x': 'x'}),
    'a file': ('mime_magic', 'MimeMagicFile {dir}/magic', {'htdocs/session': 'a file\n', 'magic': '0 string a text/x-a\n'}),
    'AddHandler': ('actions alias ' + cgi_module(), 'AddHandler cgi-script .php\nOptions +ExecCGI', {'htdocs/session/x': 'x'}),
    'actions': ('actions alias ' + cgi_module(), 'ScriptAlias /cgi/ {dir}/cgi/\nScript PUT /cgi/x\nScript DELETE /cgi/x\n'
                'Action text/plain /cgi/x', {'cgi/x': CGI, 'htdocs/session': 'x'}),
    'speling': ('speling', 'CheckSpelling On', {'htdocs/sessions': 'x', 'htdocs/session.txt': 'x'}),
    'speling in a directory': ('speling', 'CheckSpelling On', {'htdocs/session/usr': 'x', 'htdocs/session/m': 'x'}),
    'cern_meta': ('cern_meta', 'MetaFiles On\nMetaDir .web', {'htdocs/.web/session.meta': 'X-Meta: 1\n'}),
    'imagemap': ('imagemap', 'AddHandler imap-file .map', {'htdocs/session': 'x'}),
    'negotiation': ('negotiation', 'AddHandler type-map .var', {'htdocs/session': 'x'}),
    'userdir and vhost_alias': ('userdir vhost_alias', 'VirtualDocumentRoot {dir}/htdocs', {}),
    'ProxyPass': ('proxy proxy_http', 'ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On', {}),
    'ProxyPass in a section': ('proxy proxy_http', '<Location "/">\nProxyPass http://127.0.0.1:{backend}/ disablereuse=On\n'
                               '</Location>', {}),
    'ProxyPassMatch': ('proxy proxy_http', 'ProxyPassMatch ^/(.*)$ http://127.0.0.1:{backend}/$1 disablereuse=On', {}),
    'a balancer': ('proxy proxy_http proxy_balancer lbmethod_byrequests slotmem_shm',
                   '<Proxy balancer://all>\nBalancerMember http://127.0.0.1:{backend}\n</Proxy>\nProxyPass / balancer://all/', {}),
    'the rewrite rules of the server': ('rewrite proxy proxy_http', 'RewriteEngine On\n'
                                        'RewriteRule ^/(.*)$ http://127.0.0.1:{backend}/$1 [P]', {}),
}


@pytest.fixture(scope='module')
def backend():
    answers = {name: http_answer('200 OK') for name in ('session', 'user', 'n', 'x.php', '')}
    with HttpBackend(answers) as one:
        yield one


@pytest.fixture(scope='module', params=BESIDE, ids=lambda name: name)
def server(request, backend):
    modules, conf, files = BESIDE[request.param]
    with Server(ENDPOINT + 'DavLockDB {dir}/lock\n' * ('dav_fs' in modules) + conf, modules, files=files,
                backend=backend.port) as one:
        yield one


def test_the_endpoint_answers(server):
    for path in ('/session', '/session/'):
        response = server.request('GET', path, cookie=ALICE)
        assert (response.status, response.text) == (200, '{"user":"alice"}\n'), path
        assert server.request('HEAD', path, cookie=ALICE).status == 200
    assert server.request('GET', '/session?meta', cookie=ALICE).json()['state'] == 'valid'
    assert server.request('GET', '/session/user', cookie=ALICE).json() == 'alice'
    assert server.request('GET', '/session/none', cookie=ALICE).status == 404


@pytest.mark.parametrize('key', ['n', 'x.php', 'user', 'n.map', 'n.var'])
def test_a_key_is_written_and_removed(server, key):
    response = server.request('PUT', f'/session/{key}', JSON, '5', cookie=native({'user': 'alice'}))
    assert response.status == (204 if key == 'user' else 201)
    assert opened(response).data == {'user': 'alice', key: 5}
    assert not (server.dir / 'htdocs/session' / key).is_file()
    response = server.request('DELETE', f'/session/{key}', cookie=native({key: 5, 'a': 1}))
    assert response.status == 204 and opened(response).data == {'a': 1}


def test_the_session_ends(server):
    for path in ('/session', '/session/'):
        response = server.request('DELETE', path, cookie=ALICE)
        assert response.status == 204 and response.cookie() == '', path


def test_all_other_methods_are_the_endpoints(server):
    assert server.request('POST', '/session', JSON, '{"n":1}', cookie=native({'user': 'alice'})).json() == {'user': 'alice', 'n': 1}
    response = server.request('OPTIONS', '/session', cookie=ALICE)
    assert response.status == 200 and 'PATCH' in response.get('Allow') and response.get('DAV') is None
    for method in ('PROPFIND', 'MKCOL', 'LOCK', 'COPY'):
        assert server.request(method, '/session', cookie=ALICE).status == 405, method


# --- what the place itself decides ----------------------------------------------------------------

FRONT = 'RewriteEngine On\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteCond %{REQUEST_FILENAME} !-d\nRewriteRule . /index.txt [L]\n'
HTACCESS = '<Directory "{dir}/htdocs">\nAllowOverride All\nOptions +MultiViews\n</Directory>\n'
PAGE = {'htdocs/index.txt': 'the page\n'}


def answers(server, path='/session'):
    """Who does? The status, and the first line."""
    response = server.request('GET', path, cookie=ALICE)
    return response.status, response.text.splitlines()[0]


OURS = (200, '{"user":"alice"}')


@pytest.mark.parametrize('rule, cure', [
    (FRONT, '<Location "/session">\nRewriteEngine Off\n</Location>'), (f'RewriteRule "^session(/|$)" "-" [END]\n', ''),
], ids=['in the location', 'in .htaccess'])
def test_a_rule_for_every_address_is_obeyed_until_it_is_told_not_to(start, rule, cure):
    front = start(ENDPOINT + HTACCESS, 'rewrite dir', files={**PAGE, 'htdocs/.htaccess': FRONT})
    assert answers(front) == (200, 'the page')
    assert front.request('PUT', '/session/n', JSON, '1', cookie=ALICE).set_cookies() == []
    text = FRONT if cure else FRONT.replace('RewriteEngine On\n', 'RewriteEngine On\n' + rule)
    cured = start(ENDPOINT + HTACCESS + cure, 'rewrite dir', files={**PAGE, 'htdocs/.htaccess': text})
    assert answers(cured) == OURS
    assert cured.request('PUT', '/session/n', JSON, '1', cookie=ALICE).status == 201


@pytest.mark.parametrize('rule, want', [
    ('RewriteRule ^ http://127.0.0.1:{backend}/other [P]', (200, 'from the backend')),
    ('RewriteRule ^ - [F]', (403, 'Forbidden')),
    ('RewriteRule ^ /index.txt', (200, 'the page')),
], ids=['proxied', 'forbidden', 'another address'])
def test_other_rules_of_the_place_are_obeyed(start, rule, want):
    with HttpBackend({'other': http_answer('200 OK')}) as backend:
        server = start(ENDPOINT + f'<Location "/session">\nRewriteEngine On\n{rule}\n</Location>',
                       'rewrite proxy proxy_http dir', files=PAGE, backend=backend.port)
        response = server.request('GET', '/session', cookie=ALICE)
        assert response.status == want[0] and want[1] in response.text


def test_a_file_of_several_views_answers_until_there_are_none(start):
    files = {'htdocs/session.txt': 'a view\n'}
    assert answers(start(ENDPOINT + HTACCESS, 'negotiation', files=files)) == (200, 'a view')
    cured = start(ENDPOINT + HTACCESS + '<Location "/session">\nOptions -MultiViews\n</Location>', 'negotiation', files=files)
    assert answers(cured) == OURS


def test_a_directory_section_is_one_endpoint(start):
    server = start('SignedSession On\nDirectoryIndex index.txt\nDirectoryIndexRedirect On\n<Directory "{dir}/htdocs/s">\n'
                   'SetHandler signed-session\n</Directory>', 'dir autoindex', files={'htdocs/s/index.txt': 'x'})
    for path in ('/s', '/s/', '/s/index.txt', '/s/user'):
        assert answers(server, path) == OURS, path


def test_elsewhere_they_do_what_they_did(start):
    server = start(ENDPOINT + 'DavLockDB {dir}/lock\n<Location "/">\nDav On\n</Location>\nDirectoryIndex index.txt\nCheckSpelling On',
                   'dav dav_fs dir speling', files={**PAGE, 'htdocs/d/index.txt': 'in d\n'})
    assert answers(server, '/d/') == (200, 'in d')
    assert server.request('GET', '/d').status == 301
    assert server.request('GET', '/flie.txt').status == 301
    assert server.request('PROPFIND', '/file.txt', {'Depth': '0'}).status == 207
