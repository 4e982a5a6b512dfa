"""The books of a replay kept a second time, from its trades and the market alone; every difference is told."""

import math
from collections import defaultdict
from datetime import date

import numpy as np

from tests.backtest.invented import Case
from vaultdash.backtest.result import BacktestRun, Ending, Reason, Trade
from vaultdash.backtest.scenario import Scenario, TradeAt
from vaultdash.domain.loan import QUARTER_ENDS, DayCount
from vaultdash.domain.option import Right
from vaultdash.domain.template import StrikeRule

Contract = tuple[int, Right, float, date]


def normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def sigma_of(case: Case, t: int, strike: float, years: float) -> float:
    market, smile = case.market, case.scenario.smile
    thirty, run = smile.at_the_money * market.levels[t], market.long_run[t]

    def faded(time: float) -> float:
        return (1 - math.exp(-smile.kappa * time)) / (smile.kappa * time)

    at_forward = math.sqrt(max(run**2 + (thirty**2 - run**2) * faded(years) / faded(30 / 365), 1e-8))
    z = math.log(strike / (market.closes[t] * math.exp(market.rates[t] * years))) / (at_forward * math.sqrt(years))
    return max(at_forward + smile.slope * z + smile.curvature * z * z, smile.floor)


def value(case: Case, t: int, right: Right, strike: float, expiration: date) -> tuple[float, float]:
    """European value and vega of a point at the close of day t of the market; intrinsic on the day of expiry."""
    spot, rate = float(case.market.closes[t]), float(case.market.rates[t])
    sign = 1.0 if right is Right.CALL else -1.0
    years = (expiration - case.market.days[t]).days / 365
    if years <= 0:
        return max(sign * (spot - strike), 0.0), 0.0
    sigma = sigma_of(case, t, strike, years)
    d1 = (math.log(spot / strike) + (rate + sigma * sigma / 2) * years) / (sigma * math.sqrt(years))
    d2 = d1 - sigma * math.sqrt(years)
    price = sign * (spot * normal(sign * d1) - strike * math.exp(-rate * years) * normal(sign * d2))
    return price, 0.01 * spot * math.sqrt(years) * math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)


def half_spread(case: Case, mid: float, vega: float) -> float:
    costs = case.scenario.costs
    return max(costs.least_half_spread, costs.half_spread_of_mid * mid, costs.half_spread_vega_points * vega)


def quarter_ends(after: date, until: date) -> list[date]:
    days = (date(year, *end) for year in range(after.year, until.year + 1) for end in QUARTER_ENDS)
    return [day for day in days if after < day <= until]


def near(a: float, b: float, scale: float) -> bool:
    return abs(a - b) <= 1e-8 * max(scale, 1.0)


def differences(case: Case, run: BacktestRun) -> list[str]:
    """What does not add up, in words; nothing when all does."""
    books = _Books(case, run)
    for t in range(len(run.series.days)):
        books.day(t)
    return books.found


class _Books:
    def __init__(self, case: Case, run: BacktestRun) -> None:
        self.case, self.run, self.series = case, run, run.series
        self.offset = case.market.days.index(run.series.days[0])
        self.start = next(t for t, day in enumerate(run.series.days) if day >= case.scenario.start)
        self.found: list[str] = []
        self.held: dict[Contract, int] = defaultdict(int)
        self.marks: dict[Contract, float] = {}
        self.principal = self.accrued = 0.0
        self.trades: dict[date, list[Trade]] = defaultdict(list)
        self.earlier: dict[Contract, int] = {}
        for trade in run.trades:
            self.trades[trade.on].append(trade)

    def tell(self, t: int, what: str, ours: float, theirs: float, scale: float | None = None) -> None:
        if not near(ours, theirs, scale if scale is not None else self.series.gold_value[0]):
            self.found.append(f"{self.series.days[t]}: {what} is {theirs!r}, and should be {ours!r}")

    def day(self, t: int) -> None:
        series, scenario = self.series, self.case.scenario
        spot, slip = series.price[t], scenario.costs.gold_slippage
        earned, paid_out = self.interest(t)
        change = self.change_of_marks(t)
        costs, cash = self.traded(t)
        self.cover(t)
        self.marks = {key: self.mark(t, key) for key, count in self.held.items() if count}
        value_now = sum(100 * self.held[key] * mark for key, mark in self.marks.items())
        self.tell(t, "hedge value", value_now, series.hedge_value[t])
        sold = (series.units[t - 1] if t else scenario.units) - series.units[t]
        slippage = sold * spot * slip
        debt_before = self.principal + self.capitalised
        lent = 0.0 if t < self.start else float(series.loan[t]) - debt_before
        drawn = scenario.loan.amount if t == self.start else 0.0
        cash_before = series.cash[t - 1] if t else scenario.spare_cash
        cash_now = cash_before + cash + sold * spot * (1 - slip) + (lent - drawn) - paid_out
        if any(call.ending is Ending.LIQUIDATED and call.ended_on == series.days[t] for call in self.run.calls):
            # sold by the lender: interest due is paid too
            cash_now -= self.unpaid
            self.accrued -= self.unpaid
        self.tell(t, "cash", cash_now, series.cash[t])
        self.repaid_or_lent(lent)
        if t < self.start:
            if not math.isnan(series.equity[t]) or not math.isnan(series.loan[t]):
                self.found.append(f"{series.days[t]}: there is no loan yet")
            return
        equity = series.gold_value[t] + series.hedge_value[t] + series.cash[t] - series.loan[t] - self.unpaid
        self.tell(t, "equity", equity, series.equity[t])
        if t > self.start:
            self.lender(t, earned + costs - change)
            moved = series.units[t - 1] * (spot - series.price[t - 1])
            expected = moved + change - costs - slippage - earned
            self.tell(t, "change of equity", expected, series.equity[t] - series.equity[t - 1])

    def lender(self, t: int, most: float) -> None:
        """Net of the options a debt grows by interest, costs and what the marks lost, and never by trading itself."""
        series, terms = self.series, self.case.scenario
        if series.units[t] == 0:
            return
        net = series.ltv_after_payment[: t + 1] * series.gold_value[: t + 1]
        is_owed = net[t] + series.hedge_value[t] > 1e-6  # else all is repaid, or will be, and what is over stays cash
        is_told = is_owed and terms.trade_at is TradeAt.NEXT_CLOSE and series.units[t] == series.units[t - 1]
        enters = any(trade.reason is Reason.ENTRY for trade in self.trades[series.days[t]])  # its credit stays cash
        if is_told and not enters and net[t] - net[t - 1] > most + 1e-8 * series.gold_value[0]:
            self.found.append(f"{series.days[t]}: the lender counts {net[t] - net[t - 1] - most:.2f} USD no more")

    def cover(self, t: int) -> None:
        """At the close no call is sold beyond whole hundreds of units, no put beyond bought ones of its strike."""
        day = self.series.days[t]
        calls = -sum(count for key, count in self.held.items() if key[1] is Right.CALL and count < 0)
        if calls > self.series.units[t] / 100 + 1e-6:
            self.found.append(f"{day}: {calls} calls are sold over {self.series.units[t]} units")
        puts = {key: count for key, count in self.held.items() if key[1] is Right.PUT and count}
        for key in puts:
            left = sum(count for other, count in puts.items() if other[2] >= key[2])
            if left < 0:
                self.found.append(f"{day}: {-left} puts are sold at {key[2]} or above beyond those bought there")

    @property
    def capitalised(self) -> float:
        return self.accrued if self.case.scenario.loan.interest.capitalised else 0.0

    @property
    def unpaid(self) -> float:
        return 0.0 if self.case.scenario.loan.interest.capitalised else self.accrued

    def interest(self, t: int) -> tuple[float, float]:
        """Interest since the day before, and what of it left cash at a quarter's end."""
        if t <= self.start:
            return 0.0, 0.0
        terms = self.case.scenario.loan.interest
        basis = 360 if terms.day_count is DayCount.ACT_360 else 365
        since, until = self.series.days[t - 1], self.series.days[t]
        total = paid = 0.0
        for end in [*quarter_ends(since, until), until]:
            part = self.principal * (terms.reference_rate + terms.spread) * (end - since).days / basis
            total, since = total + part, end
            self.accrued += part
            if (end.month, end.day) in QUARTER_ENDS and end in quarter_ends(self.series.days[t - 1], until):
                if terms.capitalised:
                    self.principal += self.accrued
                else:
                    paid += self.accrued
                self.accrued = 0.0
        return total, paid

    def repaid_or_lent(self, lent: float) -> None:
        """A repayment lowers the amount first, then capitalised interest."""
        self.principal += lent
        if self.principal < 0:
            self.accrued += self.principal
            self.principal = 0.0

    def mark(self, t: int, key: Contract) -> float:
        return value(self.case, self.offset + t, *key[1:])[0]

    def change_of_marks(self, t: int) -> float:
        """What the options held over the night have gained; what expired before this day is worth nothing."""
        gained = 0.0
        for key, count in self.held.items():
            if count:
                if key[3] < self.series.days[t]:
                    self.found.append(f"{self.series.days[t]}: {key} expired and is still held")
                gained += 100 * count * (self.mark(t, key) - self.marks[key])
        return gained

    def traded(self, t: int) -> tuple[float, float]:
        """Spreads and commissions of the day, and the cash that its trades moved."""
        costs = cash = 0.0
        for trade in self.trades[self.series.days[t]]:
            mid, vega = value(self.case, self.offset + t, trade.right, trade.strike, trade.expiration)
            self.tell(t, "mid", mid, trade.mid, 1.0)
            half, fee = half_spread(self.case, mid, vega), self.case.scenario.costs.commission * abs(trade.contracts)
            price = mid + half if trade.contracts > 0 else max(mid - half, 0.0)
            if trade.reason is Reason.EXPIRY:
                price, fee = mid, 0.0
                if trade.expiration < self.series.days[t]:
                    self.found.append(f"{trade.on}: what expired on {trade.expiration} was settled late")
            self.tell(t, "price", price, trade.price, 1.0)
            self.tell(t, "commission", fee, trade.commission, 1.0)
            self.tell(t, "cash of a trade", -100 * trade.contracts * price - fee, trade.cash)
            costs += 100 * abs(trade.contracts) * abs(price - mid) + fee
            cash += -100 * trade.contracts * price - fee
            key = (trade.leg, trade.right, trade.strike, trade.expiration)
            is_opened = self.held[key] == 0
            self.held[key] += trade.contracts
            if is_opened:
                self.strike(t, trade)
        return costs, cash

    def strike(self, t: int, trade: Trade) -> None:
        """A strike by per cent of spot follows from the close on which it was decided."""
        leg = self.case.template.legs[trade.leg]
        if leg.strike.rule is not StrikeRule.PERCENT_OF_SPOT or leg.strike.value is None:
            return
        same = trade.reason is Reason.ENTRY and t == 0
        decided = t if same or self.case.scenario.trade_at is TradeAt.SAME_CLOSE else t - 1
        listing: Scenario = self.case.scenario
        day = self.series.days[decided]
        near_days = listing.listing.near_months * 365 / 12
        is_near = (trade.expiration - day).days <= near_days
        step = listing.listing.near_step if is_near else listing.listing.far_step
        wanted = leg.strike.value * self.series.price[decided]
        if abs(trade.strike - wanted) > step / 2 + 1e-6 or not np.isclose(trade.strike % step, 0.0):
            self.found.append(f"{trade.on}: strike {trade.strike} is not the nearest to {wanted} of {day}")
