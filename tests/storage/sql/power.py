"""A disk whose power can be cut: notes what SQLite writes and syncs, and says what would be left at any moment.

A virtual file system of SQLite, registered in the very library that Python uses, hands every call on to the real
one and notes writes, truncations, syncs and removals in order. Afterwards `remains` builds the files as they are
found after a cut: what was synced is there; of what was not, each 512-byte sector may or may not have arrived.
"""

import _sqlite3
import ctypes
import random
import sqlite3
from collections.abc import Iterator
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p, cast
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path

SECTOR = 512
OK = 0
NAME = b"cut"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened: write, truncate, sync, delete; or `done`, noted by the workload. In order."""

    deed: str
    file: str = ""
    offset: int = 0
    content: bytes = b""


class _Methods(Structure):
    pass


class _File(Structure):
    _fields_ = (("methods", POINTER(_Methods)),)


_FileP = POINTER(_File)
_CLOSE = CFUNCTYPE(c_int, _FileP)
_READ = CFUNCTYPE(c_int, _FileP, c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, _FileP, c_int64)
_NUMBER = CFUNCTYPE(c_int, _FileP, c_int)
_SIZE = CFUNCTYPE(c_int, _FileP, POINTER(c_int64))
_RESERVED = CFUNCTYPE(c_int, _FileP, POINTER(c_int))
_CONTROL = CFUNCTYPE(c_int, _FileP, c_int, c_void_p)
_SHM_MAP = CFUNCTYPE(c_int, _FileP, c_int, c_int, c_int, POINTER(c_void_p))
_SHM_LOCK = CFUNCTYPE(c_int, _FileP, c_int, c_int, c_int)
_BARRIER = CFUNCTYPE(None, _FileP)

_Methods._fields_ = (
    ("version", c_int),
    ("close", _CLOSE),
    ("read", _READ),
    ("write", _READ),
    ("truncate", _TRUNCATE),
    ("sync", _NUMBER),
    ("size", _SIZE),
    ("lock", _NUMBER),
    ("unlock", _NUMBER),
    ("reserved", _RESERVED),
    ("control", _CONTROL),
    ("sector", _CLOSE),
    ("traits", _CLOSE),
    ("shm_map", _SHM_MAP),
    ("shm_lock", _SHM_LOCK),
    ("shm_barrier", _BARRIER),
    ("shm_unmap", _NUMBER),
)


class _Vfs(Structure):
    pass


_VfsP = POINTER(_Vfs)
_OPEN = CFUNCTYPE(c_int, _VfsP, c_void_p, _FileP, c_int, POINTER(c_int))
_DELETE = CFUNCTYPE(c_int, _VfsP, c_char_p, c_int)
_Vfs._fields_ = (
    ("version", c_int),
    ("file_size", c_int),
    ("longest_path", c_int),
    ("next", c_void_p),
    ("name", c_char_p),
    ("data", c_void_p),
    ("open", _OPEN),
    ("delete", _DELETE),
    # the rest is taken over as it is: it needs nothing of ours
    *((name, c_void_p) for name in ("access", "full_path", "dl_open", "dl_error", "dl_sym", "dl_close")),
    *((name, c_void_p) for name in ("randomness", "sleep", "current_time", "last_error", "current_time_64")),
    *((name, c_void_p) for name in ("set_system_call", "get_system_call", "next_system_call")),
)


class Recorder:
    """The virtual file system, the default one of this process from `install` on; `steps` grows."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._library = _library()
        self._real = self._library.sqlite3_vfs_find(None)
        self._names: dict[int, str] = {}
        self._methods: dict[int, _Methods] = {}
        self._gap = ctypes.sizeof(_File)
        self._vfs = _Vfs.from_buffer_copy(self._real.contents)
        self._vfs.file_size = self._gap + self._real.contents.file_size
        self._vfs.name = NAME
        self._kept = (_OPEN(self._open), _DELETE(self._delete))
        self._vfs.open, self._vfs.delete = self._kept
        self._ours = self._made()

    def install(self) -> None:
        """Every SQLite file opened from now on is recorded."""
        assert self._library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1) == OK

    def done(self, number: int) -> None:
        """Note that the workload was told that something is kept."""
        self.steps.append(Step("done", offset=number))

    def _real_file(self, file: "ctypes._Pointer[_File]") -> "ctypes._Pointer[_File]":
        return cast(_address(file) + self._gap, _FileP)

    def _open(self, _vfs: object, name: int | None, file: object, flags: int, given: object) -> int:
        real = self._real_file(file)  # type: ignore[arg-type]
        code = self._real.contents.open(self._real, name, real, flags, given)
        if real.contents.methods:
            here = cast(file, _FileP)  # type: ignore[arg-type]
            here.contents.methods = ctypes.pointer(self._ours)
            self._names[_address(here)] = ctypes.string_at(name).decode() if name else ""
        return int(code)

    def _delete(self, _vfs: object, name: bytes, sync_folder: int) -> int:
        code = self._real.contents.delete(self._real, name, sync_folder)
        if code == OK:
            self.steps.append(Step("delete", name.decode(), sync_folder))
        return int(code)

    def _noted(self, file: object, deed: str, offset: int = 0, content: bytes = b"") -> None:
        self.steps.append(Step(deed, self._names[_address(file)], offset, content))

    def _made(self) -> _Methods:
        def hand_on(name: str) -> object:
            def call(file: object, *given: object) -> object:
                real = self._real_file(file)  # type: ignore[arg-type]
                return getattr(real.contents.methods.contents, name)(real, *given)

            return call

        def write(file: object, content: int, length: int, offset: int) -> object:
            code = hand_on("write")(file, content, length, offset)  # type: ignore[operator]
            self._noted(file, "write", offset, ctypes.string_at(content, length))
            return code

        def truncate(file: object, size: int) -> object:
            self._noted(file, "truncate", size)
            return hand_on("truncate")(file, size)  # type: ignore[operator]

        def sync(file: object, flags: int) -> object:
            code = hand_on("sync")(file, flags)  # type: ignore[operator]
            self._noted(file, "sync")
            return code

        ours = {"write": write, "truncate": truncate, "sync": sync}
        methods = _Methods(version=2)
        for name, kind in _Methods._fields_[1:]:
            setattr(methods, name, kind(ours.get(name) or hand_on(name)))
        return methods


def _address(file: object) -> int:
    return cast(file, c_void_p).value or 0  # type: ignore[arg-type]


def _library() -> ctypes.CDLL:
    """The SQLite that Python itself uses; LookupError when it lets nobody in."""
    for name in (None, _sqlite3.__file__, find_library("sqlite3")):
        try:
            library = ctypes.CDLL(name)
            library.sqlite3_vfs_find.restype = _VfsP
            library.sqlite3_vfs_find.argtypes = [c_char_p]
            library.sqlite3_libversion.restype = c_char_p
        except (OSError, AttributeError):
            continue
        if library.sqlite3_libversion().decode() == sqlite3.sqlite_version:
            return library
    raise LookupError("Python's SQLite cannot be reached from here")


def remains(steps: list[Step], cut: int, chance: random.Random, folder: Path) -> int:
    """Write the files into `folder` as they are after a cut before step `cut`; the last number noted until then.

    What was synced is whole. Of later writes each sector has arrived or not; they arrive in no order.
    """
    safe: dict[str, bytearray] = {}
    loose: dict[str, list[Step]] = {}
    removed: set[str] = set()  # names that are gone, but not for good before their folder is synced
    named: set[str] = set()
    acknowledged = 0
    for step in steps[:cut]:
        if step.deed == "done":
            acknowledged = step.offset
        elif step.deed == "delete":
            loose.pop(step.file, None)
            named.discard(step.file)
            removed.add(step.file)
            if step.offset:
                _forget(safe, removed)
        elif step.deed == "sync":
            for late in loose.pop(step.file, []):
                _apply(safe.setdefault(step.file, bytearray()), late)
            if step.file.endswith(("-wal", "-journal")) and step.file not in named:
                named.add(step.file)
                _forget(safe, removed)  # SQLite syncs the folder with the first sync of such a file
        else:
            if step.file in removed:
                _forget(safe, {step.file})
                removed.discard(step.file)
            loose.setdefault(step.file, []).append(step)
    _forget(safe, {file for file in sorted(removed) if chance.random() < 0.5})
    for file, steps_of in loose.items():
        content = safe.setdefault(file, bytearray())
        share = chance.choice([0.0, 0.0, 0.5, 0.9])
        for piece in _sectors(steps_of):
            if chance.random() < share:
                _apply(content, piece)
    for file, content in safe.items():
        (folder / Path(file).name).write_bytes(content)
    return acknowledged


def _forget(safe: dict[str, bytearray], removed: set[str]) -> None:
    for file in removed:
        safe.pop(file, None)
    removed.clear()


def _sectors(steps: list[Step]) -> Iterator[Step]:
    for step in steps:
        if step.deed != "write":
            yield step
            continue
        at = 0
        while at < len(step.content):
            length = SECTOR - (step.offset + at) % SECTOR
            yield Step("write", step.file, step.offset + at, step.content[at : at + length])
            at += length


def _apply(content: bytearray, step: Step) -> None:
    if step.deed == "truncate":
        del content[step.offset :]
        return
    if len(content) < step.offset:
        content.extend(bytes(step.offset - len(content)))
    content[step.offset : step.offset + len(step.content)] = step.content
