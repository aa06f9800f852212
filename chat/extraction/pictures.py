"""Pictures: decoded once and drawn anew, so that nothing but pixels is left of them, in a size that models take."""

import warnings
from pathlib import Path
from typing import Any, BinaryIO

from chat.extraction.limits import Limits
from chat.extraction.refusals import Refused
from chat.extraction.telling import say

LONGEST_SIDE = 2048
PREVIEW_SIDE = 320
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
# Above this a drawing without transparency is kept as a photograph.
LARGEST_PNG = 3 * 1024 * 1024
NORMAL, PREVIEW = "normal", "preview"


def extract(source: BinaryIO, limits: Limits, folder: Path) -> None:
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415 - each kind of file loads its own parser

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = limits.pixels
    try:
        with Image.open(source, formats=FORMATS) as picture:
            photo = picture.format == "JPEG"
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(picture)
            clear = "A" in upright.getbands() or "transparency" in upright.info
            drawn = upright.convert("RGBA" if clear else "RGB")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Refused("image_too_large") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
        raise Refused("damaged") from None
    drawn.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    media_type = _save(drawn, folder / NORMAL, photo=photo)
    size = drawn.size
    drawn.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    _save(drawn, folder / PREVIEW, photo=photo)
    say(image=media_type, width=size[0], height=size[1])


def _save(picture: Any, path: Path, *, photo: bool) -> str:
    """Without a word of what the file said about itself."""
    picture.info = {}
    if not photo:
        picture.save(path, "PNG", optimize=False)
        if path.stat().st_size <= LARGEST_PNG or picture.mode == "RGBA":
            return "image/png"
    picture.save(path, "JPEG", quality=88)
    return "image/jpeg"
