"""A year's put rolled through thousands of days as one writes it first: a loop over days with a QuantLib option."""

import math
from dataclasses import dataclass, field
from datetime import date

import QuantLib as ql  # noqa: N813

from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.scenario import Scenario

ORIGIN = ql.Date(1, 1, 2020)


@dataclass
class Told:
    """What the loop finds: LTV and equity a day, and the days of margin calls."""

    ltv: list[float] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)
    calls: list[date] = field(default_factory=list)


class Put:
    """One option that is priced again and again; time is scaled into rate and volatility, one year of 365 days."""

    def __init__(self, is_american: bool) -> None:
        ql.Settings.instance().evaluationDate = ORIGIN
        self.spot, self.rate, self.sigma = ql.SimpleQuote(1.0), ql.SimpleQuote(0.0), ql.SimpleQuote(0.2)
        count = ql.Actual365Fixed()
        curve = ql.YieldTermStructureHandle(ql.FlatForward(ORIGIN, ql.QuoteHandle(self.rate), count))
        none = ql.YieldTermStructureHandle(ql.FlatForward(ORIGIN, 0.0, count))
        constant = ql.BlackConstantVol(ORIGIN, ql.NullCalendar(), ql.QuoteHandle(self.sigma), count)
        process = ql.BlackScholesMertonProcess(
            ql.QuoteHandle(self.spot), none, curve, ql.BlackVolTermStructureHandle(constant)
        )
        self.is_american, expiry = is_american, ORIGIN + 365
        self.exercise = ql.AmericanExercise(ORIGIN, expiry) if is_american else ql.EuropeanExercise(expiry)
        self.engine = ql.QdFpAmericanEngine(process) if is_american else ql.AnalyticEuropeanEngine(process)

    def value(self, spot: float, strike: float, years: float, rate: float, sigma: float) -> float:
        """USD a share."""
        option = ql.VanillaOption(ql.PlainVanillaPayoff(ql.Option.Put, strike), self.exercise)
        option.setPricingEngine(self.engine)
        self.spot.setValue(spot)
        self.rate.setValue(rate * years)
        self.sigma.setValue(sigma * math.sqrt(years))
        return float(option.NPV())


def loop(scenario: Scenario, market: MarketDays, contracts: int, is_american: bool) -> Told:
    """Bought and rolled at mid, 30 days before expiry: less than the product does, which pays spreads besides."""
    put, told, smile = Put(is_american), Told(), scenario.smile
    strike = expires = cash = 0.0
    thirty = (1 - math.exp(-smile.kappa * 30 / 365)) / (smile.kappa * 30 / 365)
    ordinals = [day.toordinal() for day in market.days]
    listed = [day.toordinal() for day in market.listed]

    def mid(t: int, strike: float, expires: float) -> float:
        spot, rate, years = float(market.closes[t]), float(market.rates[t]), (expires - ordinals[t]) / 365
        level, run = smile.at_the_money * market.levels[t], market.long_run[t]
        weight = (1 - math.exp(-smile.kappa * years)) / (smile.kappa * years) / thirty
        base = math.sqrt(run * run + (level * level - run * run) * weight)
        z = (math.log(strike / spot) - rate * years) / (base * math.sqrt(years))
        return put.value(
            spot, strike, years, rate, max(base + smile.slope * z + smile.curvature * z * z, smile.floor)
        )

    was_called, loan = False, scenario.loan.amount
    order: tuple[float, float] | None = None
    for t, today in enumerate(ordinals):
        spot = float(market.closes[t])
        if t == 0 or expires - today <= 30:  # decided at this close
            near = [day for day in listed if today < day < today + 800]
            chosen = math.floor(0.95 * spot / 5 + 0.5) * 5.0, float(min(near, key=lambda day: abs(day - today - 365)))
        if t == 0:
            order = chosen
        if order is not None:
            received = contracts * 100 * mid(t, strike, expires) if t else 0.0
            strike, expires = order
            received -= contracts * 100 * mid(t, strike, expires)
            repaid = min(max(received, 0.0), loan)  # what a roll brings goes to the lender
            cash, loan = cash + received - repaid, loan - repaid
            order = None
        elif expires - today <= 30:
            order = chosen
        hedge, gold = contracts * 100 * mid(t, strike, expires), scenario.units * spot
        ltv = loan / (gold + hedge)
        told.ltv.append(ltv)
        told.equity.append(gold + hedge + cash - loan)
        is_called = ltv >= scenario.loan.margin_call_ltv
        if is_called and not was_called:
            told.calls.append(market.days[t])
        was_called = is_called
    return told
