"""The arrays of a replay from a scenario, a template and market days; raises in words where days or levels lack."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from vaultdash.backtest import layout as at
from vaultdash.backtest.layout import Early, Sets
from vaultdash.backtest.market_days import MarketDays
from vaultdash.backtest.premiums import ObservedPremiums, Premiums
from vaultdash.backtest.scenario import Scenario, TradeAt
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.hedge import Exercise
from vaultdash.domain.loan import QUARTER_ENDS, DayCount, HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.template import HedgeTemplate, StrikeRule
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import Engine
from vaultdash.pricing.early_exercise import early_exercise_table
from vaultdash.pricing.implied import implied_volatility

COUNTINGS = (HedgeCounting.IGNORED, HedgeCounting.AFTER_PAYMENT, HedgeCounting.CREDITED)
RULES = (StrikeRule.PERCENT_OF_SPOT, StrikeRule.DELTA, StrikeRule.DISTANCE_TO_CALL, StrikeRule.FIRST_ABOVE_CALL)
FUNDINGS = (PremiumFunding.CASH, PremiumFunding.LOAN, PremiumFunding.SELL_GOLD)


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """What every template of a scenario shares: its days, the index of its start, and what is quoted on them."""

    scenario: Scenario
    days: tuple[date, ...]
    start: int
    market: FloatArray
    listed: FloatArray
    quarters: FloatArray
    contracts: FloatArray
    quoted: FloatArray
    early: Early
    is_observed: bool
    first_unknown: date | None


def stage(scenario: Scenario, market: MarketDays, premiums: Premiums, engine: Engine) -> Stage:
    """The scenario on its days of the market; raises InvalidInput where these are not known."""
    if scenario.symbol != market.symbol:
        raise InvalidInput("symbol", f"is {scenario.symbol}, and the prices those of {market.symbol}")
    known = f"prices are known from {market.days[0]} to {market.days[-1]}"
    for name in ("entry", "start", "end"):
        day = getattr(scenario, name)
        if day is not None and not market.days[0] <= day <= market.days[-1]:
            raise InvalidInput(name, f"is {day}, and {known}")
    first = bisect_left(market.days, scenario.entry or scenario.start)
    start, stop = bisect_left(market.days, scenario.start), bisect_right(market.days, scenario.end)
    if stop - start < 2:
        raise InvalidInput("end", f"leaves fewer than two trading days between {scenario.start} and {scenario.end}")
    scenario.require_solvent(float(market.closes[start]))
    days = market.days[first:stop]
    ordinals = np.array([day.toordinal() for day in market.days[first : stop + 1]], dtype=np.float64)
    after = ordinals[1:] if len(ordinals) > len(days) else np.append(ordinals[1:], ordinals[-1] + 1)
    prices = (market.closes, market.lows, market.levels, market.long_run, market.rates)
    table = np.vstack([ordinals[: len(days)], after, *(each[first:stop] for each in prices)]).astype(np.float64)
    if not (np.isfinite(table[at.CLOSE]) & (table[at.CLOSE] > 0)).all():
        raise InvalidInput("closes", "must be above zero on every day of the scenario")
    table = np.vstack([table, np.log(table[at.CLOSE])])
    unknown = np.isnan(table[at.LEVEL]) | np.isnan(table[at.LONG_RUN])
    is_observed = isinstance(premiums, ObservedPremiums)
    contracts, quoted = np.empty((at.CONTRACT_FIELDS, 0)), np.empty((at.QUOTE_FIELDS, len(days), 0))
    if isinstance(premiums, ObservedPremiums):
        contracts, quoted = recorded(premiums, days, table, scenario.exercise, engine)
    return Stage(
        scenario=scenario,
        days=days,
        start=start - first,
        market=table,
        listed=np.array([day.toordinal() for day in market.listed], dtype=np.float64),
        quarters=_quarters(days[start - first], days[-1]),
        contracts=contracts,
        quoted=quoted,
        early=early_of(scenario),
        is_observed=is_observed,
        first_unknown=days[int(np.argmax(unknown))] if unknown.any() and not is_observed else None,
    )


def early_of(scenario: Scenario) -> Early:
    """The table of early exercise, empty where options are European."""
    if scenario.exercise is Exercise.EUROPEAN:
        return Early(np.empty(0), np.empty(0))
    table = early_exercise_table()
    return Early(table.values, table.depths)


def _quarters(start: date, end: date) -> FloatArray:
    """Ends of quarters after the start, up to the end."""
    ends = (date(year, *quarter) for year in range(start.year, end.year + 1) for quarter in QUARTER_ENDS)
    return np.array([day.toordinal() for day in ends if start < day <= end], dtype=np.float64)


def recorded(
    premiums: ObservedPremiums, days: tuple[date, ...], table: FloatArray, exercise: Exercise, engine: Engine
) -> tuple[FloatArray, FloatArray]:
    """Recorded contracts, and their bid, ask and implied volatility by day; a day that was not recorded has none."""
    expires = np.array([day.toordinal() for day in premiums.expirations], dtype=np.float64)
    contracts = np.vstack([premiums.rights, premiums.strikes, expires]).astype(np.float64)
    quoted = np.full((at.QUOTE_FIELDS, len(days), len(expires)), np.nan)
    row_of = {day: row for row, day in enumerate(premiums.days)}
    for t, day in enumerate(days):
        row = row_of.get(day)
        if row is not None:
            quoted[at.BID, t], quoted[at.ASK, t] = premiums.bids[row], premiums.asks[row]
    mids = 0.5 * (quoted[at.BID] + quoted[at.ASK])
    years = (expires - table[at.DAY][:, None]) / at.YEAR
    usable = np.isfinite(mids) & (mids > 0) & (years > 0)
    if usable.any():
        by_day = (np.broadcast_to(table[row][:, None], mids.shape)[usable] for row in (at.CLOSE, at.RATE))
        spot, rate = by_day
        strike, right = (np.broadcast_to(each, mids.shape)[usable] for each in (premiums.strikes, premiums.rights))
        found = implied_volatility(mids[usable], spot, strike, years[usable], rate, 0.0, right, exercise, engine)
        quoted[at.SIGMA][usable] = found.value
    return contracts, quoted


def terms_of(staged: Stage, template: HedgeTemplate) -> FloatArray:
    """The numbers of scenario and template that do not change."""
    scenario, loan = staged.scenario, staged.scenario.loan
    interest, costs, smile, listing, roll = (
        loan.interest,
        scenario.costs,
        scenario.smile,
        scenario.listing,
        template.roll,
    )
    terms = np.zeros(at.TERMS)
    start_value = scenario.units * float(staged.market[at.CLOSE, staged.start])
    for where, value in (
        (at.AMOUNT, loan.amount),
        (at.UNITS, scenario.units),
        (at.START, staged.start),
        (at.START_LTV, loan.amount / start_value),
        (at.CALL, loan.margin_call_ltv),
        (at.CLOSE_OUT, loan.close_out_ltv),
        (at.TARGET, scenario.cure_target),
        (at.COUNTING, COUNTINGS.index(counting_of(scenario, template))),
        (at.HAIRCUT, loan.hedge_haircut),
        (at.CURE_DAYS, loan.cure_days),
        (at.INTEREST, interest.rate),
        (at.BASIS, 360 if interest.day_count is DayCount.ACT_360 else 365),
        (at.CAPITALISED, interest.capitalised),
        (at.SPARE, scenario.spare_cash),
        (at.SETTLEMENT, scenario.settlement_days),
        (at.SAME_CLOSE, scenario.trade_at is TradeAt.SAME_CLOSE),
        (at.COMMISSION, costs.commission),
        (at.LEAST, costs.least_half_spread),
        (at.OF_MID, costs.half_spread_of_mid),
        (at.VEGA_POINTS, costs.half_spread_vega_points),
        (at.SLIP, costs.gold_slippage),
        (at.AT_THE_MONEY, smile.at_the_money),
        (at.KAPPA, smile.kappa),
        (at.SLOPE, smile.slope),
        (at.CURVATURE, smile.curvature),
        (at.FLOOR, smile.floor),
        (at.NEAR_STEP, listing.near_step),
        (at.FAR_STEP, listing.far_step),
        (at.NEAR_DAYS, listing.near_months * at.DAYS_IN_MONTH),
        (at.IS_OBSERVED, staged.is_observed),
        (at.ROLL_DAYS, -1 if roll.days_before_expiry is None else roll.days_before_expiry),
        (at.RATCHET_AT, roll.ratchet or 0.0),
        (at.DELTA_AT, roll.monetise_delta or 0.0),
        (at.LTV_AT, roll.monetise_ltv or 0.0),
        (at.REBUYS, roll.rebuy),
        (at.BUDGET, roll.yearly_budget or 0.0),
        (at.COVERAGE, template.coverage),
        (at.FUNDING, FUNDINGS.index(template.funding)),
    ):
        terms[where] = value
    return terms


def counting_of(scenario: Scenario, template: HedgeTemplate) -> HedgeCounting:
    """How the lender counts: as the template says, else as the loan does."""
    return template.counting or scenario.loan.hedge_counting


def legs_of(template: HedgeTemplate) -> FloatArray:
    """A row for each leg; none where nothing is traded."""
    rows = [
        (
            1 if leg.right is Right.CALL else -1,
            leg.sign,
            RULES.index(leg.strike.rule),
            leg.strike.value or 0.0,
            leg.months,
            leg.share,
            leg.contracts or 0,
        )
        for leg in (template.legs if template.hedges else ())
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), at.LEG_FIELDS)


def require_levels(staged: Stage, template: HedgeTemplate) -> None:
    """Raises InvalidInput where options would be marked without a volatility."""
    if template.hedges and staged.first_unknown is not None:
        raise InvalidInput(
            "level",
            f"no volatility is known for {staged.first_unknown}: prices must begin about a month earlier; "
            "start later, or choose level ewma where the index is not known",
        )


def sets_of(
    staged: Stage, templates: Sequence[HedgeTemplate], schedule: FloatArray | None, trades: int, calls: int
) -> Sets:
    """Everything that replays read and write, with room for so many trades and calls of each."""
    legs = [legs_of(template) for template in templates]
    count, most = len(templates), max(len(each) for each in legs)
    padded = np.zeros((count, most, at.LEG_FIELDS))
    for k, each in enumerate(legs):
        padded[k, : len(each)] = each
    series = np.zeros((at.SERIES, len(staged.days)))
    if schedule is not None:
        series[at.SCHEDULE] = schedule
    account, book = np.zeros((count, at.ACCOUNT)), np.zeros((count, most, at.BOOK))
    account[:, at.ROLLED_ON], book[:, :, at.COLUMN] = -1.0, -1.0
    return Sets(
        days=staged.market,
        listed=staged.listed,
        quarters=staged.quarters,
        contracts=staged.contracts,
        quoted=staged.quoted,
        early=staged.early,
        terms=np.array([terms_of(staged, template) for template in templates]),
        legs=padded,
        counts=np.array([float(len(each)) for each in legs]),
        account=account,
        book=book,
        series=series,
        trades=np.zeros((trades, at.TRADE_FIELDS)),
        calls=np.zeros((calls, at.CALL_FIELDS)),
        figures=np.zeros((count, at.FIGURES)),
    )
