"""What a result must say of itself: what was assumed or missing on its days, and what a template could not do."""

import numpy as np

from vaultdash.backtest import layout as at
from vaultdash.backtest.inputs import Stage
from vaultdash.backtest.market_days import MarketDays, market_remarks
from vaultdash.backtest.premiums import ObservedPremiums, Premiums
from vaultdash.backtest.walking import Walked
from vaultdash.domain.hedge import Exercise
from vaultdash.domain.option import Right
from vaultdash.domain.template import HedgeTemplate, Side

BEYOND = 0.1  # of the gold: by so much more shares in puts a hedge is said to be larger than it


def of_market(staged: Stage, market: MarketDays, premiums: Premiums) -> tuple[str, ...]:
    """Sentences on the days themselves, true for every template."""
    scenario, days = staged.scenario, staged.days
    is_modelled = not isinstance(premiums, ObservedPremiums)
    found = list(market_remarks(market, scenario.level)) if is_modelled else []
    if days[staged.start] != scenario.start:
        found.append(f"{scenario.start} was no trading day: the run starts on {days[staged.start]}.")
    if days[-1] != scenario.end:
        found.append(f"{scenario.end} was no trading day: the run ends on {days[-1]}.")
    without_low = int(np.isnan(staged.market[at.LOW, staged.start :]).sum())
    if without_low:
        found.append(
            f"On {without_low:,} of {len(days) - staged.start:,} days no low is known: a breach within them is not "
            "seen."
        )
    if isinstance(premiums, ObservedPremiums):
        known = set(premiums.days)
        missing = sum(day not in known for day in days)
        if missing:
            found.append(
                f"No chain is recorded on {missing:,} of {len(days):,} days: what is held keeps its last time value "
                "there, and orders wait."
            )
        return tuple(found)
    if scenario.exercise is Exercise.EUROPEAN:
        found.append("Options are valued as European ones; those on GLD can be exercised early and are worth more.")
    return tuple(found)


def of_run(template: HedgeTemplate, run: Walked) -> tuple[str, ...]:
    """Sentences on what the template could not do, or what was done in another way."""
    found = []
    missing = int(run.account[at.MISSING])
    if missing:
        found.append(f"On {missing:,} days something that was held had no quote.")
    if not template.hedges:
        return tuple(found)
    entered = run.trades[: int(run.account[at.TRADES])]
    puts = [k for k, leg in enumerate(template.legs) if leg.right is Right.PUT and leg.side is Side.BUY]
    at_entry = (entered[:, at.TRADE_REASON] == at.ENTRY) & np.isin(entered[:, at.TRADE_LEG], puts)
    contracts, units = float(entered[at_entry, at.TRADE_CONTRACTS].sum()), float(run.terms[at.UNITS])
    if contracts * at.SHARES > units * (1.0 + BEYOND):
        which = "a contract" if contracts == 1 else f"{contracts:,.0f} contracts"
        found.append(
            f"{contracts * at.SHARES:,.0f} shares in {which} are more than the {units:,.10g} pledged: the hedge is "
            "larger than the gold."
        )
    never = [leg for leg in range(len(template.legs)) if run.book[leg, at.EVER] == 0]
    if len(never) == len(template.legs):
        found.append(f"Nothing was ever bought or sold: {_why(template, run)}.")
    elif never:
        which = ", ".join(str(leg + 1) for leg in never)
        found.append(f"Leg {which} of {len(template.legs)} was never traded: {_why(template, run, never)}.")
    return tuple(found)


def _why(template: HedgeTemplate, run: Walked, legs: list[int] | None = None) -> str:
    chosen = [template.legs[leg] for leg in legs] if legs is not None else list(template.legs)
    if all(leg.side is Side.SELL for leg in chosen):
        return "there is too little gold, or too few bought puts, to cover a contract of 100 shares"
    if template.roll.yearly_budget is not None:
        return "a contract costs more than the yearly budget, or none was listed that fits"
    return "no contract that fits was listed on a day on which it was to be had"
