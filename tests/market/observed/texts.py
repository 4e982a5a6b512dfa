"""Files of the vendors' formats with invented quotes."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from tests.new_york import HOURS
from vaultdash.market.observed.importing import Wish, import_files
from vaultdash.market.observed.report import ImportReport
from vaultdash.market.observed.store import ObservedSnapshots

TODAY = date(2026, 11, 20)
DAY = date(2026, 5, 14)  # a Thursday

PLAIN = (
    "quote_ts_utc,quote_date,underlying,underlying_price,expiration,dte,type,strike,bid,ask,last,iv,delta,gamma,theta,"
    "vega,rho,open_interest,volume"
)
THETA_EOD = (
    "symbol,expiration,strike,right,created,last_trade,open,high,low,close,volume,count,bid_size,bid_exchange,bid,"
    "bid_condition,ask_size,ask_exchange,ask,ask_condition"
)
THETA_GREEKS = (
    "symbol,expiration,strike,right,timestamp,open,high,low,close,volume,count,bid_size,bid_exchange,bid,bid_condition,"
    "ask_size,ask_exchange,ask,ask_condition,delta,theta,vega,rho,epsilon,lambda,gamma,vanna,charm,implied_vol,"
    "iv_error,underlying_timestamp,underlying_price"
)
THETA_INTEREST = "timestamp,open_interest,symbol,right,strike,expiration"
CBOE = (
    "underlying_symbol,quote_date,root,expiration,strike,option_type,open,high,low,close,trade_volume,bid_size_1545,"
    "bid_1545,ask_size_1545,ask_1545,underlying_bid_1545,underlying_ask_1545,implied_underlying_price_1545,"
    "active_underlying_price_1545,implied_volatility_1545,delta_1545,gamma_1545,theta_1545,vega_1545,rho_1545,"
    "bid_size_eod,bid_eod,ask_size_eod,ask_eod,underlying_bid_eod,underlying_ask_eod,vwap,open_interest,delivery_code"
)
OPTIONSDX = (
    "[QUOTE_UNIXTIME], [QUOTE_READTIME], [QUOTE_DATE], [QUOTE_TIME_HOURS], [UNDERLYING_LAST], [EXPIRE_DATE], "
    "[EXPIRE_UNIX], [DTE], [C_DELTA], [C_GAMMA], [C_VEGA], [C_THETA], [C_RHO], [C_IV], [C_VOLUME], [C_LAST], "
    "[C_SIZE], [C_BID], [C_ASK], [STRIKE], [P_BID], [P_ASK], [P_SIZE], [P_LAST], [P_DELTA], [P_GAMMA], [P_VEGA], "
    "[P_THETA], [P_RHO], [P_IV], [P_VOLUME], [STRIKE_DISTANCE], [STRIKE_DISTANCE_PCT]"
)
MASSIVE = "ticker,volume,open,close,high,low,window_start,transactions"
DOLTHUB = "date,act_symbol,expiration,strike,call_put,bid,ask,vol,delta,gamma,theta,vega,rho"

USUAL: Mapping[str, Mapping[str, object]] = {
    PLAIN: {
        "quote_ts_utc": "2026-05-14T21:30:00Z",
        "quote_date": "2026-05-14",
        "underlying": "GLD",
        "underlying_price": 430.0,
        "expiration": "2026-06-18",
        "dte": 35,
        "type": "put",
        "strike": 420.0,
        "bid": 6.1,
        "ask": 6.3,
        "last": 6.2,
        "iv": 0.21,
        "open_interest": 1200.0,
        "volume": 35.0,
    },
    THETA_EOD: {
        "symbol": "GLD",
        "expiration": "2026-06-18",
        "strike": "420.000",
        "right": "PUT",
        "created": "2026-05-14T17:17:03.123",
        "last_trade": "2026-05-14T15:58:11.5",
        "open": 6.0,
        "high": 6.5,
        "low": 5.9,
        "close": 6.2,
        "volume": 35,
        "count": 7,
        "bid_size": 20,
        "bid": 6.1,
        "ask_size": 30,
        "ask": 6.3,
    },
    THETA_GREEKS: {
        "symbol": "GLD",
        "expiration": "2026-06-18",
        "strike": "420.000",
        "right": "PUT",
        "timestamp": "2026-05-14T17:17:03.123",
        "bid": 6.1,
        "ask": 6.3,
        "bid_size": 20,
        "ask_size": 30,
        "volume": 0,
        "open": 0,
        "high": 0,
        "low": 0,
        "close": 0,
        "delta": -0.35,
        "gamma": 0.01,
        "theta": -0.08,
        "vega": 0.5,
        "rho": -0.1,
        "implied_vol": 0.21,
        "iv_error": 0.0001,
        "underlying_price": 430.0,
    },
    THETA_INTEREST: {
        "symbol": "GLD",
        "expiration": "2026-06-18",
        "strike": "420.000",
        "right": "PUT",
        "timestamp": "2026-05-14T06:30:02",
        "open_interest": 1200,
    },
    CBOE: {
        "underlying_symbol": "GLD",
        "quote_date": "2026-05-14",
        "root": "GLD",
        "expiration": "2026-06-18",
        "strike": "420.000",
        "option_type": "P",
        "open": 6.0,
        "high": 6.5,
        "low": 5.9,
        "close": 6.2,
        "trade_volume": 35,
        "bid_size_1545": 11,
        "bid_1545": 6.0,
        "ask_size_1545": 12,
        "ask_1545": 6.2,
        "underlying_bid_1545": 430.1,
        "underlying_ask_1545": 430.3,
        "implied_underlying_price_1545": 0,
        "active_underlying_price_1545": 430.25,
        "implied_volatility_1545": 0.209,
        "delta_1545": -0.34,
        "bid_size_eod": 21,
        "bid_eod": 6.1,
        "ask_size_eod": 22,
        "ask_eod": 6.3,
        "underlying_bid_eod": 429.9,
        "underlying_ask_eod": 430.1,
        "vwap": 6.15,
        "open_interest": 1200,
    },
    OPTIONSDX: {
        "[QUOTE_READTIME]": "2026-05-14 16:00",
        "[QUOTE_DATE]": "2026-05-14",
        "[UNDERLYING_LAST]": 430.0,
        "[EXPIRE_DATE]": "2026-06-18",
        "[STRIKE]": 420.0,
        "[C_BID]": 17.0,
        "[C_ASK]": 17.4,
        "[C_SIZE]": "10 x 12",
        "[C_IV]": 0.2,
        "[C_VOLUME]": "",
        "[P_BID]": 6.1,
        "[P_ASK]": 6.3,
        "[P_SIZE]": "7 x 9",
        "[P_IV]": 0.21,
        "[P_VOLUME]": "35.000000",
    },
    MASSIVE: {
        "ticker": "O:GLD260618P00420000",
        "volume": 35,
        "open": 6.0,
        "close": 6.2,
        "high": 6.5,
        "low": 5.9,
        "window_start": 1778731200000000000,  # midnight in New York on 2026-05-14
        "transactions": 7,
    },
    DOLTHUB: {
        "date": "2026-05-14",
        "act_symbol": "GLD",
        "expiration": "2026-06-18",
        "strike": "420.00",
        "call_put": "Put",
        "bid": 6.1,
        "ask": 6.3,
        "vol": 0.21,
        "delta": -0.35,
    },
}


def csv_text(header: str, *rows: Mapping[str, object]) -> str:
    """A file with the header and a row for each mapping of what is not usual; `OptionsDX` spaces and all."""
    names = [name.strip() for name in header.split(",")]
    joint = ", " if ", " in header else ","
    lines = [joint.join(str((USUAL[header] | row).get(name, "")) for name in names) for row in rows]
    for row in rows:
        assert row.keys() <= set(names), row
    return "\n".join([header, *lines]) + "\n"


def a_file(folder: Path, header: str, *rows: Mapping[str, object], name: str = "chain.csv") -> Path:
    path = folder / name
    path.write_text(csv_text(header, *(rows or ({},))))
    return path


def imported(
    folder: Path, *paths: Path, wish: Wish | None = None, today: date = TODAY
) -> tuple[ObservedSnapshots, list[ImportReport]]:
    """The store in a folder after importing files into it, and the reports."""
    store = ObservedSnapshots(folder / "data")
    return store, list(import_files(paths, store, wish or Wish(), HOURS, today))


def reasons(reports: Iterable[ImportReport]) -> dict[str, int]:
    """Why rows were not taken, over all reports."""
    found: dict[str, int] = {}
    for report in reports:
        for reason, count in report.reasons.items():
            found[reason] = found.get(reason, 0) + count
    return found
