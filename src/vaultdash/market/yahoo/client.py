"""The door to yfinance: one session, its requests counted and bounded in time, its failures translated."""

import logging
import math
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from json import JSONDecodeError
from pathlib import Path
from typing import Any

import structlog

from vaultdash.domain.errors import BadPayload, NotFound, ProviderError, RateLimited, Unavailable
from vaultdash.domain.market import Bar
from vaultdash.market.yahoo.chains import OptionsAnswer, Row
from vaultdash.market.yahoo.reading import ChartAnswer

OPTIONS_PATH = "/v7/finance/options/"
CHART_PATH = "/v8/finance/chart/"
CHART_FIELDS = (
    "symbol",
    "currency",
    "exchangeTimezoneName",
    "regularMarketPrice",
    "regularMarketTime",
    "currentTradingPeriod",
)
CHAIN_COLUMNS = (
    "contractSymbol",
    "strike",
    "bid",
    "ask",
    "lastPrice",
    "lastTradeDate",
    "volume",
    "openInterest",
    "impliedVolatility",
    "contractSize",
)
CURL_PREFACE = re.compile(r"^Failed to perform, curl: \(\d+\) ")
STUMBLES = (LookupError, TypeError, ValueError, AttributeError)  # of yfinance over an answer of another shape

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one HTTP request; `denies` when the chart says that there is no such symbol."""

    path: str
    status: int
    denies: bool


class YahooClient:
    """yfinance with its process-wide state; blocking, and only ever used from one thread.

    `answers` lists the HTTP requests since `begin`; requests that died without an answer have status 0.
    `has_no_options` is true when Yahoo's answer since `begin` said so plainly.
    """

    def __init__(
        self,
        cache_dir: Path,
        session_factory: Callable[[], object] | None,
        request_seconds: float,
    ) -> None:
        self._cache_dir = cache_dir
        self._session_factory = session_factory
        self._request_seconds = request_seconds
        self._session: Any = None
        self._deadline = math.inf
        self.answers: list[Answer] = []
        self.remarks: tuple[str, ...] = ()
        self.has_no_options = False

    def begin(self, seconds: float) -> None:
        """Start counting; every request of this call ends before `seconds` are over."""
        self.answers = []
        self.has_no_options = False
        self._deadline = time.monotonic() + seconds

    def stop(self) -> None:
        """Let the call that is under way fail at its next request; may be called from another thread."""
        self._deadline = -math.inf

    def close(self) -> None:
        """Release the connections."""
        if self._session is not None:
            self._session.close()

    def underlying(self, symbol: str) -> Mapping[str, object] | None:
        """The quote fields of the option chain, one request; None when the symbol seems to have no options.

        yfinance gives the same nothing for an unknown symbol, for a symbol without options and when Yahoo refuses
        the crumb; only the last of them is an error here, RateLimited.
        """
        ticker = self._ticker(symbol)
        with self._translated(symbol):
            fields = ticker.option_chain().underlying
            self._note_absence(ticker, fields)
            return dict(fields) if fields else None

    def options(self, symbol: str, expiration: date | None = None) -> OptionsAnswer | None:
        """The listed days and the contracts of one, the nearest unless given; None as for `underlying`.

        One request. For a day that Yahoo does not list, what it answers is not said to be that day's: it is not
        among the answer's days.
        """
        ticker = self._ticker(symbol)
        with self._translated(symbol):
            wanted = None if expiration is None else _expect(ticker, expiration)
            answer = ticker.option_chain(wanted)
            if wanted is not None and _was_listed_otherwise(ticker, wanted):
                answer = ticker.option_chain(wanted)
            self._note_absence(ticker, answer.underlying)
            days = _listed(ticker)
            fields = answer.underlying or ticker._underlying  # hidden by yfinance when no contracts came
            if not (fields and days):
                return None
            return OptionsAnswer(days, dict(fields), _rows(answer.calls), _rows(answer.puts))

    def recent(self, symbol: str) -> ChartAnswer:
        """The last five days."""
        return self._chart(symbol, period="5d")

    def daily(self, symbol: str, start: date, end: date) -> ChartAnswer:
        """Unadjusted daily bars, both days included; yfinance wants the day after the last."""
        return self._chart(symbol, start=start.isoformat(), end=(end + timedelta(days=1)).isoformat())

    def _note_absence(self, ticker: Any, fields: object) -> None:
        """Why there is nothing: a refusal raises; `has_no_options` when Yahoo knows the symbol and lists none."""
        if not fields and self._was_refused:
            raise RateLimited("Yahoo refuses requests for now (429 on the crumb)")
        self.has_no_options = not fields and bool(ticker._underlying) and not _listed(ticker)

    def _chart(self, symbol: str, **span: str) -> ChartAnswer:
        ticker = self._ticker(symbol)
        with self._translated(symbol):
            frame = ticker.history(interval="1d", auto_adjust=False, actions=False, **span)
            if frame.empty:
                raise Unavailable(f"Yahoo gave no prices for {symbol}")
            fields = ticker.history_metadata
            return ChartAnswer(_bars(frame), {name: fields.get(name) for name in CHART_FIELDS})

    def _ticker(self, symbol: str) -> Any:
        """A new object each time: expirations stay in the old one."""
        if self._session is None:
            self._session = self._prepare()
        import yfinance

        # Past ranges and time zones are remembered for the life of the process, refusals and error pages included.
        yfinance.data.YfData.cache_get.cache_clear()
        return yfinance.Ticker(symbol, session=self._session)

    def _prepare(self) -> Any:
        """Import yfinance (half a second) and put its process-wide state in order."""
        import yfinance
        from pandas.errors import Pandas4Warning  # type: ignore[import-untyped]  # it has no types

        warnings.filterwarnings("ignore", category=Pandas4Warning, module=r"yfinance\.")
        logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # its errors reach us as exceptions
        yfinance.config.debug.hide_exceptions = False
        self._prepare_cache(yfinance)
        # Crumb and cookie belong to the session; a crumb of an earlier one would be refused.
        yfinance.data.SingletonMeta._instances.pop(yfinance.data.YfData, None)
        return self._watched(self._new_session())

    def _prepare_cache(self, yfinance: Any) -> None:
        try:
            self._cache_dir.mkdir(parents=True, exist_ok=True)
            probe = self._cache_dir / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            reason = error.strerror or str(error)
            self.remarks = (
                f"Yahoo's cookie cannot be kept in {self._cache_dir} ({reason}); each start asks for one",
            )
            log.warning("yahoo_cache_unwritable", path=str(self._cache_dir), reason=reason)
        yfinance.set_tz_cache_location(str(self._cache_dir))

    def _new_session(self) -> Any:
        if self._session_factory is not None:
            return self._session_factory()
        from curl_cffi import requests

        return requests.Session(impersonate="chrome")

    def _watched(self, session: Any) -> Any:
        """Note each answer, and shorten yfinance's own time limits to what is left of the call."""
        send = session.request

        def request(method: str, url: str, **options: Any) -> Any:
            from curl_cffi.requests.exceptions import Timeout

            path = "/" + url.split("://", 1)[-1].partition("/")[2].partition("?")[0]
            left = min(self._request_seconds, self._deadline - time.monotonic())
            if left <= 0:
                raise Timeout("the time for this call is over")
            try:
                response = send(method=method, url=url, **{**options, "timeout": left})
            except OSError:
                self.answers.append(Answer(path, 0, denies=False))
                raise
            denies = path.startswith(CHART_PATH) and response.status_code == 404 and _says_not_found(response)
            self.answers.append(Answer(path, response.status_code, denies))
            return response

        session.request = request
        return session

    @property
    def _was_refused(self) -> bool:
        return any(answer.status == 429 for answer in self.answers)

    @contextmanager
    def _translated(self, symbol: str) -> Iterator[None]:
        """Vendor exceptions become ours; what Yahoo answered decides, since yfinance often hides it."""
        from curl_cffi.requests.exceptions import RequestException, Timeout
        from peewee import PeeweeException
        from yfinance.exceptions import YFException, YFRateLimitError

        try:
            yield
        except ProviderError:
            raise
        except (YFException, RequestException, PeeweeException, *STUMBLES) as e:
            data = [answer for answer in self.answers if answer.path.startswith((OPTIONS_PATH, CHART_PATH))]
            charts = [answer for answer in data if answer.path.startswith(CHART_PATH)]
            if isinstance(e, YFRateLimitError) or self._was_refused:
                raise RateLimited("Yahoo refuses requests for now (429)") from e
            if charts and charts[-1].denies:
                raise NotFound(f"Yahoo does not know {symbol}") from e
            if isinstance(e, Timeout):
                raise Unavailable("Yahoo did not answer in time") from e
            if isinstance(e, RequestException):
                raise Unavailable(f"Yahoo could not be reached: {_reason(e)}") from e
            if data and data[-1].status >= 500:
                raise Unavailable(f"Yahoo failed with status {data[-1].status}") from e
            if isinstance(e, PeeweeException):
                raise Unavailable(f"Yahoo's cookie could not be kept: {e}") from e
            if isinstance(e, YFException | IndexError):
                raise Unavailable(f"Yahoo gave no prices for {symbol}") from e
            if not data:
                _forget_cookie()
                raise Unavailable(f"Yahoo's cookie could not be used ({type(e).__name__})") from e
            flaw = "is not JSON" if isinstance(e, JSONDecodeError) else "has an unknown shape"
            raise BadPayload(f"Yahoo's answer for {symbol} {flaw}") from e


def _forget_cookie() -> None:
    """Let the next call fetch a new one: yfinance keeps whatever it got, and trips over another name ever after."""
    import yfinance.cache

    yfinance.cache.get_cookie_cache().store("curlCffi", None)


def _expect(ticker: Any, expiration: date) -> str:
    """Spare the request by which yfinance looks up which days there are: Yahoo's are midnights UTC.

    The answer overwrites what is expected, a text, with a number; what stays a text was not listed.
    """
    ticker._expirations = {expiration.isoformat(): _midnight(expiration)}
    return expiration.isoformat()


def _listed(ticker: Any) -> tuple[date, ...]:
    """The days of the answers to this object, ascending."""
    return tuple(
        sorted(date.fromisoformat(day) for day, stamp in ticker._expirations.items() if not isinstance(stamp, str))
    )


def _was_listed_otherwise(ticker: Any, day: str) -> bool:
    """True when the day is listed with another instant than was expected."""
    stamp = ticker._expirations[day]
    return not isinstance(stamp, str) and str(stamp) != _midnight(date.fromisoformat(day))


def _midnight(day: date) -> str:
    """Seconds since 1970, as they stand in an address."""
    return str(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()))


def _rows(frame: Any) -> list[Row]:
    """The rows with plain values, None for what is missing."""
    if frame is None:
        return []
    columns = [
        [None if value != value else value for value in frame[name].tolist()]  # NaN and NaT
        for name in CHAIN_COLUMNS
    ]
    return [dict(zip(CHAIN_COLUMNS, values, strict=True)) for values in zip(*columns, strict=True)]


def _bars(frame: Any) -> tuple[Bar, ...]:
    """Rows with a close, by the exchange's day; a later row of the same day replaces the earlier."""
    by_day: dict[date, Bar] = {}
    columns = frame[["Open", "High", "Low", "Close", "Volume"]]
    for stamp, row in zip(frame.index, columns.itertuples(index=False, name=None), strict=True):
        opened, high, low, close, volume = (_known(value) for value in row)
        if close is not None:
            # yfinance writes 0 for a volume that Yahoo left out
            by_day[stamp.date()] = Bar(stamp.date(), close, opened, high, low, volume or None)
    return tuple(by_day[day] for day in sorted(by_day))


def _known(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _says_not_found(response: Any) -> bool:
    try:
        return bool(response.json()["chart"]["error"]["code"] == "Not Found")
    except (ValueError, LookupError, TypeError):
        return False


def _reason(error: BaseException) -> str:
    """Without curl's preface and the pointer to its manual."""
    return CURL_PREFACE.sub("", str(error).split(" See https://", 1)[0]).strip().rstrip(".: ")
