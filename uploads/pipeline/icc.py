"""Builds the ICC profile of a colour space of three primaries and a curve (ICC.1:2022)."""

import struct
from collections.abc import Sequence

D50 = (0.9642, 1.0, 0.8249)  # XYZ of the white of all profiles, section 7.2.16
# From XYZ to the answers of the eye's cones: section E.2.
BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
HEADER = 128  # bytes
XYZ, CURVES = (b"rXYZ", b"gXYZ", b"bXYZ"), (b"rTRC", b"gTRC", b"bTRC")

Vector = Sequence[float]
Matrix = Sequence[Vector]


def profile(chromaticities: Sequence[float], curve: Sequence[float]) -> bytes:
    """Return a profile for RGB.

    `chromaticities` are x and y of white, red, green and blue. `curve` has g, a, b, c, d of what makes light of a
    value: (aX + b)^g from d on, cX below (parametricCurveType, section 10.18, function 3). Raises ZeroDivisionError
    if the primaries span no space, struct.error if a number does not fit into a profile.
    """
    colours = transposed(primaries_at_d50(chromaticities))
    tags = [(name, b"XYZ \0\0\0\0" + numbers(colour)) for name, colour in zip(XYZ, colours, strict=True)]
    tags += [(name, b"para\0\0\0\0\0\3\0\0" + numbers(curve)) for name in CURVES]
    place = HEADER + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, payload in tags:
        table += struct.pack(">4sII", name, place + len(body), len(payload))
        body += payload
    head = struct.pack(">I4xI", place + len(body), 0x0420_0000) + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    head = head.ljust(68, b"\0") + numbers(D50)
    return head.ljust(HEADER, b"\0") + table + body


def numbers(values: Sequence[float]) -> bytes:
    """Return s15Fixed16Numbers, section 4.6."""
    return struct.pack(f">{len(values)}i", *(round(value * 65_536) for value in values))


def primaries_at_d50(chromaticities: Sequence[float]) -> Matrix:
    """Return the matrix from linear RGB to XYZ, adapted to D50 by Bradford's method, section E.3.

    The matrix of the primaries is scaled so that equal amounts give white
    (http://www.brucelindbloom.com/index.html?Eqn_RGB_XYZ_Matrix.html).
    """
    (x, y, z), *primaries = [xyz(*chromaticities[place : place + 2]) for place in range(0, 8, 2)]
    white = (x / y, 1.0, z / y)
    matrix = transposed(primaries)
    matrix = product(matrix, diagonal(times(inverse(matrix), white)))
    gains = [to / of for to, of in zip(times(BRADFORD, D50), times(BRADFORD, white), strict=True)]
    adaptation = product(inverse(BRADFORD), product(diagonal(gains), BRADFORD))
    return product(adaptation, matrix)


def xyz(x: float, y: float) -> Vector:
    """Return the XYZ of a chromaticity, with a sum of 1."""
    return x, y, 1 - x - y


def transposed(matrix: Matrix) -> Matrix:
    return list(zip(*matrix, strict=True))


def times(matrix: Matrix, vector: Vector) -> Vector:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def product(one: Matrix, other: Matrix) -> Matrix:
    return transposed([times(one, column) for column in transposed(other)])


def diagonal(values: Vector) -> Matrix:
    return [[value if row == column else 0.0 for column in range(3)] for row, value in enumerate(values)]


def inverse(matrix: Matrix) -> Matrix:
    """Return the inverse by Cramer's rule. Raises ZeroDivisionError if there is none."""
    a, b, c = matrix
    rows = [cross(b, c), cross(c, a), cross(a, b)]
    determinant = sum(one * other for one, other in zip(a, rows[0], strict=True))
    return transposed([[value / determinant for value in row] for row in rows])


def cross(one: Vector, other: Vector) -> Vector:
    return (
        one[1] * other[2] - one[2] * other[1],
        one[2] * other[0] - one[0] * other[2],
        one[0] * other[1] - one[1] * other[0],
    )
