# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Whose session it is: what a login leaves of the one before, and what it stores."""

import pytest

from common import JSON, basic, password_file, stored
from cookies import Native, native, opened
from harness import Jar, Server
from login_pages import MODULES, OWN, PASSWORD, ask

CONF = f'''
SignedSession On
{PASSWORD}{OWN}''' + '''
<Location "/set">
    SignedSessionSet user %{HTTP:X-User}
</Location>
'''
FILES = {'htdocs/own/file.txt': 'x', 'htdocs/set': 'x', 'users': password_file('alice')}
OLD = 1790000000


@pytest.fixture(scope='module')
def server():
    with Server(CONF, MODULES, FILES) as one:
        yield one


def test_nobody_becomes_somebody(server):
    """Whoever planted the session before the login has no part in what follows."""
    before = Native({'cart': 1}, created=OLD)
    after = opened(ask(server, '/set', {'X-User': 'alice'}, f'session={before.seal()}'))
    assert after.data == {'cart': 1, 'user': 'alice'}
    assert after.id != before.id and after.created > OLD and after.counter == 1


def test_somebody_becomes_somebody_else(server):
    before = Native({'user': 'alice', 'cart': 1, 'role': 'admin'}, created=OLD)
    after = opened(ask(server, '/set', {'X-User': 'bob'}, f'session={before.seal()}'))
    assert after.data == {'user': 'bob'}
    assert after.id != before.id and after.created > OLD and after.counter == 1


def test_the_same_is_no_change_but_where_a_login_leads_back(server):
    before = Native({'user': 'alice', 'cart': 1}, created=OLD)
    cookie = f'session={before.seal()}'
    assert ask(server, '/set', {'X-User': 'alice'}, cookie).set_cookies() == []
    after = opened(ask(server, '/in', basic('alice'), cookie))
    assert after.data == {'user': 'alice', 'cart': 1}
    assert after.id != before.id and after.created > OLD and after.counter == 1


def test_what_only_the_session_says_is_no_login(server):
    """Else whoever has an old session could make it a fresh one."""
    assert ask(server, '/own/file.txt', {}, native({'user': 'alice'}, created=OLD)).set_cookies() == []


SUBJECT = '''
SignedSession On
SignedSessionSubject who
<Location "/session">
    SetHandler signed-session
    SignedSessionWritable who theme user
</Location>
<Location "/list">
    SignedSessionSet groups %{HTTP:X-Groups} split=,
    SignedSessionSet long %{HTTP:X-Long} "split= :: "
</Location>
<Location "/anew">
    SignedSessionClear Before cart theme
    SignedSessionSet who %{HTTP:X-User}
</Location>
<Location "/admin">
    Require signed-session groups admin
</Location>
'''


@pytest.fixture(scope='module')
def subject():
    with Server(SUBJECT, 'alias headers', {f'htdocs/{page}/file.txt': 'x' for page in ('list', 'anew', 'admin')}) as one:
        yield one


@pytest.mark.parametrize('before, method, path, body, want, is_new', [
    ({'cart': 1}, 'PUT', '/session/who', '"bob"', {'cart': 1, 'who': 'bob'}, True),
    ({'who': 'alice', 'role': 'admin'}, 'PUT', '/session/who', '"bob"', {'who': 'bob'}, True),
    ({'who': 'alice', 'role': 'admin'}, 'POST', '/session', '{"theme":"dark","who":"bob"}', {'theme': 'dark', 'who': 'bob'}, True),
    ({'who': 'alice', 'role': 'admin'}, 'DELETE', '/session/who', None, {'role': 'admin'}, True),
    ({'who': 'alice', 'role': 'admin'}, 'PUT', '/session/who', '["bob"]', {'who': ['bob'], 'role': 'admin'}, True),
    ({'who': 'alice', 'role': 'admin'}, 'PUT', '/session/user', '"bob"', {'who': 'alice', 'role': 'admin', 'user': 'bob'}, False)])
def test_whoever_changes_the_subject(subject, before, method, path, body, want, is_new):
    held = Native(before, created=OLD)
    after = opened(subject.request(method, path, JSON, body, cookie=f'session={held.seal()}'))
    assert after.data == want
    assert (after.id != held.id, after.created > OLD, after.counter == 1) == (is_new, is_new, is_new)


def test_a_new_subject_opens_no_other_key(subject):
    response = subject.request('POST', '/session', JSON, '{"role":"admin","who":"bob"}', cookie=native({'who': 'alice'}))
    assert (response.status, response.set_cookies()) == (403, [])


@pytest.mark.parametrize('headers, want', [
    ({'X-Groups': 'admin, staff ,,'}, {'groups': ['admin', 'staff']}), ({'X-Groups': 'admin'}, {'groups': ['admin']}),
    ({'X-Groups': ' , '}, None), ({}, None), ({'X-Long': 'a,b :: c::d ::  :: e'}, {'long': ['a,b', 'c::d', 'e']}),
    ({'X-Groups': 'a,\xff'}, None)])
def test_lists(subject, headers, want):
    response = subject.request('GET', '/list/file.txt', headers)
    assert stored(response) == want


def test_a_list_of_groups_is_what_require_looks_for(subject):
    subject.allow('AH01630')
    visitor = Jar(subject)
    assert visitor.request('GET', '/admin/file.txt').status == 403
    visitor.request('GET', '/list/file.txt', {'X-Groups': 'staff,admin'})
    assert visitor.request('GET', '/admin/file.txt').status == 200
    assert visitor.request('GET', '/list/file.txt', {'X-Groups': 'staff,admin'}).set_cookies() == []


@pytest.mark.parametrize('before, want', [
    ({'cart': [1, 2.50], 'theme': 'dark', 'role': 'admin'}, {'cart': [1, 2.5], 'theme': 'dark', 'who': 'alice'}),
    ({'role': 'admin'}, {'who': 'alice'}), ({'who': 'alice', 'cart': 1, 'role': 'admin'}, {'cart': 1, 'who': 'alice'}),
    ({'who': 'bob', 'cart': 1, 'role': 'admin'}, {'who': 'alice'})])
def test_some_keys_outlive_a_login_but_not_another_ones(subject, before, want):
    held = Native(before, created=OLD)
    after = opened(subject.request('GET', '/anew/file.txt', {'X-User': 'alice'}, cookie=f'session={held.seal()}'))
    assert after.data == want
    assert after.id != held.id and after.created > OLD and after.counter == 1
