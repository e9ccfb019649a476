"""What becomes of the pictures that cameras and programs make."""

import io
import tracemalloc

import pytest
from PIL import Image, ImageCms

from core.errors import Invalid
from tests.pictures import (
    exif,
    picture,
    quartered,
    quarters_of,
    saved,
    swapped_profile,
    textile,
    turned,
)
from tests.uploads_corpus import packed_bomb
from uploads.pipeline import validation, webp
from uploads.pipeline.processing import prepare
from uploads.pipeline.renditions import WIDTHS

TYPES = ["image/jpeg", "image/png", "image/webp"]


def stored(data):
    image = Image.open(io.BytesIO(prepare(data).data))
    image.load()
    return image


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_applied_to_image_and_renditions(content_type, orientation):
    prepared = prepare(turned(orientation, content_type, 600, 400))
    assert (prepared.width, prepared.height) == (600, 400)
    image = Image.open(io.BytesIO(prepared.data))
    assert image.size == (600, 400)
    assert quarters_of(image) == quarters_of(quartered())
    assert not image.getexif()
    small = Image.open(io.BytesIO(prepared.renditions[0].data))
    assert small.size == (320, 213)
    assert quarters_of(small) == quarters_of(quartered())


@pytest.mark.parametrize("content_type", TYPES)
def test_an_upright_picture_keeps_its_bytes(content_type):
    data = picture(content_type)
    assert prepare(data).data == data


BLOCKS = [b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", exif(99)]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("block", BLOCKS)
def test_an_unreadable_orientation_is_none(block):
    data = saved(quartered(), exif=block)
    assert quarters_of(stored(data)) == quarters_of(quartered())


@pytest.mark.parametrize("name", ["swap", "sRGB"])
@pytest.mark.parametrize("content_type", TYPES)
def test_a_foreign_profile_is_converted_to_srgb_whatever_its_name(content_type, name):
    data = saved(quartered(), content_type, icc_profile=swapped_profile(name), quality=95)
    image = stored(data)
    assert "icc_profile" not in image.info
    assert quarters_of(image) == ["lime", "red", "blue", "yellow"]


def test_the_srgb_profile_is_dropped_and_the_picture_kept():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert prepare(saved(quartered(), icc_profile=profile)).data == picture()


@pytest.mark.parametrize("content_type", TYPES)
def test_a_broken_profile_is_ignored(content_type):
    image = stored(saved(quartered(), content_type, icc_profile=b"no profile at all" * 20))
    assert quarters_of(image) == quarters_of(quartered())


def test_cmyk_becomes_rgb():
    image = stored(saved(quartered(mode="CMYK"), quality=95))
    assert image.mode == "RGB"
    assert quarters_of(image) == quarters_of(quartered())


def test_a_profile_for_cmyk_without_tables_is_ignored():
    profile = swapped_profile()
    image = quartered(mode="CMYK")
    data = saved(image, icc_profile=profile[:16] + b"CMYK" + profile[20:], quality=95)
    assert quarters_of(stored(data)) == quarters_of(quartered())


def test_sixteen_bits_become_eight():
    ramp = Image.linear_gradient("L").resize((256, 256)).convert("I").point(lambda value: value * 257)
    image = stored(saved(ramp.convert("I;16"), "image/png"))
    assert image.mode == "RGB"
    column = [image.getpixel((128, y))[0] for y in (0, 64, 128, 192, 255)]
    assert column == pytest.approx([0, 64, 128, 192, 255], abs=2)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_mode_of_png_is_taken(mode):
    prepared = prepare(saved(quartered(mode=mode), "image/png"))
    assert [one.width for one in prepared.renditions] == [320]


@pytest.mark.parametrize("content_type", ["image/png", "image/webp"])
def test_what_is_see_through_stays_so(content_type):
    image = quartered(mode="RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    small = Image.open(io.BytesIO(prepare(saved(image, content_type)).renditions[0].data))
    assert small.mode == "RGBA"
    alpha = small.getchannel("A")
    assert alpha.getpixel((160, 3)) < 30
    assert alpha.getpixel((160, 236)) > 225


def test_a_colour_that_is_declared_see_through_stays_so():
    image = quartered().quantize(4)
    data = saved(image, "image/png", transparency=image.getpixel((10, 10)))
    small = Image.open(io.BytesIO(prepare(data).renditions[0].data))
    assert small.convert("RGBA").getpixel((10, 10))[3] < 30


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_a_chunk_that_unpacks_to_100_megabytes_is_never_unpacked(kind):
    data = packed_bomb(kind)
    tracemalloc.start()
    prepared = prepare(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert prepared.width == 64
    assert kind not in prepared.data
    assert peak < 20_000_000


def test_a_camera_s_second_picture_does_not_make_it_another_format():
    out = io.BytesIO()
    quartered().save(out, "MPO", save_all=True, append_images=[textile(200, 200)])
    prepared = prepare(out.getvalue())
    assert prepared.content_type == "image/jpeg"
    assert Image.open(io.BytesIO(prepared.data)).format == "JPEG"


def test_a_turned_picture_is_about_as_large_as_it_came():
    upright, askew = saved(textile(), quality=80), saved(textile(), quality=80, exif=exif(8))
    assert len(prepare(askew).data) == pytest.approx(len(upright), rel=0.1)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (319, 320), (320, 1), (1281, 640)])
def test_every_shape_is_taken(size):
    prepared = prepare(saved(Image.new("RGB", size, "teal"), "image/png"))
    assert (prepared.width, prepared.height) == size
    assert [one.width for one in prepared.renditions] == [width for width in WIDTHS if width <= size[0]]
    assert all(one.height >= 1 for one in prepared.renditions)


def test_max_megapixels_are_taken_and_one_row_more_is_not(settings):
    settings.MAX_MEGAPIXELS = 2
    assert prepare(saved(Image.new("1", (2_000, 1_000)), "image/png")).width == 2_000
    with pytest.raises(Invalid, match="2 megapixels"):
        prepare(saved(Image.new("1", (2_000, 1_001)), "image/png"))


@pytest.mark.parametrize("content_type", ["image/jpeg", "image/png"])
def test_a_picture_that_takes_a_thread_too_long_is_refused(content_type, monkeypatch):
    data = picture(content_type)
    monkeypatch.setattr(validation, "MOST_SECONDS", -1)
    with pytest.raises(Invalid):
        prepare(data)


@pytest.mark.parametrize("options", [{}, {"quality": 50}, {"lossless": True}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_webp_has_the_pixels_that_pillow_decodes(mode, options):
    image = textile(301, 203).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    data = saved(image, "image/webp", **options)
    ours = webp.decoded(data, 301, 203, alpha=mode == "RGBA").convert(mode)
    theirs = Image.open(io.BytesIO(data))
    assert ours.tobytes() == theirs.tobytes()
