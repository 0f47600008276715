# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""A browser with Device Bound Session Credentials, as far as a server sees it; and what it should see, computed anew."""

import base64
import hashlib
import hmac
import json
import re
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from cookies import Native, binding, hkdf, unpadded
from harness import COOKIE, SECRET, Jar

PATH = '/session-bind'
PROOF = f'{COOKIE}-proof'
REGISTRATION, REFRESH = 1, 2
VISIT = {'Sec-Fetch-Site': 'none', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document'}
ITSELF = {'Sec-Fetch-Site': 'same-origin', 'Origin': 'https://127.0.0.1'}


def decoded(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


class Key:
    """Of P-256, in the device."""

    def __init__(self):
        self.private = ec.generate_private_key(ec.SECP256R1())
        public = self.private.public_key()
        numbers = public.public_numbers()
        self.jwk = {'kty': 'EC', 'crv': 'P-256', 'x': unpadded(numbers.x.to_bytes(32, 'big')), 'y': unpadded(numbers.y.to_bytes(32, 'big'))}
        self.point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)

    def der(self, text):
        return self.private.sign(text.encode(), ec.ECDSA(hashes.SHA256()))

    def raw(self, text):
        return b''.join(number.to_bytes(32, 'big') for number in decode_dss_signature(self.der(text)))

    def jws(self, challenge, with_key=False, header=None, payload=None, signature=None):
        """`header` and `payload` may be texts; `signature` makes bytes of a text."""
        header = header or {'alg': 'ES256', 'typ': 'dbsc+jwt', **({'jwk': self.jwk} if with_key else {})}
        payload = payload or {'jti': challenge}
        text = '.'.join(unpadded((part if isinstance(part, str) else json.dumps(part)).encode()) for part in (header, payload))
        return f'{text}.{unpadded((signature or self.raw)(text))}'


class Browser(Jar):
    """Registers when it is asked to, and refreshes its proof when told to."""

    def __init__(self, server, protocol='http/1.1'):
        super().__init__(server)
        self.protocol = protocol
        self.key = Key()
        self.identifier = self.challenge = None

    def ask(self, method='GET', path='/file.txt', headers=(), body=None):
        return self.request(method, path, headers, body, protocol=self.protocol)

    def visit(self, path='/file.txt', **headers):
        """Returns the challenge that it is asked to sign, None when there is none."""
        response = self.ask('GET', path, {**VISIT, **{name.replace('_', '-'): text for name, text in headers.items()}})
        asked = response.get_all('Secure-Session-Registration')
        assert len(asked) <= 1
        if not asked:
            return None
        assert {'private', 'no-store'} <= set(re.split(', *', response.get('Cache-Control')))
        found = re.fullmatch(r'\(ES256\);path="([^"]*)";challenge="([\w-]+)"', asked[0])
        assert found[1] == PATH
        return found[2]

    def post(self, headers):
        return self.ask('POST', PATH, {'Content-Length': '0', **headers})

    def send_registration(self, jws, quotes=False, **headers):
        return self.post({**ITSELF, 'Secure-Session-Response': f'"{jws}"' if quotes else jws, **headers})

    def register(self, challenge=None):
        challenge = challenge or self.visit()
        assert challenge, 'it is not asked to'
        response = self.send_registration(self.key.jws(challenge, with_key=True))
        assert response.status == 200, response.text
        self.note(response)
        return response

    def note(self, response):
        said = response.json()
        assert said == {'session_identifier': said['session_identifier'], 'refresh_url': PATH, 'scope': {'include_site': False},
                        'credentials': [{'type': 'cookie', 'name': PROOF, 'attributes': 'Path=/; Secure; HttpOnly; SameSite=Lax'}],
                        'allowed_refresh_initiators': ['*']}
        self.identifier = said['session_identifier']
        self.note_challenge(response)

    def note_challenge(self, response):
        found = re.fullmatch(r'"([\w-]+)";id="([\w-]+)"', response.get('Secure-Session-Challenge'))
        assert found[2] == self.identifier
        self.challenge = found[1]

    def send_refresh(self, jws=None, identifier=None, quotes=False, **headers):
        mark = '"' if quotes else ''
        said = {'Sec-Secure-Session-Id': f'{mark}{identifier or self.identifier}{mark}'}
        if jws:
            said['Secure-Session-Response'] = f'{mark}{jws}{mark}'
        return self.post({**said, **headers})

    def refresh(self):
        response = self.send_refresh(self.key.jws(self.challenge))
        assert response.status == 200, response.text
        self.note(response)
        return response

    @property
    def native(self):
        return Native.open(self.session)

    @property
    def proof(self):
        return self.cookies.get(PROOF)


def login(server, protocol='http/1.1', **session):
    browser = Browser(server, protocol)
    browser.cookies[COOKIE] = Native({'user': 'alice', **session}).seal()
    return browser


def bound(server, protocol='http/1.1', **session):
    browser = login(server, protocol, **session)
    browser.register()
    return browser


# --- what the server makes, a second time ---------------------------------------------------------

def derived(purpose, size=32, secret=SECRET):
    return hkdf(secret.encode(), purpose.encode() + binding(COOKIE, ''), size)


def mac(purpose, text, secret=SECRET):
    return hmac.new(derived(purpose, secret=secret), text, hashlib.sha256).digest()


def six(age):
    return (int(time.time()) - age).to_bytes(6, 'big')


def proof(session, age=0, secret=SECRET):
    head = b'\x01' + derived('key id', 2, secret) + six(age)
    return unpadded(head + mac('proof', head + session.id + session.point, secret))


def challenge(purpose, session, age=0, secret=SECRET):
    head = bytes([1, purpose]) + derived('key id', 2, secret) + six(age)
    about = session.id + (session.point if purpose == REFRESH else b'')
    return unpadded(head + mac('challenge', head + about, secret)[:16])


def identifier(session, secret=SECRET):
    head = b'\x01' + derived('key id', 2, secret) + session.id + session.point
    return unpadded(head + mac('identifier', head, secret)[:16])
