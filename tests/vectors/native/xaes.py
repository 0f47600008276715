# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""XAES-256-GCM (https://c2sp.org/XAES-256-GCM) from the specifications alone: slow, and only for test vectors.

Checked against the two vectors of the specification when it is imported.
"""

POLYNOMIAL = 0x11b


def times(a, b):
    """The product of two bytes in the field of FIPS 197 section 4.2."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a, b = a << 1, b >> 1
        a ^= POLYNOMIAL if a & 0x100 else 0
    return product


def substitution():
    """FIPS 197 section 5.1.1: the inverse, then an affine map."""
    box = []
    for byte in range(256):
        inverse = next((b for b in range(256) if times(byte, b) == 1), 0)
        bits = inverse
        for turn in range(1, 5):
            bits ^= (inverse << turn | inverse >> (8 - turn)) & 0xff
        box.append(bits ^ 0x63)
    return box


SBOX = substitution()
ROUNDS = 14  # of AES-256


def expand(key):
    """FIPS 197 section 5.2: one key of 16 bytes for each round and one before."""
    words, constant = [list(key[i:i + 4]) for i in range(0, 32, 4)], 1
    for i in range(8, 4 * (ROUNDS + 1)):
        word = words[i - 1]
        if i % 8 == 0:
            word = [SBOX[byte] for byte in word[1:] + word[:1]]
            word[0] ^= constant
            constant = times(constant, 2)
        elif i % 8 == 4:
            word = [SBOX[byte] for byte in word]
        words.append([a ^ b for a, b in zip(words[i - 8], word)])
    return [sum(words[i:i + 4], []) for i in range(0, len(words), 4)]


def mix(column):
    return [times(2, column[i]) ^ times(3, column[(i + 1) % 4]) ^ column[(i + 2) % 4] ^ column[(i + 3) % 4]
            for i in range(4)]


def aes(keys, block):
    """FIPS 197 section 5.1."""
    state = xor(block, keys[0])
    for round_number in range(1, ROUNDS + 1):
        state = [SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if round_number < ROUNDS:
            state = sum((mix(state[i:i + 4]) for i in range(0, 16, 4)), [])
        state = xor(state, keys[round_number])
    return bytes(state)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def ghash(h, data):
    """NIST SP 800-38D section 6.4; blocks are numbers whose highest bit comes first."""
    h, hash_ = int.from_bytes(h, 'big'), 0
    for i in range(0, len(data), 16):
        x, factor, hash_ = hash_ ^ int.from_bytes(data[i:i + 16], 'big'), h, 0
        for bit in range(127, -1, -1):
            hash_ ^= factor if x >> bit & 1 else 0
            factor = factor >> 1 ^ (0xe1 << 120 if factor & 1 else 0)
    return hash_.to_bytes(16, 'big')


def gcm_seal(key, nonce, text, data):
    """NIST SP 800-38D section 7.1, for a nonce of 96 bits."""
    keys = expand(key)

    def stream(counter):
        return aes(keys, nonce + counter.to_bytes(4, 'big'))

    sealed = b''.join(xor(text[i:i + 16], stream(2 + i // 16)) for i in range(0, len(text), 16))
    blocks = b''.join(part + bytes(-len(part) % 16) for part in (data, sealed))
    lengths = (8 * len(data)).to_bytes(8, 'big') + (8 * len(sealed)).to_bytes(8, 'big')
    return sealed + xor(ghash(aes(keys, bytes(16)), blocks + lengths), stream(1))


def seal(key, nonce, text, data):
    keys = expand(key)
    mask = int.from_bytes(aes(keys, bytes(16)), 'big') << 1
    mask = (mask ^ (0x87 if mask >> 128 else 0)) & (1 << 128) - 1
    message_key = b''.join(aes(keys, xor(bytes([0, i, 0x58, 0]) + nonce[:12], mask.to_bytes(16, 'big')))
                           for i in (1, 2))
    return gcm_seal(message_key, nonce[12:], text, data)


NONCE = b'ABCDEFGHIJKLMNOPQRSTUVWX'
assert seal(b'\x01' * 32, NONCE, b'XAES-256-GCM', b'').hex() == (
    'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271')
assert seal(b'\x03' * 32, NONCE, b'XAES-256-GCM', b'c2sp.org/XAES-256-GCM').hex() == (
    '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d')
