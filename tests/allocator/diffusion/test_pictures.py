from __future__ import annotations

import numpy as np
import pytest
from diskcache import Cache

from allocator.diffusion.pictures import PictureStore

PICTURE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


@pytest.mark.parametrize("on_disk", [False, True])
def test_what_was_put_is_got_under_its_key_and_revision_only(tmp_path, on_disk):
    store = PictureStore(tmp_path if on_disk else None)
    store.put("key", "v1", PICTURE)
    np.testing.assert_array_equal(store.get("key", "v1"), PICTURE)
    assert store.get("key", "v2") is None
    assert store.get("other", "v1") is None
    store.close()


def test_a_folder_is_shared_and_the_first_picture_stays(tmp_path):
    first, second = PictureStore(tmp_path), PictureStore(tmp_path)
    assert second.get("key", "v1") is None
    first.put("key", "v1", PICTURE)
    np.testing.assert_array_equal(second.put("key", "v1", 255 - PICTURE), PICTURE)
    np.testing.assert_array_equal(second.get("key", "v1"), PICTURE)
    first.close()
    second.close()


def test_a_kept_picture_cannot_be_changed():
    store = PictureStore()
    mine = PICTURE.copy()
    kept = store.put("key", "v1", mine)
    mine[:] = 0
    np.testing.assert_array_equal(store.get("key", "v1"), PICTURE)
    with pytest.raises(ValueError, match="read-only"):
        kept[:] = 0


def test_a_pickle_in_the_folder_is_never_loaded(tmp_path):
    with Cache(str(tmp_path)) as planted:
        planted["v1/key"] = {"not": "bytes"}
    store = PictureStore(tmp_path)
    with pytest.raises(ValueError, match="pickle"):
        store.get("key", "v1")
    store.close()
