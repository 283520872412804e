"""Pictures decoded lately, by the content of their files: what comes again is not decoded again.

Learners and dashboards send the same files over and over. Decoding is then the most expensive
part of an answer whose opinions are all known.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

from qoe_service.images import ImageLimits, Picture, decode

MAX_PIXEL_BYTES = 64 * 2**20
"""Memory for the pixels of one scorer's pictures; the least recently used go first."""


class DecodedPictures:
    """`decode` with a memory of bounded size. Files that are no pictures are not remembered.

    Thread-safe: two threads that meet a new file at once may both decode it.
    """

    def __init__(self, limits: ImageLimits, *, max_pixel_bytes: int = MAX_PIXEL_BYTES) -> None:
        self._limits = limits
        self._max_pixel_bytes = max_pixel_bytes
        self._pictures: OrderedDict[bytes, Picture] = OrderedDict()
        self._pixel_bytes = 0
        self._lock = threading.Lock()

    def picture(self, file: bytes) -> Picture:
        """The picture in a file's bytes. Raises `BadImage`, as `decode` does."""
        key = hashlib.sha256(file).digest()
        with self._lock:
            found = self._pictures.get(key)
            if found is not None:
                self._pictures.move_to_end(key)
                return found
        picture = decode(file, self._limits)
        picture.pixels.setflags(write=False)
        self._keep(key, picture)
        return picture

    @property
    def pixel_bytes(self) -> int:
        """Bytes of pixels held now."""
        return self._pixel_bytes

    def _keep(self, key: bytes, picture: Picture) -> None:
        with self._lock:
            if key in self._pictures:
                return
            self._pictures[key] = picture
            self._pixel_bytes += picture.pixels.nbytes
            while self._pixel_bytes > self._max_pixel_bytes:
                _, oldest = self._pictures.popitem(last=False)
                self._pixel_bytes -= oldest.pixels.nbytes
