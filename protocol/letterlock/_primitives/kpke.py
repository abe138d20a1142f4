"""K-PKE.Encrypt of ML-KEM-768 (FIPS 203 algorithm 14), split as incremental encapsulation needs it.

    c1 = Compress_10(u),  u = A^T y + e1            computed from rho and the coins                960 bytes
    c2 = Compress_4(v),   v = t^T y + e2 + mu       computed from t, the coins and the message     128 bytes

No library computes c1 without the vector t. The coins r determine y, e1 and e2. The standard gives A and t
in the NTT domain; they are public, and they alone are transformed back into polynomials. A product with the
secret y is then one multiplication of two big integers, as in long multiplication: a polynomial is packed
into an int with one coefficient to a lane, and the lanes are so wide that nothing carries into the next
one.

    narrow lanes   3 bytes, for products: 3 x 256 products of at most 3328 x 4 stay below 2^24
    wide lanes    16 bytes, for dividing by q and for the transform, many lanes at once

A small coefficient, -2..2, is stored as 0..4, so that no secret number is ever negative. No branch, index or
division depends on a secret. spec/limitations.md says what Python itself does with ints.

Not here: checking t's coefficients and deriving the coins from m (mlkem_split.py); key generation and
decapsulation, which OpenSSL does (mlkem.py).
"""

import hashlib
import struct
from collections.abc import Sequence
from functools import cache
from typing import Final

Q: Final = 3329
N: Final = 256
K: Final = 3
NARROW: Final = 3
WIDE: Final = 16
POLYNOMIAL_BYTES: Final = 384

_TOP: Final = 8 * NARROW * N  # where x^256 begins in a product; x^256 = -1
_REST: Final = (1 << _TOP) - 1
_SHIFT: Final = 70
_RECIPROCAL: Final = -(-(1 << _SHIFT) // Q)
"""n * RECIPROCAL >> SHIFT equals n // q for each n < 2^58, and the product stays below 2^117."""


def _narrow(values: bytes, high: bytes = bytes(N)) -> int:
    """Pack 256 coefficients into narrow lanes. `values` holds their low bytes and `high` their high bytes."""
    lanes = bytearray(NARROW * N)
    lanes[0::NARROW], lanes[1::NARROW] = values, high
    return int.from_bytes(lanes, "little")


_ONES: Final = _narrow(b"\1" * N)
_BIAS: Final = _ONES * (1536 * Q - 2)
"""In each lane a multiple of q that keeps sums of products positive, minus 2, because the small coefficients
added to it are 2 too high."""


@cache
def _everywhere(value: int, lanes: int) -> int:
    """Return the number that holds `value` in each of its wide lanes."""
    return int.from_bytes(value.to_bytes(WIDE, "little") * lanes, "little")


def _quotients(numbers: int, bits: int, lanes: int) -> int:
    """Divide each wide lane, below 2^58, by q, and keep the low `bits` bits of each quotient."""
    return numbers * _RECIPROCAL >> _SHIFT & _everywhere((1 << bits) - 1, lanes)


# --- on public values: the matrix, the vector, the transform -----------------------------------------------


def _layer(bit: int) -> list[int]:
    """Return the zetas of one layer (FIPS 203 algorithm 10) for all 128 pairs, between -q/2 and q/2."""
    blocks = 1 << 7 - bit
    exponents = [int(f"{2 * blocks - 1 - block:07b}"[::-1], 2) for block in range(blocks)]
    return [(pow(17, exponent, Q) + Q // 2) % Q - Q // 2 for exponent in exponents] * (128 // blocks)


_LAYERS: Final = [_layer(bit) for bit in range(1, 8)]
_SCALE: Final = 3303 - Q  # 1/128
_LIFT: Final = Q << 88
"""A multiple of q greater than any result of the layers and the scale: 26 * 4095 * 3328^7 < 2^99."""

_LOW: Final = bytes(byte & 15 for byte in range(256))
_HIGH: Final = bytes(byte >> 4 for byte in range(256))
_LIFTED: Final = bytes(byte << 4 & 255 for byte in range(256))


def decode(data: bytes) -> tuple[int, ...]:
    """Return the 12-bit numbers of a byte string, two in three bytes (ByteDecode_12, without mod q).

    The bytes a, b, c hold a + 256 (b mod 16) and b / 16 + 16 c. All the numbers are spread over two bytes
    each at once, because decoding one after the other takes several times as long.
    """
    a, b, c = data[0::3], data[1::3], data[2::3]
    middle = int.from_bytes(b.translate(_HIGH), "little") | int.from_bytes(c.translate(_LIFTED), "little")
    pairs = bytearray(4 * len(c))
    pairs[0::4], pairs[1::4] = a, b.translate(_LOW)
    pairs[2::4], pairs[3::4] = middle.to_bytes(len(c), "little"), c.translate(_HIGH)
    return struct.unpack(f"<{2 * len(c)}H", pairs)


def _sample(seed: bytes) -> list[int]:
    """Return SampleNTT(seed) (algorithm 7): the first 256 numbers below q in the SHAKE-128 of `seed`."""
    length = 504  # three blocks, which are enough 99 times in 100
    while len(found := [n for n in decode(hashlib.shake_128(seed).digest(length)) if n < Q]) < N:
        length *= 2
    return found[:N]


def _polynomials(transformed: Sequence[Sequence[int]]) -> list[int]:
    """Return NTT^-1 (algorithm 10) of several polynomials, in narrow lanes, each coefficient below q.

    They are transformed at once: number i holds coefficient i of each polynomial, in a wide lane of its own.
    Nothing is reduced modulo q before the end. Each layer pairs neighbours and puts sums before differences;
    after seven layers the coefficients are in order again.
    """
    step, lanes = WIDE * len(transformed), N * len(transformed)
    block = bytearray(WIDE * lanes)
    for i, values in enumerate(transformed):
        data = struct.pack(f"<{N}H", *values)
        block[WIDE * i :: step], block[WIDE * i + 1 :: step] = data[0::2], data[1::2]
    f = [int.from_bytes(block[at : at + step], "little") for at in range(0, len(block), step)]
    f = f[0::2] + f[1::2]
    for zetas in _LAYERS:
        even, odd = f[0::2], f[1::2]
        f = [a + b for a, b in zip(even, odd, strict=True)] + [
            zeta * (b - a) for a, b, zeta in zip(even, odd, zetas, strict=True)
        ]
    lift = _everywhere(_LIFT, len(transformed))
    numbers = int.from_bytes(b"".join([(_SCALE * n + lift).to_bytes(step, "little") for n in f]), "little")
    low = _everywhere((1 << 56) - 1, lanes)
    numbers = (numbers & low) + (numbers >> 56 & low) * pow(2, 56, Q)  # from below 2^101 to below 2^58
    numbers -= _quotients(numbers, 58, lanes) * Q
    data = numbers.to_bytes(WIDE * lanes, "little")
    return [_narrow(data[at::step], data[at + 1 :: step]) for at in range(0, step, WIDE)]


# --- on secrets: small coefficients, products, compression --------------------------------------------------


def _fields(number: int, bits: int) -> bytes:
    """Return 256 fields of 1 or 4 bits, each in a byte of its own."""
    each = 8 // bits
    mask = int.from_bytes(bytes([(1 << bits) - 1]) * (N // each), "little")
    spread = bytearray(N)
    for i in range(each):
        spread[i::each] = (number >> bits * i & mask).to_bytes(N // each, "little")
    return bytes(spread)


_BITS: Final = int.from_bytes(b"\x55" * 128, "little")
_PAIRS: Final = int.from_bytes(b"\x33" * 128, "little")
_TWOS: Final = int.from_bytes(b"\x22" * 128, "little")


def _small(coins: bytes, number: int) -> int:
    """Return SamplePolyCBD_2(PRF(r, N)) (algorithm 8), with 2 added to each coefficient: 0..4."""
    bits = int.from_bytes(hashlib.shake_256(coins + bytes([number])).digest(128), "little")
    sums = (bits & _BITS) + (bits >> 1 & _BITS)
    return _narrow(_fields((sums & _PAIRS) + _TWOS - (sums >> 2 & _PAIRS), 4))


def _product(row: Sequence[int], raised: Sequence[int]) -> int:
    """Return the sum of the products modulo x^256 + 1, plus the bias.

    Each coefficient in `raised` is 2 too high. `excess` takes what this adds to the products away again.
    """
    above = sum(a * y for a, y in zip(row, raised, strict=True))
    excess = sum(row) * 2 * _ONES
    return (_BIAS + (above & _REST) + (excess >> _TOP)) - (above >> _TOP) - (excess & _REST)


def _compressed(polynomial: int, bits: int) -> bytes:
    """Return ByteEncode_d(Compress_d(x)) for d = 10 or 4: round(2^d x / q) mod 2^d, for any x below 2^24."""
    data = polynomial.to_bytes(NARROW * N, "little")
    lanes = bytearray(WIDE * N)
    for i in range(NARROW):
        lanes[i::WIDE] = data[i::NARROW]
    scaled = (int.from_bytes(lanes, "little") << bits) + _everywhere(Q // 2, N)
    values = _quotients(scaled, bits, N)
    # Four values of 10 bits make 5 bytes, and two of 4 bits make 1: shift them together into the first lane.
    group, size = (4, 5) if bits == 10 else (2, 1)
    joined = sum(values >> (8 * WIDE - bits) * i for i in range(group))
    data = joined.to_bytes(WIDE * N, "little")
    packed = bytearray(N * bits // 8)
    for i in range(size):
        packed[i::size] = data[i :: WIDE * group]
    return bytes(packed)


def encrypt_c1(rho: bytes, coins: bytes) -> bytes:
    """Return c1, 960 bytes, from the key's 32-byte rho and the 32 secret bytes r."""
    y = [_small(coins, number) for number in range(K)]
    matrix = _polynomials([_sample(rho + bytes([i, j])) for i in range(K) for j in range(K)])  # A^T by rows
    rows = [_product(matrix[K * i : K * i + K], y) + _small(coins, K + i) for i in range(K)]
    return b"".join(_compressed(row, 10) for row in rows)


def encrypt_c2(vector: bytes, coins: bytes, message: bytes) -> bytes:
    """Return c2, 128 bytes, from the 1,152-byte t, the same r, and the 32-byte m."""
    y = [_small(coins, number) for number in range(K)]
    t = _polynomials(
        [decode(vector[at : at + POLYNOMIAL_BYTES]) for at in range(0, len(vector), POLYNOMIAL_BYTES)]
    )
    mu = _narrow(_fields(int.from_bytes(message, "little"), 1)) * ((Q + 1) // 2)
    return _compressed(_product(t, y) + _small(coins, 2 * K) + mu, 4)
