# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The endpoints: SetHandler signed-session."""

import json
import re
import time

import pytest

import harness
from common import ENDPOINT, FORM, JSON, PATCH
from cookies import Native, native, opened
from harness import Jar, Server

BODY_MAX = 16 * 1024

CONF = ENDPOINT + '''
    <Location "/some">
        SetHandler signed-session
        SignedSessionWritable cart theme
    </Location>
    <Location "/readonly">
        SignedSession ReadOnly
        SetHandler signed-session
        SignedSessionWritable *
    </Location>
    <Location "/off">
        SignedSession Off
        SetHandler signed-session
    </Location>
    <Location "/trusting">
        SetHandler signed-session
        SignedSessionWritable *
        SignedSessionTrustedOrigin https://app.example HTTP://Other.Example:80
    </Location>
    <LocationMatch "^/matched/">
        SetHandler signed-session
        SignedSessionWritable *
    </LocationMatch>
    <Location "/session/inner">
        SetHandler signed-session
    </Location>
    <Location "/closed">
        SetHandler signed-session
    </Location>
    <Location "/limited">
        SetHandler signed-session
        SignedSessionWritable *
        LimitRequestBody 100
    </Location>
'''


@pytest.fixture(scope='module')
def server():
    with Server(CONF) as one:
        yield one


@pytest.fixture
def jar(server):
    return Jar(server)


def problem(response, status):
    assert response.status == status, response.text
    assert response.get('Content-Type') == 'application/problem+json'
    assert response.get('Cache-Control') == 'no-store'
    assert response.get('X-Content-Type-Options') == 'nosniff'
    assert not response.set_cookies()
    document = response.json()
    assert set(document) == {'title', 'status', 'detail'}
    assert document['status'] == status and document['title']
    return document['detail']


# --- every method ------------------------------------------------------------------------------


def test_the_classic_walk_through(jar):
    assert jar.request('GET', '/session').json() == {}
    assert jar.request('PUT', '/session/user', JSON, '"alice"').status == 201
    assert jar.request('GET', '/session/user').json() == 'alice'
    assert jar.request('PUT', '/session/user', JSON, '"bob"').status == 204
    assert jar.request('PUT', '/session/cart', JSON, '{"items": [{"id": 7, "price": 2.50}]}').status == 201
    assert jar.request('GET', '/session/cart').body == b'{"items":[{"id":7,"price":2.50}]}\n'
    assert jar.request('DELETE', '/session/user').status == 204
    assert jar.request('GET', '/session').json() == {'cart': {'items': [{'id': 7, 'price': 2.5}]}}
    assert jar.request('DELETE', '/session').status == 204
    assert jar.session is None
    assert jar.request('GET', '/session').json() == {}


def test_get_answers_json_that_nobody_stores(server):
    response = server.request('GET', '/session', cookie=native({'a': 1}))
    assert (response.status, response.body) == (200, b'{"a":1}\n')
    assert response.get('Content-Type') == 'application/json'
    assert response.get('Cache-Control') == 'no-store'
    assert response.get('X-Content-Type-Options') == 'nosniff'
    assert not response.set_cookies()


def test_head_is_get_without_a_body(server):
    head = server.request('HEAD', '/session', cookie=native({'a': 1}))
    assert (head.status, head.body) == (200, b'')
    assert head.get('Content-Length') == '8'
    assert server.request('HEAD', '/session/nokey').status == 404


def test_a_slash_at_the_end_is_the_session_itself(server):
    assert server.request('GET', '/session/', cookie=native({'a': 1})).json() == {'a': 1}


def test_put_replaces_the_whole_session(jar):
    jar.request('PUT', '/session', JSON, {'a': 1, 'b': 2})
    response = jar.request('PUT', '/session', JSON, {'b': 3})
    assert (response.status, response.body) == (204, b'')
    assert jar.request('GET', '/session').json() == {'b': 3}


def test_patch_is_a_merge_patch_and_answers_the_new_object(jar):
    jar.request('PUT', '/session', JSON, {'a': 1, 'cart': {'x': 1, 'y': 2}})
    response = jar.request('PATCH', '/session', PATCH, {'a': None, 'cart': {'x': None, 'z': 3}})
    assert (response.status, response.json()) == (200, {'cart': {'y': 2, 'z': 3}})


def test_post_json_updates_the_top_level(jar):
    jar.request('PUT', '/session', JSON, {'a': 1, 'cart': {'x': 1}})
    response = jar.request('POST', '/session', JSON, {'cart': {'y': None}, 'b': 2})
    assert (response.status, response.json()) == (200, {'a': 1, 'cart': {'y': None}, 'b': 2})


def test_post_form_stores_strings(jar):
    response = jar.request('POST', '/session', FORM, 'user=Zo%C3%AB+B&n=1&empty=')
    assert (response.status, response.json()) == (200, {'user': 'Zoë B', 'n': '1', 'empty': ''})


def test_deleting_a_key_that_is_not_there(server):
    assert 'nokey' in problem(server.request('DELETE', '/session/nokey', cookie=native({'a': 1})), 404)


def test_an_emptied_session_is_deleted(server):
    response = server.request('DELETE', '/session/a', cookie=native({'a': 1}))
    assert response.status == 204
    assert response.set_cookies() == [
        'session=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax']


def test_without_a_cookie_ending_the_session_sends_none(server):
    response = server.request('DELETE', '/session')
    assert (response.status, response.set_cookies()) == (204, [])


def test_ending_the_session_drops_a_refused_cookie_too(server):
    response = server.request('DELETE', '/session', cookie='session=garbage')
    assert response.status == 204 and response.cookie() == ''


@pytest.mark.parametrize('path, allowed', [
    ('/session', 'OPTIONS, GET, HEAD, PUT, PATCH, POST, DELETE'),
    ('/session/key', 'OPTIONS, GET, HEAD, PUT, DELETE')])
def test_options_and_405_name_the_methods(server, path, allowed):
    response = server.request('OPTIONS', path)
    assert (response.status, response.get('Allow')) == (200, allowed)
    for method in ('BREW', 'PROPFIND', *(['PATCH', 'POST'] if path.endswith('key') else [])):
        response = server.request(method, path, JSON, '{}')
        assert allowed in problem(response, 405)
        assert response.get('Allow') == allowed


def test_keys_are_percent_decoded_and_literal(jar):
    jar.request('PUT', '/session/a.b', JSON, '1')
    jar.request('PUT', '/session/Zo%C3%AB%20%22', JSON, '2')
    jar.request('PUT', '/session/x/y', JSON, '3')
    assert jar.request('GET', '/session').json() == {'a.b': 1, 'Zoë "': 2, 'x/y': 3}
    assert jar.request('GET', '/session/Zo%c3%ab%20%22').json() == 2


@pytest.mark.parametrize('key', ['%01', '%7F', '%FF', '%C3%28', 'a%0Ab'])
def test_a_key_is_utf8_without_control_characters(server, key):
    problem(server.request('PUT', f'/session/{key}', JSON, '1'), 400)
    problem(server.request('GET', f'/session/{key}'), 400)


# --- meta --------------------------------------------------------------------------------------


def test_meta_describes_the_session(server):
    created, renewed = int(time.time()) - 5000, int(time.time()) - 100
    cookie = native({'a': 1}, created=created, renewed=renewed)
    meta = server.request('GET', '/session?meta', cookie=cookie).json()
    assert 1209500 - 5 <= meta.pop('expires_in') <= 1209500
    assert meta == {'state': 'valid', 'cookies': 1, 'format': 'native', 'key': 0, 'created': created,
                    'renewed': renewed, 'absolute_expires_in': None, 'store': 'cookie', 'counter': 1, 'bytes_used': len(cookie) - 1,
                    'bytes_left': 4096 - len(cookie) + 1}


def test_meta_never_renews(server):
    old = native({'a': 1}, renewed=int(time.time()) - 7 * 86400)
    assert not server.request('GET', '/session?meta', cookie=old).set_cookies()
    assert server.request('GET', '/session', cookie=old).set_cookies()


@pytest.mark.parametrize('cookie, state', [(None, 'none'), ('session=x', 'malformed')])
def test_meta_without_a_session_says_why(server, cookie, state):
    meta = server.request('GET', '/session?meta', cookie=cookie).json()
    assert meta == {'state': state, 'cookies': int(cookie is not None)}


# --- what may be written -----------------------------------------------------------------------

CHANGES = [
    ('PUT', '/some/role', JSON, '"admin"'),
    ('PUT', '/some', JSON, '{"user": "alice", "role": "admin"}'),
    ('PUT', '/some', JSON, '{"cart": 1}'),  # removes "user"
    ('PATCH', '/some', PATCH, '{"cart": 1, "role": "admin"}'),
    ('PATCH', '/some', PATCH, '{"user": null}'),
    ('POST', '/some', JSON, '{"role": "admin"}'),
    ('POST', '/some', JSON, '{"Cart": 1}'),
    ('POST', '/some', JSON, '{"r\\u006fle": "admin"}'),
    ('POST', '/some', FORM, 'cart=1&role=admin'),
    ('DELETE', '/some/user', {}, None),
]


@pytest.mark.parametrize('method, path, headers, body', CHANGES)
def test_a_key_that_is_not_listed_cannot_be_written(server, method, path, headers, body):
    cookie = native({'user': 'alice'})
    detail = problem(server.request(method, path, headers, body, cookie=cookie), 403)
    assert detail.startswith('SS0202: "') and 'add "SignedSessionWritable ' in detail
    assert detail.endswith('" to this location, unless something is decided by it')


@pytest.mark.parametrize('body, status', [
    ('{"cart":1}', 403), ('[1]', 403), ('{"cart":"a=b&c"}', 403), ('{"cart":1}&cart=2', 403), ('%7B%22cart%22:1}', 403),
    ('{\n  "cart": 1\n}', 400), ('[\n1]', 400)])
def test_json_that_was_sent_as_a_form_is_told_so(server, body, status):
    """curl -d names this type unless told another, and what is no key would be no help."""
    detail = problem(server.request('POST', '/some', FORM, body), status)
    assert detail.removesuffix('.').endswith(': the body was read as a form; for JSON say "Content-Type: application/json"')
    assert detail.startswith('SS0202: "' if status == 403 else 'No key')


@pytest.mark.parametrize('body', ['role={"a":1}', 'cart=1&{"a":1}', 'role=[]'])
def test_a_form_that_begins_as_one_is_not(server, body):
    assert 'read as a form' not in problem(server.request('POST', '/some', FORM, body), 403)


@pytest.mark.parametrize('method, type_', [('PUT', 'application/json'), ('POST', 'application/json'),
                                           ('PATCH', 'application/merge-patch+json')])
def test_a_key_that_is_no_text_is_stored(server, method, type_):
    body = rb'{"\ud800":1,"a":2}'
    response = server.request(method, '/session', {'Content-Type': type_}, body)
    assert opened(response).data == {'\ud800': 1, 'a': 2}


def test_a_refusal_names_no_key_that_is_no_text(server):
    cookie = native(b'{"\\ud800":1}')
    assert problem(server.request('PUT', '/some', JSON, '{}', cookie=cookie), 403) == ''


def test_listed_keys_and_unchanged_ones_can_be_written(server):
    cookie = native({'user': 'alice', 'cart': 1})
    response = server.request('PUT', '/some', JSON, {'theme': 'dark', 'user': 'alice'}, cookie=cookie)
    assert response.status == 204
    assert opened(response).data == {'theme': 'dark', 'user': 'alice'}
    response = server.request('PUT', '/some/user', JSON, '"\\u0061lice"', cookie=cookie)
    assert (response.status, response.set_cookies()) == (204, [])


def test_ending_the_session_is_always_allowed(server):
    assert server.request('DELETE', '/some', cookie=native({'user': 'alice'})).cookie() == ''


def test_no_key_is_writable_by_default(server):
    detail = problem(server.request('PUT', '/closed/a', JSON, '1'), 403)
    assert '"a"' in detail


# --- bodies ------------------------------------------------------------------------------------


@pytest.mark.parametrize('body, wanted', [
    ('', 'line 1, column 1'), ('{"a":', 'line 1, column 6'), ('{"a":1,\n "a":2}', 'line 2, column 2'),
    ('{\n "a": tru\n}', 'line 2'), ('nul', 'line 1'), ('{"a":1}x', 'column 8'), ("{'a':1}", 'column 2'),
    ('{"a":NaN}', 'column 6'), ('[' * 300 + ']' * 300, 'column 257'), ('{"a\\u0000":1}', 'column'),
    ('{"x":{"a":1,"\\u0061":2}}', 'column'), (b'{"a":"\xff"}', 'column'), ('\ufeff{}', 'column 1'),
    (json.dumps({str(i): i for i in range(257)}), 'column')])
def test_malformed_json_is_refused_with_its_place(server, body, wanted):
    detail = problem(server.request('POST', '/session', JSON, body), 400)
    assert wanted in detail and 'expected' in detail


@pytest.mark.parametrize('method, headers', [('PUT', JSON), ('POST', JSON), ('PATCH', PATCH)])
@pytest.mark.parametrize('body', ['[]', 'null', '1', ' "x" '])
def test_the_session_is_an_object(server, method, headers, body):
    assert 'object' in problem(server.request(method, '/session', headers, body, cookie=native({'a': 1})), 400)


@pytest.mark.parametrize('body', [' {"a": 1} ', '\n{}\n', '{"a":"' + 'x' * 100 + '"}'])
def test_white_space_around_a_body_does_not_count(server, body):
    assert server.request('PUT', '/session', JSON, body).status == 204


def test_a_value_must_still_fit_into_the_session(server):
    assert server.request('PUT', '/session/a', JSON, '[' * 255 + ']' * 255).status == 201
    for cookie in (None, native({'a': 1})):
        response = server.request('PUT', '/session/a', JSON, '[' * 256 + ']' * 256, cookie=cookie)
        assert 'deep' in problem(response, 400)


def test_256_members_are_accepted_in_an_object(server):
    assert server.request('PUT', '/session', JSON, {f'{i:x}': 0 for i in range(256)}).status == 204


@pytest.mark.parametrize('body', ['a=%zz', 'a=%f', 'a=%FF', '%00=1', 'a=1&a=2', 'a%01=1'])
def test_a_broken_form_is_refused(server, body):
    problem(server.request('POST', '/session', FORM, body), 400)


@pytest.mark.parametrize('body', ['', '&', '&&'])
def test_a_form_without_fields_changes_nothing(server, body):
    response = server.request('POST', '/session', FORM, body, cookie=native({'a': 1}))
    assert (response.status, response.json(), response.set_cookies()) == (200, {'a': 1}, [])


@pytest.mark.parametrize('content_type', [None, 'text/plain', 'application/jsonx', 'application/json+x',
                                          'application/merge-patch+json'])
def test_other_content_types_are_refused(server, content_type):
    headers = {'Content-Type': content_type} if content_type else {}
    assert 'application/json' in problem(server.request('PUT', '/session/a', headers, '1'), 415)


def test_a_content_type_may_have_parameters(server):
    headers = {'Content-Type': 'Application/JSON ; charset=utf-8'}
    assert server.request('PUT', '/session/a', headers, '1').status == 201


@pytest.mark.parametrize('chunked', [False, True])
def test_a_body_over_the_limit_is_refused(server, chunked):
    body = b'"' + b'x' * (BODY_MAX - 2) + b'"'
    response = server.request('PUT', '/session/a', JSON, body + b' ', chunked=chunked)
    assert '16384' in problem(response, 413)
    # exactly at the limit it is read; a cookie refuses it for another reason
    response = server.request('PUT', '/session/a', JSON, body, chunked=chunked)
    assert response.status == 201 if harness.store else 'SignedSessionMaxSize' in problem(response, 413)


@pytest.mark.parametrize('chunked', [False, True])
def test_the_servers_own_limit_is_answered_by_httpd(server, chunked):
    response = server.request('PUT', '/limited/a', JSON, '"' + 'x' * 200 + '"', chunked=chunked)
    assert (response.status, response.set_cookies()) == (413, [])
    server.allow('AH01588', 'AH01591', 'AH00586')


@pytest.mark.in_cookie('its size')
def test_a_session_that_would_not_fit_stays_as_it_was(server):
    cookie = native({'a': 1})
    detail = problem(server.request('PUT', '/session/b', JSON, '"' + 'x' * 4000 + '"', cookie=cookie), 413)
    name_and_value = len('session') + len(Native({'a': 1, 'b': 'x' * 4000}).seal())
    assert f'{name_and_value - 4096} bytes over the limit of 4096' in detail


def test_what_the_head_can_refuse_is_refused_before_the_body(server):
    for method, path, headers, status in [
            ('PUT', '/session/a', {'Content-Type': 'text/plain'}, 415),
            ('PUT', '/session/a', {**JSON, 'Sec-Fetch-Site': 'cross-site'}, 403),
            ('PUT', '/readonly/a', JSON, 409),
            ('PATCH', '/session/a', PATCH, 405),
            ('PUT', '/session/a', {**JSON, 'Content-Length': str(BODY_MAX + 1)}, 413)]:
        head = {'Content-Length': '5', **headers, 'Expect': '100-continue'}
        response = server.request(method, path, head)  # the body never comes
        problem(response, status)
        assert response.interim == []


def test_a_refused_upload_gets_its_answer_in_full(server):
    """The rest of a body that nobody reads must not replace the answer (LimitRequestBody, chunked)."""
    problem(server.request('PUT', '/limited/a', {'Content-Type': 'text/plain'}, b'x' * 5000, chunked=True), 415)


# --- where -------------------------------------------------------------------------------------


def test_read_only_sessions_can_be_read_but_not_changed(server):
    cookie = native({'a': 1}, renewed=int(time.time()) - 7 * 86400)
    response = server.request('GET', '/readonly/a', cookie=cookie)
    assert (response.body, response.set_cookies()) == (b'1\n', [])
    for method, path, headers, body in [('PUT', '/readonly/a', JSON, '2'), ('DELETE', '/readonly', {}, None),
                                        ('PATCH', '/readonly', PATCH, '{}')]:
        assert 'SS0205' in problem(server.request(method, path, headers, body, cookie=cookie), 409)


def test_where_sessions_are_off_the_endpoint_says_how_to_switch_them_on(server):
    detail = problem(server.request('GET', '/off'), 500)
    assert detail == ('SS0201: SignedSession must be On to use the session here: add "SignedSession On" to this '
                      'location')


def test_a_location_match_has_no_keys(server):
    assert server.request('GET', '/matched/a', cookie=native({'a': 1})).json() == {'a': 1}


def test_of_several_locations_the_longest_counts(server):
    assert server.request('GET', '/session/inner', cookie=native({'inner': 1, 'a': 2})).json() == {
        'inner': 1, 'a': 2}
    assert server.request('GET', '/session/inner/a', cookie=native({'a': 2})).json() == 2


def test_a_location_is_not_a_prefix_of_a_word(server):
    assert server.request('GET', '/sessions').status == 404


def test_the_endpoints_answer_below_a_catch_all_proxy(start):
    server = start('''
        SignedSession On
        ProxyPass "/" "http://127.0.0.1:1/"
        <Location "/session">
            SetHandler signed-session
            SignedSessionWritable a
        </Location>''', modules='proxy proxy_http')
    response = server.request('PUT', '/session/a', JSON, '1')
    assert response.status == 201 and opened(response).data == {'a': 1}


def test_a_section_without_a_directive_of_ours_is_a_location_too(start):
    server = start('''
        SignedSession On
        SignedSessionWritable a
        <Location "/bare">
            SetHandler signed-session
        </Location>''')
    assert server.request('PUT', '/bare/a', JSON, '1').status == 201


# --- cross-site --------------------------------------------------------------------------------

HOST = {'Host': 'site.example'}
CALLERS = [
    ('not a browser', {}, True),
    ('the same origin', {'Sec-Fetch-Site': 'same-origin'}, True),
    ('typed by the user', {'Sec-Fetch-Site': 'none'}, True),
    ('a sibling host', {'Sec-Fetch-Site': 'same-site'}, False),
    ('another site', {'Sec-Fetch-Site': 'cross-site'}, False),
    ('nonsense', {'Sec-Fetch-Site': 'x'}, False),
    ('another site that claims our origin', {'Sec-Fetch-Site': 'cross-site', 'Origin': 'http://site.example'}, False),
    ('an older browser, same origin', {'Origin': 'http://site.example'}, True),
    ('the default port written out', {'Origin': 'http://site.example:80'}, True),
    ('case does not count', {'Origin': 'http://SITE.example'}, True),
    ('another port', {'Origin': 'http://site.example:8080'}, False),
    ('another host', {'Origin': 'http://evil.example'}, False),
    ('a longer host', {'Origin': 'http://site.example.evil.example'}, False),
    ('a sandboxed page', {'Origin': 'null'}, False),
    ('an empty Origin', {'Origin': ''}, False),
    ('a trusted origin where none is trusted', {'Origin': 'https://app.example'}, False),
]


@pytest.mark.parametrize('what, headers, allowed', CALLERS, ids=[row[0] for row in CALLERS])
def test_only_our_own_pages_may_change_the_session(server, what, headers, allowed):
    for method, path, more, body in [('PUT', '/session/a', JSON, '1'), ('POST', '/session', FORM, 'a=1'),
                                     ('PATCH', '/session', PATCH, '{"a":1}'), ('DELETE', '/session', {}, None)]:
        response = server.request(method, path, {**HOST, **more, **headers}, body, cookie=native({'b': 1}))
        if allowed:
            assert response.status in (200, 201, 204) and len(response.set_cookies()) == 1
        else:
            assert 'SS0204' in problem(response, 403)


@pytest.mark.parametrize('origin', ['https://app.example', 'http://other.example'])
def test_a_trusted_origin_may_change_and_read(server, origin):
    headers = {**HOST, **JSON, 'Origin': origin, 'Sec-Fetch-Site': 'cross-site'}
    response = server.request('PUT', '/trusting/a', headers, '1')
    assert response.status == 201
    assert response.get('Access-Control-Allow-Origin') == origin
    assert response.get('Access-Control-Allow-Credentials') == 'true'
    assert 'Origin' in re.split(', ?', response.get('Vary'))
    missing = server.request('GET', '/trusting/nokey', headers)
    assert (missing.status, missing.get('Access-Control-Allow-Origin')) == (404, origin)


def test_a_trusted_origin_gets_its_preflight_answered(server):
    headers = {**HOST, 'Origin': 'https://app.example', 'Access-Control-Request-Method': 'PUT',
               'Access-Control-Request-Headers': 'content-type'}
    response = server.request('OPTIONS', '/trusting/a', headers)
    assert response.status == 200
    assert 'PUT' in response.get('Access-Control-Allow-Methods')
    assert response.get('Access-Control-Allow-Headers').lower() == 'content-type'
    assert response.get('Access-Control-Allow-Origin') == 'https://app.example'


def test_a_stranger_gets_no_permission_to_read(server):
    headers = {**HOST, **JSON, 'Origin': 'https://evil.example', 'Sec-Fetch-Site': 'cross-site'}
    for method in ('OPTIONS', 'GET', 'PUT'):
        response = server.request(method, '/trusting/a', headers, '1' if method == 'PUT' else None)
        assert response.get('Access-Control-Allow-Origin') is None
        assert 'Origin' in re.split(', ?', response.get('Vary'))


# --- both protocols ----------------------------------------------------------------------------


def test_the_endpoints_speak_each_protocol(start, protocol):
    server = start(CONF, http2=True)
    response = server.request('PUT', '/session/a', JSON, '[1, 2]', protocol=protocol)
    assert response.status == 201
    cookie = f'session={response.cookie()}'
    assert server.request('GET', '/session', cookie=cookie, protocol=protocol).json() == {'a': [1, 2]}
    for headers, body, status in [({'Content-Type': 'text/plain'}, 'x', 415), (JSON, '{', 400),
                                  (JSON, b'"' + b'x' * BODY_MAX + b'"', 413)]:
        assert server.request('PUT', '/session/a', headers, body, protocol=protocol).status == status


# --- what SignedSessionEncrypt hides -------------------------------------------------------------

SECRETIVE = '''
    SignedSessionStore cookie
    SignedSessionEncrypt On
    SignedSession On
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable theme
    </Location>
    <Location "/shown">
        SetHandler signed-session
        SignedSessionReveal On
        SignedSessionWritable theme
    </Location>
    <VirtualHost *:{port}>
        ServerName 127.0.0.1
    </VirtualHost>
    <VirtualHost *:{port}>
        ServerName plain.test
        SignedSessionEncrypt Off
    </VirtualHost>
'''
HELD = native({'user': 'alice', 'theme': 'dark'})


@pytest.fixture(scope='module')
def secretive():
    with Server(SECRETIVE) as one:
        yield one


@pytest.mark.parametrize('method', ['GET', 'HEAD'])
@pytest.mark.parametrize('path', ['/session', '/session/', '/session/user', '/session/nothing'])
def test_an_encrypted_session_is_not_shown(secretive, method, path):
    response = secretive.request(method, path, cookie=HELD)
    assert response.status == 403 and response.get('Content-Type') == 'application/problem+json'
    if method == 'GET':
        assert 'SignedSessionReveal On' in response.json()['detail'] and 'SS0216' in response.text
        assert 'alice' not in response.text


@pytest.mark.parametrize('path', ['/session', '/session/user'])
def test_nor_to_who_has_none(secretive, path):
    assert secretive.request('GET', path).status == 403


def test_its_state_is_told(secretive):
    assert secretive.request('GET', '/session?meta', cookie=HELD).json()['state'] == 'valid'


@pytest.mark.parametrize('method, headers, body', [('POST', JSON, '{"theme":"light"}'), ('PATCH', PATCH, '{"theme":"light"}'),
                                                   ('POST', FORM, 'theme=light')])
def test_who_changes_it_is_not_shown_the_rest(secretive, method, headers, body):
    response = secretive.request(method, '/session', headers, body, cookie=HELD)
    assert (response.status, response.body) == (204, b'')
    assert opened(response).data == {'user': 'alice', 'theme': 'light'}


@pytest.mark.parametrize('method, path, headers, body', [
    ('PUT', '/session/user', JSON, '"alice"'),
    ('PUT', '/session', JSON, '{"user":"alice","theme":"light"}'),
    ('PATCH', '/session', PATCH, '{"user":"alice","theme":"light"}'),
    ('POST', '/session', JSON, '{"user":"alice"}'),
    ('POST', '/session', FORM, 'theme=light&user=alice'),
])
def test_a_right_guess_is_refused_like_a_wrong_one(secretive, method, path, headers, body):
    right = secretive.request(method, path, headers, body, cookie=HELD)
    wrong = secretive.request(method, path, headers, body.replace('alice', 'carol'), cookie=HELD)
    assert right.status == wrong.status == 403 and right.body == wrong.body
    assert 'SS0202' in right.text and not right.set_cookies()


def test_who_is_shown_nothing_deletes_what_is_writable(secretive):
    response = secretive.request('DELETE', '/session/theme', cookie=HELD)
    assert (response.status, opened(response).data) == (204, {'user': 'alice'})
    refused = secretive.request('DELETE', '/session/user', cookie=HELD)
    assert (refused.status, refused.set_cookies()) == (403, []) and 'SS0202' in refused.text


@pytest.mark.parametrize('path', ['/shown', '/shown/user'])
def test_a_place_may_show_it(secretive, path):
    assert 'alice' in secretive.request('GET', path, cookie=HELD).text
    response = secretive.request('PUT', '/shown/user', JSON, '"alice"', cookie=HELD)
    assert response.status == 204
    assert secretive.request('PATCH', '/shown', PATCH, '{"theme":"light"}', cookie=HELD).json()['user'] == 'alice'


def test_what_is_only_signed_is_shown(secretive):
    assert secretive.request('GET', '/session', {'Host': 'plain.test'}, cookie=HELD).json()['user'] == 'alice'
