"""A whole run of several years against a plain loop over days with QuantLib's own engines."""

import math
from datetime import date
from functools import cache

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813  # its own name for itself

from tests.backtest.invented import days_of
from vaultdash.backtest import engine
from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.result import Reason
from vaultdash.backtest.scenario import Scenario
from vaultdash.domain.hedge import Exercise
from vaultdash.domain.loan import HedgeCounting, Interest, Loan
from vaultdash.pricing.compiled import ENGINES, Engine
from vaultdash.strategies.templates import system_template

UNITS, CONTRACTS = 2_150.0, 22
ORIGIN = ql.Date(1, 1, 2020)


class Pricer:
    """One European or American put of QuantLib; time and rate are scaled to whole years of 365 days."""

    def __init__(self, exercise: Exercise) -> None:
        ql.Settings.instance().evaluationDate = ORIGIN
        self.spot, self.rate, self.sigma = ql.SimpleQuote(1.0), ql.SimpleQuote(0.0), ql.SimpleQuote(0.2)
        count, calendar = ql.Actual365Fixed(), ql.NullCalendar()
        curve = ql.YieldTermStructureHandle(ql.FlatForward(ORIGIN, ql.QuoteHandle(self.rate), count))
        none = ql.YieldTermStructureHandle(ql.FlatForward(ORIGIN, 0.0, count))
        surface = ql.BlackVolTermStructureHandle(
            ql.BlackConstantVol(ORIGIN, calendar, ql.QuoteHandle(self.sigma), count)
        )
        process = ql.BlackScholesMertonProcess(ql.QuoteHandle(self.spot), none, curve, surface)
        self.expiry = ORIGIN + 365
        self.is_american = exercise is Exercise.AMERICAN
        self.european = ql.AnalyticEuropeanEngine(process)
        scheme = ql.QdFpAmericanEngine.highPrecisionScheme
        self.american = ql.QdFpAmericanEngine(process, scheme())

    def put(self, spot: float, strike: float, years: float, rate: float, sigma: float) -> tuple[float, float]:
        """Value, and the European vega of a point of volatility."""
        self.spot.setValue(spot)
        self.rate.setValue(rate * years)
        self.sigma.setValue(sigma * math.sqrt(years))
        payoff = ql.PlainVanillaPayoff(ql.Option.Put, strike)
        option = ql.VanillaOption(payoff, ql.EuropeanExercise(self.expiry))
        option.setPricingEngine(self.european)
        value, vega = option.NPV(), 0.01 * option.vega() * math.sqrt(years)
        if self.is_american:
            option = ql.VanillaOption(payoff, ql.AmericanExercise(ORIGIN, self.expiry))
            option.setPricingEngine(self.american)
            value = max(option.NPV(), strike - spot)
        return value, vega


def smooth_market(count: int) -> MarketDays:
    """Rises and falls of a third over years, volatility and rate that move: no randomness."""
    t = np.arange(count)
    closes = 150 * np.exp(0.25 * np.sin(t / 190.0) + 0.04 * np.sin(t / 11.0) + 0.0001 * t)
    return days_of(
        closes,
        0.18 + 0.05 * np.sin(t / 70.0),
        rates=0.03 + 0.015 * np.sin(t / 300.0),
        long_run=0.17 + 0.00001 * t,
    )


@cache
def looped(exercise: Exercise, count: int) -> dict[str, list[float]]:
    """The loop's answer, computed once for both engines."""
    market = smooth_market(count)
    return plain_loop(scenario_of(market, exercise), market, exercise)


def scenario_of(market: MarketDays, exercise: Exercise) -> Scenario:
    loan = Loan(
        0.5 * UNITS * float(market.closes[0]),
        interest=Interest(0.04, 0.01),
        hedge_counting=HedgeCounting.CREDITED,
        margin_call_ltv=0.9,
        warning_ltv=0.85,
        close_out_ltv=0.95,
    )
    return Scenario(market.days[0], market.days[-1], UNITS, loan, exercise=exercise)


def plain_loop(scenario: Scenario, market: MarketDays, exercise: Exercise) -> dict[str, list[float]]:
    """A year's put at 95 % of spot, rolled 30 days before expiry, decided at one close and traded at the next."""
    pricer = Pricer(exercise)

    def sigma_of(t: int, strike: float, years: float) -> float:
        thirty, run = 0.97 * market.levels[t], market.long_run[t]

        def faded(time: float) -> float:
            return (1 - math.exp(-4 * time)) / (4 * time)

        base = math.sqrt(run**2 + (thirty**2 - run**2) * faded(years) / faded(30 / 365))
        z = math.log(strike / (market.closes[t] * math.exp(market.rates[t] * years))) / (base * math.sqrt(years))
        return max(base + 0.01 * z * z, 0.05)

    def marked(t: int, strike: float, expiry: date) -> tuple[float, float]:
        years = (expiry - market.days[t]).days / 365
        return pricer.put(market.closes[t], strike, years, market.rates[t], sigma_of(t, strike, years))

    def half(mid: float, vega: float) -> float:
        return max(0.02, 0.01 * mid, 0.25 * vega)

    def chosen(t: int) -> tuple[float, date]:
        wanted = market.days[t].toordinal() + 365
        later = [day for day in market.listed if day > market.days[t]]
        expiry = min(later, key=lambda day: (abs(day.toordinal() - wanted), -day.toordinal()))
        step = 1.0 if (expiry - market.days[t]).days <= 3 * 365 / 12 else 5.0
        return math.floor(0.95 * market.closes[t] / step + 0.5) * step, expiry

    told: dict[str, list[float]] = {"hedge": [], "cash": [], "equity": [], "ltv": [], "rolls": []}
    strike, expiry = chosen(0)
    mid, vega = marked(0, strike, expiry)
    cash = -CONTRACTS * (100 * (mid + half(mid, vega)) + 0.65)
    order: tuple[float, date] | None = None
    owed_interest, loan, sent = 0.0, scenario.loan.amount, 0.0
    for t, day in enumerate(market.days):
        if t:
            since = market.days[t - 1]
            ends = [date(day.year, *end) for end in ((3, 31), (6, 30), (9, 30), (12, 31))]
            ends.append(date(day.year - 1, 12, 31))
            for end in sorted(end for end in ends if since < end <= day):
                owed_interest += loan * 0.05 * (end - since).days / 360
                cash, owed_interest, since = cash - owed_interest, 0.0, end
            owed_interest += loan * 0.05 * (day - since).days / 360
        loan, cash, sent = loan - sent, cash - sent, 0.0  # of a roll on the day before
        if order is not None:
            before = cash
            mid, vega = marked(t, strike, expiry)
            cash += CONTRACTS * (100 * max(mid - half(mid, vega), 0.0) - 0.65)
            strike, expiry = order
            mid, vega = marked(t, strike, expiry)
            cash -= CONTRACTS * (100 * (mid + half(mid, vega)) + 0.65)
            sent = max(cash - before, 0.0)
            told["rolls"].append(t)
            order = None
        hedge = CONTRACTS * 100 * marked(t, strike, expiry)[0]
        gold = UNITS * float(market.closes[t])
        told["hedge"].append(hedge)
        told["cash"].append(cash)
        told["equity"].append(gold + hedge + cash - loan - owed_interest)
        told["ltv"].append((loan - sent) / (gold + hedge))
        if (expiry - day).days <= 30:
            order = chosen(t)
    return told


@pytest.mark.parametrize("engine_name", ENGINES)
@pytest.mark.parametrize(
    ("exercise", "count", "off"), [(Exercise.EUROPEAN, 1_300, 1e-9), (Exercise.AMERICAN, 540, 1e-5)]
)
def test_years_of_a_rolled_put_equal_a_loop_with_quantlib(
    exercise: Exercise, count: int, off: float, engine_name: Engine
) -> None:
    market = smooth_market(count)
    scenario = scenario_of(market, exercise)
    run = engine.run(scenario, system_template("protective_put_otm_95"), market, engine_name)
    loop = looped(exercise, count)
    rolled = [
        market.days.index(trade.on) for trade in run.trades if trade.reason is Reason.ROLL and trade.contracts > 0
    ]
    assert rolled == loop["rolls"]
    assert len(rolled) >= 2
    # American marks come from a table: so many parts of the strike, on every contract
    allowed = off * CONTRACTS * 100 * 200 if exercise is Exercise.AMERICAN else 0.0
    rtol = off if exercise is Exercise.EUROPEAN else 0.0
    for name, ours in (("hedge", run.series.hedge_value), ("cash", run.series.cash), ("equity", run.series.equity)):
        np.testing.assert_allclose(ours, loop[name], rtol=rtol, atol=allowed * (1 + 2 * len(rolled)) + 1e-6)
    np.testing.assert_allclose(run.series.ltv_credited, loop["ltv"], rtol=max(off, 1e-9))
