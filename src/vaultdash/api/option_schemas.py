"""The shapes of the answers about listed options. Ratios are fractions, prices USD per share, times UTC."""

from dataclasses import dataclass
from datetime import date, datetime

from vaultdash.api.schemas import QuoteAnswer
from vaultdash.domain.market import Freshness, MarketState
from vaultdash.domain.option import Right
from vaultdash.pricing.surface import SmileModel


@dataclass(frozen=True, slots=True)
class RateAnswer:
    """What dollars earn: a fraction a year, continuously compounded, of a day, from a source."""

    value: float
    on: date | None
    source: str


@dataclass(frozen=True, slots=True)
class ContractAnswer:
    """A listed contract: what the source says of it, and what we make of it. null is what is not known.

    `contract` is the OSI symbol of 21 characters. `spread_pct` is a fraction of mid; `moneyness` is strike by price
    of the underlying, less 1. `flags` name what is doubtful about the quote, `reasons` why it is not used for the
    forward, the surface and hedges. `vendor_iv` is the source's own volatility, for comparison; `implied_volatility`
    is ours, by the American price at mid, and `iv_status` says why there is none. Greeks are per share: `delta` per
    1 USD, `gamma` per USD squared, `vega` per volatility point (0.01), `theta` per calendar day. `greeks_from` is
    `mid` when they stand on the contract's own volatility and `surface` when they stand on `surface_volatility`.
    """

    contract: str
    root: str
    expiration: date
    days_to_expiry: int
    strike: float
    right: Right
    multiplier: int
    bid: float | None
    ask: float | None
    bid_size: int | None
    ask_size: int | None
    mid: float | None
    spread: float | None
    spread_pct: float | None
    last: float | None
    last_trade_at: datetime | None
    volume: int | None
    open_interest: int | None
    open_interest_on: date | None
    vendor_iv: float | None
    flags: tuple[str, ...]
    usable: bool
    reasons: tuple[str, ...]
    moneyness: float
    implied_volatility: float | None
    iv_status: str
    surface_volatility: float | None
    delta: float | None
    gamma: float | None
    vega: float | None
    theta: float | None
    greeks_from: str | None


@dataclass(frozen=True, slots=True)
class ListedDay:
    """An expiration and the calendar days to it."""

    expiration: date
    days_to_expiry: int


@dataclass(frozen=True, slots=True)
class ExpirationsAnswer:
    """The expirations a source lists, ascending, with the one to begin with; `at` is when they were read."""

    symbol: str
    as_of: datetime
    source: str
    at: datetime
    age_seconds: float
    freshness: Freshness
    stale: bool
    demo: bool
    problem: str | None
    quote: QuoteAnswer
    default: date
    expirations: tuple[ListedDay, ...]


@dataclass(frozen=True, slots=True)
class ChainState:
    """What the chain of one expiration stands on.

    `years` of 365 days to 16:00 New York of the day. `forward` USD and `effective_yield` (what holding the underlying
    pays, continuous, a year) by put-call parity over `parity_pairs` pairs when `yield_basis` is `parity`, else
    assumed, and `yield_remark` says why. `days_to_expiry` is from today, `years` from the quotes. `filtered` counts,
    by reason, quotes that are shown and not used; `left_out` contracts that are not shown. `engine` is `kernel`, or
    `reference` while the compiled pricers warm up.
    """

    expiration: date
    days_to_expiry: int
    years: float
    forward: float
    effective_yield: float
    yield_basis: str
    parity_pairs: int
    yield_remark: str
    source: str
    at: datetime
    age_seconds: float
    stale: bool
    problem: str | None
    filtered: dict[str, int]
    left_out: dict[str, int]
    engine: str


@dataclass(frozen=True, slots=True)
class MissingDay:
    """An expiration that could not be had, and why."""

    expiration: date
    reason: str


@dataclass(frozen=True, slots=True)
class ChainsAnswer:
    """Contracts of one expiration, or of all within some days, by expiration and strike, calls before puts.

    `at` and `freshness` are those of the oldest chain. `filtered` sums over the expirations, before the answer's own
    filters of right and strike.
    """

    symbol: str
    as_of: datetime
    source: str
    at: datetime
    age_seconds: float
    freshness: Freshness
    stale: bool
    demo: bool
    delayed: bool
    market_state: MarketState
    problem: str | None
    quote: QuoteAnswer
    rate: RateAnswer | None
    expirations: tuple[ChainState, ...]
    missing: tuple[MissingDay, ...]
    filtered: dict[str, int]
    contracts: tuple[ContractAnswer, ...]


@dataclass(frozen=True, slots=True)
class OptionsAnswer:
    """The expirations a source lists and the contracts of one of them: `expiration`, the default one unless given."""

    symbol: str
    as_of: datetime
    source: str
    at: datetime
    age_seconds: float
    freshness: Freshness
    stale: bool
    demo: bool
    delayed: bool
    market_state: MarketState
    problem: str | None
    quote: QuoteAnswer
    rate: RateAnswer
    expirations: tuple[date, ...]
    expiration: date
    options: tuple[ContractAnswer, ...]


@dataclass(frozen=True, slots=True)
class SviAnswer:
    """Raw SVI: total variance w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + s^2)), k = ln(strike / forward)."""

    a: float
    b: float
    rho: float
    m: float
    s: float


@dataclass(frozen=True, slots=True)
class SmileAnswer:
    """The smile of one expiration. Errors are model less quote, in volatility as a fraction (0.01 is a point).

    `model` is `svi` for a fit to its own quotes, `ssvi` for the shape of all expirations at its own level,
    `neighbour` without quotes of its own (and without `parameters`), `flat` for one volatility. `sparse` marks fewer
    than 5 good quotes. `rms_spreads` is the error in units of each quote's own spread. It is quoted between
    `lowest_k` and `highest_k`, k = ln(strike / forward). `butterfly` is true when it implies a negative probability
    somewhere.
    """

    expiration: date
    days_to_expiry: int
    years: float
    forward: float
    atm_volatility: float
    model: SmileModel
    parameters: SviAnswer | None
    quotes: int
    sparse: bool
    rms_error: float | None
    max_error: float | None
    rms_spreads: float | None
    max_spreads: float | None
    lowest_k: float | None
    highest_k: float | None
    butterfly: bool


@dataclass(frozen=True, slots=True)
class CalendarAnswer:
    """Total variance falls from one expiration to the next: by most at `k`, `amount` of the later volatility.

    `quoted` when both are quoted there; otherwise it lies where one of them is extrapolated.
    """

    sooner: date
    later: date
    k: float
    amount: float
    quoted: bool


@dataclass(frozen=True, slots=True)
class SurfaceAnswer:
    """The surface through the chains loaded so far, at least the default one; empty without a good quote.

    `sentence` says how good it is, `remarks` what is to be known of it; `at`, `age_seconds` and `stale` are of the
    oldest quotes in it, null without any.
    """

    symbol: str
    as_of: datetime
    source: str
    at: datetime | None
    age_seconds: float | None
    stale: bool
    demo: bool
    loaded: int
    sentence: str
    remarks: tuple[str, ...]
    slices: tuple[SmileAnswer, ...]
    calendar: tuple[CalendarAnswer, ...]
