"""What a chain means, in words: what protection costs, which quotes are not used, what the numbers stand on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.market import Freshness
from vaultdash.domain.option import OptionContract, Right
from vaultdash.services.chain_pricing import PricedChain, PricedOption
from vaultdash.services.quote_words import REASON_WORDS
from vaultdash.ui.format import age, day, moment, number, pct, price, source_words, strike, usd
from vaultdash.ui.theme import Tone

FLAG_WORDS = {
    "zero_bid": "a bid of 0.00: nobody buys",
    "no_bid": "no bid",
    "no_ask": "no ask",
    "crossed": "bid above ask",
    "locked": "bid equal to ask",
    "wide": "spread of more than half of mid",
    "below_intrinsic": "mid below what exercise pays",
    "stale": "not traded for more than a session",
    "adjusted": "delivers something else than 100 shares",
    "vendor_iv_bad": "the source's own volatility is useless",
    "oi_missing": "open interest not known",
    "trade_only": "only a trade, no quote",
    "duplicate_resolved": "listed twice, the better quote kept",
    "closed_market": "the market is closed",
}
IV_WORDS = {
    "no_quote": "there is no mid to take it from",
    "below_intrinsic": "mid is below what exercise pays",
    "above_bound": "mid is above what it can ever pay",
    "not_determined": "the price hardly depends on volatility here",
    "no_converge": "no volatility gives this price",
}
BUYABLE = {"no_bid", "wide_spread"}  # matter to who wants to sell
IGNORED = " Your lender ignores puts: its call comes at that price all the same; the put pays you."
LEFT_OUT_WORDS = {"adjusted": "adjusted (not 100 shares)", "unreadable": "unreadable"}


@dataclass(frozen=True, slots=True)
class Headline:
    """The page's sentence: its main part, the rest of it, and the tone of the main part."""

    main: str
    rest: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class LoanPrices:
    """What the sentence must know of the loan; `symbol` is the one that its collateral is valued by.

    `unknown` says why its prices are not known; then they are no numbers and `symbol` is empty. `doubt` says which
    exchange rate they hang on that is too old to be acted on.
    """

    symbol: str
    shares: float
    call: float
    close_out: float
    is_called: bool
    counting: HedgeCounting = HedgeCounting.CREDITED
    unknown: str = ""
    doubt: str = ""


def contract_name(contract: OptionContract) -> str:
    """`Put 370, 15 Jan 2027`."""
    return f"{right_word(contract.right)} {strike(contract.strike)}, {day(contract.expiration)}"


def right_word(right: Right) -> str:
    """Call or Put."""
    return "Put" if right is Right.PUT else "Call"


def first_above_call(chain: PricedChain, call: float) -> PricedOption | None:
    """The put with the lowest strike above the call price that can be bought: an ask that nothing contradicts."""
    puts = (one for one in chain.options if one.quote.contract.right is Right.PUT)
    fit = (one for one in puts if one.quote.contract.strike > call and one.quote.ask and set(one.reasons) <= BUYABLE)
    return min(fit, key=lambda one: one.quote.contract.strike, default=None)


def points_out(chain: PricedChain, loan: LoanPrices, market: str) -> bool:
    """True when a put may be pointed out for a loan: not once it is called or where its exchange rate is old, not on
    stale quotes, on invented ones only in the market `demo`.
    """
    if loan.symbol != chain.symbol or loan.is_called or loan.doubt:
        return False
    return not chain.is_stale and (not chain.is_demo or market == "demo")


def headline(chain: PricedChain, loan: LoanPrices, market: str) -> Headline:
    """What the next put above the margin-call price costs, as far as the quotes of the `market` allow to say it."""
    if loan.unknown:
        return Headline(
            f"Options on {chain.symbol}.", f"{loan.unknown}, so no price of it is marked.{_caveat(chain)}"
        )
    if loan.symbol != chain.symbol:
        return Headline(
            f"Options on {chain.symbol}.",
            f"Your loan is valued by {loan.symbol}, so its margin-call price is not marked here.{_caveat(chain)}",
        )
    on = day(chain.expiration)
    if loan.is_called:
        rest = "A put would keep what is left; repaying, adding gold or selling gold ends the call."
        main = f"By {loan.doubt} your loan is called." if loan.doubt else "Your loan is called at the price now."
        return Headline(main, rest + _caveat(chain), "call")
    if loan.doubt:
        rest = f"by {loan.doubt} no put is pointed out. Wait for a new rate.{_caveat(chain)}"
        return Headline("Your margin-call price is not known now:", rest, "warning")
    if not points_out(chain, loan, market):
        old = f"The quotes are stale, of {age(chain.age_seconds)}:"
        main = "No real quotes could be had: these are invented," if chain.is_demo else old
        return Headline(main, "no put is pointed out on them. Refresh, or wait for the source.", "warning")
    put = first_above_call(chain, loan.call)
    if put is None:
        return Headline(
            f"No put above your margin-call price of {price(loan.call)} can be bought for {on}.",
            f"Try another expiration.{_caveat(chain)}",
        )
    contract = put.quote.contract
    listed = any(
        loan.call < one.quote.contract.strike < contract.strike
        for one in chain.options
        if one.quote.contract.right is Right.PUT
    )
    which = "strike that can be bought" if listed else "listed strike"
    count = math.ceil(loan.shares / contract.multiplier - 1e-9)
    whole = usd(count * contract.multiplier * (put.quote.ask or 0.0))
    ignored = IGNORED if loan.counting is HedgeCounting.IGNORED else ""
    return Headline(
        f"A put at {strike(contract.strike)} until {on} costs {price(put.quote.ask)} a share, {whole} for all:",
        f"the first {which} above your margin-call price of {price(loan.call)}.{ignored}{_caveat(chain)}",
        "gold",
    )


def _caveat(chain: PricedChain) -> str:
    if chain.is_demo:
        return " At invented prices."
    if chain.is_stale:
        return f" By quotes of {age(chain.age_seconds)}: ask again before you act on them."
    return " The market is closed: these are its last quotes." if chain.freshness is Freshness.CLOSED else ""


def doubts(option: PricedOption) -> str:
    """`Not used: wide spread, no bid`, with what else is doubtful; empty for a good quote."""
    parts = []
    if option.reasons:
        parts.append(f"Not used: {', '.join(REASON_WORDS.get(word, plain(word)) for word in option.reasons)}")
    other = [word for word in option.quote.words if word not in option.reasons and word != "closed_market"]
    if other:
        parts.append("; ".join(FLAG_WORDS.get(word, plain(word)) for word in other))
    said = " · ".join(parts)
    return said[:1].upper() + said[1:]


def not_used(chain: PricedChain) -> str:
    """`31 of 394 quotes are not used: 22 wide spread, 9 no bid`, and what is not shown at all."""
    total, unused = len(chain.options), sum(not one.is_usable for one in chain.options)
    text = f"All {total} quotes are used" if not unused else f"{unused} of {total} quotes are not used"
    if unused and chain.filtered:
        text += f": {_counted(chain.filtered, REASON_WORDS)}"
    if chain.left_out:
        text += f" · not shown: {_counted(chain.left_out, LEFT_OUT_WORDS)}"
    return text


def basis(chain: PricedChain) -> str:
    """Forward, yield and rate, and where they come from."""
    if chain.yield_basis == "parity":
        found = f"by put-call parity of {chain.parity_pairs} pairs"
    else:
        found = f"assumed{f': {remark}' if (remark := chain.yield_remark.rstrip('.')) else ''}"
    rate = chain.rate
    of = f", {day(rate.on)}" if rate.on else ""
    warm = "" if chain.engine == "kernel" else " · reference pricer while the fast one warms up"
    return (
        f"Forward {price(chain.forward)}, effective yield {pct(chain.effective_yield, 2)} a year {found} · "
        f"dollar rate {pct(rate.value, 2)} ({rate.source}{of}){warm}"
    )


def origin(chain: PricedChain) -> str:
    """Source, time and delay of the quotes; the age stands beside it and counts."""
    quote = chain.underlying
    delayed = f", delayed {quote.delay_seconds / 60:.0f} min" if quote.is_delayed else ""
    found = f"{chain.symbol} {price(quote.price)} and quotes from {source_words(chain.source)}{delayed}"
    return f"{found}, {moment(chain.at)}"


def state_word(chain: PricedChain) -> str:
    """DEMO, stale, market closed, or nothing."""
    if chain.is_demo:
        return "DEMO"
    if chain.is_stale:
        return "stale"
    return "market closed" if chain.freshness is Freshness.CLOSED else ""


def tab_label(on: date, days: int, today: date) -> str:
    """`18 Dec · 27 d`; a year that is not this one is named."""
    year = "" if on.year == today.year else f" {on:%y}"
    return f"{on.day} {on:%b}{year} · {days} d"


def plain(word: str) -> str:
    """`wide_spread` as `wide spread`."""
    return word.replace("_", " ")


def _counted(counts: Mapping[str, int], words: Mapping[str, str]) -> str:
    return ", ".join(f"{number(count)} {words.get(word, plain(word))}" for word, count in counts.items())
