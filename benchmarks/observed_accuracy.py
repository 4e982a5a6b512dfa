"""Recorded premiums beside modelled ones: `python -m benchmarks.observed_accuracy FOLDER`, with the data in it.

The folder holds the chains of GLD of 11 to 15 May 2026, and daily closes, index and bill. Prints what was left out of
the chains, what hedges of four months cost on the first day in both, what they are worth on each day, and which part
of the difference is level, smile and forward; then the same week replayed from both.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from tests.backtest.may_2026 import FIRST, LAST, may_market, may_quotes

from vaultdash.backtest.engine import compare
from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.premiums import ObservedPremiums
from vaultdash.backtest.scenario import Costs, Scenario, Smile, Source
from vaultdash.domain.loan import Interest, Loan
from vaultdash.domain.template import HedgeTemplate
from vaultdash.pricing.american import american_price
from vaultdash.pricing.european import european
from vaultdash.pricing.implied import implied_volatility
from vaultdash.pricing.parity import ParityForward, pairs_of, parity_forward
from vaultdash.services.pricing_kernels import share_machine_code
from vaultdash.strategies.templates import TEMPLATES

CONSOLE = Console(width=150)
SEPTEMBER = date(2026, 9, 18)
BOUGHT = (
    (-1, 435.0),
    (-1, 415.0),
    (-1, 390.0),
    (-1, 350.0),
    (1, 480.0),
)  # nearest to 100, 95, 90, 80 and 110 % of spot
FOLLOWED = ((-1, 435.0), (-1, 415.0), (-1, 390.0))
CLOSING_SPOT_ERROR = 0.001
UNITS, LTV = 10_000.0, 0.60


@dataclass(frozen=True, slots=True)
class Compared:
    """A contract on a day, USD a share: recorded and modelled, and the parts of recorded less modelled mid.

    `level` is the volatility at the money, `smile` what the strike adds to it, `forward` what is left: the recorded
    options' forward is not quite the share price with interest.
    """

    on: date
    right: int
    strike: float
    bid: float
    ask: float
    volatility: float
    at_the_money: float
    model_bid: float
    model_ask: float
    model_volatility: float
    model_at_the_money: float
    level: float
    smile: float
    forward: float

    @property
    def mid(self) -> float:
        """Of the recorded quote."""
        return 0.5 * (self.bid + self.ask)

    @property
    def model_mid(self) -> float:
        """Of the model."""
        return 0.5 * (self.model_bid + self.model_ask)


def main() -> int:
    """Print the tables."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    share_machine_code()
    recorded, market = may_quotes(folder), may_market(folder)
    left_out = ", ".join(f"{words} {number:,}" for words, number in recorded.left_out.items())
    CONSOLE.print(f"{recorded.quotes:,} quotes, not used {recorded.premiums.thin_quotes:,}: {left_out}")
    entry = [compared(recorded.premiums, market, FIRST, *contract) for contract in BOUGHT]
    show(f"Bought on {FIRST}, expiring {SEPTEMBER}; USD a share", entry)
    for contract in FOLLOWED:
        show("Marks by day", [compared(recorded.premiums, market, on, *contract) for on in market.days])
    terms(recorded.premiums, market)
    replays(recorded.premiums, market)
    return 0


def compared(premiums: ObservedPremiums, market: MarketDays, on: date, right: int, strike: float) -> Compared:
    """One contract that expires on SEPTEMBER."""
    t, years = market.days.index(on), (SEPTEMBER - on).days / 365
    spot, rate = float(market.closes[t]), float(market.rates[t])
    costs, letter = Costs(), "C" if right > 0 else "P"
    forward, at_the_money = observed_at_the_money(premiums, market, on, SEPTEMBER)
    row = premiums.days.index(on)
    (column,) = np.flatnonzero(
        (premiums.strikes == strike) & (premiums.rights == right) & of(premiums, SEPTEMBER)
    ).tolist()
    bid, ask = float(premiums.bids[row, column]), float(premiums.asks[row, column])
    own = volatility_of(0.5 * (bid + ask), strike, right, years, rate, forward)

    of_day = (float(market.levels[t]), float(market.long_run[t]))
    moneyness = float(np.log(strike / spot)) - rate * years
    modelled, modelled_at_the_money = (
        model_volatility(moneyness, years, *of_day),
        model_volatility(0.0, years, *of_day),
    )

    def worth(volatility: float) -> float:
        return float(american_price(spot, strike, years, rate, 0.0, volatility, letter))

    mid = worth(modelled)
    vega_point = 0.01 * float(european(spot, strike, years, rate, 0.0, modelled, letter).vega)
    half = max(costs.least_half_spread, costs.half_spread_of_mid * mid, costs.half_spread_vega_points * vega_point)
    raised, as_quoted = worth(modelled + at_the_money - modelled_at_the_money), worth(own)
    return Compared(
        on, right, strike, bid, ask, own, at_the_money,
        mid - half, mid + half, modelled, modelled_at_the_money,
        raised - mid, as_quoted - raised, 0.5 * (bid + ask) - as_quoted,
    )  # fmt: skip


def of(premiums: ObservedPremiums, expiration: date) -> np.ndarray:
    """Which contracts expire on that day."""
    return np.array([day == expiration for day in premiums.expirations])


def observed_at_the_money(
    premiums: ObservedPremiums, market: MarketDays, on: date, expiration: date
) -> tuple[ParityForward, float]:
    """The forward by parity and the volatility at it: between the nearest strikes, the mean of put and call."""
    t, row, years = market.days.index(on), premiums.days.index(on), (expiration - on).days / 365
    spot, rate = float(market.closes[t]), float(market.rates[t])
    chosen = of(premiums, expiration) & ~np.isnan(premiums.bids[row])
    strike, sign = premiums.strikes[chosen], premiums.rights[chosen].astype(float)
    bid, ask = premiums.bids[row, chosen], premiums.asks[row, chosen]
    pairs = pairs_of(strike, sign, bid, ask)
    given = (pairs.strike, pairs.call_mid, pairs.put_mid, spot, years, rate, pairs.spread)
    forward = parity_forward(*given, spot_error=CLOSING_SPOT_ERROR)
    found = []
    for right in (-1.0, 1.0):
        side = sign == right
        own = [
            volatility_of(*one, int(right), years, rate, forward)
            for one in zip((0.5 * (bid + ask))[side].tolist(), strike[side].tolist(), strict=True)
        ]
        order = np.argsort(strike[side])
        found.append(float(np.interp(forward.forward, strike[side][order], np.array(own)[order])))
    return forward, float(np.mean(found))


def volatility_of(mid: float, strike: float, right: int, years: float, rate: float, forward: ParityForward) -> float:
    """The volatility of a mid, with the share price and the yield that go with the forward."""
    letter = "C" if right > 0 else "P"
    terms = (mid, forward.spot, strike, years, rate, forward.effective_yield, letter)
    return float(implied_volatility(*terms, "american").value)


def model_volatility(moneyness: float, years: float, level: float, long_run: float) -> float:
    """The model's rule, written out once more: `backtest.scenario.Smile`."""
    smile = Smile()

    def pull(time: float) -> float:
        return float(-np.expm1(-smile.kappa * time) / (smile.kappa * time))

    thirty = smile.at_the_money * level
    square = long_run**2 + (thirty**2 - long_run**2) * pull(years) / pull(30 / 365)
    deviations = moneyness / np.sqrt(square * years)
    return float(max(np.sqrt(square) + smile.slope * deviations + smile.curvature * deviations**2, smile.floor))


def a_scenario(market: MarketDays, source: Source) -> Scenario:
    """10,000 shares and a loan of 0.60 over the week, without interest."""
    loan = Loan(LTV * UNITS * float(market.closes[0]), interest=Interest(reference_rate=0.0, spread=0.0))
    return Scenario(FIRST, LAST, UNITS, loan, source=source)


def show(title: str, rows: Sequence[Compared]) -> None:
    """One table."""
    table = Table(
        "on", "contract", "bid", "mid", "ask", "vol", "model bid", "mid", "ask", "vol", "mid less model", "level",
        "smile", "forward", title=title, title_justify="left",
    )  # fmt: skip
    for row in rows:
        table.add_row(
            str(row.on), f"{row.strike:g} {'call' if row.right > 0 else 'put'}",
            f"{row.bid:.2f}", f"{row.mid:.2f}", f"{row.ask:.2f}", f"{row.volatility:.2%}",
            f"{row.model_bid:.2f}", f"{row.model_mid:.2f}", f"{row.model_ask:.2f}", f"{row.model_volatility:.2%}",
            f"{row.mid - row.model_mid:+.2f}", f"{row.level:+.2f}", f"{row.smile:+.2f}", f"{row.forward:+.2f}",
        )  # fmt: skip
    CONSOLE.print(table)


def terms(premiums: ObservedPremiums, market: MarketDays) -> None:
    """Volatility at the money by expiration, recorded and modelled, on the first and the last day."""
    table = Table(
        "on", "expiration", "days", "recorded", "model", title="Volatility at the money", title_justify="left"
    )
    for on in (FIRST, LAST):
        t = market.days.index(on)
        for expiration in (date(2026, 6, 18), date(2026, 7, 17), date(2026, 8, 21), SEPTEMBER):
            days = (expiration - on).days
            _, recorded = observed_at_the_money(premiums, market, on, expiration)
            modelled = model_volatility(0.0, days / 365, float(market.levels[t]), float(market.long_run[t]))
            table.add_row(str(on), str(expiration), str(days), f"{recorded:.2%}", f"{modelled:.2%}")
    CONSOLE.print(table)


def replays(premiums: ObservedPremiums, market: MarketDays) -> None:
    """The week from both sources, templates shortened to four months."""
    table = Table(
        "template", "source", "bought", "cost net", "worth at the end", "max LTV, credited", "final equity",
        title="Replayed: 10,000 shares, LTV 0.60, USD", title_justify="left",
    )  # fmt: skip
    templates = four_months()
    for source in (Source.OBSERVED, Source.MODELLED):
        known = premiums if source is Source.OBSERVED else None
        found = compare(a_scenario(market, source), templates, market, premiums=known)
        for run in found.runs:
            bought = ", ".join(f"{t.contracts} x {t.strike:g} {t.right} {t.expiration:%d %b}" for t in run.trades)
            said = run.summary
            table.add_row(
                run.template.id, source, bought, f"{said.hedge_cost_net:,.0f}", f"{said.hedge_value_end:,.0f}",
                f"{said.max_ltv_credited:.4f}", f"{said.final_equity:,.0f}",
            )  # fmt: skip
    CONSOLE.print(table)


def four_months() -> tuple[HedgeTemplate, ...]:
    """Templates of the house with one leg or two, their tenors cut to what is recorded."""
    wanted = ("protective_put_atm", "protective_put_otm_95", "protective_put_otm_90", "collar_95_110")
    return tuple(
        replace(each, legs=tuple(replace(leg, months=4.0) for leg in each.legs))
        for each in TEMPLATES
        if each.id in wanted
    )


if __name__ == "__main__":
    sys.exit(main())
