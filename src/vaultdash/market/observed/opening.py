"""What is in a file: unpacked, as text, as a table of texts with the line each row came from."""

import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import polars as pl

from vaultdash.domain.errors import InvalidInput

MOST_BYTES = 400_000_000  # unpacked; reading takes some ten times as much memory
GZIP, ZIP, ZSTD, DBN = b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"DBN"
SEPARATORS = ",;\t|"
SHOWN = 12


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A row that was not taken: its line in the file (the header is 1, a record of a binary file its number)."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a file as text: `rows` has the columns of the header and `line`, `short` rows of another width."""

    name: str
    header: tuple[str, ...]
    rows: pl.DataFrame
    short: tuple[RejectedLine, ...]


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file as it lies on disk; InvalidInput when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InvalidInput(path.name, f"cannot be read: {error.strerror or error}") from error


def begins_with(path: Path, *marks: bytes) -> bool:
    """Whether a file begins with one of the marks."""
    try:
        with path.open("rb") as file:
            return file.read(max(map(len, marks))).startswith(marks)
    except OSError as error:
        raise InvalidInput(path.name, f"cannot be read: {error.strerror or error}") from error


def texts_of(path: Path) -> Iterator[tuple[str, str]]:
    """The texts in a plain, .gz or .zip file with their names, one by one.

    InvalidInput says what to do when there are none, or when one is too large to be read at once.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(ZIP)) == ZIP:
                yield from _zipped(file, path.name)
                return
            file.seek(0)
            content = file.read(MOST_BYTES + 1)
        if content.startswith(GZIP):
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as unpacked:
                content = unpacked.read(MOST_BYTES + 1)
    except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise InvalidInput(path.name, f"cannot be unpacked: {error}; download it again") from error
    except OSError as error:
        raise InvalidInput(path.name, f"cannot be read: {error.strerror or error}") from error
    yield path.name, _text(content, path.name)


def table_of(text: str, name: str) -> Table:
    """The cells of a CSV text: names of columns lower-case, without brackets, marks and spaces around.

    Quotation marks are taken away, so a cell cannot hold the separator; the formats read here have no such cells.
    """
    plain = text.replace('"', "").replace("\r\n", "\n").replace("\r", "\n")
    lines = pl.Series("text", [plain]).str.split("\n").explode()
    frame = lines.to_frame().with_row_index("line", 1).filter(pl.col("text").str.strip_chars(" \t,;|") != "")
    if frame.is_empty():
        raise InvalidInput(name, "is empty; it needs a header line and a line for each contract")
    first = frame["text"][0]
    separator = max(SEPARATORS, key=first.count)
    header = tuple(cell.strip(" []\t").lower() for cell in first.split(separator))
    if len(set(header)) < len(header):
        twice = next(title for title in header if header.count(title) > 1)
        raise InvalidInput(name, f"has more than one column {twice or 'without a name'}; keep one")
    if frame.height == 1:
        raise InvalidInput(name, "has a header but no rows; export it again with its quotes")
    cells = frame["text"][1:].str.count_matches(separator, literal=True) + 1
    body = frame[1:].with_columns(cells=cells)
    full = pl.col("cells") == len(header)
    short = tuple(
        RejectedLine(line, f"has {count} cells where the header has {len(header)}")
        for line, count in body.filter(~full).select("line", "cells").iter_rows()
    )
    body = body.filter(full)
    parts = body["text"].str.split_exact(separator, len(header) - 1).struct.unnest()
    columns = [parts.to_series(place).str.strip_chars().alias(title) for place, title in enumerate(header)]
    return Table(name, header, pl.DataFrame([body["line"], *columns]), short)


def printable(text: str, length: int = 200) -> str:
    """Text of a file made fit for a terminal."""
    return "".join(sign if sign.isprintable() else "·" for sign in text[:length])


def listed(names: tuple[str, ...]) -> str:
    """Names of columns for a sentence, the first dozen."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(printable(name, 40) or "(no name)" for name in names[:SHOWN]) + more


def _zipped(file: BinaryIO, name: str) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(file) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir() and _is_data(info.filename)]
        if not infos:
            raise InvalidInput(name, "holds no CSV or JSON file")
        for info in infos:
            member = PurePosixPath(info.filename).name
            try:
                with archive.open(info) as packed:
                    content = packed.read(MOST_BYTES + 1)
            except RuntimeError as error:  # has a password, or is packed in a way Python does not know
                raise InvalidInput(name, f"cannot be unpacked: {error}") from error
            yield member, _text(content, member)


def _is_data(member: str) -> bool:
    path = PurePosixPath(member)
    hidden = path.name.startswith((".", "_")) or path.parts[0] == "__MACOSX"
    return path.suffix.lower() in (".csv", ".json", ".txt") and not hidden


def _text(content: bytes, name: str) -> str:
    if len(content) > MOST_BYTES:
        raise InvalidInput(name, f"has more than {MOST_BYTES / 1e6:,.0f} MB unpacked; cut it in parts")
    if not content.strip():
        raise InvalidInput(name, "is empty; it needs a header line and a line for each contract")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(name, "is not a text file in UTF-8; unpack it, or save it as CSV UTF-8") from error
    if "\0" in text:
        raise InvalidInput(name, "is not a text file; unpack it, or save it as CSV UTF-8")
    return text
