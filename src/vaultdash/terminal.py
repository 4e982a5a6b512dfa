"""How the loan, the hedges and the prices look in a terminal."""

import time
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from vaultdash.domain.errors import VaultError
from vaultdash.domain.exchange import PAIRS
from vaultdash.domain.hedge import RiskProfile
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.market import Bar, PriceHistory
from vaultdash.domain.portfolio import Snapshot
from vaultdash.market.base import QuoteProvider
from vaultdash.services.exchange_rates import rate_words
from vaultdash.services.heartbeat import Beat
from vaultdash.services.hedge_advisor import Advice
from vaultdash.services.price_feed import QuoteStatus
from vaultdash.services.standing import standing
from vaultdash.storage.base import StoredSeries


def status_lines(beat: Beat, symbol: str, *, is_example: bool = False) -> list[str]:
    """The loan in ten lines; one in another currency has an eleventh, which says what a dollar costs."""
    if beat.status is None:
        return [f"No price of {symbol}: {beat.problem}"]
    if beat.snapshot is None:
        return [f"The loan cannot be valued: {beat.problem}", f"Price            {price_line(beat.status, symbol)}"]
    snapshot, loan = beat.snapshot, beat.snapshot.portfolio.loan
    drop = snapshot.drop_to_margin_call
    of_gold = "" if snapshot.rate.is_dollar else " of gold in dollars"
    sigmas = f"{beat.daily_sigmas_to_call or 0:.1f} daily sigmas at {beat.volatility:.1%} volatility{of_gold}"
    distance = f"{-drop:.1%} above the price" if snapshot.is_called else f"a fall of {drop:.1%} ({sigmas})"
    collateral = snapshot.portfolio.collateral
    rate = None if snapshot.rate.is_dollar else beat.statuses.get(PAIRS[snapshot.rate.currency])
    while_it_stands = "" if rate is None else f", while a dollar costs {rate.quote.price:.4f} {rate.quote.currency}"
    owed = f"{snapshot.owed:14,.2f} {snapshot.rate.currency}"
    owed += "" if snapshot.rate.is_dollar else f" = {loan.amount:,.2f} USD,"
    ounces = "" if snapshot.gold_ounces is None else f" = {snapshot.gold_ounces:,.2f} oz of gold"
    return [
        standing(beat).sentence,
        f"LTV              {snapshot.lender_ltv:8.2%}   as the lender counts it{_hedge_words(snapshot)}",
        f"Limits           {loan.warning_ltv:8.2%}   warning, {loan.margin_call_ltv:.2%} margin call, "
        f"{loan.close_out_ltv:.2%} close-out",
        f"Margin call at   {snapshot.margin_call_price:8.2f}   {symbol}, {distance}{while_it_stands}",
        f"Close-out at     {snapshot.close_out_price:8.2f}   {symbol}",
        f"Loan             {owed} at {loan.interest.rate:.2%} a year"
        + (": an EXAMPLE, nothing is configured in the environment or ./.env" if is_example else ""),
        f"Collateral       {snapshot.gold_value:14,.2f} USD: {collateral.units_on(snapshot.on):,.2f} "
        f"{collateral.instrument.symbol} {collateral.instrument.unit}{ounces}",
        f"Headroom         {snapshot.headroom:14,.2f} USD before a call; largest loan {snapshot.max_loan:,.2f}",
        f"Recommended      {snapshot.recommended_collateral:14,.2f} USD of collateral for an LTV of "
        f"{snapshot.portfolio.target_ltv:.0%}",
        f"Price            {price_line(beat.statuses.get(symbol, beat.status), symbol)}",
        *(() if rate is None else (f"Exchange rate    {rate_words(rate)}",)),
    ]


def price_line(status: QuoteStatus, symbol: str) -> str:
    """A price with its source, age and whether it can be trusted."""
    quote = status.quote
    change = "" if quote.change_pct is None else f" ({quote.change_pct:+.2%})"
    line = f"{symbol} {quote.price:.2f}{change}, {quote.source}, {quote.at:%Y-%m-%d %H:%M:%S} UTC, {status.freshness}"
    if quote.is_demo:
        line += ": an invented market"
    return line if status.problem is None else f"{line}; {status.problem}"


def comparison_table(advice: Advice) -> Table:
    """The hedges side by side."""
    situation = advice.comparison.situation
    table = Table(
        title=f"{advice.symbol} {situation.spot:.2f}, LTV {advice.snapshot.ltv:.2%}, "
        f"margin call at {situation.margin_call_price:.2f}",
        box=SIMPLE_HEAD,  # with narrow columns the whole fits into 80
        padding=(0, 1, 0, 0),
    )
    table.add_column("hedge", overflow="fold", min_width=16)
    for name in ("term", "cost", "a year", "puts\nignored", "after\npaying", "puts\ncredited", "no call\ncredited"):
        table.add_column(name, justify="right", no_wrap=True)
    for hedge in advice.comparison.hedges:
        cost, protection = hedge.cost, hedge.protection
        table.add_row(
            f"{escape(hedge.plan.title)}\n[dim]{hedge.plan.name}[/dim]",
            f"{cost.term_months:g}",
            f"{cost.total_cost:,.0f}",
            f"{cost.annualized_cost_pct:.2%}",
            f"{situation.margin_call_ltv:.1%}",
            f"{protection.hedged_ltv_after_payment_at_threshold:.1%}",
            f"{protection.hedged_ltv_at_threshold:.1%}",
            _kept(protection.lowest_price_kept_credited),
        )
    return table


def _loan_line(snapshot: Snapshot) -> list[str]:
    """Of a loan in another currency: what is owed, and at which rate the dollars above follow from it."""
    rate = snapshot.rate
    if rate.is_dollar:
        return []
    at = "" if rate.at is None else f", {rate.at:%Y-%m-%d %H:%M:%S} UTC"
    own = f"{snapshot.owed:,.2f} {rate.currency} at {rate.per_dollar:.4f} {rate.currency} a dollar"
    return [f"{'loan':>15}: {own}, {rate.source}{at}; all figures are in USD"]


def _kept(lowest: float | None) -> str:
    return "NO" if lowest is None else "at any" if lowest == 0 else f"to {lowest:,.2f}"


def recommendation_lines(advice: Advice) -> list[str]:
    """The winner of each profile with its reason, then what was assumed."""
    titles = {hedge.plan.name: hedge.plan.title for hedge in advice.comparison.hedges}
    lines = ["LTV is at the call price, by what the lender does with the puts."]
    if advice.snapshot.portfolio.loan.hedge_counting is HedgeCounting.IGNORED:
        lines = [f"{lines[0]} Yours ignores them: none of these moves the call until the puts are sold."]
    if advice.withheld:
        return [*lines, advice.withheld]
    for profile in RiskProfile:
        found = advice.comparison.recommendations[profile]
        lines.append(f"{profile.replace('_', ' '):>15}: {titles[found.name]}. {found.reason}")
    source = "the spot given" if advice.status is None else price_line(advice.status, advice.symbol)
    return [
        *lines,
        f"{'price':>15}: {source}",
        *_loan_line(advice.snapshot),
        *(f"{'assumed':>15}: {text}" for text in advice.assumptions),
        *(f"{'not compared':>15}: {each.title}: {each.reason}" for each in advice.left_out),
    ]


def history_table(history: PriceHistory, bars: Sequence[Bar]) -> Table:
    """Daily prices with the change from day to day."""
    table = Table(title=escape(f"{history.symbol}, {history.source}"))
    for name in ("date", "open", "high", "low", "close", "change", "volume"):
        table.add_column(name, justify="left" if name == "date" else "right")
    before = {bar.on: earlier.close for earlier, bar in zip(history.bars, history.bars[1:], strict=False)}
    for bar in bars:
        prices = ["" if value is None else f"{value:.2f}" for value in (bar.open, bar.high, bar.low, bar.close)]
        change = f"{bar.close / before[bar.on] - 1:+.2%}" if before.get(bar.on) else ""
        table.add_row(bar.on.isoformat(), *prices, change, "" if bar.volume is None else f"{bar.volume:,.0f}")
    return table


def inventory_table(stored: Sequence[StoredSeries]) -> Table:
    """What is stored."""
    table = Table(title="Stored daily prices")
    for name in ("symbol", "first", "last", "days", "source"):
        table.add_column(name, justify="right" if name == "days" else "left")
    for series in stored:
        table.add_row(series.symbol, str(series.first), str(series.last), f"{series.bars:,}", escape(series.source))
    return table


async def provider_verdict(provider: QuoteProvider, symbol: str) -> tuple[bool, str]:
    """One real call: whether it was answered, and a line that says so."""
    began = time.perf_counter()
    try:
        quote = await provider.quote(symbol, refresh=True)
    except VaultError as error:
        return False, f"{provider.name}: FAILED after {time.perf_counter() - began:.1f} s: {error}"
    finally:
        await provider.aclose()
    took = time.perf_counter() - began
    return True, (
        f"{provider.name}: ok in {took:.1f} s: {symbol} {quote.price:.2f} {quote.currency}, "
        f"{quote.at:%Y-%m-%d %H:%M:%S} UTC, market {quote.market_state}"
    )


def _hedge_words(snapshot: Snapshot) -> str:
    if snapshot.hedge is None:
        return "; no options are held"
    return f"; options held are worth {snapshot.hedge_value:,.0f} USD, without them {snapshot.ltv:.2%}"
