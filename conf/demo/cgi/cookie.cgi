#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Takes the visitor's cookie apart, as docs/formats.md says, for the start page, which includes it.

It has no secret: everybody can read a signed cookie. What httpd thinks of it stands in the environment.
A form here alters one byte of the cookie, or puts it right again.
"""

import base64
import binascii
import os
import re
import sys
import time
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

HTTPS = os.environ.get('REQUEST_SCHEME') == 'https'
NAME = '__Host-session' if HTTPS else 'session'
ALTERED = NAME + '-altered'  # which byte, and what it was: worth nothing without the rest
ATTRIBUTES = 'Path=/; HttpOnly; SameSite=Lax' + ('; Secure' if HTTPS else '')
MAX_AGE = 14 * 24 * 60 * 60
BODY_MAX = 100
COOKIE_MAX = 4096

FIXED, POINT, ID = 36, 33, 16  # bytes; where the id begins
ENCRYPTED, IN_STORE, BOUND = 1, 2, 4
KINDS = {0: 'signed', ENCRYPTED: 'encrypted', IN_STORE: 'in a store'}

# state: how it looks, and what it means
STATES = {
    'none': ('idle', 'No cookie came. Log in, or press a button, and httpd will make one.'),
    'valid': ('good', 'httpd has sealed this cookie, nobody has changed it, and it is not too old.'),
    'bad-signature': ('bad', 'Something was changed, and the signature does not fit any more. httpd believes none of it: '
                             'for this site you are nobody.'),
    'malformed': ('bad', 'This has not the shape of a session. httpd looks no further: you are nobody.'),
    'unknown-key': ('bad', 'It was sealed with a secret that this httpd does not have, such as that of an earlier demo.'),
    'too-large': ('bad', 'No browser keeps a cookie of this size.'),
    'expired-idle': ('bad', 'It is genuine, but too long ago. The session has ended.'),
    'expired-absolute': ('bad', 'It is genuine, but the session has reached its greatest age.'),
    'from-future': ('bad', 'It carries a time that is yet to come: some clock is wrong.'),
    'revoked': ('bad', 'It is genuine, but its user has logged out everywhere.'),
    'unavailable': ('bad', 'It leads to a store that does not answer.'),
    'unproven': ('bad', 'It is bound to the key of a browser, and this one has not proved that it has the key.'),
    'unbound': ('bad', 'It should have been bound to the key of a browser by now.'),
}


class Cookie:
    """The fields of a native cookie."""

    def __init__(self, value):
        self.value = value
        self.bytes = decode(value)
        self.flags = self.bytes[1]
        self.kind = self.flags & ~BOUND
        self.head = FIXED + (POINT if self.flags & BOUND else 0)
        self.seal = len(self.bytes) - (16 if self.kind == ENCRYPTED else 32)  # where it begins
        if self.bytes[0] != 1 or self.kind not in KINDS or self.seal < self.head:
            raise ValueError

    def number(self, start, size):
        return int.from_bytes(self.bytes[start:start + size], 'big')

    def with_byte(self, where, byte):
        return encode(self.bytes[:where] + bytes([byte]) + self.bytes[where + 1:])

    def weak_spot(self):
        """Where a forger would begin: the first letter of the first value."""
        text = self.bytes[self.head:self.seal] if self.kind == 0 else b''
        value = re.search(rb':"?([a-y0-8])', text)
        return self.head + value.start(1) if value else ID


def decode(value):
    if not re.fullmatch('[A-Za-z0-9_-]{4,}', value):
        raise ValueError
    return base64.urlsafe_b64decode(value + '=' * (-len(value) % 4))


def encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip('=')


def cookies():
    """The first one of each name."""
    found = {}
    for text in os.environ.get('HTTP_COOKIE', '').split(';'):
        name, _, value = text.strip().partition('=')
        found.setdefault(name, value)
    return found


def cookie_of(value):
    try:
        return Cookie(value)
    except (ValueError, binascii.Error, IndexError):
        return None


def before(cookie, note):
    """The cookie as it was before it was altered, and the number of the byte."""
    found = re.fullmatch(r'([0-9]{1,4})\.([0-9]{1,3})', note)
    where, byte = map(int, found.groups()) if found else (COOKIE_MAX, 0)
    if where >= len(cookie.bytes) or byte > 255:
        return None, None
    return cookie.with_byte(where, byte), where


# --- the page -----------------------------------------------------------------------------------


def moment(seconds):
    ago = int(time.time()) - seconds
    for size, unit in ((86400, 'd'), (3600, 'h'), (60, 'min'), (1, 's')):
        if ago >= size:
            text = f'{ago // size} {unit} ago'
            break
    else:
        text = 'now'
    return f'{time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))} UTC <small>{text}</small>'


def character(byte):
    """Where a byte begins in Base64; the last one ends with the last character."""
    return -(-byte * 4 // 3)


def marked(text, start, end, changed):
    """Characters of the cookie, and which of them were changed."""
    shown = ''.join(f'<mark>{escape(text[i])}</mark>' if i in changed else escape(text[i]) for i in range(start, end))
    return shown.replace('</mark><mark>', '')


def taken_apart(cookie, state, altered_at, original):
    changed = {i for i, (new, old) in enumerate(zip(cookie.value, original or cookie.value)) if new != old}
    spans = [(0, cookie.head), (cookie.head, cookie.seal), (cookie.seal, len(cookie.bytes))]
    parts = [(name, label, start, end) for (name, label), (start, end)
             in zip((('head', 'header'), ('body', 'payload'), ('seal', 'signature')), spans) if end > start]
    raw = ''.join(f'<span class="{name}">{marked(cookie.value, character(start), character(end), changed)}</span>'
                  for name, _, start, end in parts)
    total = len(cookie.bytes)
    bar = ''.join(f'<rect class="{name}" x="{start * 100 / total:.2f}%" width="{(end - start) * 100 / total:.2f}%" height="100%"/>'
                  for name, _, start, end in parts)
    legend = ''.join(f'<li class="{name}">{label} <b>{end - start}</b> bytes' for name, label, start, end in parts)
    return f'''
<div class="apart">
<div>
<h3>As your browser sends it</h3>
<p class="raw"><code>{raw}</code></p>
<svg class="bar" role="img" aria-label="How long each part is">{bar}</svg>
<ul class="legend">{legend}</ul>
<p class="hint">{len(NAME) + len(cookie.value)} of {COOKIE_MAX} bytes that a browser keeps. Base64 makes four characters of three bytes.
No script sees it: it is HttpOnly.</p>
{tampering(state, original is not None)}
</div>
<div>
{fields(cookie, altered_at)}
</div>
</div>'''


def fields(cookie, altered_at):
    point = f'<dt>bound to<dd><code>{cookie.bytes[FIXED:FIXED + POINT].hex()}</code>' if cookie.flags & BOUND else ''
    here = ' <mark>altered</mark>' if altered_at is not None else ''
    in_head, in_body = (here if altered_at is not None and altered_at < cookie.head else '',
                        here if altered_at is not None and altered_at >= cookie.head else '')
    return f'''<h3 class="head">Header{in_head}</h3>
<dl>
<dt>version<dd>{cookie.bytes[0]}
<dt>kind<dd>{KINDS[cookie.kind]}{', bound' if cookie.flags & BOUND else ''}
<dt>key id<dd><code>{cookie.bytes[2:4].hex()}</code> <small>which secret seals it</small>
<dt>renewed<dd>{moment(cookie.number(4, 6))}
<dt>created<dd>{moment(cookie.number(10, 6))}
<dt>session id<dd><code>{cookie.bytes[ID:ID + 16].hex()}</code>
<dt>changes<dd>{cookie.number(32, 4)}
{point}
</dl>
<h3 class="body">Payload{in_body}</h3>
{payload(cookie, altered_at)}
<h3 class="seal">Signature</h3>
<p class="hex"><code>{cookie.bytes[cookie.seal:].hex()}</code></p>
<p class="hint">HMAC-SHA-256 over all that stands before it, with httpd's secret.</p>'''


def payload(cookie, altered_at):
    if cookie.kind == IN_STORE:
        return '<p class="hint">None: the session is in a file of the server, and its id leads there.</p>'
    if cookie.kind == ENCRYPTED:
        return '<p class="hint">Encrypted: only httpd can read it.</p>'
    text = [cookie.bytes[cookie.head:cookie.seal]]
    if altered_at is not None and altered_at >= cookie.head:
        text = [cookie.bytes[cookie.head:altered_at], cookie.bytes[altered_at:altered_at + 1],
                cookie.bytes[altered_at + 1:cookie.seal]]
    shown = [escape(part.decode('utf-8', 'replace')) for part in text]
    if len(shown) > 1:
        shown[1] = f'<mark>{shown[1]}</mark>'
    return f'<pre class="body" tabindex="0">{"".join(shown)}</pre>'


def tampering(state, is_altered):
    if state == 'valid':
        return '''<form class="act" method="post" action="/cookie"><button name="do" value="alter">Alter one byte</button>
<p>Would you like to be somebody else? This changes one letter in your cookie, as a forger would, and sends it back to you.</p></form>'''
    if is_altered:
        return '''<form class="act" method="post" action="/cookie"><button name="do" value="restore">Put it back</button>
<p>The marked byte was changed. Put it right, and you are yourself again: httpd has forgotten nothing, and it has
remembered nothing.</p></form>'''
    return ''


def lives(cookie, state):
    records = sum(1 for path in (Path(__file__).parent.parent / 'sessions').glob('*/*') if re.fullmatch('[0-9a-f]{30}', path.name))
    in_store = cookie is not None and cookie.kind == IN_STORE
    if cookie is None or state != 'valid':
        where = 'You have no session now.'
    elif in_store:
        where = f'''Yours has outgrown the cookie and moved into a file. The cookie has {len(cookie.value)} characters and leads there;
what is in the file is encrypted.'''
    else:
        where = 'Yours is in the cookie: the server keeps nothing. When it gets too large for that, it moves into a file.'
    fill = ('empty', 'Empty the cart') if in_store else ('fill', 'Put 100 crates into the cart')
    return f'''<section id="store" class="card">
<h2>Where sessions live</h2>
<p class="figure"><b>{records}</b> {'record' if records == 1 else 'records'} in the store</p>
<p>{where}</p>
<form class="act" method="post" action="/cart/{fill[0]}"><button>{fill[1]}</button></form>
</section>'''


def binding(cookie, state):
    """Bound or not, and why."""
    if state == 'valid' and cookie.flags & BOUND:
        return 'bound', 'good', f'''Your browser has made a key for this session, and proves every few minutes that it still has it.
The cookie <code>{NAME}-proof</code> says until when. Who steals both has nothing ten minutes later.'''
    if state == 'unproven':
        return 'not proved', 'bad', 'The session is bound to a key, and your browser has not proved yet that it has it.'
    if not HTTPS:
        link = os.environ.get('DEMO_HTTPS')
        more = (f' Try <a href="{escape(link)}">{escape(link)}</a>, in a browser that was started as the demo says.' if link else '')
        return 'not bound', 'idle', 'This is http, where nothing can be bound: there is no secret between your browser and httpd.' + more
    if not os.environ.get('SESSION_user'):
        return 'not bound', 'idle', 'Nobody is logged in here, so there is nothing to steal.'
    return 'not bound', 'idle', '''<span data-waiting="This browser has not answered: it cannot, or it was not started as the
demo says. It is served as ever.">httpd asks for it with this page. A browser that can makes a key now, and the <a href="/?look#bound">next look</a> finds the session
bound; others notice nothing.</span>'''


def theft(cookie):
    """What somebody does who has copied the cookie, and what he gets."""
    certificate = os.environ.get('DEMO_CERTIFICATE')
    command = f"""curl{' --cacert ' + certificate if certificate and HTTPS else ''} -b '{NAME}={cookie.value}' \
{os.environ.get('REQUEST_SCHEME')}://{os.environ.get('HTTP_HOST')}/session?meta"""
    result = ('httpd knows the cookie, and gives him nothing: its state is "unproven", because the key has stayed with you.'
              if cookie.flags & BOUND else 'It is "valid", and he is you, until the session ends.')
    return f'''<details><summary>Steal it</summary>
<p class="hint">As somebody would who has found a copy of your cookie. {result}</p>
<pre tabindex="0">{escape(command)}</pre>
</details>'''


def tile(label, value, look):
    return f'<div class="tile {look}"><dt>{label}<dd>{value}</div>'


def page():
    found = cookies()
    state = os.environ.get('SIGNED_SESSION_STATE', 'none')
    look, meaning = STATES.get(state, ('bad', ''))
    value = found.get(NAME, '')
    cookie = cookie_of(value)
    original, altered_at = before(cookie, found.get(ALTERED, '')) if cookie and state == 'bad-signature' else (None, None)
    bound, bound_look, why = binding(cookie, state)
    user = os.environ.get('SESSION_user')
    place = '-' if cookie is None or state != 'valid' else 'in a file' if cookie.kind == IN_STORE else 'in the cookie'
    if cookie is not None:
        inside = taken_apart(cookie, state, altered_at, original)
    elif value:
        inside = f'<p class="raw"><code>{escape(value[:COOKIE_MAX])}</code></p>'
    else:
        inside = ''
    print(f'''<dl class="tiles">
{tile('you are', escape(user) if user else 'nobody', 'good' if user else 'idle')}
{tile('your cookie', state, look)}
{tile('your session', place, 'idle' if place == '-' else 'good')}
{tile('to your browser', bound, bound_look)}
</dl>
<section id="cookie" class="card">
<h2>Your cookie, taken apart</h2>
<p class="verdict {look}"><b>{state}</b> <span>{meaning}</span></p>{inside}
</section>
<div class="pair">
{lives(cookie, state)}
<section id="bound" class="card">
<h2>Bound to your browser</h2>
<p class="figure {bound_look}"><b>{bound}</b></p>
<p>{why}</p>
{theft(cookie) if cookie is not None and state == 'valid' else ''}
</section>
</div>''')


# --- the form -----------------------------------------------------------------------------------


def changes(what):
    """The cookies with which the form is answered."""
    found = cookies()
    state = os.environ.get('SIGNED_SESSION_STATE')
    cookie = cookie_of(found.get(NAME, ''))
    if cookie and what == 'alter' and state == 'valid':
        where = cookie.weak_spot()
        byte = cookie.bytes[where]
        return [f'{NAME}={cookie.with_byte(where, (byte + 1) % 256)}; Max-Age={MAX_AGE}', f'{ALTERED}={where}.{byte}']
    if cookie and what == 'restore' and state == 'bad-signature':
        original, _ = before(cookie, found.get(ALTERED, ''))
        if original:
            return [f'{NAME}={original}; Max-Age={MAX_AGE}', f'{ALTERED}=; Max-Age=0']
    return []


sys.stdout.reconfigure(encoding='utf-8', errors='replace')
if os.environ['REQUEST_METHOD'] == 'POST':
    body = sys.stdin.buffer.read(min(int(os.environ.get('CONTENT_LENGTH') or 0), BODY_MAX))
    form = parse_qs(body.decode('ascii', 'replace'))
    print('Status: 303\nLocation: /#cookie')
    for text in changes(form.get('do', [''])[0]):
        print(f'Set-Cookie: {text}; {ATTRIBUTES}')
    print()
else:
    print('Content-Type: text/html; charset=utf-8\n')
    page()
