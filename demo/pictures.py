"""The pictures of the demo gallery, drawn in a pool of processes.

It imports no model, so a process that was spawned rather than forked (as on macOS) can run it without Django's apps.
"""

import io

from demo.plan import DemoDesign
from uploads.pipeline.processing import Prepared, prepare

JPEG_QUALITY = 92


def drawn(demo: DemoDesign) -> Prepared:
    """Draw the design's picture and prepare it like an upload."""
    file = io.BytesIO()
    demo.draw().save(file, "JPEG", quality=JPEG_QUALITY)
    return prepare(file.getvalue())
