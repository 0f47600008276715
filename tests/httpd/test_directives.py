# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Every directive: what it accepts and refuses, and where it may stand."""

import functools
import re
from dataclasses import dataclass

import pytest

from cookies import native
import harness

# Where a directive may stand, as `httpd -L` says it.
SERVER = 'Allowed in *.conf only outside <Directory>, <Files>, <Location>, or <If>'
SECTION = 'Allowed in *.conf anywhere'
ANYWHERE = 'Allowed in *.conf anywhere and in .htaccess when AllowOverride includes AuthConfig'


def Server(conf, modules='', **more):
    """With each module of ours that has directives."""
    return harness.Server(conf, f'signed_session_redis {modules}', **more)


def configtest(conf, modules='', **more):
    return harness.configtest(conf, f'signed_session_redis {modules}', **more)


@dataclass
class Directive:
    where: str
    good: list   # values as they are written
    bad: list    # (value, what was wrong, what is accepted): fragments of the message


ON_OFF = dict(good=['On', 'Off', 'on', 'OFF', '"On"'],
              bad=[('Yes', '"Yes" is not accepted', 'On or Off'), ('1', '"1"', 'On or Off'),
                   ('On Off', 'a word too many', 'Off')])
DURATIONS = ['90', '90s', '15min', '12h', '14d', '2w', '1s', '36500d']
NO_DURATIONS = ['-1', '1.5h', '15m', '1y', 'abc', 'd', '99999999999999999999', '36501d', '0x10', '1h30min']


def no_durations(*more):
    accepted = '90s, 15min, 12h, 14d or 2w'
    refused = [(value, f'"{value}" is not accepted', accepted) for value in (*NO_DURATIONS, *more)]
    return [*refused, ('15 min', 'a word too many', 'duration')]


# Headers that somebody acts on, and spellings of one that a backend takes for it.
TAKEN = ['Host', 'Cookie', 'Content-Length', 'Connection', 'Transfer-Encoding', 'Authorization', 'Content-Type',
         'Upgrade', 'TE', 'Trailer', 'Expect', 'Range', 'If-None-Match', 'If-Anything', 'Accept', 'Accept-Encoding',
         'Set-Cookie', 'Location', 'X-Forwarded-For', 'Sec-Fetch-Site', 'Origin', 'Proxy-Authorization',
         'Access-Control-Allow-Origin', 'content-length', 'Content_Length', 'Set.Cookie', 'SET_COOKIE']


def taken(example):
    return [(name, f'"{name}" means something else', f'such as {example}') for name in TAKEN]


DIRECTIVES = {
    'SignedSessionSecret': Directive(
        SERVER,
        good=['env:SIGNED_SESSION_SECRET', 'env:SIGNED_SESSION_SECRET file:key', '"exec:/bin/cat {dir}/key"'],
        bad=[('env:', 'env: takes the name', 'such as env:'), ('env:1A', 'env: takes the name', 'such as env:'),
             ('env:A-B', 'env: takes the name', 'such as env:'), ('env:A=B', 'env: takes the name', 'such as env:'),
             ('file:', 'file: takes', 'path'), ('exec:', 'exec: takes', 'quotes'),
             ('"exec:  "', 'exec: takes', 'quotes'),
             ('SIGNED_SESSION_SECRET', 'may not stand in the configuration', 'env:NAME, file:PATH or "exec:COMMAND"'),
             ('"" env:A', 'may not stand in the configuration', 'env:NAME'),
             ('exec:/bin/echo word', 'may not stand', '"exec:COMMAND"')]),
    'SignedSessionCookie': Directive(
        SERVER,
        good=['session', 'sid Path=/shop', 'sid path=/ SAMESITE=strict httponly=ON secure=AUTO', "a!#$%&'*+-.^_`|~z",
              'sid Domain=example.com', 'sid SameSite=Lax', 'sid SameSite=None Secure', 'sid SameSite=None Secure=on',
              'sid HttpOnly', 'sid HttpOnly=off', 'sid Secure=off', 'sid Partitioned Secure', 'sid Partitioned=off',
              'sid Priority=High', 'sid Priority=low', '__Host-sid Secure', '__Host-sid Secure Path=/',
              '__Secure-sid Secure=on Domain=example.com Path=/a', '__Host-Http-sid Secure HttpOnly',
              'sid Path=/' + 'a' * 1023],
        bad=[('"my session"', 'token of RFC 6265', 'letters, digits'), ('a;b', 'token of RFC 6265', 'letters'),
             ('a=b', 'token of RFC 6265', 'letters'), ('"" Path=/', 'token of RFC 6265', 'letters'),
             ('a,b', 'token of RFC 6265', 'letters'), ('sitzung\u00e4', 'token of RFC 6265', 'letters'),
             ('sid Path=shop', 'Path', 'begin with "/"'), ('sid Path=', 'Path', '"/"'), ('sid Path', 'Path', '"/"'),
             ('sid Domain=.example.com', 'begins with a dot', 'drop it'), ('sid Domain=', 'Domain', 'host name'),
             ('sid Domain=a..b', 'Domain', 'host name'), ('sid Domain=-a.b', 'Domain', 'host name'),
             ('sid Domain=a_b.c', 'Domain', 'host name'), ('"sid" "Domain=a b"', 'Domain', 'host name'),
             ('sid SameSite=Always', 'SameSite', 'Lax, Strict or None'), ('sid SameSite', 'SameSite', 'Lax, Strict'),
             ('sid HttpOnly=yes', 'HttpOnly', 'HttpOnly=on or HttpOnly=off'),
             ('sid Secure=yes', 'Secure', 'Secure=auto, Secure=on or Secure=off'),
             ('sid Partitioned=1', 'Partitioned', 'Partitioned=on'),
             ('sid Priority=Top', 'Priority', 'Low, Medium or High'),
             ('sid Priority', 'Priority', 'Low, Medium or High'), ('sid Max-Age=3', '"Max-Age"', 'Path=, Domain='),
             ('sid Path=/ Path=/a', 'Path is there twice', 'once'), ('sid Path=/;', "';'", 'without'),
             ('sid "Path=/\ta"', 'control character', 'attribute'), ('sid Path=/' + 'a' * 1024, '1024 bytes', 'over'),
             ('sid SameSite=None', 'SameSite=None without Secure', 'Secure=on'),
             ('sid SameSite=None Secure=auto', 'SameSite=None without Secure', 'Secure=on'),
             ('sid Partitioned', 'Partitioned without Secure', 'Secure=on'),
             ('__Host-sid', '__Host- cookie without Secure', 'Secure=on'),
             ('__host-sid', '__Host- cookie without Secure', 'Secure=on'),
             ('__Secure-sid Secure=off', '__Secure- cookie without Secure', 'Secure=on'),
             ('__Host-sid Secure Domain=example.com', '__Host- cookie with Domain', 'remove it'),
             ('__Host-sid Secure Path=/a', '__Host- cookie with another Path', 'Path=/'),
             ('__Host-Http-sid Secure HttpOnly=off', 'without HttpOnly', 'add HttpOnly')]),
    'SignedSessionFormat': Directive(
        SERVER,
        good=['native', 'starlette', 'flask', 'django', 'express', 'native starlette', 'starlette native',
              'native django flask starlette', 'express django'],
        bad=[('jwt', '"jwt" is not accepted', 'native, starlette, flask, django, express'), ('native jwt', '"jwt"', 'native, starlette'),
             ('native native', 'native is named twice', 'once'), ('"" native', '"" is not accepted', 'native')]),
    'SignedSessionEncrypt': Directive(SERVER, **ON_OFF),
    'SignedSessionAudience': Directive(
        SERVER,
        good=['shop', '"the shop"', 'Geschäft'],
        bad=[('the shop', 'a word too many', 'quotes')]),
    'SignedSessionIdleTimeout': Directive(
        SERVER,
        good=[*DURATIONS, 'none', 'None'],
        bad=[*no_durations('0', '0s', '0d', 'never'), ('0', '"0"', 'above 0, or none')]),
    'SignedSessionAbsoluteTimeout': Directive(
        SERVER,
        good=[*DURATIONS, 'none', 'NONE'],
        bad=[*no_durations('0', '0min', 'never'), ('0', '"0"', 'above 0, or none')]),
    'SignedSessionRenew': Directive(
        SERVER,
        good=['0%', '10%', '100%', *DURATIONS, 'always', 'never', 'Always', 'NEVER'],
        bad=[*no_durations('101%', '-1%', '10.5%', '%', '10%%', 'none', 'sometimes'),
             ('101%', '"101%"', '0% to 100%'), ('yes', '"yes"', 'always or never')]),
    'SignedSessionPersistent': Directive(SERVER, **ON_OFF),
    'SignedSessionSkew': Directive(
        SERVER,
        good=[*DURATIONS, '0', '0s'],
        bad=no_durations('none')),
    'SignedSessionMaxSize': Directive(
        SERVER,
        good=['4096', '1000', '100'],
        bad=[(value, f'"{value}" is not accepted', '1 to 4096')
             for value in ('4097', '0', '-1', '1k', 'big', '1e3', '99999999999999999999')]
            + [('1 000', 'a word too many', 'at most 4096')]),
    'SignedSessionSubject': Directive(
        SERVER,
        good=['user', '"two words"', 'a.b'],
        bad=[('user,id', '"user,id" has a comma', 'names of keys'), ('user id', 'a word too many', 'key')]),
    'SignedSessionStore': Directive(
        SERVER,
        good=['cookie', 'file', 'cookie file', 'file cookie', 'file:{dir}/store', 'file:store file:{dir}/other cookie'],
        bad=[('cookie cookie', 'cookie is named twice', 'once'), ('file file', 'file is named twice', 'once'),
             ('file file:a file:b', 'one store', 'replaces the other'), ('cookie:x', '"cookie:x" is not accepted', 'file:DIRECTORY'),
             (':x', '":x" is not accepted', 'cookie, file')]),
    'SignedSessionStoreMaxSize': Directive(
        SERVER,
        good=['4096', '4K', '64K', '1M', '1048576'],
        bad=[(value, f'"{value}" is not accepted', 'from 4K to 1M') for value in ('4095', '0', '1025K', '2M', '64k', '64KB', '-1', 'big')]),
    'SignedSessionStoreTimeout': Directive(
        SERVER,
        good=['10ms', '200ms', '10000ms', '1', '10s'],
        bad=[(value, f'"{value}" is not accepted', 'from 10ms to 10s') for value in ('9ms', '0', '11s', '10001ms', '1min', '0.5s', 'fast')]),
    'SignedSessionStoreSpace': Directive(
        SERVER,
        good=['1M', '256M', '2G', '1048576', '100000000'],
        bad=[(value, f'"{value}" is not accepted', 'from 1M') for value in ('1048575', '1K', '0', '-1', '256m', '1T')]),
    'SignedSessionRevocation': Directive(
        SERVER,
        good=['Off', 'off', 'file:{dir}/revoked', 'file:revoked'],
        bad=[('On', '"On" is not accepted', 'file: and the path'), ('file:', '"file:" is not accepted', 'or file:'),
             ('Off store', 'a word too many', 'or Off'), ('file:' + 'x' * 5000, 'x" is not accepted', 'the path of a log')]),
    'SignedSessionBind': Directive(
        SERVER,
        good=['Off', 'off'],
        bad=[('On', '"" is not accepted', 'the path of a URL'), ('Yes /bind', '"Yes" is not accepted', 'On or Required'),
             *((f'On {path}', f'"{path}" is not accepted', 'such as /session-bind')
               for path in ('bind', '/', '//bind', '/a/../b', '/./a', '/a?b', '/a#b', '/%61', '/a;b', 'https://host/a')),
             ('On /bind 4min', '"4min" is not accepted', '5min to 1h'), ('On /bind 61min', '"61min" is not accepted', '5min to 1h'),
             ('On /bind soon', '"soon" is not accepted', '5min to 1h'), ('On /bind 10min 10min', 'accepted are On PATH', 'LIFETIME'),
             ('Required /bind 10min 59s', '"59s" is not accepted', '1min to 1h'),
             ('Required /bind 10min 2h', '"2h" is not accepted', '1min to 1h'), ('Off /bind', 'accepted are On PATH', 'or Off'),
             ('Required /bind 10min 10min x', 'a word too many', 'or Off')]),
    'SignedSessionUnavailable': Directive(
        SECTION,
        good=['503', 'anonymous', 'Anonymous'],
        bad=[('500', '"500" is not accepted', '503 or anonymous'), ('503 anonymous', 'a word too many', 'anonymous')]),
    'SignedSessionRedisAuth': Directive(
        SERVER,
        good=['env:SIGNED_SESSION_SECRET', 'alice file:key', '"a b" "exec:/bin/cat {dir}/key"'],
        bad=[('secret', 'may not stand in the configuration', 'env:NAME, file:PATH or "exec:COMMAND"'),
             ('alice secret', 'may not stand', 'env:NAME'), ('alice /etc/key', 'before a path stands "file:"', 'file:/path'),
             ('env:1A', 'env: takes the name', 'such as env:'), ('"" env:A', '"" is not accepted', 'a user of Redis'),
             ('a b env:A', 'a word too many', 'a user of Redis')]),
    'SignedSessionRedisTLS': Directive(
        SERVER,
        good=['CA=ca.pem', 'CA=/etc/ssl/ca.pem Name=redis.example', 'cert=c.pem KEY=c.key', 'Name=10.0.0.1'],
        bad=[('ca.pem', '"ca.pem" is not accepted', 'CA=FILE'), ('CA=', '"CA=" is not accepted', 'CA=FILE'),
             ('Verify=off', '"Verify=off" is not accepted', 'Name=HOST'), ('CA=a CA=b', 'CA= is there twice', 'once'),
             ('Cert=c.pem', 'belong together', 'Key=FILE'), ('Key=c.key Name=a', 'belong together', 'Cert=FILE'),
             ('CA=a Cert=b Key=c Name=d CA=e', 'a word too many', 'CA=FILE')]),
    'SignedSessionRedisPrefix': Directive(
        SERVER,
        good=['ss:', 'shop', 'Gesch\u00e4ft/', 'a' * 64],
        bad=[('a' * 65, 'is not accepted', '1 to 64 bytes'), ('"a b"', '"a b" is not accepted', 'without blanks'),
             ('{a}', '"{a}" is not accepted', 'braces'), ('"a\tb"', 'is not accepted', 'control characters'),
             ('a b', 'a word too many', 'keys begin with')]),
    'SignedSession': Directive(
        ANYWHERE,
        good=['On', 'Off', 'ReadOnly', 'on', 'OFF', 'readonly'],
        bad=[('Yes', '"Yes" is not accepted', 'On, Off or ReadOnly'), ('read-only', '"read-only"', 'ReadOnly'),
             ('On Off', 'a word too many', 'ReadOnly')]),
    'SignedSessionEnv': Directive(ANYWHERE, **ON_OFF),
    'SignedSessionTouch': Directive(ANYWHERE, **ON_OFF),
    'SignedSessionVary': Directive(ANYWHERE, **ON_OFF),
    'SignedSessionGuard': Directive(SECTION, **ON_OFF),
    'SignedSessionReveal': Directive(SECTION, **ON_OFF),
    'SignedSessionInspector': Directive(SECTION, **ON_OFF),
    # On needs encryption: test_modules.py
    'SignedSessionModules': Directive(SECTION, good=['Off', 'off', '"OFF"'], bad=ON_OFF['bad']),
    'SignedSessionLogin': Directive(
        SECTION,
        good=['user', 'Off', 'off', '"two words"', 'a.b', 'Zo\u00eb'],
        bad=[('""', '"" is not accepted', 'the name of the key'), ('On', '"On" is not accepted', 'such as user'), ('user,', '"user,"', 'without commas'),
             ('mod_session', '"mod_session" is not accepted', 'other than mod_session'),
             ('user name', 'a word too many', 'the key')]),
    'SignedSessionUpdate': Directive(
        SECTION,
        good=['X-Session-Update', 'X-Session-Update cart theme', 'Off', 'OFF', "!#$%&'*+-.^_`|~"],
        bad=[('"X Session"', '"X Session" is not accepted', 'response header, or Off'),
             ('X-Session:', '"X-Session:"', 'response header'), ('"" cart', '""', 'response header'),
             ('Off cart', 'Off takes no keys', 'alone'), ('X(Y)', '"X(Y)"', 'response header'),
             ('X-Session-Update cart, theme', '"cart," has a comma', 'blanks between'), *taken('X-Session-Update')]),
    'SignedSessionForward': Directive(
        SECTION,
        good=['X-Session', 'Off', 'off', 'X-Session user role', 'X-Session "two words"',
              'Session', 'X-Host', 'Hostess', 'Accepted', 'Contents', 'X-Cookie', 'T'],
        bad=[('"X Session"', '"X Session" is not accepted', 'request header, or Off'),
             ('X-Session:', '"X-Session:"', 'request header'), ('Off user', 'Off takes no keys', 'request header and keys'), ('X-Session a, b', '"a," has a comma', 'blanks between'),
             *taken('X-Session')]),
    'SignedSessionForwardText': Directive(
        SECTION,
        good=['X-User user', 'Off', 'off', 'X-User cart.items.0.id', 'X-User "two words"'],
        bad=[('X-User', 'accepted are', 'a key, or Off'), ('"X User" user', '"X User" is not accepted', 'request header'),
             ('X-User: user', '"X-User:"', 'request header'), ('Cookie user', 'Cookie', 'X-User'), ('X-User user role', 'a word too many', 'and the key'),
             ('X-User user,role', '"user,role" has a comma', 'accepted are')]),
    'SignedSessionSet': Directive(
        SECTION,
        good=['user %{REMOTE_USER}', '"two words" "%{HTTP_HOST} and more"', 'theme dark', 'none *',
              'groups %{REMOTE_USER} split=,', 'groups %{REMOTE_USER} "SPLIT= ; "'],
        bad=[('user', 'accepted are', 'a key and an expression'), ('user one two', '"two" is not accepted', 'split='),
             ('user one split=', '"split=" is not accepted', 'separator'), ('user one split=, x', 'a word too many', 'separates'),
             ('user %{nobody_knows:it', '"%{nobody_knows:it" is no string expression', 'string expression'),
             ('"a\tb" x', 'a key must be', 'UTF-8 without control characters'),
             ('user, x', '"user," has a comma', 'names of keys')]),
    'SignedSessionUnset': Directive(
        SECTION,
        good=['user', 'user cart "two words"'],
        bad=[('"a\tb"', 'a key must be', 'UTF-8 without control characters'),
             ('user "a\tb"', 'a key must be', 'UTF-8 without control characters'),
             ('user, cart', '"user," has a comma', 'blanks between')]),
    'SignedSessionClear': Directive(
        SECTION,
        good=['On', 'Off', 'Before', 'before', 'Before cart "two words"'],
        bad=[('After', '"After" is not accepted', 'On, Off, Everywhere, Others, or Before'), ('On cart', 'only Before', 'keys'),
             ('Off Before', 'only Before', 'keys'), ('Before cart, theme', '"cart," has a comma', 'blanks between')]),
    'SignedSessionUser': Directive(
        SECTION,
        good=['user', 'user.name', 'user sso:', 'user "a b"', 'user ""'],
        bad=[('"" a', 'accepted is the name of a key', 'not empty'), ('user,role', '"user,role" has a comma', 'names of keys'), ('user a b', 'a word too many', 'key')]),
    'SignedSessionLoginPage': Directive(
        SECTION,
        good=['/login', '/login next', '/login?lang=de', '/', '/a%20b', 'Off', 'off', 'https://login.example/in',
              'https://Login.example:8443/in?a=b back', 'https://login.example', 'https://login.example?a=b', '/login a-b._~9'],
        bad=[(value, f'"{value}" is not accepted', 'path of this server')
             for value in ('login', '//login', 'http://login.example/', 'On', 'https:/login', '/a/../b', '/a#b', '/%zz')]
            + [('"/a b"', '"/a b"', 'percent-encoded'), ('/\\login', 'login" is not accepted', 'begins with one /'),
               ('/ä', 'is not accepted', 'percent-encoded'), ('https://me@login.example/', 'scheme://host', 'user information'),
               ('https:///login', 'scheme://host', 'accepted is'),
               ('https://8443/in', '"https://8443/in" is not accepted', 'of another host'), ('https://login.example//a', '"//a"', 'path'),
               ('/login "a b"', '"a b" is not accepted', 'letters, digits'), ('/login a=b', '"a=b"', 'letters'),
               ('/login ""', '""', 'letters'), ('/login a b', 'a word too many', 'parameter'), ('Off a', '"Off" is not accepted', 'Off')]),
    'SignedSessionReturn': Directive(
        SECTION,
        good=['return', 'return /home', 'next /home?a=b', 'Off', 'off', 'off /home'],
        bad=[('"a b"', '"a b" is not accepted', 'letters, digits'), ('return home', '"home" is not accepted', 'path of this server'),
             ('return //evil.example', '"//evil.example"', 'begins with one /'), ('return https://evil.example', '"https', 'path'),
             ('return /a /b', 'a word too many', 'parameter')]),
    'SignedSessionStripCookie': Directive(
        SECTION,
        good=['auto', 'on', 'off', 'Auto', 'ON'],
        bad=[('yes', '"yes" is not accepted', 'auto, on or off'), ('on off', 'a word too many', 'auto, on or off')]),
    'SignedSessionWritable': Directive(
        SECTION,
        good=['cart', 'cart theme "two words" Zoë', '*', 'none', 'None'],
        bad=[('* cart', '"*" stands alone', 'names of keys, or *, or none'),
             ('cart *', '"*" stands alone', 'or none'), ('none cart', '"none" stands alone', 'names of keys'),
             ('cart none', '"none" stands alone', 'or *'), ('theme, cart', '"theme," has a comma', 'blanks between'),
             ('theme,cart', '"theme,cart" has a comma', 'blanks between'), ('theme , cart', '"," has a comma', 'names')]),
    'SignedSessionTrustedOrigin': Directive(
        SECTION,
        good=['https://app.example', 'http://app.example:8080', 'https://a.example https://b.example',
              'HTTPS://A.Example', 'https://[2001:db8::1]:8443', 'http://127.0.0.1'],
        bad=[(value, f'"{value}" is not accepted', 'scheme://host[:port], with http or https')
             for value in ('null', '*', 'https://*', 'https://*.example.com', 'app.example', '//app.example',
                           'ftp://app.example', 'https://', 'https://app.example/', 'https://app.example/path',
                           'https://app.example?q', 'https://app.example#f', 'https://me@app.example',
                           'https://app.example:0', 'https://app.example:65536', 'https://app.example:')]
            + [('https://app.example null', '"null"', 'scheme://host'), ('"" http://a', '""', 'scheme://host')]),
}


def rows(field):
    return [(name, value) for name, directive in DIRECTIVES.items() for value in getattr(directive, field)]


def placed(name, value):
    """The directive in a place where it is allowed."""
    line = f'{name} {value}'
    return line if DIRECTIVES[name].where == SERVER else f'<Location "/here">\n{line}\n</Location>'


# --- the table is whole --------------------------------------------------------------------------


@functools.lru_cache(maxsize=None)
def listed():
    """What httpd itself says of our directives: name to (usage, place)."""
    _, text = Server('').run_once('-L')
    found = re.findall(r'^(\w+) \(mod_signed_session(?:_redis)?\.c\)\n\t(.*)\n\t(.*(?:\n\twhen .*)?)', text, re.M)
    return {name: (usage, where.replace('\n\t', ' ')) for name, usage, where in found}


def usage_of(name):
    return listed()[name][0]


def test_the_table_covers_every_directive_and_says_where_it_is_allowed():
    assert {name: where for name, (_, where) in listed().items()} == {
        name: directive.where for name, directive in DIRECTIVES.items()}


def test_every_row_tests_something():
    for name, directive in DIRECTIVES.items():
        assert directive.good and directive.bad, name


# --- values ------------------------------------------------------------------------------------


@pytest.mark.parametrize('name, row', rows('bad'))
def test_a_bad_value_stops_the_start_with_one_line(name, row):
    value, wrong, accepted = row
    rc, text = configtest(placed(name, value))
    assert rc == 1
    place, message = text.rstrip('\n').split('\n')
    assert 'Syntax error on line' in place
    assert message.startswith(f'{name}: ')
    assert wrong in message and accepted in message


@pytest.mark.parametrize('name', DIRECTIVES)
def test_a_missing_value_stops_the_start(name):
    rc, text = configtest(placed(name, ''))
    assert rc == 1
    assert f'{name}: a value is missing: {usage_of(name)}\n' in text


@pytest.mark.parametrize('name', [name for name in DIRECTIVES
                                  if name not in ('SignedSessionAudience', 'SignedSessionWritable',
                                                  'SignedSessionUnset')])
def test_an_empty_value_stops_the_start(name):
    rc, text = configtest(placed(name, '""'))
    assert rc == 1
    assert re.search(f'^{name}: .{{20,}}$', text, re.M), text


MANY = {
    'SignedSessionSecret': ' '.join(f'env:S{number}' for number in range(70)) + ' env:UNSET',
    'SignedSessionWritable': ' '.join(f'k{number}' for number in range(70)) + ' none',
    'SignedSessionTrustedOrigin': ' '.join(f'https://h{number}.test' for number in range(70)) + ' null',
}


@pytest.mark.parametrize('name', MANY)
def test_no_word_of_a_long_list_is_lost(name):
    """The last word is bad: whoever does not see it has dropped words in silence."""
    env = {f'S{number}': f'{number:04}-Zk4.second_secret.Vn82qLwTy6hRb1' for number in range(70)}
    rc, text = configtest(placed(name, MANY[name]), env=env)
    assert rc == 1
    assert f'{name}: ' in text or 'variable UNSET' in text


@pytest.mark.parametrize('name', DIRECTIVES)
def test_every_good_value_starts(start, name):
    """Each in a virtual host of its own, so that one start tries them all."""
    hosts = ''.join(f'<VirtualHost 127.0.0.1:{{port}}>\n{placed(name, value)}\n</VirtualHost>\n'
                    for value in DIRECTIVES[name].good)
    files = {'key': 'Zk4-second_secret.Vn82qLwTy6hRb1XcPe0Mj'}
    rc, text = configtest(hosts, files=files)
    # the key file of this test is readable for all; a user may stand in another key than the subject
    warned = ('SS0110', 'SS0117', 'SS0418', 'SS0424')
    assert rc == 0 and [line for line in text.splitlines() if not line.startswith(warned)] == ['Syntax OK']
    server = start(hosts, 'signed_session_redis', files=files)
    server.allow(*warned)
    assert server.request('GET', '/file.txt').status == 200


# --- places --------------------------------------------------------------------------------------


SECTIONS = ['<Directory "/">', '<Location "/">', '<Files "a">', '<If "true">', '<DirectoryMatch "a">',
            '<LocationMatch "a">', '<FilesMatch "a">']


def end_of(section):
    return '</' + section[1:].split()[0] + '>'


def in_scope(*wanted):
    return [name for name, directive in DIRECTIVES.items() if directive.where in wanted]


@pytest.mark.parametrize('section', SECTIONS)
@pytest.mark.parametrize('name', in_scope(SERVER))
def test_server_directives_are_refused_in_sections(name, section):
    rc, text = configtest(f'{section}\n{name} {DIRECTIVES[name].good[0]}\n{end_of(section)}')
    assert rc == 1
    assert f'{name} not allowed' in text


@pytest.mark.parametrize('section', [*SECTIONS, '<VirtualHost *:1>'])
def test_the_others_are_accepted_in_sections(section):
    names = [name for name in in_scope(ANYWHERE, SECTION)
             if not (section.startswith('<Virtual') and name == 'SignedSessionUpdate')]
    lines = '\n'.join(f'{name} {DIRECTIVES[name].good[0]}' for name in names)
    assert configtest(f'{section}\n{lines}\n{end_of(section)}') == (0, 'Syntax OK\n')


@pytest.fixture(scope='module')
def htaccess():
    """A directory for each directive, with it in .htaccess; under other/ AuthConfig is not allowed."""
    files = {}
    for name, directive in DIRECTIVES.items():
        for folder in ('auth', 'other', 'none'):
            files[f'htdocs/{folder}/{name}/.htaccess'] = f'{name} {directive.good[0]}\n'
            files[f'htdocs/{folder}/{name}/file.txt'] = 'x'
    overrides = {'auth': 'AuthConfig', 'other': 'FileInfo Indexes Limit Options', 'none': 'None'}
    conf = '\n'.join(f'<Directory "{{dir}}/htdocs/{folder}">\nAllowOverride {kinds}\n</Directory>'
                     for folder, kinds in overrides.items())
    with Server(conf, files=files) as server:
        yield server


@pytest.mark.parametrize('name', DIRECTIVES)
def test_htaccess_under_authconfig(htaccess, name):
    allowed = DIRECTIVES[name].where == ANYWHERE
    if not allowed:
        htaccess.expect(f'.htaccess: {name} not allowed here')
    assert htaccess.request('GET', f'/auth/{name}/file.txt').status == (200 if allowed else 500)


@pytest.mark.parametrize('name', DIRECTIVES)
def test_htaccess_without_authconfig(htaccess, name):
    htaccess.expect(f'.htaccess: {name} not allowed here')
    assert htaccess.request('GET', f'/other/{name}/file.txt').status == 500
    assert htaccess.request('GET', f'/none/{name}/file.txt').status == 200


@pytest.fixture(scope='module')
def listed_for_htaccess():
    """The same where AllowOverrideList names them, and where httpd is told to go on after a fault. (Those of the
    server level it drops from such a list itself.)"""
    files = {}
    for name in in_scope(ANYWHERE, SECTION):
        for folder, line in (('list', '{}'), ('goon', '{}'), ('if', '<If "true">\n{}\n</If>')):
            text = line.replace('{}', f'{name} {DIRECTIVES[name].good[0]}')
            files[f'htdocs/{folder}/{name}/.htaccess'] = f'{text}\n'
            files[f'htdocs/{folder}/{name}/file.txt'] = 'x'
    names = ' '.join(in_scope(ANYWHERE, SECTION))
    conf = (f'<Directory "{{dir}}/htdocs/list">\nAllowOverride None\nAllowOverrideList {names}\n</Directory>\n'
            f'<Directory "{{dir}}/htdocs/if">\nAllowOverride All\nAllowOverrideList {names}\n</Directory>\n'
            f'<Directory "{{dir}}/htdocs/goon">\nAllowOverride Nonfatal=All\nAllowOverrideList {names}\n</Directory>')
    with Server(conf, files=files) as server:
        yield server


@pytest.mark.parametrize('folder', ['list', 'if', 'goon'])
@pytest.mark.parametrize('name', in_scope(ANYWHERE, SECTION))
def test_only_what_is_for_htaccess_is_accepted_there_whatever_is_listed(listed_for_htaccess, name, folder):
    server, allowed = listed_for_htaccess, DIRECTIVES[name].where == ANYWHERE
    if not allowed:
        server.expect(f'{name}: it may not stand in .htaccess')
    status = 200 if allowed else 500
    assert server.request('GET', f'/{folder}/{name}/file.txt').status == status


@pytest.mark.parametrize('line', ['SignedSessionSet role admin', 'SignedSessionClear On', 'SignedSessionUnset user'])
def test_what_is_listed_changes_no_session(start, line):
    server = start('SignedSession On\n<Directory "{dir}/htdocs">\nAllowOverride Nonfatal=All\n'
                   f'AllowOverrideList {line.split()[0]}\n</Directory>',
                   files={'htdocs/in/.htaccess': line, 'htdocs/in/file.txt': 'x'})
    server.expect('it may not stand in .htaccess')
    answer = server.request('GET', '/in/file.txt', cookie=native({'user': 'Ann'}))
    assert answer.status == 500 and answer.get_all('Set-Cookie') == []


def test_a_bad_value_in_htaccess_is_named_in_the_log(start):
    server = start('<Directory "{dir}/htdocs">\nAllowOverride AuthConfig\n</Directory>',
                   files={'htdocs/in/.htaccess': 'SignedSession Maybe\n', 'htdocs/in/file.txt': 'x'})
    server.expect('SignedSession: "Maybe" is not accepted; accepted is On, Off or ReadOnly')
    assert server.request('GET', '/in/file.txt').status == 500
    assert server.request('GET', '/file.txt').status == 200


@pytest.mark.parametrize('place', ['{0}', '<VirtualHost *:1>\n{0}\n</VirtualHost>'])
def test_update_is_refused_at_server_level(place):
    rc, text = configtest(place.replace('{0}', 'SignedSessionUpdate X-Session-Update'))
    assert rc == 1
    assert "SignedSessionUpdate: " in text and "name the application's location" in text
    assert configtest(place.replace('{0}', 'SignedSessionUpdate Off')) == (0, 'Syntax OK\n')


# --- what no single directive decides ------------------------------------------------------------


def test_an_audience_without_native_is_refused():
    rc, text = configtest('SignedSessionAudience shop\nSignedSessionFormat starlette')
    assert rc == 1
    assert 'SS0107: SignedSessionAudience' in text and 'add native' in text
    assert configtest('SignedSessionAudience shop\nSignedSessionFormat starlette native')[0] == 0


def test_an_audience_without_native_is_refused_wherever_the_two_meet():
    host = '<VirtualHost *:1>\nSignedSessionFormat starlette\n</VirtualHost>'
    rc, text = configtest('SignedSessionAudience shop\n' + host)
    assert rc == 1 and 'SS0107' in text


@pytest.mark.parametrize('formats', ['starlette', 'flask', 'django native', 'express native'])
def test_encryption_of_a_foreign_format_is_refused(formats):
    rc, text = configtest(f'SignedSessionEncrypt On\nSignedSessionFormat {formats}')
    assert rc == 1
    assert 'SS0115: SignedSessionEncrypt' in text and 'native first' in text
    assert configtest(f'SignedSessionEncrypt Off\nSignedSessionFormat {formats}')[0] == 0


def decided(*requirements, around='RequireAny'):
    """Visitors write cart and theme, and this decides in another place."""
    lines = '\n'.join(f'Require {requirement}' for requirement in requirements)
    return ('<Location "/open">\nSignedSessionWritable cart theme\n</Location>\n'
            f'<Location "/closed">\n<{around}>\n{lines}\n</{around}>\n</Location>')


OPEN = ('<Location "/open">\nSignedSessionWritable {}\n</Location>\n'
        '<Location "/closed">\nRequire signed-session\n</Location>')
WARNINGS = {
    'an audience and a foreign format': (
        'SignedSessionAudience shop\nSignedSessionFormat native starlette', ['SS0108']),
    'an absolute timeout and a format without a creation time': (
        'SignedSessionAbsoluteTimeout 1h\nSignedSessionFormat starlette', ['SS0109']),
    'such a format only accepted': ('SignedSessionAbsoluteTimeout 1h\nSignedSessionFormat native starlette', []),
    'encryption and a foreign format': pytest.param('SignedSessionEncrypt On\nSignedSessionFormat native flask', ['SS0114'],
                                                    marks=pytest.mark.in_cookie('encrypted')),
    'encryption with native alone': pytest.param('SignedSessionEncrypt On', [], marks=pytest.mark.in_cookie('encrypted')),
    'a format without a time accepted': ('SignedSessionFormat native express', ['SS0116']),
    'such a format written': ('SignedSessionFormat express native', []),
    'an audience with native alone': ('SignedSessionAudience shop', []),
    'no absolute timeout': ('SignedSessionFormat starlette', []),
    'both': ('SignedSessionAudience shop\nSignedSessionAbsoluteTimeout 1h\nSignedSessionFormat starlette native',
             ['SS0108', 'SS0109']),
    'visitors write what a Require believes': (OPEN.format('*'), ['SS0113']),
    'visitors write named keys': (OPEN.format('cart theme'), []),
    'visitors write the key of a Require': (decided('signed-session cart'), ['SS0113']),
    'visitors write two keys of a Require': (
        decided('signed-session cart', 'signed-session theme dark'), ['SS0113', 'SS0113']),
    'visitors write the outermost key of a path': (decided('signed-session cart.owner Ann'), ['SS0113']),
    'visitors write a key that begins alike': (decided('signed-session car', 'signed-session cart2'), []),
    'visitors write another key': (decided('signed-session user Ann'), []),
    'visitors write what a Require not asks for': (
        decided('all granted', 'not signed-session cart', around='RequireAll'), ['SS0113']),
    'visitors write what an expression asks for': (decided('expr "%{session:cart} == \'x\'"'), ['SS0113']),
    'visitors write what a function asks for': (
        decided('expr "true && session(\'theme\') == \'x\'"'), ['SS0113']),
    'visitors write nothing that an expression asks for': (
        decided('expr "%{session:user} == \'cart\' && %{env:session} != \'theme\'"'), []),
    'visitors write named keys, and an expression computes one': (decided('expr "session(tolower(\'USER\')) == \'x\'"'), []),
    **{f'visitors write every key, and an expression has {argument}': (
        decided(f'expr "session({argument}) == \'x\'"').replace('cart theme', '*'), ['SS0113'])
       for argument in ("tolower('USER')", '%{env:KEY}', "'us' . 'er'")},
    'visitors write every key, and an expression looks at a path': (
        decided('expr "%{REQUEST_URI} =~ m#^/session(/|$)#"', 'expr "%{QUERY_STRING} =~ /session(id)?=/"',
                'expr "%{QUERY_STRING} =~ /session($|&)/"').replace('cart theme', '*'), []),
    'an expression in a nested section': (
        decided('not expr "%{session:cart} == \'x\'"', 'all granted', around='RequireAll'), ['SS0113']),
}


# What they say is to be done.
ADVICE = {
    'SS0108': ': give each audience a secret of its own, or remove the format after the migration',
    'SS0109': ': write native first in SignedSessionFormat, or remove SignedSessionAbsoluteTimeout',
    'SS0113': 'SignedSessionWritable', 'SS0114': ': remove the format after the migration',
    'SS0116': ': remove it after the migration',
}


@pytest.mark.parametrize('place', ['{0}', '<VirtualHost *:1>\n{0}\n</VirtualHost>'], ids=['main', 'virtual host'])
@pytest.mark.parametrize('conf, numbers', WARNINGS.values(), ids=WARNINGS)
def test_warnings_at_start(start, conf, numbers, place):
    server = start('SignedSession On\n' + place.replace('{0}', conf))
    server.expect(*(f'[warn] [signed_session] {number}: ' for number in numbers), *(ADVICE[number] for number in numbers))
    assert server.request('GET', '/file.txt').status == 200
    assert sorted(re.findall(r'SS\d+', server.error_log())) == numbers


@pytest.mark.parametrize('place', ['{0}', '<VirtualHost *:1>\n{0}\n</VirtualHost>'], ids=['main', 'virtual host'])
@pytest.mark.parametrize('conf, numbers', WARNINGS.values(), ids=WARNINGS)
def test_configtest_shows_the_warnings_of_a_start(conf, numbers, place):
    rc, text = configtest('SignedSession On\n' + place.replace('{0}', conf))
    assert rc == 0 and text.endswith('Syntax OK\n')
    assert sorted(re.findall(r'SS\d+', text)) == numbers
    assert len(text.splitlines()) == len(numbers) + 1


USERS = {
    'the user': ('user', '', '', ['SS0113']),
    'every key': ('*', '', '', ['SS0113']),
    'something else': ('cart', '', '', []),
    'the user of a place': ('login', '', 'SignedSessionUser login', ['SS0113']),
    'the user of every place': ('login', 'SignedSessionUser login', '', ['SS0113']),
    'no user of any place': ('user', 'SignedSessionUser login', '', []),
}


@pytest.mark.parametrize('place', ['{0}', '<VirtualHost *:1>\n{0}\n</VirtualHost>'], ids=['main', 'virtual host'])
@pytest.mark.parametrize('asks, is_believed', [
    ('AuthType Signed-Session\nRequire valid-user', True), ('Require expr "%{session::user} == \'x\'"', True),
    ('AuthType Basic\nRequire valid-user', False)], ids=['AuthType', 'an expression', 'another AuthType'])
@pytest.mark.parametrize('writable, outside, inside, numbers', USERS.values(), ids=USERS)
def test_visitors_write_who_they_are(writable, outside, inside, numbers, asks, is_believed, place):
    rc, text = configtest('SignedSession On\nSignedSessionSubject login\n' + place.replace('{0}', f'''{outside}
        <Location "/open">
            SignedSessionWritable {writable}
        </Location>
        <Location "/closed">
            {inside}
            {asks}
        </Location>'''), 'authn_core authz_user')
    assert rc == 0 and text.endswith('Syntax OK\n')
    assert re.findall(r'SS\d+', text) == (numbers if is_believed else [])


ALIASES = {
    'an alias': ('signed-session staff cart', ['SS0113']),
    'an alias of a value': ('signed-session staff "cart gold"', ['SS0113']),
    'an alias of an expression': ('expr staff "%{session:cart} == \'gold\'"', ['SS0113']),
    'an alias of a function': ('expr staff "session(\'theme\') in { \'a\', \'b\' }"', ['SS0113']),
    'an alias of another key': ('signed-session staff user', []),
    'an alias of an expression on another key': ('expr staff "%{session:user} == \'cart\'"', []),
    'an alias called like our function': ('expr session:cart "%{env:X} == \'cart\'"', []),
}


@pytest.mark.parametrize('place', ['{0}', '<VirtualHost *:1>\n{0}\n</VirtualHost>'], ids=['main', 'virtual host'])
@pytest.mark.parametrize('alias, numbers', ALIASES.values(), ids=ALIASES)
def test_an_alias_of_a_require_believes_as_much(alias, numbers, place):
    name = alias.split()[1]
    rc, text = configtest(f'SignedSession On\n<AuthzProviderAlias {alias}>\n</AuthzProviderAlias>\n'
                          + place.replace('{0}', decided(name, f'not {name}', around='RequireAll')))
    assert rc == 0 and text.endswith('Syntax OK\n')
    assert re.findall(r'SS\d+', text) == numbers


def test_a_virtual_host_is_not_warned_of_what_it_inherits():
    text = configtest('SignedSession On\n' + decided('signed-session cart') + '\n<VirtualHost *:1>\nSignedSessionMaxSize 1000\n</VirtualHost>')[1]
    assert re.findall(r'SS\d+', text) == ['SS0113']


def test_a_warning_names_the_virtual_host_that_it_is_about():
    _, text = configtest('SignedSession On\n<VirtualHost *:1>\nServerName shop.test\n'
                         'SignedSessionFormat native express\n</VirtualHost>')
    assert re.search(r'SS0116: .* \(virtual host shop\.test, /.*httpd\.conf:\d+\)\n', text)


def test_the_key_that_visitors_write_and_its_two_lines_are_named():
    text = configtest('SignedSession On\n' + decided('signed-session cart'))[1]
    assert re.search(r'SS0113: visitors can write "cart" in their session \(SignedSessionWritable at '
                     r'/.*conf:(\d+)\), and a Require or AuthType believes it \(at /.*conf:\d+\): take it out', text), text


@pytest.mark.parametrize('decision', ['signed-session theme', 'expr "%{session:theme} == \'x\'"'])
@pytest.mark.parametrize('differs, numbers', [
    ('', ['SS0113']), ('SignedSessionMaxSize 1000', ['SS0113']), ('SignedSessionCookie other', []),
    ('SignedSessionAudience other', []), ('SignedSessionSecret env:OTHER', [])])
def test_keys_that_are_decided_by_in_another_virtual_host(differs, numbers, decision):
    open_, closed = decided(decision).split('<Location "/closed">')
    rc, text = configtest(f"""
        SignedSession On
        <VirtualHost *:{{port}}>
            {differs}
            {open_}
        </VirtualHost>
        <VirtualHost *:{{port}}>
            <Location "/closed">{closed}
        </VirtualHost>""", env={'OTHER': 'kU7wq-other_secret.Tz41mXbRd9LfYp6NcHs0Ga'})
    assert rc == 0 and re.findall(r'SS\d+', text) == numbers


@pytest.mark.parametrize('secret, numbers', [('env:SIGNED_SESSION_SECRET', ['SS0113']), ('env:OTHER', [])])
def test_sessions_under_another_secret_are_believed_nowhere_else(start, secret, numbers):
    open_, closed = OPEN.format('*').split('<Location "/closed">')
    server = start(f"""
        SignedSession On
        <VirtualHost *:{{port}}>
            SignedSessionSecret {secret}
            {open_}
        </VirtualHost>
        <VirtualHost *:{{port}}>
            <Location "/closed">{closed}
        </VirtualHost>""", env={'OTHER': 'kU7wq-other_secret.Tz41mXbRd9LfYp6NcHs0Ga'})
    server.expect(*(f'[warn] [signed_session] {number}: ' for number in numbers))
    assert sorted(re.findall(r'SS\d+', server.error_log())) == numbers
