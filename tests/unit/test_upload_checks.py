"""The system checks of where images lie."""

import pytest

from uploads.checks import image_storage_is_usable, own_domain_for_images

GOOD = {"public_url": "https://images.example", "endpoint_url": "https://x.r2.cloudflarestorage.com"}


def found(settings, backend, check=image_storage_is_usable, **options):
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": backend, "OPTIONS": options}}
    return [message.id for message in check()]


def test_our_own_storages_are_good(settings):
    assert found(settings, "uploads.storage.folder.FolderStorage", location="x") == []
    assert found(settings, "uploads.storage.r2.R2Storage", **GOOD) == []


@pytest.mark.parametrize("backend", ["django.core.files.storage.FileSystemStorage", "no.such.Storage"])
def test_another_storage_is_an_error(settings, backend):
    assert found(settings, backend) == ["uploads.E001"]


@pytest.mark.parametrize(
    "address", ["", "images.example", "ftp://images.example", "https://", "https://[", "https://x?y"]
)
def test_what_is_no_address_is_an_error(settings, address):
    assert found(settings, "uploads.storage.r2.R2Storage", **{**GOOD, "public_url": address}) == [
        "uploads.E002"
    ]
    assert found(settings, "uploads.storage.r2.R2Storage", **{**GOOD, "endpoint_url": address}) == [
        "uploads.E003"
    ]


def test_an_r2_dev_address_is_warned_of(settings):
    check, backend = own_domain_for_images, "uploads.storage.r2.R2Storage"
    assert found(settings, backend, check, **GOOD) == []
    assert found(settings, backend, check, public_url="https://pub-1.r2.dev") == ["uploads.W001"]
