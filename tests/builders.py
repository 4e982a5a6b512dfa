"""Objects for tests: say only what matters."""

from datetime import UTC, date, datetime

from vaultdash.domain.collateral import Collateral
from vaultdash.domain.gold import instrument
from vaultdash.domain.hedge import Exercise, Situation
from vaultdash.domain.loan import Loan
from vaultdash.domain.market import Bar, MarketState, PriceHistory, Quote
from vaultdash.domain.option import OptionChain, OptionContract, OptionQuote, Right
from vaultdash.domain.portfolio import Portfolio
from vaultdash.domain.position import HeldOption
from vaultdash.domain.record import LtvRecord, RecordKind

NOON = datetime(2026, 6, 10, 16, 0, tzinfo=UTC)  # a Wednesday, noon in New York: the market is open
SEED_UNITS = 1_000_000 / 460
SEED_CHANGES = (-0.6, -0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5)


def a_loan(amount: float = 600_000, **fields: object) -> Loan:
    return Loan(amount=amount, **fields)  # type: ignore[arg-type]


def a_portfolio(units: float = SEED_UNITS, loan: float = 600_000, symbol: str = "GLD", **fields: object) -> Portfolio:
    return Portfolio("main", Collateral.of(instrument(symbol), units), a_loan(loan, **fields))


def a_quote(price: float = 460.0, symbol: str = "GLD", at: datetime = NOON, **fields: object) -> Quote:
    given: dict[str, object] = {"previous_close": 458.0, "source": "test", "market_state": MarketState.OPEN, **fields}
    return Quote(symbol=symbol, price=price, at=at, **given)  # type: ignore[arg-type]


def a_history(closes: dict[date, float], symbol: str = "GLD", source: str = "test") -> PriceHistory:
    return PriceHistory(symbol, source, tuple(Bar(day, close) for day, close in sorted(closes.items())))


def a_situation(**fields: object) -> Situation:
    given: dict[str, object] = {
        "spot": 460.0,
        "units": SEED_UNITS,
        "loan_amount": 600_000.0,
        "margin_call_ltv": 0.75,
        "volatility": 0.16,
        "rate": 0.045,
        "months": 12,
        "exercise": Exercise.EUROPEAN,
        "price_changes": SEED_CHANGES,
        **fields,
    }
    return Situation(**given)  # type: ignore[arg-type]


def a_contract(
    strike: float = 460.0, right: Right = Right.PUT, expiration: date = date(2026, 7, 17), root: str = "GLD"
) -> OptionContract:
    return OptionContract(root, expiration, strike, right)


def an_option_quote(contract: OptionContract | None = None, **fields: object) -> OptionQuote:
    given: dict[str, object] = {
        "bid": 9.9,
        "ask": 10.1,
        "last": 10.0,
        "last_trade_at": NOON,
        "volume": 120,
        "open_interest": 4500,
        "open_interest_on": date(2026, 6, 9),
        **fields,
    }
    return OptionQuote(contract or a_contract(), **given)  # type: ignore[arg-type]


def a_chain(
    *quotes: OptionQuote,
    symbol: str = "GLD",
    expiration: date = date(2026, 7, 17),
    at: datetime = NOON,
    source: str = "test",
    **fields: object,
) -> OptionChain:
    """Without quotes a call and a put at 450, 460 and 470."""
    usual = [
        an_option_quote(a_contract(strike, right, expiration, symbol))
        for strike in (450.0, 460.0, 470.0)
        for right in Right
    ]
    given: dict[str, object] = {"underlying": a_quote(symbol=symbol, at=at), **fields}
    return OptionChain(symbol, expiration, quotes=quotes or tuple(usual), at=at, source=source, **given)  # type: ignore[arg-type]


def an_ltv_record(at: datetime = NOON, ltv: float = 0.60, portfolio_id: str = "main", **fields: object) -> LtvRecord:
    """A record of a loan of 600,000 at the price at which it stands at `ltv`, with the usual limits."""
    given: dict[str, object] = {
        "kind": RecordKind.HOURLY,
        "price": 600_000.0 / (SEED_UNITS * ltv),
        "quote_at": at,
        "source": "test",
        "is_fresh": True,
        "is_demo": False,
        "market_open": True,
        "loan_amount": 600_000.0,
        "gold_value": 600_000.0 / ltv,
        "hedge_value": 0.0,
        "lender_ltv": ltv,
        "ltv_after_payment": ltv,
        "ltv_credited": ltv,
        "warning_ltv": 0.70,
        "margin_call_ltv": 0.75,
        "close_out_ltv": 0.85,
        **fields,
    }
    return LtvRecord(portfolio_id=portfolio_id, at=at, ltv=ltv, **given)  # type: ignore[arg-type]


def a_held_put(strike: float = 440.0, contracts: int = 5, **fields: object) -> HeldOption:
    """Bought on 1 June 2026 at 9.90, unless the test says otherwise."""
    given: dict[str, object] = {"id": f"put-{strike:g}", "price_paid": 9.9, "opened_on": date(2026, 6, 1), **fields}
    return HeldOption(contract=a_contract(strike), contracts=contracts, **given)  # type: ignore[arg-type]
