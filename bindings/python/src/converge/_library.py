# SPDX-License-Identifier: MIT
"""libconverge.so.0 by ctypes: the prototypes of converge.h, and nothing besides.

CDLL lets go of the interpreter's lock for the time of each call.
"""
import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint, c_void_p

SONAME = "libconverge.so.0"


def _load():
    try:
        return ctypes.CDLL(SONAME)
    except OSError as problem:
        raise ImportError(
            f"the package converge needs Converge's library, which cannot be loaded ({problem}): "
            f"install it (on Debian: libconverge0; after make install: sudo ldconfig), or set "
            f"LD_LIBRARY_PATH to where {SONAME} is",
            name=__name__, path=SONAME) from problem


class _Options(ctypes.Structure):
    """converge_options: opaque."""


class _Result(ctypes.Structure):
    """converge_result: opaque."""


_PROTOTYPES = {
    "converge": (c_int, c_char_p, c_int, c_char_p),
    "converge_options_new": (POINTER(_Options),),
    "converge_options_free": (None, POINTER(_Options)),
    "converge_options_set_timeout_ms": (c_int, POINTER(_Options), c_uint),
    "converge_options_set_certificate": (c_int, POINTER(_Options), c_char_p, c_size_t),
    "converge_options_set_pki_result": (c_int, POINTER(_Options), c_int),
    "converge_options_set_start_agent": (c_int, POINTER(_Options), c_int),
    "converge_check": (c_int, c_char_p, c_int, c_char_p, POINTER(_Options),
                       POINTER(POINTER(_Result))),
    "converge_result_free": (None, POINTER(_Result)),
    "converge_result_verdict": (c_char_p, POINTER(_Result)),
    "converge_result_action": (c_char_p, POINTER(_Result)),
    "converge_result_reason": (c_char_p, POINTER(_Result)),
    "converge_result_text": (c_char_p, POINTER(_Result)),
    "converge_result_elapsed_ms": (c_uint, POINTER(_Result)),
    "converge_result_vote_count": (c_size_t, POINTER(_Result)),
    "converge_result_vote_notary": (c_char_p, POINTER(_Result), c_size_t),
    "converge_result_vote_answer": (c_char_p, POINTER(_Result), c_size_t),
    "converge_result_vote_elapsed_ms": (c_uint, POINTER(_Result), c_size_t),
    "converge_result_vote_error": (c_char_p, POINTER(_Result), c_size_t),
    "converge_result_vote_bounced": (c_int, POINTER(_Result), c_size_t),
    "converge_strerror": (c_char_p, c_int),
    "converge_version": (c_char_p,),
}


def _declare(library):
    for name, (result, *arguments) in _PROTOTYPES.items():
        try:
            function = getattr(library, name)
        except AttributeError as problem:
            raise ImportError(f"{SONAME} is not the one that the package converge needs: it has "
                              f"no {name}", name=__name__, path=SONAME) from problem
        function.restype = result
        function.argtypes = arguments
    return library


library = _declare(_load())


def new_result():
    """A place for converge_check() to leave its result in, and the reference to pass."""
    place = POINTER(_Result)()
    return place, byref(place)
