"""What is stored is never larger than MAX_FILE_SIZE, and has as many pixels as what was sent."""

import io

import pytest
from PIL import Image as Pillow

from tests.api.client import ApiClient, refused
from tests.api.test_presigned_uploads import complete, presigned, send
from tests.api.test_uploads import upload, uploaded
from tests.heif_files import avif, case
from tests.odd_pictures import turn
from tests.pictures import saved

pytestmark = pytest.mark.django_db
SIZE = (300, 200)


def noise(mode="RGB"):
    bands = [Pillow.effect_noise(SIZE, 90 + band) for band in range(len(Pillow.new(mode, (1, 1)).getbands()))]
    return Pillow.merge(mode, bands)


def of_few_colours(size=SIZE):
    """A PNG that is much larger without its palette, but not as a lossless WebP, and is to be turned."""
    return saved(noise().resize(size).quantize(64), "image/png", exif=turn(3), optimize=True)


def of_tiles():
    """A PNG that is much larger without its palette, as a lossless WebP too, and is to be turned."""
    image = Pillow.merge("RGB", [Pillow.effect_noise(SIZE, 12 + band) for band in range(3)]).quantize(250)
    tile = image.crop((0, 0, 100, 100))
    for place in range(6):
        image.paste(tile, (place % 3 * 100, place // 3 * 100))
    return saved(image, "image/png", exif=turn(3), optimize=True)


def stored(store, body):
    data = store.read(body["object_key"])
    assert len(data) == body["size"]
    return Pillow.open(io.BytesIO(data))


def test_a_jpeg_that_grows_when_it_is_turned_has_a_lower_quality(folder, settings):
    data = saved(noise(), quality=70, optimize=True, exif=turn(6))
    settings.MAX_FILE_SIZE = len(data)
    body = uploaded(ApiClient.admin(), data)
    assert body["size"] <= len(data)
    assert (body["content_type"], body["width"], body["height"]) == ("image/jpeg", *SIZE[::-1])
    assert stored(folder, body).size == SIZE[::-1]


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_webp_that_grows_when_it_is_turned_has_a_lower_quality(folder, settings, mode):
    data = saved(noise(mode), "image/webp", quality=50, alpha_quality=20, exif=turn(6))
    settings.MAX_FILE_SIZE = len(data)
    body = uploaded(ApiClient.admin(), data)
    assert body["size"] <= len(data)
    assert (body["content_type"], body["width"], body["height"]) == ("image/webp", *SIZE[::-1])
    assert stored(folder, body).mode == mode


@pytest.mark.parametrize("name", ["x4", "x5"])
def test_a_jpeg_made_of_a_heic_or_avif_is_no_larger_either(folder, settings, name):
    data = case(name)
    settings.MAX_FILE_SIZE = len(data)
    body = uploaded(ApiClient.admin(), data)
    assert body["size"] <= len(data)
    assert stored(folder, body).size == (800, 600)


def upright(data):
    return Pillow.open(io.BytesIO(data)).convert("RGB").rotate(180)


@pytest.mark.parametrize(("make", "is_lossless"), [(of_few_colours, True), (of_tiles, False)])
def test_a_png_that_would_be_too_large_becomes_a_webp(image_store, settings, make, is_lossless):
    data = make()
    settings.MAX_FILE_SIZE = len(data)
    body = uploaded(ApiClient.admin(), data)
    assert body["content_type"] == "image/webp"
    assert body["object_key"].endswith(".webp")
    assert body["size"] <= settings.MAX_FILE_SIZE
    image = stored(image_store, body)
    assert (image.format, image.size) == ("WEBP", SIZE)
    assert (image.convert("RGB").tobytes() == upright(data).tobytes()) is is_lossless


def test_a_png_that_would_be_too_large_keeps_its_promised_key(image_store, settings):
    admin, data = ApiClient.admin(), of_few_colours()
    settings.MAX_FILE_SIZE = len(data)
    promise = presigned(admin, data, "image/png")
    assert send(image_store, admin, promise, data) == 200
    body = complete(admin, promise).json()
    assert (body["object_key"], body["content_type"]) == (promise["object_key"], "image/webp")
    assert stored(image_store, body).format == "WEBP"
    assert complete(admin, promise).json() == body


def test_the_folder_tells_the_type_of_what_is_stored(folder, settings):
    admin, data = ApiClient.admin(), of_few_colours()
    settings.MAX_FILE_SIZE = len(data)
    promise = presigned(admin, data, "image/png")
    send(folder, admin, promise, data)
    complete(admin, promise)
    assert ApiClient().get(f"/media/{promise['object_key']}").headers["Content-Type"] == "image/webp"


def test_the_bucket_tells_the_type_of_what_is_stored(bucket, settings):
    admin, data = ApiClient.admin(), of_few_colours()
    settings.MAX_FILE_SIZE = len(data)
    promise = presigned(admin, data, "image/png")
    send(bucket, admin, promise, data)
    complete(admin, promise)
    head = bucket.client.head_object(Bucket=bucket.bucket, Key=promise["object_key"])
    assert head["ContentType"] == "image/webp"


def test_a_png_too_large_and_too_wide_for_webp_is_refused(image_store, settings):
    admin, data = ApiClient.admin(), of_few_colours((16_384, 8))
    settings.MAX_FILE_SIZE = len(data)
    assert set(refused(upload(admin, data), 413, "file_too_large")) == {"file"}
    promise = presigned(admin, data, "image/png")
    send(image_store, admin, promise, data)
    assert set(refused(complete(admin, promise), 413, "file_too_large")) == {"object_key"}
    assert image_store.listed() == []


def test_a_host_without_memory_for_a_lossless_webp_makes_a_lossy_one(folder, settings):
    data = of_few_colours()
    settings.MAX_FILE_SIZE, settings.DECODING_MEMORY = len(data), 5_000_000
    body = uploaded(ApiClient.admin(), data)
    assert body["content_type"] == "image/webp"
    assert stored(folder, body).convert("RGB").tobytes() != upright(data).tobytes()


def test_an_unchanged_file_that_grows_by_its_end_mark_is_no_larger_either(folder, settings):
    data = saved(noise())[:-2]
    settings.MAX_FILE_SIZE = len(data)
    assert uploaded(ApiClient.admin(), data)["size"] <= len(data)


def test_an_avif_of_alpha_is_no_larger_either(folder, settings):
    data = avif(noise("RGBA"), quality=40)
    settings.MAX_FILE_SIZE = len(data)
    assert uploaded(ApiClient.admin(), data)["size"] <= len(data)
