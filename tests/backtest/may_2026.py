"""The recorded chains of GLD of 11 to 15 May 2026, imported as the command does, and the market of those days."""

import tempfile
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from tests.new_york import HOURS
from vaultdash.backtest.market_days import MarketDays, market_days, monthly_expirations
from vaultdash.backtest.observed import RecordedQuotes, recorded_quotes
from vaultdash.backtest.scenario import VolatilityLevel
from vaultdash.market.observed.history import ObservedHistory
from vaultdash.market.observed.importing import Wish, import_files
from vaultdash.market.observed.store import ObservedSnapshots
from vaultdash.storage.price_csv import read_price_csv

FIRST, LAST = date(2026, 5, 11), date(2026, 5, 15)


@cache
def may_quotes(data: Path) -> RecordedQuotes:
    """The quotes of the week, through the store."""
    with tempfile.TemporaryDirectory() as folder:
        store = ObservedSnapshots(Path(folder), now=lambda: datetime(2026, 11, 20, tzinfo=UTC))
        file = data / "chains" / "gld_2026-05-11_2026-05-15.csv.gz"
        assert list(import_files([file], store, Wish(), HOURS, date(2026, 11, 20)))
        history = ObservedHistory(store)
        kind = history.usual_kind("GLD", FIRST, LAST)
        days = [day for day in history.days("GLD", kind) if FIRST <= day <= LAST]
        return recorded_quotes({day: list(history.chains("GLD", day, kind).values()) for day in days})


@cache
def may_market(data: Path) -> MarketDays:
    """Closes, index and bill of the same days."""
    gold, index, bill = (
        read_price_csv(data / file, symbol).history
        for file, symbol in (("gld_daily.csv", "GLD"), ("gvz_daily.csv", "^GVZ"), ("rates_daily.csv", "^IRX"))
    )
    listed = monthly_expirations(FIRST, date(2031, 12, 31), HOURS.sessions(FIRST, date(2031, 12, 31)))
    return market_days(gold, index, bill, listed, FIRST, LAST, VolatilityLevel.AUTO, 0.045)
