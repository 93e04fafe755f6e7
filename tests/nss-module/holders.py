# SPDX-License-Identifier: MIT
"""A process in which NSS and p11-kit come and go, with and without the module: tells whether the
gate is in NSPR's table when it must be. holders.py MODULE DATABASE BARE-DATABASE SCENE; exit status
77 where a library is missing. p11-kit must know the module, too."""
import ctypes
import os
import shutil
import sys
import tempfile

MODULE, DATABASE, BARE, SCENE = sys.argv[1:]
CRITICAL, REQUIRED = 0, 1


class Symbol(ctypes.Structure):
    _fields_ = [("path", ctypes.c_char_p), ("base", ctypes.c_void_p),
                ("name", ctypes.c_char_p), ("address", ctypes.c_void_p)]


def load(name):
    try:
        return ctypes.CDLL(name)
    except OSError as error:
        print(error)
        sys.exit(77)


class Nss:
    """The NSS that the loader finds; nothing of it is loaded before."""

    def __init__(self):
        self.nss = load("libnss3.so")
        self.nss.PR_GetTCPMethods.restype = ctypes.c_void_p  # of the NSPR that it is bound to

    def start(self, database):
        assert self.nss.NSS_Init(database.encode()) == 0

    def stop(self):
        assert self.nss.NSS_Shutdown() == 0

    def hooked(self):
        """Whether NSPR's write method is in the module. In PRIOMethods, file_type comes first, then
        close, read and write."""
        table = (ctypes.c_void_p * 4).from_address(self.nss.PR_GetTCPMethods())
        symbol = Symbol()
        assert ctypes.CDLL(None).dladdr(ctypes.c_void_p(table[3]), ctypes.byref(symbol))
        return os.path.realpath(symbol.path.decode()) == os.path.realpath(MODULE)

    def slot(self):
        self.nss.PK11_FindSlotByName.restype = ctypes.c_void_p
        return ctypes.c_void_p(self.nss.PK11_FindSlotByName(b"Converge"))

    def lists(self):
        """Whether NSS itself has the module."""
        slot = self.slot()
        if slot:
            self.nss.PK11_FreeSlot(slot)
        return bool(slot)

    def look(self):
        """Searches the module's token, as a handshake does."""
        slot = self.slot()
        self.nss.PK11_ListCertsInSlot.restype = ctypes.c_void_p
        self.nss.CERT_DestroyCertList(ctypes.c_void_p(self.nss.PK11_ListCertsInSlot(slot)))
        self.nss.PK11_FreeSlot(slot)


class P11Kit:
    """p11-kit with the modules it is configured for."""

    def __init__(self):
        self.kit = load("libp11-kit.so.0")
        self.kit.p11_kit_modules_load_and_initialize.restype = ctypes.c_void_p
        self.modules = None

    def start(self):
        self.modules = self.kit.p11_kit_modules_load_and_initialize(0)
        assert self.modules

    def stop(self):
        self.kit.p11_kit_modules_finalize_and_release(ctypes.c_void_p(self.modules))

    def look(self):
        """Opens a session with every token."""
        self.kit.p11_kit_iter_new.restype = ctypes.c_void_p
        walk = ctypes.c_void_p(self.kit.p11_kit_iter_new(None, 0))
        self.kit.p11_kit_iter_begin(walk, ctypes.c_void_p(self.modules))
        while self.kit.p11_kit_iter_next(walk) == 0:
            pass
        self.kit.p11_kit_iter_free(walk)


def in_child(work):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def only_nss():
    nss = Nss()
    assert not nss.hooked()
    nss.start(DATABASE)
    assert nss.hooked() and nss.lists()
    nss.stop()
    assert not nss.hooked()


def nss_then_p11_kit():
    nss, kit = Nss(), P11Kit()
    nss.start(DATABASE)
    kit.start()
    kit.look()
    assert nss.hooked()
    kit.stop()
    assert nss.hooked() and nss.lists()
    kit.start()
    nss.stop()
    assert nss.hooked()  # p11-kit still has the module
    kit.stop()
    assert not nss.hooked()


def p11_kit_then_nss():
    kit = P11Kit()
    kit.start()
    nss = Nss()
    nss.start(DATABASE)
    assert nss.hooked() and nss.lists()
    kit.stop()
    assert nss.hooked() and nss.lists()
    nss.stop()
    assert not nss.hooked()


def p11_kit_before_nss_is_there():
    """A program over NSS whose database has no module, and p11-kit has."""
    kit = P11Kit()
    kit.start()
    nss = Nss()
    nss.start(BARE)
    assert not nss.hooked()  # nobody asked the module anything since
    kit.look()
    assert nss.hooked()
    nss.stop()
    kit.stop()
    assert not nss.hooked()


def copy_goes():
    """A second copy of the module was there first, and watched for both."""
    folder = tempfile.mkdtemp(prefix="cvg-")
    copy = load(shutil.copy(MODULE, folder))
    shutil.rmtree(folder)
    table = ctypes.POINTER(ctypes.c_void_p)()
    assert copy.C_GetFunctionList(ctypes.byref(table)) == 0
    call = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)
    initialize, finalize = call(table[1]), call(table[2])  # behind the version
    nss = Nss()
    assert initialize(None) == 0
    nss.start(DATABASE)
    assert nss.lists() and not nss.hooked()  # by the copy
    assert finalize(None) == 0
    nss.look()
    assert nss.hooked()
    nss.stop()
    assert not nss.hooked()


def again_and_again():
    nss, kit = Nss(), P11Kit()
    for _ in range(20):
        nss.start(DATABASE)
        kit.start()
        nss.stop()
        nss.start(DATABASE)
        assert nss.hooked() and nss.lists()
        kit.stop()
        assert nss.hooked()
        nss.stop()
        assert not nss.hooked()


def child_of_nss():
    nss = Nss()
    nss.start(DATABASE)

    def child():
        assert nss.hooked()  # for the sockets it inherited
        nss.nss.NSS_Shutdown()
        assert not nss.hooked()

    in_child(child)
    assert nss.hooked() and nss.lists()
    nss.stop()
    assert not nss.hooked()


def child_with_p11_kit():
    nss, kit = Nss(), P11Kit()
    nss.start(DATABASE)

    def child():
        kit.start()
        kit.look()
        kit.stop()
        assert nss.hooked()

    in_child(child)
    kit.start()
    in_child(child)
    assert nss.hooked()


def child_starts_anew():
    """What NSS wants of a child: to end and to begin again, or to restart its modules."""
    nss = Nss()
    nss.start(DATABASE)

    def ends_and_begins():
        nss.nss.NSS_Shutdown()
        nss.start(DATABASE)
        assert nss.hooked() and nss.lists()
        nss.stop()
        assert not nss.hooked()

    def restarts():
        assert nss.nss.SECMOD_RestartModules(0) == 0
        assert nss.hooked() and nss.lists()

    in_child(ends_and_begins)
    in_child(restarts)
    assert nss.hooked()


SCENES = {"nss": only_nss, "nss-then-p11-kit": nss_then_p11_kit,
          "p11-kit-then-nss": p11_kit_then_nss,
          "p11-kit-before-nss-is-there": p11_kit_before_nss_is_there,
          "copy-goes": copy_goes, "again-and-again": again_and_again, "child-of-nss": child_of_nss,
          "child-with-p11-kit": child_with_p11_kit, "child-starts-anew": child_starts_anew}
SCENES[SCENE]()
