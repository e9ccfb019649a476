"""Odd files with all of their pixels are taken, through the server and through the store."""

import io
import sys

import pytest
from PIL import Image as Pillow
from PIL import ImageChops, ImageStat

from tests.api.client import ApiClient, refused
from tests.api.test_presigned_uploads import complete, presigned, send
from tests.api.test_uploads import upload, uploaded
from tests.heif_files import avif, case, heic
from tests.odd_pictures import TEXT, cloth, odd_pictures, sent_as_text
from tests.pictures import picture, quartered, quarters_of, saved, swapped_profile, textile
from tests.uploads_corpus import mp4
from uploads.pipeline import native
from uploads.pipeline.containers import unpack

pytestmark = pytest.mark.django_db
ODD = odd_pictures()
LOSSES = {"details": 12, "turn": 8}  # levels, of what is encoded again or lacks a part


def stored_picture(store, body):
    image = Pillow.open(io.BytesIO(store.read(body["object_key"])))
    image.load()
    return image


def looks_like(image, other, *, within=6):
    """Whether the mean difference of the pixels is at most so many of 255 levels."""
    difference = ImageChops.difference(image.convert("RGB"), other.convert("RGB"))
    return max(ImageStat.Stat(difference).mean) <= within


def check_stored(store, name, body):
    _, size, whole = ODD[name]
    stored = store.read(body["object_key"])
    image = stored_picture(store, body)
    assert (body["width"], body["height"]) == image.size == size
    assert body["size"] == len(stored)
    if whole:
        within = next((levels for part, levels in LOSSES.items() if part in name), 1)
        assert looks_like(image, Pillow.open(io.BytesIO(whole)), within=within)
    # Of a progressive JPEG only its decoder could tell where the last scan ends.
    assert TEXT not in stored or "progressive" in name


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_with_all_of_its_pixels_is_taken(folder, name):
    check_stored(folder, name, uploaded(ApiClient.admin(), ODD[name][0]))


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_taken_through_the_store(folder, name):
    admin, data = ApiClient.admin(), ODD[name][0]
    promise = presigned(admin, data, unpack(data).content_type)
    assert send(folder, admin, promise, data) == 200
    response = complete(admin, promise)
    assert response.status_code == 200, response.content
    assert response.json()["object_key"] == promise["object_key"]
    check_stored(folder, name, response.json())


def test_a_webp_that_a_program_took_for_text_is_refused(folder):
    data = sent_as_text(saved(cloth(), "image/webp"))
    refused(upload(ApiClient.admin(), data), 400, "invalid_image")


@pytest.mark.parametrize("kind", ["image/heic", "image/heif", "image/avif"])
def test_what_phones_send_becomes_a_jpeg_under_the_promised_key(image_store, kind):
    admin, data = ApiClient.admin(), case("x5" if kind == "image/avif" else "x4")
    promise = presigned(admin, data, kind)
    assert promise["headers"]["Content-Type"] == kind
    assert promise["object_key"].endswith(".jpg")
    assert send(image_store, admin, promise, data) == 200
    assert promise["object_key"] not in image_store.listed()
    body = complete(admin, promise).json()
    assert (body["content_type"], body["width"], body["height"]) == ("image/jpeg", 800, 600)
    assert (body["object_key"], body["url"]) == (promise["object_key"], promise["public_url"])
    assert stored_picture(image_store, body).format == "JPEG"
    assert [one["width"] for one in body["renditions"]] == [320, 640]
    assert complete(admin, promise).json() == body


def test_heic_and_avif_show_the_same_as_the_picture_that_they_were_made_of(folder):
    admin = ApiClient.admin()
    one, other = (stored_picture(folder, uploaded(admin, case(name))) for name in ("x4", "x5"))
    assert looks_like(one, other, within=4)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_heic_is_turned_as_it_says(folder, turns):
    admin = ApiClient.admin()
    upright = stored_picture(folder, uploaded(admin, heic()))
    body = uploaded(admin, heic(turns=turns))
    assert (body["width"], body["height"]) == ((600, 800) if turns % 2 else (800, 600))
    assert looks_like(stored_picture(folder, body), upright.rotate(90 * turns, expand=True))


def test_a_heic_in_tiles_as_phones_write_it_is_put_together(folder):
    admin = ApiClient.admin()
    tile = stored_picture(folder, uploaded(admin, heic()))
    body = uploaded(admin, heic(columns=3, rows=2, turns=2))
    assert (body["width"], body["height"]) == (2400, 1200)
    image = stored_picture(folder, body).rotate(180)
    assert looks_like(image.crop((1600, 600, 2400, 1200)), tile)


def test_the_profile_of_a_heic_is_used(folder):
    admin = ApiClient.admin()
    plain = stored_picture(folder, uploaded(admin, heic())).split()
    swapped = stored_picture(folder, uploaded(admin, heic(profile=swapped_profile()))).split()
    assert looks_like(
        Pillow.merge("RGB", (plain[1], plain[0], plain[2])), Pillow.merge("RGB", swapped), within=10
    )


def test_a_heif_of_another_brand_is_taken(folder):
    assert uploaded(ApiClient.admin(), heic(brand=b"mif1"))["content_type"] == "image/jpeg"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_avif_is_turned_as_it_says(folder, orientation):
    tags = Pillow.Exif()
    tags[0x0112] = orientation
    body = uploaded(ApiClient.admin(), avif(quartered(), exif=tags))
    image = stored_picture(folder, body)
    assert (body["width"], body["height"]) == ((400, 300) if orientation < 5 else (300, 400))
    assert quarters_of(image) == quarters_of(TURNED[orientation](quartered()))
    assert not image.getexif()


TURNED = {
    1: lambda image: image,
    2: lambda image: image.transpose(Pillow.Transpose.FLIP_LEFT_RIGHT),
    3: lambda image: image.transpose(Pillow.Transpose.ROTATE_180),
    4: lambda image: image.transpose(Pillow.Transpose.FLIP_TOP_BOTTOM),
    5: lambda image: image.transpose(Pillow.Transpose.TRANSPOSE),
    6: lambda image: image.transpose(Pillow.Transpose.ROTATE_270),
    7: lambda image: image.transpose(Pillow.Transpose.TRANSVERSE),
    8: lambda image: image.transpose(Pillow.Transpose.ROTATE_90),
}


def test_what_is_see_through_in_an_avif_becomes_white(folder):
    image = quartered(mode="RGBA")
    image.putalpha(Pillow.linear_gradient("L").resize(image.size))
    stored = stored_picture(folder, uploaded(ApiClient.admin(), avif(image)))
    assert (stored.format, stored.mode) == ("JPEG", "RGB")
    assert min(stored.getpixel((10, 2))) > 245
    assert quarters_of(stored.crop((0, 150, 400, 300)))[2:] == ["blue", "yellow"]


def test_of_several_pictures_in_an_avif_the_first_is_kept(folder):
    data = avif(quartered(), save_all=True, append_images=[textile(400, 300)], duration=100)
    assert quarters_of(stored_picture(folder, uploaded(ApiClient.admin(), data))) == quarters_of(quartered())


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_avif_is_taken(folder, mode):
    assert uploaded(ApiClient.admin(), avif(cloth().convert(mode)))["content_type"] == "image/jpeg"


def test_a_heic_that_was_announced_as_a_jpeg_is_one_at_last(folder):
    admin, data = ApiClient.admin(), case("x4")
    promise = presigned(admin, data, "image/jpeg")
    send(folder, admin, promise, data)
    assert complete(admin, promise).json()["content_type"] == "image/jpeg"


def test_a_png_that_was_announced_as_a_heic_is_refused(folder):
    admin, data = ApiClient.admin(), picture("image/png")
    promise = presigned(admin, data, "image/heic")
    send(folder, admin, promise, data)
    refused(complete(admin, promise), 400, "invalid_image")
    assert folder.listed() == []


def test_image_jpg_is_image_jpeg(image_store):
    admin, data = ApiClient.admin(), picture()
    promise = presigned(admin, data, "image/jpg")
    assert promise["headers"]["Content-Type"] == "image/jpeg"
    assert send(image_store, admin, promise, data) == 200
    assert complete(admin, promise).json()["content_type"] == "image/jpeg"


def decoder(folder, work):
    """The program that decodes, with other work in place of its decoders, and a picture of one pixel."""
    program = folder / "decoder.py"
    program.write_text(
        f"import sys\nsys.path.insert(0, {str(native.PROGRAM.parent)!r})\nimport native_decoder\n"
        f"def decoded(data):\n    {work}\n    yield b'L 1 1 1\\n'\n    yield b'?'\n"
        "native_decoder.heic = native_decoder.avif = decoded\nnative_decoder.main()\n"
    )
    return program


@pytest.mark.parametrize("name", ["x4", "x5"])
def test_a_decoder_out_of_time_is_stopped(folder, monkeypatch, tmp_path, name):
    monkeypatch.setattr(native, "MOST_SECONDS", 1)
    monkeypatch.setattr(native, "PROGRAM", decoder(tmp_path, "while True: pass"))
    refused(upload(ApiClient.admin(), case(name)), 400, "invalid_image")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold a process to its memory")
@pytest.mark.parametrize("name", ["x4", "x5"])
def test_a_decoder_that_takes_more_memory_than_was_counted_is_stopped(folder, monkeypatch, tmp_path, name):
    monkeypatch.setattr(native, "PROGRAM", decoder(tmp_path, ""))
    assert uploaded(ApiClient.admin(), case(name))["width"] == 1
    monkeypatch.setattr(native, "PROGRAM", decoder(tmp_path, "bytearray(500_000_000)"))
    refused(upload(ApiClient.admin(), case(name)), 400, "invalid_image")


@pytest.mark.parametrize("name", ["x4", "x5"])
def test_a_decoder_that_stands_still_is_stopped(folder, monkeypatch, tmp_path, name):
    still = tmp_path / "still.py"
    still.write_text("import sys, threading\nsys.stdin.buffer.read()\nthreading.Event().wait()\n")
    monkeypatch.setattr(native, "PROGRAM", still)
    monkeypatch.setattr(native, "MOST_WAITING", 0.5)
    refused(upload(ApiClient.admin(), case(name)), 400, "invalid_image")


def test_a_heic_of_more_pixels_than_it_announces_is_refused(folder):
    refused(upload(ApiClient.admin(), heic(size=(8, 6))), 400, "invalid_image")


@pytest.mark.parametrize("name", ["x4", "x5"])
def test_a_heic_or_avif_obeys_the_limit_of_megapixels_and_the_budget_of_memory(folder, settings, name):
    settings.MAX_MEGAPIXELS = 0.4
    assert "megapixels" in refused(upload(ApiClient.admin(), case(name)), 400, "invalid_image")["file"][0]
    settings.MAX_MEGAPIXELS, settings.DECODING_MEMORY = 20, 16 * 1024**2
    assert "memory" in refused(upload(ApiClient.admin(), case(name)), 400, "invalid_image")["file"][0]


def test_a_video_is_no_picture(folder):
    assert "HEIC" in refused(upload(ApiClient.admin(), mp4()), 400, "invalid_image")["file"][0]


def test_a_whole_jpeg_keeps_its_bytes(folder):
    for data in (saved(cloth()), saved(cloth(), progressive=True), saved(cloth(), restart_marker_blocks=5)):
        body = uploaded(ApiClient.admin(), data)
        assert folder.read(body["object_key"]) == data
