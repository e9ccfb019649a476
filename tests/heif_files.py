"""HEIC and AVIF files, and the files of tests/files/images.

There is no encoder of HEIC here: the coded picture is that of a kept file, in boxes that are written anew
(ISO/IEC 14496-12 and 23008-12).
"""

import io
import struct
from pathlib import Path

FILES = Path(__file__).parent / "files" / "images"
TILE = (800, 600)
PLACE, LENGTH = 0x17A, 0xB783  # of the coded picture in x4.heic


def case(name):
    """The bytes of the file in tests/files/images whose name begins so."""
    [path] = FILES.glob(f"{name}*")
    return path.read_bytes()


def box(kind, *parts):
    payload = b"".join(parts)
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def full_box(kind, *parts, version=0):
    return box(kind, bytes([version, 0, 0, 0]), *parts)


def part_of(data, kind):
    """The whole box of this type in a file."""
    place = data.index(kind) - 4
    return data[place : place + int.from_bytes(data[place : place + 4])]


def heic(*, turns=0, brand=b"heic", size=None, columns=1, rows=1, profile=b""):
    """A HEIC file of so many tiles, each the picture of x4.heic, turned by quarters to the left.

    `size` is what it announces instead of its own.
    """
    kept = case("x4")
    tiles = columns * rows
    whole = (TILE[0] * columns, TILE[1] * rows)
    colour = box(b"colr", b"prof", profile) if profile else part_of(kept, b"colr")
    properties = [
        part_of(kept, b"hvcC"),
        colour,
        full_box(b"ispe", struct.pack(">II", *TILE)),
        full_box(b"ispe", struct.pack(">II", *(size or whole))),
        box(b"irot", bytes([turns])),
    ]
    primary = 1 if tiles == 1 else tiles + 1
    tile_links, whole_links = [0x81, 2, 3], [2, 4, 0x85]
    links = [(number, tile_links) for number in range(1, tiles + 1)]
    if tiles == 1:
        links = [(1, [0x81, *whole_links])]
    else:
        links.append((primary, whole_links))
    grid = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, *whole)
    kinds = [(number, b"hvc1") for number in range(1, tiles + 1)] + [(primary, b"grid")] * (tiles > 1)
    head = box(b"ftyp", brand, bytes(4), b"mif1heicmiaf")
    coded = kept[PLACE : PLACE + LENGTH]

    def meta(start):
        places = [(number, start, LENGTH) for number in range(1, tiles + 1)]
        places += [(primary, start + LENGTH, len(grid))] * (tiles > 1)
        references = full_box(
            b"iref", box(b"dimg", struct.pack(f">HH{tiles}H", primary, tiles, *range(1, tiles + 1)))
        )
        return full_box(
            b"meta",
            full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", struct.pack(">H", primary)),
            full_box(
                b"iloc",
                struct.pack(">BBH", 0x44, 0, len(places)),
                *(struct.pack(">HHHII", number, 0, 1, *place) for number, *place in places),
            ),
            full_box(
                b"iinf",
                struct.pack(">H", len(kinds)),
                *(
                    full_box(b"infe", struct.pack(">HH4sB", number, 0, kind, 0), version=2)
                    for number, kind in kinds
                ),
            ),
            references if tiles > 1 else b"",
            box(
                b"iprp",
                box(b"ipco", *properties),
                full_box(
                    b"ipma",
                    struct.pack(">I", len(links)),
                    *(struct.pack(">HB", number, len(own)) + bytes(own) for number, own in links),
                ),
            ),
        )

    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + box(b"mdat", coded, grid)


def avif(image, **options):
    out = io.BytesIO()
    image.save(out, "AVIF", speed=10, **options)
    return out.getvalue()
