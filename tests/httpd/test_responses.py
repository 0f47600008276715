# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Every kind of response httpd can give carries a changed session in exactly one Set-Cookie.

Each row is asked over HTTP/1.1 and HTTP/2, with a change of the session and without one.
"""

from dataclasses import dataclass, field, replace

import pytest

import harness
from backends import FcgiBackend, HttpBackend, http_answer
from harness import Server
from ports import free_port

# --- the server all rows share ----------------------------------------------------------------

MODULES = '''alias allowmethods asis auth_basic authn_core authn_file authz_host authz_user autoindex
    buffer deflate dir filter headers include lua negotiation proxy proxy_fcgi proxy_http rewrite
    status ss_testing'''

CONF = r'''
SignedSession On
<Location "/session">
    SetHandler signed-session
</Location>

<Directory "{dir}/htdocs">
    Options +FollowSymLinks +Includes
</Directory>
<Directory "{dir}/htdocs/ht">
    AllowOverride All
</Directory>
<Directory "{dir}/htdocs/list">
    Options +Indexes
</Directory>
<Directory "{dir}/htdocs/views">
    Options +MultiViews
</Directory>
DirectoryIndex index.html
AddHandler send-as-is .asis
AddHandler lua-script .lua
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
ScriptAlias "/cgi-bin/" "{dir}/cgi-bin/"
Alias "/aliased.txt" "{dir}/htdocs/file.txt"
LimitRequestLine 2000
LimitRequestFieldSize 2000

<LocationMatch "^/(t|deflated|buffered|small)/">
    SetHandler ss-testing
</LocationMatch>
<Location "/deflated">
    SetOutputFilter DEFLATE
</Location>
<Location "/buffered">
    SetOutputFilter BUFFER
    BufferSize 1048576
</Location>
<Location "/small">
    LimitRequestBody 10
</Location>
<Location "/status">
    SetHandler server-status
</Location>

Redirect 301 "/moved" "/file.txt"
Redirect 404 "/hidden"
Redirect 410 "/gone"
RewriteEngine On
RewriteRule "^/rewrite/redirect$" "/file.txt" [R]
RewriteRule "^/rewrite/forbidden$" "-" [F]
RewriteRule "^/rewrite/proxy/(.*)$" "http://127.0.0.1:{backend}/$1" [P]
RewriteRule "^/rewrite/through$" "/aliased.txt" [PT]

<Location "/denied">
    Require all denied
</Location>
<LocationMatch "^/(login|login-page)$">
    AuthType Basic
    AuthName "test"
    AuthUserFile "{dir}/users"
    Require valid-user
</LocationMatch>
<Location "/login-page">
    ErrorDocument 401 /error.txt
</Location>
<Location "/read-only">
    AllowMethods GET
</Location>

<Location "/error/text">
    ErrorDocument 404 "a text"
</Location>
<Location "/error/url">
    ErrorDocument 404 http://www.example.com/
</Location>
<Location "/error/file">
    ErrorDocument 404 /error.txt
</Location>
<Location "/error/cgi">
    ErrorDocument 404 /cgi-bin/answer.cgi?ok
</Location>
<Location "/error/ssi">
    ErrorDocument 404 /page.shtml
</Location>
<Location "/error/missing">
    ErrorDocument 404 /missing-error-page
</Location>

ProxyPass "/proxy/" "http://127.0.0.1:{backend}/plain/" retry=0 disablereuse=On
ProxyPass "/tunnel/" "http://127.0.0.1:{backend}/tunnel/" retry=0 disablereuse=On upgrade=websocket
ProxyPass "/down/" "http://127.0.0.1:{down}/" retry=0
ProxyPass "/overridden/" "http://127.0.0.1:{backend}/overridden/" retry=0 disablereuse=On
ProxyPass "/fcgi/" "fcgi://127.0.0.1:{fcgi}/" retry=0 disablereuse=On
<Location "/overridden">
    ProxyErrorOverride On
    ErrorDocument 404 /error.txt
</Location>
'''

CGI = r'''#!/bin/sh
case $QUERY_STRING in
ok) printf 'Content-Type: text/plain\n\na page\n' ;;
204 | 304) printf 'Status: %s\n\n' "$QUERY_STRING" ;;
404 | 500) printf 'Status: %s\nContent-Type: text/plain\n\nan error\n' "$QUERY_STRING" ;;
found) printf 'Status: 302 Found\nLocation: http://www.example.com/\nContent-Type: text/plain\n\nthere\n' ;;
local) printf 'Location: /file.txt\n\n' ;;
absolute) printf 'Location: http://www.example.com/\n\n' ;;
bad) printf 'this is no header\n\n' ;;
esac
'''

NPH = r'''#!/bin/sh
printf 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\na page\n'
'''

FILES = {
    'users': 'alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n',
    'cgi-bin/answer.cgi': CGI,
    'cgi-bin/nph-answer.cgi': NPH,
    'htdocs/error.txt': 'an error page\n',
    'htdocs/page.shtml': '<!--#include virtual="/file.txt" --><!--#include virtual="/cgi-bin/answer.cgi?ok" -->',
    'htdocs/index/index.html': 'an index\n',
    'htdocs/no-index/other.txt': 'not an index\n',
    'htdocs/list/other.txt': 'not an index\n',
    'htdocs/views/page.html': 'one of many views\n',
    'htdocs/moved.asis': 'Status: 302 Found\nLocation: http://www.example.com/\n\nthere\n',
    'htdocs/ok.lua': 'function handle(r)\n r.content_type = "text/plain"\n r:puts("a page\\n")\n return apache2.OK\nend\n',
    'htdocs/404.lua': 'function handle(r)\n return 404\nend\n',
    'htdocs/ht/.htaccess': 'RewriteEngine On\n'
                           'RewriteRule "^redirect$" "/file.txt" [R]\n'
                           'RewriteRule "^forbidden$" "-" [F]\n'
                           'RewriteRule "^gone$" "-" [G]\n'
                           'RewriteRule "^internal$" "/file.txt"\n',
}

HTTP_ANSWERS = {
    '200': http_answer(200),
    '204': http_answer(204, body=b''),
    '302': http_answer(302, 'Location: http://www.example.com/'),
    '304': http_answer(304, body=b''),
    '401': http_answer(401, 'WWW-Authenticate: Basic realm="backend"'),
    '404': http_answer(404),
    '500': http_answer(500),
    '503': http_answer(503),
    'chunked': http_answer(200, 'Transfer-Encoding: chunked', body=b'5\r\nhello\r\n0\r\n\r\n'),
    'truncated': http_answer(200, 'Content-Length: 1000000', body=b'not all' * 50000),
    'bad-header': http_answer(200, 'X-Bad: a control \x01 character'),
    'hints': b'HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n' + http_answer(200),
    'closes': b'',
    'socket': b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
}

FCGI_ANSWERS = {
    '200': b'Content-Type: text/plain\r\n\r\na page\n',
    '302': b'Status: 302 Found\r\nLocation: http://www.example.com/\r\nContent-Type: text/plain\r\n\r\nthere\n',
    '304': b'Status: 304 Not Modified\r\n\r\n',
    '404': b'Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nan error\n',
    'local': b'Location: /file.txt\r\n\r\n',
    'absolute': b'Location: http://www.example.com/\r\n\r\n',
    'bad': b'this is no header\r\n\r\n',
}


@pytest.fixture(scope='module')
def server():
    with HttpBackend(HTTP_ANSWERS) as backend, FcgiBackend(FCGI_ANSWERS) as fcgi, \
            Server(CONF, f'{MODULES} {harness.cgi_module()}', files=FILES, http2=True, backend=backend.port, fcgi=fcgi.port,
                   down=free_port()) as httpd:
        yield httpd


# --- the table --------------------------------------------------------------------------------


@dataclass
class Row:
    """One kind of response: what is asked, what must come.

    cookies  how many Set-Cookie lines a change leads to
    late     the change is made by the handler, just before it answers
    lost     nothing can carry the cookie: the log must say that a change was lost
    maybe    no response comes at all, or HTTP/2's own in its stead: the log may say so
    logs     parts of httpd's own messages about this request
    raw      bytes to send instead of the request; {change} is where a header line fits
    h2       what differs over HTTP/2; None: this kind does not exist there
    """
    name: str
    asked: str
    status: int
    headers: dict = field(default_factory=dict)
    body: str = None
    cookies: int = 1
    late: bool = False
    lost: bool = False
    maybe: bool = False
    logs: tuple = ()
    raw: str = None
    interim: tuple = ()
    more: dict = field(default_factory=dict)
    h2: dict = field(default_factory=dict)
    protocol: str = 'http/1.1'

    def over_http2(self):
        return replace(self, protocol='h2', name=f'{self.name}, HTTP/2', **self.h2)


def late(name, asked, status, **more):
    """A row that mod_ss_testing answers."""
    return Row(name, asked, status, late=True, **more)


def malformed(name, lines, status, **more):
    """A request httpd gives up before any module sees it: no change is made, no cookie is due."""
    return Row(name, '', status, raw='\r\n'.join([*lines, '{change}', '']), cookies=0, h2=None, **more)


BIG = 'x' * 3000
UPGRADE = {'Upgrade': 'websocket', 'Connection': 'Upgrade'}
NOTHING = {'status': None, 'cookies': 0, 'maybe': True}

ROWS = [
    # files
    Row('static file', 'GET /file.txt', 200),
    Row('HEAD', 'HEAD /file.txt', 200),
    Row('HTTP/1.0', 'GET /file.txt', 200, more={'version': '1.0'}, h2=None),
    Row('conditional GET', 'GET /file.txt', 304, {'If-None-Match': '*'}),
    Row('range', 'GET /file.txt', 206, {'Range': 'bytes=0-1'}),
    Row('two ranges', 'GET /file.txt', 206, {'Range': 'bytes=0-1,4-5'}),
    Row('unsatisfiable range', 'GET /file.txt', 416, {'Range': 'bytes=9999-'}),
    Row('failed precondition', 'GET /file.txt', 412, {'If-Match': '"another"'}),
    Row('missing file', 'GET /missing', 404),
    Row('OPTIONS on a file', 'OPTIONS /file.txt', 200),

    # handlers
    late('handler: OK', 'GET /t/ok', 200),
    late('handler: OK without a body', 'GET /t/empty', 200),
    late('handler: DONE', 'GET /t/done', 200),
    late('handler: DECLINED', 'GET /t/declined', 404),
    *[late(f'handler: returns {status}', f'GET /t/return/{status}', status)
      for status in (201, 204, 301, 302, 304, 400, 401, 403, 404, 405, 409, 413, 500, 501, 503)],
    *[late(f'handler: status {status}, OK', f'GET /t/status/{status}', status)
      for status in (201, 204, 302, 304, 404, 500)],
    late('handler: small write, returns 500', 'GET /t/write-return/500', 500),
    late('handler: flush, returns 500', 'GET /t/flush-return/500', 200),
    late('handler: big write, returns 500', 'GET /t/big-return/500', 200),
    late('handler: streams', 'GET /t/stream', 200),
    late('handler: big body', 'GET /t/big', 200),
    late('behind deflate: streams', 'GET /deflated/stream', 200, headers={'Accept-Encoding': 'gzip'}),
    late('behind deflate: big body', 'GET /deflated/big', 200, headers={'Accept-Encoding': 'gzip'}),
    late('behind deflate: big write, returns 500', 'GET /deflated/big-return/500', 500,
         headers={'Accept-Encoding': 'gzip'}),
    late('behind buffer: streams', 'GET /buffered/stream', 200),
    late('behind buffer: big body', 'GET /buffered/big', 200),
    late('behind buffer: big write, returns 500', 'GET /buffered/big-return/500', 500),
    late('handler: internal redirect to a file', 'GET /t/redirect/file.txt', 200),
    late('handler: internal redirect to nothing', 'GET /t/redirect/missing', 404),
    late('handler: subrequests', 'GET /t/subrequests', 200),
    late('handler: error bucket', 'GET /t/error-bucket/503', 503),
    late('handler: bad response header', 'GET /t/bad-header', 500, logs=('AH02430',), h2=NOTHING),
    late('handler: reads a body', 'POST /t/read', 200, body='a body'),
    late('handler: 100 Continue', 'POST /t/read', 200, body='a body', headers={'Expect': '100-continue'},
         interim=(100,), h2={'interim': ()}),
    late('handler: 103 Early Hints', 'GET /t/early-hints', 200, interim=(103,), h2={'interim': ()}),
    late('handler: assbackwards', 'GET /t/assbackwards', None, cookies=0, lost=True,
         h2={'status': 200, 'cookies': 1, 'lost': False}),
    late('handler: end-of-connection bucket', 'GET /t/eoc', None, cookies=0, maybe=True,
         h2={'status': 500}),
    Row('LimitRequestBody, Content-Length', 'POST /small/read', 413, body=BIG, logs=('AH01587', 'AH01588')),
    Row('LimitRequestBody, chunked', 'POST /small/read', 413, body=BIG, more={'chunked': True},
        logs=('AH01591', 'AH01589'), h2={'status': 200}),

    # answered before any handler
    Row('Redirect 301', 'GET /moved', 301),
    Row('Redirect 404', 'GET /hidden', 404),
    Row('Redirect 410', 'GET /gone', 410),
    Row('rewrite [R]', 'GET /rewrite/redirect', 302),
    Row('rewrite [F]', 'GET /rewrite/forbidden', 403),
    Row('rewrite [P]', 'GET /rewrite/proxy/200', 200),
    Row('rewrite [PT]', 'GET /rewrite/through', 200),
    Row('.htaccess rewrite [R]', 'GET /ht/redirect', 302),
    Row('.htaccess rewrite [F]', 'GET /ht/forbidden', 403),
    Row('.htaccess rewrite [G]', 'GET /ht/gone', 410),
    Row('.htaccess rewrite, internal', 'GET /ht/internal', 200),
    Row('no credentials', 'GET /login', 401),
    Row('wrong credentials', 'GET /login', 401, {'Authorization': 'Basic YWxpY2U6d3Jvbmc='},
        logs=('AH01617',)),
    Row('denied', 'GET /denied', 403, logs=('AH01630',)),
    Row('AllowMethods', 'POST /read-only', 405, body='', logs=('AH01623',)),
    Row('encoded slash', 'GET /a%2fb', 404, logs=('AH00026',)),
    Row('OPTIONS *', 'OPTIONS *', 200, cookies=0, lost=True),
    Row('TRACE', 'TRACE /file.txt', 200, cookies=0, lost=True),
    malformed('bad request line', ['GET /file.txt HTTP/x', 'Host: a'], 400),
    malformed('no Host', ['GET /file.txt HTTP/1.1', 'A: b'], 400),
    malformed('header field too big', ['GET /file.txt HTTP/1.1', 'Host: a', f'A: {BIG}'], 400),
    malformed('request line too long', [f'GET /{BIG} HTTP/1.1', 'Host: a'], 414),

    # error documents
    Row('ErrorDocument: text', 'GET /error/text', 404),
    Row('ErrorDocument: URL', 'GET /error/url', 302),
    Row('ErrorDocument: file', 'GET /error/file', 404),
    Row('ErrorDocument: CGI', 'GET /error/cgi', 404),
    Row('ErrorDocument: SSI', 'GET /error/ssi', 404),
    Row('ErrorDocument: missing', 'GET /error/missing', 404),
    Row('ErrorDocument: 401', 'GET /login-page', 401),

    # directories and generated pages
    Row('DirectorySlash', 'GET /index', 301),
    Row('DirectoryIndex', 'GET /index/', 200),
    Row('autoindex', 'GET /list/', 200),
    Row('autoindex refused', 'GET /no-index/', 403, logs=('AH01276',)),
    Row('MultiViews', 'GET /views/page', 200),
    Row('send-as-is', 'GET /moved.asis', 302),
    Row('server-status', 'GET /status', 200),
    Row('SSI', 'GET /page.shtml', 200),
    Row('Lua: OK', 'GET /ok.lua', 200),
    Row('Lua: returns 404', 'GET /404.lua', 404),

    # CGI
    Row('CGI', 'GET /cgi-bin/answer.cgi?ok', 200),
    Row('CGI: HEAD', 'HEAD /cgi-bin/answer.cgi?ok', 200),
    *[Row(f'CGI: {status}', f'GET /cgi-bin/answer.cgi?{status}', status) for status in (204, 304, 404, 500)],
    Row('CGI: 302', 'GET /cgi-bin/answer.cgi?found', 302),
    Row('CGI: local Location', 'GET /cgi-bin/answer.cgi?local', 200),
    Row('CGI: absolute Location', 'GET /cgi-bin/answer.cgi?absolute', 302),
    Row('CGI: bad output', 'GET /cgi-bin/answer.cgi?bad', 500, logs=('malformed header',)),
    Row('CGI: no output', 'GET /cgi-bin/answer.cgi?nothing', 500, logs=('End of script output',)),
    Row('nph- CGI', 'GET /cgi-bin/nph-answer.cgi', 200, cookies=0, lost=True),

    # backends
    *[Row(f'proxy: {status}', f'GET /proxy/{status}', status)
      for status in (200, 204, 302, 304, 401, 404, 500, 503)],
    Row('proxy: HEAD', 'HEAD /proxy/200', 200),
    Row('proxy: chunked', 'GET /proxy/chunked', 200),
    Row('proxy: truncated', 'GET /proxy/truncated', 200, logs=('AH01110', 'AH02609', 'AH10260')),
    Row('proxy: bad header', 'GET /proxy/bad-header', 500, logs=('AH02430',), h2=NOTHING),
    Row('proxy: early hints', 'GET /proxy/hints', 200, interim=(103,), h2={'interim': ()}),
    Row('proxy: backend closes', 'GET /proxy/closes', 502, logs=('AH01102', 'AH00898'),
        h2={'status': 500, 'maybe': True}),
    Row('proxy: backend down', 'GET /down/200', 503, logs=('AH00957', 'AH00959', 'AH01114')),
    Row('proxy: overridden by a file', 'GET /overridden/404', 404),
    Row('proxy: overridden by a page of httpd', 'GET /overridden/401', 401),
    Row('proxy: WebSocket', 'GET /tunnel/socket', 101, UPGRADE, cookies=0, lost=True, more={'upgrade': True},
        h2=None),
    *[Row(f'FastCGI: {status}', f'GET /fcgi/{status}', status) for status in (200, 302, 304, 404)],
    Row('FastCGI: local Location', 'GET /fcgi/local', 200),
    Row('FastCGI: absolute Location', 'GET /fcgi/absolute', 200),
    Row('FastCGI: bad output', 'GET /fcgi/bad', 500, logs=('AH01070', 'AH01075', 'malformed header')),
]


def pytest_generate_tests(metafunc):
    if 'row' in metafunc.fixturenames:
        rows = list(ROWS)
        if harness.speaks_http2():
            rows += [row.over_http2() for row in ROWS if row.h2 is not None]
        metafunc.parametrize('row', rows, ids=lambda row: row.name)


def ask(server, row, change):
    header = 'X-Change-Late' if row.late else 'X-Change'
    if row.raw is not None:
        line = f'{header}: {change}\r\n' if change else ''
        return server.raw(row.raw.replace('{change}', line).encode())
    method, path = row.asked.split(' ')
    headers = {**row.headers, **({header: change} if change else {})}
    return server.request(method, path, headers, row.body, protocol=row.protocol, **row.more)


def check_status(row, response):
    assert response.status == row.status
    assert tuple(answer.status for answer in response.interim) == row.interim
    assert all(answer.set_cookies() == [] for answer in response.interim)


def test_a_change_is_sent_once(server, row):
    server.allow(*row.logs)
    response = ask(server, row, '{"n":1}')
    if row.lost:
        server.expect('SS0301')
    if row.maybe:
        server.allow('SS0301')

    check_status(row, response)
    assert len(response.set_cookies()) == row.cookies
    if row.cookies:
        seen = server.request('GET', '/session/n', cookie=f'session={response.cookie()}')
        assert seen.json() == 1


def test_no_change_sends_nothing(server, row):
    server.allow(*row.logs)
    response = ask(server, row, None)

    check_status(row, response)
    assert response.set_cookies() == []


def test_http09_cannot_carry_it(start):
    """A response without headers: the change that the directive makes is lost."""
    server = start('SignedSession On\nSignedSessionSet n 1\nSetHandler ss-testing', 'ss_testing')
    response = server.raw(b'GET /t/ok\r\n')

    server.expect('SS0301')
    assert (response.status, response.body) == (None, b'a page of the test handler\n')
