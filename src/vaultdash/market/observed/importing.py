"""Files into the store: the format is told by the columns, each file is read, stored and reported on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path

from vaultdash.clock import MarketHours
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.gold import clean_symbol
from vaultdash.market.observed import json_pages
from vaultdash.market.observed.layouts import LAYOUTS, Layout, mapped_layout
from vaultdash.market.observed.opening import Table, listed, sha256_of, table_of, texts_of
from vaultdash.market.observed.opra import is_dbn, read_opra
from vaultdash.market.observed.report import ImportReport, report_of
from vaultdash.market.observed.rows import Origin, Reading, rows_of
from vaultdash.market.observed.store import ObservedSnapshots

DATABENTO, EODHD, MAPPED = "databento", "eodhd", "mapped"
FORMATS = (*dict.fromkeys(layout.format for layout in LAYOUTS), EODHD, DATABENTO, MAPPED)
MOST_SYMBOLS = 20  # in a file whose symbol the owner did not give
ENDINGS = (".csv", ".csv.gz", ".txt", ".txt.gz", ".zip", ".json", ".json.gz", ".dbn", ".dbn.zst")
NOT_DATA = ("metadata.json", "manifest.json", "condition.json", "symbology.json")  # beside Databento's files


@dataclass(frozen=True, slots=True)
class Wish:
    """What the owner said of the files: a format, a symbol, what columns are called. InvalidInput for nonsense."""

    format: str | None = None
    symbol: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in FORMATS:
            raise InvalidInput("--format", f"must be one of {', '.join(FORMATS)}, not {self.format}")
        if self.columns and self.format not in (None, MAPPED):
            raise InvalidInput("--map", f"names columns of a file of no known format, not of {self.format}")
        if self.symbol is not None:
            object.__setattr__(self, "symbol", clean_symbol(self.symbol))


def import_files(
    paths: Sequence[Path], store: ObservedSnapshots, wish: Wish, hours: MarketHours, today: date
) -> Iterator[ImportReport]:
    """Read and store files and folders; a report for each file, one for all DBN files together.

    Files before one that is refused (InvalidInput) stay stored: importing again changes nothing in them.
    """
    files = list(_files(paths))
    together = [path for path in files if wish.format == DATABENTO or (wish.format is None and is_dbn(path))]
    if together:
        yield _import_opra(together, store, wish, hours, today)
    for path in files:
        if path in together:
            continue
        checksum = sha256_of(path)
        for name, text in texts_of(path):
            layout, reading = read_text(text, name, wish, checksum, hours, today)
            yield report_of([name], layout, reading, store.merge(reading.rows), hours)


def read_text(
    text: str, name: str, wish: Wish, checksum: str, hours: MarketHours, today: date
) -> tuple[str, Reading]:
    """The format and the rows of a text; InvalidInput when it has no known format or makes no sense as a whole."""
    if wish.format == EODHD or (wish.format is None and not wish.columns and json_pages.is_json(text)):
        table = json_pages.table_of_pages(text, name)
        raw = json_pages.raw_of_pages(table)
        return EODHD, _checked(rows_of(raw, Origin(EODHD, checksum, wish.symbol), hours, today), name, wish)
    table = table_of(text, name)
    layout = _layout(table, wish)
    origin = Origin(layout.source, checksum, wish.symbol, layout.zero_iv_is_missing)
    reading = rows_of(layout.raw(table), origin, hours, today)
    reasons = dict(reading.reasons)
    for row in table.short:
        reasons[row.reason] = reasons.get(row.reason, 0) + 1
    rejected = sorted([*reading.rejected, *table.short], key=lambda row: row.line)
    lines = table.rows.height + len(table.short)
    whole = Reading(reading.rows, lines, tuple(rejected), reasons, reading.remarks)
    return layout.format, _checked(whole, name, wish)


def _layout(table: Table, wish: Wish) -> Layout:
    if wish.columns or wish.format == MAPPED:
        layout = mapped_layout(wish.columns)
        missing = layout.missing(table)
        if missing:
            raise InvalidInput(
                table.name, f"has no column {', '.join(missing)}; it has {listed(table.header)}. Name them with --map"
            )
        return layout
    candidates = [layout for layout in LAYOUTS if wish.format in (None, layout.format)]
    fitting = [layout for layout in candidates if not layout.missing(table)]
    if fitting:
        return max(fitting, key=lambda layout: len(layout.needs))
    near = sorted(candidates, key=lambda layout: len(layout.missing(table)) / len(layout.needs))[:2]
    lacks = "; ".join(f"for {layout.format} it lacks {', '.join(layout.missing(table))}" for layout in near)
    raise InvalidInput(
        table.name,
        f"has columns of no known format: {listed(table.header)}; {lacks}. Known are {', '.join(FORMATS)}; "
        "for another file say what its columns are, such as --map expiration=COLUMN",
    )


def _checked(reading: Reading, name: str, wish: Wish) -> Reading:
    """Refuse a file of half the market unless the owner said which symbol of it is meant."""
    symbols = reading.rows["underlying"].n_unique()
    if wish.symbol is None and symbols > MOST_SYMBOLS:
        raise InvalidInput(
            name, f"holds options on {symbols:,} symbols; say which with --symbol, such as --symbol GLD"
        )
    return reading


def _import_opra(
    paths: Sequence[Path], store: ObservedSnapshots, wish: Wish, hours: MarketHours, today: date
) -> ImportReport:
    files = read_opra(paths)
    checksum = sha256("".join(sorted(sha256_of(path) for path in paths)).encode()).hexdigest()
    reading = rows_of(files.raw, Origin(DATABENTO, checksum, wish.symbol), hours, today)
    whole = Reading(
        reading.rows, files.records, reading.rejected, reading.reasons, (*files.remarks, *reading.remarks)
    )
    whole = _checked(whole, paths[0].name, wish)
    return report_of([path.name for path in paths], DATABENTO, whole, store.merge(whole.rows), hours)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files, and in folders those whose names end like data."""
    for path in paths:
        if not path.exists():
            raise InvalidInput(str(path), "does not exist")
        if not path.is_dir():
            yield path
            continue
        inside = [
            file
            for file in sorted(path.iterdir())
            if file.is_file() and file.name.lower().endswith(ENDINGS) and file.name.lower() not in NOT_DATA
        ]
        if not inside:
            raise InvalidInput(str(path), f"holds no file that ends in {', '.join(ENDINGS)}")
        yield from inside
