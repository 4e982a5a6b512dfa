"""Turns listed options into the shapes of the answers, as JSON and as CSV."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

from vaultdash.api.answers import quote_answer
from vaultdash.api.option_schemas import (
    ChainsAnswer,
    ChainState,
    ContractAnswer,
    ExpirationsAnswer,
    ListedDay,
    MissingDay,
    OptionsAnswer,
    RateAnswer,
)
from vaultdash.api.respond import Remembered
from vaultdash.api.schemas import QuoteAnswer
from vaultdash.domain.errors import InvalidInput, Unavailable
from vaultdash.domain.market import Freshness, Quote
from vaultdash.domain.option import Right
from vaultdash.files.spreadsheet_csv import Value, spreadsheet_csv
from vaultdash.services.chain_pricing import PricedChain, PricedOption
from vaultdash.services.option_chains import ChainsWithin, Listing
from vaultdash.services.price_feed import QuoteStatus

RIGHTS = {"c": Right.CALL, "call": Right.CALL, "p": Right.PUT, "put": Right.PUT}
WORST_FIRST = (Freshness.STALE, Freshness.CLOSED, Freshness.LIVE)
ORIGIN = ("symbol", "source", "quoted_at", "stale")  # the columns with which a line of CSV says where it comes from
MOST_CHAINS = 64


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which contracts of a chain an answer carries; None leaves a side open."""

    right: Right | None = None
    min_strike: float | None = None
    max_strike: float | None = None

    def __post_init__(self) -> None:
        if self.min_strike is not None and self.max_strike is not None and self.min_strike > self.max_strike:
            raise InvalidInput(
                "min_strike", f"must not be above max_strike: {self.min_strike:g} > {self.max_strike:g}"
            )

    def of(self, contracts: Sequence[ContractAnswer]) -> Sequence[ContractAnswer]:
        """The contracts that fit."""
        if self == Wanted():
            return contracts
        lowest = -1.0 if self.min_strike is None else self.min_strike
        highest = float("inf") if self.max_strike is None else self.max_strike
        return [
            contract
            for contract in contracts
            if self.right in (None, contract.right) and lowest <= contract.strike <= highest
        ]


def parse_right(text: str | None) -> Right | None:
    """C, P, call or put in any case; raises InvalidInput for anything else."""
    if text is None:
        return None
    right = RIGHTS.get(text.strip().lower())
    if right is None:
        raise InvalidInput("right", "must be C or call, or P or put")
    return right


def listing_answer(listing: Listing, now: datetime) -> ExpirationsAnswer:
    """The expirations with their age."""
    return ExpirationsAnswer(
        symbol=listing.symbol,
        as_of=now,
        source=listing.source,
        at=listing.at,
        age_seconds=float(int(listing.age_seconds)),
        freshness=listing.freshness,
        stale=listing.freshness is Freshness.STALE,
        demo=listing.underlying.is_demo,
        problem=listing.problem,
        quote=_underlying(listing.underlying, listing.freshness, listing.problem, now),
        default=listing.default,
        expirations=tuple(ListedDay(day, (day - listing.today).days) for day in listing.days),
    )


def chain_answer(chain: PricedChain, wanted: Wanted, now: datetime) -> ChainsAnswer:
    """One expiration."""
    return _chains_answer((chain,), {}, wanted, now)


def within_answer(found: ChainsWithin, wanted: Wanted, now: datetime) -> ChainsAnswer:
    """All expirations within some days; raises Unavailable when there are some and none could be had."""
    if found.chains:
        return _chains_answer(found.chains, found.missing, wanted, now)
    if found.missing:
        raise Unavailable("; ".join(f"{day}: {reason}" for day, reason in list(found.missing.items())[:2]))
    listing = found.listing
    return ChainsAnswer(
        symbol=listing.symbol,
        as_of=now,
        source=listing.source,
        at=listing.at,
        age_seconds=float(int(listing.age_seconds)),
        freshness=listing.freshness,
        stale=listing.freshness is Freshness.STALE,
        demo=listing.underlying.is_demo,
        delayed=listing.underlying.is_delayed,
        market_state=listing.underlying.market_state,
        problem=listing.problem,
        quote=_underlying(listing.underlying, listing.freshness, listing.problem, now),
        rate=None,
        expirations=(),
        missing=(),
        filtered={},
        contracts=(),
    )


def options_answer(listing: Listing, chain: PricedChain, now: datetime) -> OptionsAnswer:
    """The expirations and the contracts of one."""
    return OptionsAnswer(
        symbol=chain.symbol,
        as_of=now,
        source=chain.source,
        at=chain.at,
        age_seconds=float(int(chain.age_seconds)),
        freshness=chain.freshness,
        stale=chain.is_stale,
        demo=chain.is_demo,
        delayed=chain.underlying.is_delayed,
        market_state=chain.underlying.market_state,
        problem=chain.problem or listing.problem,
        quote=_underlying(chain.underlying, chain.freshness, chain.problem, now),
        rate=_rate(chain),
        expirations=listing.days,
        expiration=chain.expiration,
        options=_contracts(chain),
    )


def chains_csv(answer: ChainsAnswer) -> str:
    """A line a contract, with where it comes from; safe for spreadsheets."""
    names = [field.name for field in fields(ContractAnswer)]
    sources = {state.expiration: state for state in answer.expirations}

    def line(contract: ContractAnswer) -> list[Value]:
        state = sources[contract.expiration]
        origin: list[Value] = [answer.symbol, state.source, state.at, state.stale]
        return origin + [getattr(contract, name) for name in names]

    return spreadsheet_csv([*ORIGIN, *names], map(line, answer.contracts))


def _chains_answer(
    chains: Sequence[PricedChain], missing: Mapping[date, str], wanted: Wanted, now: datetime
) -> ChainsAnswer:
    oldest, newest = min(chains, key=lambda chain: chain.at), max(chains, key=lambda chain: chain.underlying.at)
    worst = next(state for state in WORST_FIRST if any(chain.freshness is state for chain in chains))
    problem = next((chain.problem for chain in chains if chain.problem), None)
    filtered: Counter[str] = Counter()
    for chain in chains:
        filtered.update(chain.filtered)
    return ChainsAnswer(
        symbol=newest.symbol,
        as_of=now,
        source=", ".join(dict.fromkeys(chain.source for chain in chains)),
        at=oldest.at,
        age_seconds=float(int(oldest.age_seconds)),
        freshness=worst,
        stale=worst is Freshness.STALE,
        demo=any(chain.is_demo for chain in chains),
        delayed=any(chain.underlying.is_delayed for chain in chains),
        market_state=newest.underlying.market_state,
        problem=problem,
        quote=_underlying(newest.underlying, newest.freshness, newest.problem, now),
        rate=_rate(newest),
        expirations=tuple(map(_state, chains)),
        missing=tuple(MissingDay(day, reason) for day, reason in missing.items()),
        filtered=dict(filtered),
        contracts=tuple(contract for chain in chains for contract in wanted.of(_contracts(chain))),
    )


def _state(chain: PricedChain) -> ChainState:
    return ChainState(
        expiration=chain.expiration,
        days_to_expiry=chain.days_to_expiry,
        years=chain.years,
        forward=chain.forward,
        effective_yield=chain.effective_yield,
        yield_basis=chain.yield_basis,
        parity_pairs=chain.parity_pairs,
        yield_remark=chain.yield_remark,
        source=chain.source,
        at=chain.at,
        age_seconds=float(int(chain.age_seconds)),
        stale=chain.is_stale,
        problem=chain.problem,
        filtered=dict(chain.filtered),
        left_out=dict(chain.left_out),
        engine=chain.engine,
    )


def _contracts(chain: PricedChain) -> tuple[ContractAnswer, ...]:
    """The contracts of a chain, made once for as long as its options are the same objects."""
    return _SHAPED.of(chain.options, lambda options: tuple(_contract(chain, option) for option in options))


_SHAPED = Remembered[tuple[PricedOption, ...], tuple[ContractAnswer, ...]](
    MOST_CHAINS
)  # answers of what never changes


def _contract(chain: PricedChain, option: PricedOption) -> ContractAnswer:
    quote, contract = option.quote, option.quote.contract
    return ContractAnswer(
        contract=contract.osi,
        root=contract.root,
        expiration=contract.expiration,
        days_to_expiry=chain.days_to_expiry,
        strike=contract.strike,
        right=contract.right,
        multiplier=contract.multiplier,
        bid=quote.bid,
        ask=quote.ask,
        bid_size=quote.bid_size,
        ask_size=quote.ask_size,
        mid=option.mid,
        spread=quote.spread,
        spread_pct=option.spread_pct,
        last=quote.last,
        last_trade_at=quote.last_trade_at,
        volume=quote.volume,
        open_interest=quote.open_interest,
        open_interest_on=quote.open_interest_on,
        vendor_iv=quote.vendor_iv,
        flags=quote.words,
        usable=option.is_usable,
        reasons=option.reasons,
        moneyness=option.moneyness,
        implied_volatility=option.implied_volatility,
        iv_status=option.iv_status,
        surface_volatility=option.surface_volatility,
        delta=option.delta,
        gamma=option.gamma,
        vega=option.vega,
        theta=option.theta,
        greeks_from=option.greeks_from,
    )


def _rate(chain: PricedChain) -> RateAnswer:
    return RateAnswer(chain.rate.value, chain.rate.on, chain.rate.source)


def _underlying(quote: Quote, state: Freshness, problem: str | None, now: datetime) -> QuoteAnswer:
    """The price the options belong to, as fresh as they are."""
    return quote_answer(QuoteStatus(quote, state, quote.age_seconds(now), problem))
