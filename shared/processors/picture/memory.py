"""Memory for native code that does not say when it lacks some: it blames the file, or ends the process."""

import ctypes

_libc = ctypes.CDLL(None)
_libc.malloc.argtypes, _libc.malloc.restype = (ctypes.c_size_t,), ctypes.c_void_p
_libc.free.argtypes, _libc.free.restype = (ctypes.c_void_p,), None


def require(size_bytes: int) -> None:
    """Raises `MemoryError` where this process cannot have as many bytes more. Costs nothing: no page is touched."""
    block = _libc.malloc(size_bytes)
    if not block:
        raise MemoryError
    _libc.free(block)
