"""Small pictures, made as a test needs them."""

import io
import random

from PIL import Image


def picture(width: int = 480, height: int = 640, *, kind: str = "JPEG", seed: int | None = None) -> bytes:
    """The bytes of a picture unlike any other (or the one of `seed`)."""
    dice = random.Random(seed)
    image = Image.new("RGB", (8, 8))
    image.putdata([(dice.randrange(256), dice.randrange(256), dice.randrange(256)) for _ in range(64)])
    out = io.BytesIO()
    image.resize((width, height), Image.Resampling.BICUBIC).save(out, kind)
    return out.getvalue()
