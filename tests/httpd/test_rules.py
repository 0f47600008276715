# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Changes that the configuration makes: SignedSessionSet, SignedSessionUnset, SignedSessionClear."""

import base64
import dataclasses
import hashlib
import json
import os
import time

import itsdangerous
import pytest

import harness
from backends import HttpBackend, http_answer
from common import ECHO_CGI, basic, stored
from cookies import Native, native, opened, starlette
from harness import SECRET, Jar, Server, cgi_module

# Answers with the header lines of its query string, one for each "&", percent-decoded.
MODULES = f'alias auth_basic authn_core authn_file authz_user dir headers ss_testing {cgi_module()}'
FILES = {
    'users': 'alice:{SHA}' + base64.b64encode(hashlib.sha1(b'secret').digest()).decode() + '\n',
    'cgi/echo': ECHO_CGI,
    'note.txt': 'text of a file',
}
CONF = '''
SignedSession On
ScriptAlias /header/ "{dir}/cgi/"
ScriptAlias /update/ "{dir}/cgi/"
ScriptAlias /anew/ "{dir}/cgi/"
ScriptAlias /end/ "{dir}/cgi/"
<LocationMatch "^/[a-z-]+/(ok|stream|read|return|status|redirect|write-return|error-bucket)">
    SetHandler ss-testing
</LocationMatch>
<LocationMatch "^/(members|anew-members)">
    AuthType Basic
    AuthName "members"
    AuthUserFile "{dir}/users"
    Require valid-user
</LocationMatch>

<Location "/members">
    SignedSessionSet user %{REMOTE_USER}
</Location>
<Location "/shop">
    <If "-z %{session:bucket} && %{md5:%{HTTP_USER_AGENT}} =~ /^[0-7]/">
        SignedSessionSet bucket A
    </If>
    <ElseIf "-z %{session:bucket}">
        SignedSessionSet bucket B
    </ElseIf>
</Location>
<Location "/value">
    SignedSessionSet value %{HTTP:X-Value}
</Location>
<Location "/failing">
    SignedSessionSet before 1
    SignedSessionSet lost "%{file:{dir}/missing}"
    SignedSessionSet after "%{file:{dir}/note.txt}"
</Location>
<Location "/outcome">
    SignedSessionSet status %{REQUEST_STATUS}
    SignedSessionSet type "%{CONTENT_TYPE}"
    ErrorDocument 500 "a text"
    ErrorDocument 503 /outcome-error.txt
</Location>
<Location "/small">
    LimitRequestBody 10
    SignedSessionSet status %{REQUEST_STATUS}
</Location>
<Location "/header">
    SignedSessionSet kind %{resp:X-Kind}
    SignedSessionSet to %{resp:Location}
</Location>
<Location "/unset">
    SignedSessionUnset a "key with blanks"
    SignedSessionUnset never-there
</Location>

# outer and inner sections
<Location "/in">
    SignedSessionSet outer 1
    SignedSessionSet both outer
    SignedSessionSet gone outer
    SignedSessionSet empty outer
    SignedSessionUnset back
</Location>
<Location "/in/side">
    SignedSessionSet both first
    SignedSessionSet both inner
    SignedSessionUnset gone
    SignedSessionSet empty %{HTTP:X-Nothing}
    SignedSessionSet back inner
    SignedSessionSet inner 1
    SignedSessionUnset inner
</Location>

# where the session may not be changed
<LocationMatch "^/(off|read-only)">
    SignedSessionSet a 1
    SignedSessionUnset b
</LocationMatch>
<LocationMatch "^/(off|read-only)-clear-on">
    SignedSessionClear On
</LocationMatch>
<LocationMatch "^/(off|read-only)-clear-before">
    SignedSessionClear Before
</LocationMatch>
<LocationMatch "^/off">
    SignedSession Off
</LocationMatch>
<LocationMatch "^/read-only">
    SignedSession ReadOnly
</LocationMatch>

# together with applications
<Location "/update">
    SignedSessionUpdate X-Update
    SignedSessionSet a row
    SignedSessionUnset b
</Location>
<Location "/end">
    SignedSessionUpdate X-Update
    SignedSessionSet a row
    SignedSessionClear On
</Location>
<Location "/logout">
    SignedSessionClear On
</Location>
<Location "/logout/ok">
    <If "-n %{HTTP:X-Stay}">
        SignedSessionClear Off
    </If>
</Location>
<LocationMatch "^/anew">
    SignedSessionUpdate X-Update
    SignedSessionClear Before
</LocationMatch>
<LocationMatch "^/anew-(row|members)/">
    SignedSessionSet user %{HTTP:X-User}
</LocationMatch>
Redirect /anew/moved /file.txt
<Location "/keeps-ab">
    SignedSessionClear Before a b
</Location>
<Location "/keeps-bc">
    SignedSessionClear Before b c
</Location>

# one request becomes another
<Location "/chain">
    SignedSessionSet first %{REQUEST_URI}
    SignedSessionSet last %{REQUEST_URI}
    ErrorDocument 404 /second/page.txt
    ErrorDocument 409 /second/error-bucket/503
    ErrorDocument 400 /read-only/ok
    ErrorDocument 402 /read-only-clear-on/ok
    ErrorDocument 405 /read-only-clear-before/ok
    ErrorDocument 406 /off-clear-on/ok
</Location>
<Location "/second">
    SignedSessionSet second %{REQUEST_URI}
    SignedSessionSet last %{REQUEST_URI}
</Location>
<Location "/without-rows">
    ErrorDocument 409 /second/error-bucket/503
</Location>
'''
BASIC = basic('alice', 'secret')
FILES.update({f'htdocs/{name}': 'a page\n' for name in
              ('outcome-error.txt', 'outcome/file.txt', 'second/page.txt')})


@pytest.fixture(scope='module')
def server():
    with Server(CONF, MODULES, files=FILES, http2=True) as one:
        yield one


def quoted(*lines):
    return '&'.join(''.join('%%%02x' % byte for byte in line.encode()) for line in lines)


# --- what a row stores -----------------------------------------------------------------------


def test_the_user_after_a_login(server, protocol):
    jar = Jar(server)
    response = jar.request('GET', '/members/ok', BASIC, protocol=protocol)
    assert (response.status, stored(response)) == (200, {'user': 'alice'})
    assert jar.request('GET', '/members/ok', BASIC, protocol=protocol).set_cookies() == []


def test_a_logout(server, protocol):
    jar = Jar(server)
    jar.request('GET', '/members/ok', BASIC)
    response = jar.request('GET', '/logout/ok', protocol=protocol)
    assert (response.status, response.cookie(), jar.session) == (200, '', None)
    assert 'private' in response.get('Cache-Control')


def test_a_logout_needs_a_cookie_to_delete(server):
    assert server.request('GET', '/logout/ok').set_cookies() == []
    assert server.request('GET', '/logout/ok', cookie='session=refused').cookie() == ''


def test_an_inner_section_may_keep_the_session(server):
    response = server.request('GET', '/logout/ok', {'X-Stay': '1'}, cookie=native({'a': 1}))
    assert (response.status, response.set_cookies()) == (200, [])


def test_a_bucket_is_drawn_once(server):
    drawn = set()
    for number in range(8):
        agent = f'browser {number}'
        want = 'A' if hashlib.md5(agent.encode()).hexdigest()[0] in '01234567' else 'B'
        response = server.request('GET', '/shop/ok', {'User-Agent': agent})
        assert stored(response) == {'bucket': want}
        drawn.add(want)
    assert drawn == {'A', 'B'}
    for bucket in drawn:
        assert server.request('GET', '/shop/ok', cookie=native({'bucket': bucket})).set_cookies() == []


@pytest.mark.parametrize('text', ['1', 'true', 'null', '{"a": [1]}', 'a "quote" and a \\', 'Zoë \U0001f600', 'a\tb'])
def test_values_are_json_strings(server, text):
    response = server.request('GET', '/value/ok', {'X-Value': text.encode().decode('latin-1')})
    assert stored(response) == {'value': text}


@pytest.mark.parametrize('text', ['', 'Zo\xeb', '\xed\xa0\x80'], ids=['empty', 'Latin-1', 'half a surrogate pair'])
def test_a_result_that_is_empty_or_not_utf8_sets_nothing(server, text):
    response = server.request('GET', '/value/ok', {'X-Value': text}, cookie=native({'value': 'old'}))
    assert (response.status, response.set_cookies()) == (200, [])


def test_an_expression_that_fails_sets_nothing_and_says_so(server):
    response = server.request('GET', '/failing/ok', cookie=native({'lost': 'old'}))
    assert (response.status, stored(response)) == (200, {'lost': 'old', 'before': '1', 'after': 'text of a file'})
    server.expect('SS0308: SignedSessionSet lost', 'Evaluation of expression')


def test_setting_the_same_value_is_no_change(server):
    assert server.request('GET', '/value/ok', {'X-Value': 'x'}, cookie=native({'value': 'x'})).set_cookies() == []
    assert stored(server.request('GET', '/value/ok', {'X-Value': '1'}, cookie=native({'value': 1}))) == {'value': '1'}


def test_keys_are_removed(server):
    cookie = native({'a': 1, 'b': 2, 'key with blanks': 3})
    assert stored(server.request('GET', '/unset/ok', cookie=cookie)) == {'b': 2}
    assert server.request('GET', '/unset/ok', cookie=native({'a': 1})).cookie() == ''
    assert server.request('GET', '/unset/ok', cookie=native({'b': 2})).set_cookies() == []


# --- sections --------------------------------------------------------------------------------


def test_rows_of_sections_add_up(server):
    assert stored(server.request('GET', '/in/ok', cookie=native({'back': 0, 'kept': 0}))) == {
        'kept': 0, 'outer': '1', 'both': 'outer', 'gone': 'outer', 'empty': 'outer'}


def test_the_innermost_row_for_a_key_wins(server):
    """Also when it has nothing to store: the outer row does not come back then."""
    assert stored(server.request('GET', '/in/side/ok', cookie=native({'gone': 0, 'inner': 0, 'kept': 0}))) == {
        'kept': 0, 'outer': '1', 'both': 'inner', 'back': 'inner'}


def test_an_outer_row_that_is_overridden_is_not_evaluated(start):
    server = start('''
        SignedSession On
        SignedSessionSet a "%{file:/missing}"
        <Location "/file.txt">
            SignedSessionSet a 1
        </Location>''')
    assert stored(server.request('GET', '/file.txt')) == {'a': '1'}


def test_rows_are_inherited_from_the_servers(start):
    server = start('''
        SignedSession On
        SignedSessionSet main 1
        SignedSessionSet both main
        SignedSessionUnset old
        <VirtualHost *:{port}>
            ServerName first.example
        </VirtualHost>
        <VirtualHost *:{port}>
            ServerName second.example
            SignedSessionSet both host
            <Directory "{dir}/htdocs">
                SignedSessionSet directory 1
            </Directory>
            <Location "/file.txt">
                SignedSessionSet both file
            </Location>
        </VirtualHost>''', files={'htdocs/other.txt': 'another file\n'})

    def ask(host, path):
        return stored(server.request('GET', path, {'Host': host}, cookie=native({'old': 0})))

    assert ask('first.example', '/file.txt') == {'main': '1', 'both': 'main'}
    assert ask('second.example', '/other.txt') == {'main': '1', 'both': 'host', 'directory': '1'}
    assert ask('second.example', '/file.txt') == {'main': '1', 'both': 'file', 'directory': '1'}


# --- responses -------------------------------------------------------------------------------


@pytest.mark.parametrize('method, path, status', [
    ('GET', '/outcome/ok', 200),
    ('HEAD', '/outcome/ok', 200),
    ('GET', '/outcome/stream', 200),
    ('GET', '/outcome/file.txt', 200),
    ('GET', '/outcome/missing.txt', 404),
    ('GET', '/outcome/return/302', 302),
    ('GET', '/outcome/return/204', 204),
    ('GET', '/outcome/return/404', 404),
    ('GET', '/outcome/return/500', 500),
    ('GET', '/outcome/return/503', 503),
    ('GET', '/outcome/status/204', 204),
    ('GET', '/outcome/status/304', 304),
    ('GET', '/outcome/write-return/500', 500),
    ('GET', '/outcome/error-bucket/503', 503),
])
def test_rows_see_the_status_of_every_kind_of_response(server, protocol, method, path, status):
    response = server.request(method, path, protocol=protocol)
    assert response.status == status
    assert stored(response)['status'] == str(status)


def test_rows_see_a_304_of_httpd_itself(server, protocol):
    response = server.request('GET', '/outcome/file.txt', {'If-None-Match': '*'}, protocol=protocol)
    assert (response.status, stored(response)['status']) == (304, '304')


def test_rows_see_the_header_of_the_response(server):
    header = quoted('X-Kind: red', 'Location: http://www.example.com/')
    response = server.request('GET', f'/header/echo?{header}')
    assert stored(response) == {'kind': 'red', 'to': 'http://www.example.com/'}


@pytest.mark.parametrize('place', ['off', 'off-clear-on', 'off-clear-before',
                                   'read-only', 'read-only-clear-on', 'read-only-clear-before'])
def test_where_the_session_may_not_be_changed_rows_do_nothing(server, place):
    response = server.request('GET', f'/{place}/ok', cookie=native({'b': 1}))
    assert (response.status, response.set_cookies()) == (200, [])


# Failures behind our filters: httpd throws the response away and begins another one.
TWICE = [('POST', '/small/read', 413, ('AH01591', 'AH01589')),
         ('GET', '/outcome/error-bucket/503', 503, ()),
         ('GET', '/outcome/error-bucket/500', 500, ())]


@pytest.mark.parametrize('method, path, status, logs', TWICE, ids=[row[1] for row in TWICE])
def test_a_response_that_is_begun_twice_changes_once(server, method, path, status, logs):
    body = {'body': 'x' * 3000, 'chunked': True} if method == 'POST' else {}
    response = server.request(method, path, cookie=native({'n': 1}, counter=5), **body)
    server.allow(*logs)
    assert response.status == status
    # a store may have been told of both, and has the second
    assert opened(response).counter in ((6, 7) if harness.store else (6,))
    assert opened(response).data['status'] == str(status)


# --- chains ----------------------------------------------------------------------------------


def test_each_request_of_a_chain_contributes_in_its_own_context(server, protocol):
    for asked, second in [('/chain/redirect/file.txt', None), ('/chain/missing.txt', '/second/page.txt')]:
        session = stored(server.request('GET', asked, protocol=protocol))
        want = {'first': asked, 'last': second or asked}
        assert session == ({**want, 'second': second} if second else want)


@pytest.mark.parametrize('status', [400, 402, 405, 406])
def test_an_error_document_where_rows_do_nothing_leaves_those_of_the_first_request(server, status):
    asked = f'/chain/return/{status}'
    response = server.request('GET', asked, cookie=native({'a': 1, 'b': 1}, counter=5))
    assert (response.status, stored(response)) == (status, {'a': 1, 'b': 1, 'first': asked, 'last': asked})
    assert opened(response).counter == 6


def test_an_error_document_that_fails_takes_its_rows_along(server):
    """httpd then answers without it: the request that it was meant for has the last word."""
    asked = '/chain/return/409'
    response = server.request('GET', asked)
    assert (response.status, stored(response)) == (409, {'first': asked, 'last': asked})
    response = server.request('GET', '/without-rows/return/409')
    assert (response.status, stored(response)) == (409, None)


# --- together with what applications change --------------------------------------------------


def test_rows_come_after_the_update_header(server):
    update = quoted('X-Update: {"a": "app", "b": "app", "c": "app"}')
    assert stored(server.request('GET', f'/update/echo?{update}')) == {'a': 'row', 'c': 'app'}


@pytest.mark.parametrize('header', ['X-Change', 'X-Change-Late'])
def test_rows_come_after_the_note(server, header):
    response = server.request('GET', '/update/ok', {header: '{"a": "app", "b": "app", "c": "app"}'})
    assert stored(response) == {'a': 'row', 'c': 'app'}


def test_an_update_may_end_the_session_that_rows_begin(server):
    old = Native({'user': 'alice'}, counter=7)
    response = server.request('GET', '/update/echo?' + quoted('X-Update: null'), cookie=f'session={old.seal()}')
    new = opened(response)
    assert (new.data, new.counter) == ({'a': 'row'}, 1) and new.id != old.id


def test_clear_wins_over_everything(server):
    for path in ('/end/echo?' + quoted('X-Update: {"b": "app"}'), '/end/ok', '/end/return/404'):
        headers = {'X-Change': '{"c": "app"}', 'X-Change-Late': '{"d": "app"}'}
        assert server.request('GET', path, headers, cookie=native({'user': 'alice'})).cookie() == ''
        assert server.request('GET', path, headers).set_cookies() == []


# --- SignedSessionClear Before ---------------------------------------------------------------

OLD = Native({'user': 'mallory', 'role': 'admin'}, renewed=int(time.time()) - 3600, counter=7)


def is_new(session):
    return session.id != OLD.id and session.counter == 1 and session.created > OLD.created


@pytest.mark.parametrize('path, headers, data', [
    ('/anew-row/ok', {'X-User': 'alice'}, {'user': 'alice'}),
    ('/anew-row/ok', {'X-User': 'mallory'}, {'user': 'mallory'}),
    ('/anew-row/return/302', {'X-User': 'alice'}, {'user': 'alice'}),
    ('/anew-row/return/404', {'X-User': 'alice'}, {'user': 'alice'}),
    ('/anew-members/ok', {'X-User': 'alice', **BASIC}, {'user': 'alice'}),
    ('/anew/echo?' + quoted('X-Update: {"n": 1, "role": null}'), {}, {'n': 1}),
    ('/anew/ok', {'X-Change': '{"a": 1}'}, {'a': 1}),
    ('/anew-row/ok', {'X-Change-Late': '{"user": "app", "a": 1}', 'X-User': 'alice'}, {'user': 'alice', 'a': 1}),
    ('/anew/redirect/file.txt', {'X-Change': '{"a": 1}'}, {'a': 1}),
])
def test_clear_before_begins_a_new_session_with_the_changes_of_this_response(server, path, headers, data):
    new = opened(server.request('GET', path, headers, cookie=f'session={OLD.seal()}'))
    assert new.data == data and is_new(new)


def test_clear_before_once_when_a_response_is_begun_twice(server):
    response = server.request('GET', '/anew-row/error-bucket/503', {'X-User': 'alice'}, cookie=f'session={OLD.seal()}')
    new = opened(response)
    assert (response.status, new.data) == (503, {'user': 'alice'}) and is_new(new)


def test_clear_before_of_two_requests_keeps_what_both_of_them_keep(server):
    old = Native({'a': 1, 'b': 2, 'c': 3, 'd': 4})
    for path, kept in (('/keeps-ab/ok', {'a': 1, 'b': 2}), ('/keeps-ab/redirect/keeps-bc/ok', {'b': 2})):
        new = opened(server.request('GET', path, cookie=f'session={old.seal()}'))
        assert new.data == kept and new.id != old.id


def test_clear_before_without_a_change_ends_the_session(server):
    assert server.request('GET', '/anew/ok', cookie=native({'user': 'alice'})).cookie() == ''
    assert server.request('GET', '/anew/ok').set_cookies() == []


@pytest.mark.parametrize('path, headers, status', [
    ('/anew-members/ok', {}, 401),
    ('/anew-members/ok', basic('alice', 'wrong'), 401),
    ('/anew/moved', {}, 302),
])
def test_clear_before_must_be_earned(server, path, headers, status):
    """A failed login must not end the session of somebody else."""
    headers = {**headers, 'X-User': 'alice'}
    old = dataclasses.replace(OLD, id=os.urandom(16))
    response = server.request('GET', path, headers, cookie=f'session={old.seal()}')
    assert (response.status, response.set_cookies()) == (status, [])
    response = server.request('GET', path, {**headers, 'X-Change': '{"n": 1}'}, cookie=f'session={old.seal()}')
    changed = opened(response)
    assert (changed.data, changed.id, changed.counter) == ({**old.data, 'n': 1}, old.id, 8)
    server.allow('AH01617')


# --- the application's own cookie ------------------------------------------------------------

SHARED = '''
SignedSession On
SignedSessionFormat starlette
ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
<Location "/set">
    SignedSessionSet marked "by httpd"
    SignedSessionUnset draft
</Location>
<Location "/end">
    SignedSessionClear On
</Location>
<Location "/anew">
    SignedSessionClear Before
    SignedSessionSet marked "by httpd"
</Location>
<Location "/denied">
    SignedSessionSet marked "by httpd"
    Require all denied
    ErrorDocument 403 /plain/writes
</Location>
'''
ATTRIBUTES = 'path=/; Max-Age=1209600; httponly; samesite=lax'
WRITTEN = f'session={starlette({"user": "alice", "draft": 1})}; {ATTRIBUTES}'
DELETED = 'session=null; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT; httponly; samesite=lax'
FOREIGN = f'session={starlette({"user": "alice"}, secret="some other secret, long enough")}; {ATTRIBUTES}'
APPLICATION = {
    'writes': http_answer('200 OK', f'Set-Cookie: {WRITTEN}', 'Set-Cookie: other=1'),
    'fails': http_answer('404 Not Found', f'Set-Cookie: {WRITTEN}'),
    'deletes': http_answer('200 OK', f'Set-Cookie: {DELETED}'),
    'odd': http_answer('200 OK', f'Set-Cookie: {FOREIGN}'),
    'silent': http_answer('200 OK'),
}


@pytest.fixture(scope='module')
def shared():
    with HttpBackend(APPLICATION) as backend, Server(SHARED, 'proxy proxy_http', backend=backend.port) as one:
        yield one


def unsigned(response):
    payload = itsdangerous.TimestampSigner(SECRET).unsign(response.cookie())
    return json.loads(base64.b64decode(payload))


OLD_SHARED = f'session={starlette({"user": "mallory", "old": 1})}'


@pytest.mark.parametrize('path, data', [
    ('/set/writes', {'user': 'alice', 'marked': 'by httpd'}),
    ('/set/fails', {'user': 'alice', 'marked': 'by httpd'}),
    ('/anew/writes', {'user': 'alice', 'draft': 1, 'marked': 'by httpd'}),
    ('/set/silent', {'user': 'mallory', 'old': 1, 'marked': 'by httpd'}),
    ('/anew/silent', {'marked': 'by httpd'}),
])
def test_rows_on_top_of_what_the_application_wrote(shared, path, data):
    response = shared.request('GET', path, cookie=OLD_SHARED)
    assert unsigned(response) == data
    assert len(response.set_cookies()) == 1
    assert ('other=1' in response.get_all('Set-Cookie')) == path.endswith('writes')


def test_an_end_by_the_application_drops_what_rows_would_change(shared):
    for place in ('set', 'anew', 'plain'):
        assert shared.request('GET', f'/{place}/deletes', cookie=OLD_SHARED).set_cookies() == [DELETED]


def test_an_end_by_a_row_wins_over_what_the_application_wrote(shared):
    for cookie in (OLD_SHARED, None):
        response = shared.request('GET', '/end/writes', cookie=cookie)
        assert response.cookie() == '' and 'other=1' in response.get_all('Set-Cookie')


def test_a_cookie_that_cannot_be_opened_passes_and_rows_are_lost(shared):
    assert shared.request('GET', '/set/odd', cookie=OLD_SHARED).set_cookies() == [FOREIGN]
    shared.expect('SS0309')


def test_without_an_earned_row_the_applications_cookie_passes_untouched(shared):
    """A row of a denied place does not touch what its error document writes."""
    response = shared.request('GET', '/denied/page', cookie=OLD_SHARED)
    shared.expect('AH01630')
    assert (response.status, response.set_cookies()) == (200, [WRITTEN])
