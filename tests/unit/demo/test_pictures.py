"""The pictures are drawn in other processes, whichever way the platform starts them."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from demo.pictures import drawn
from demo.plan import plan


def test_a_spawned_process_draws_and_prepares_a_picture(monkeypatch, tmp_path):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "gallery_project.settings")
    monkeypatch.setenv("DATA", str(tmp_path))
    (design,) = plan(1, 7)

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        prepared = pool.submit(drawn, design).result(60)

    assert (prepared.width, prepared.height) == (900, 1200)
    assert prepared.data == drawn(design).data
