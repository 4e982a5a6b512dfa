"""What a replay's arrays say, in words: series, trades, calls and the summary."""

from datetime import date
from math import nan

import numpy as np

from vaultdash.backtest import layout as at
from vaultdash.backtest.inputs import COUNTINGS, Stage
from vaultdash.backtest.result import Ending, MarginCall, Reason, Series, Summary, Trade
from vaultdash.backtest.walking import Walked
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.template import HedgeTemplate
from vaultdash.pricing.base import FloatArray

SHORTEST_YEARLY = 90  # days; what a shorter run cost says nothing of a year
REASONS = (
    Reason.ENTRY,
    Reason.ROLL,
    Reason.RATCHET,
    Reason.MONETISE_DELTA,
    Reason.MONETISE_LTV,
    Reason.CURE,
    Reason.EXPIRY,
    Reason.LIQUIDATION,
)
ENDINGS = (
    Ending.NO_CALL,
    Ending.CURED_BY_ITSELF,
    Ending.CURED_BY_HEDGE,
    Ending.CURED_WITH_CASH,
    Ending.CURED_WITH_GOLD,
    Ending.OPEN,
    Ending.LIQUIDATED,
)


def series_of(staged: Stage, run: Walked) -> Series:
    """A value a day; copies, so that nothing holds on to the arrays of the run."""
    rows = run.series
    price = staged.market[at.CLOSE].copy()
    return Series(
        days=staged.days,
        price=price,
        units=rows[at.AT_UNITS].copy(),
        gold_value=rows[at.AT_UNITS] * price,
        loan=rows[at.AT_LOAN].copy(),
        hedge_value=rows[at.AT_HEDGE].copy(),
        cash=rows[at.AT_CASH].copy(),
        equity=rows[at.AT_EQUITY].copy(),
        lender_ltv=rows[at.AT_LENDER].copy(),
        ltv_ignored=rows[at.AT_IGNORED].copy(),
        ltv_after_payment=rows[at.AT_PAID].copy(),
        ltv_credited=rows[at.AT_CREDITED].copy(),
        low_ltv=rows[at.AT_LOW].copy(),
    )


def trades_of(staged: Stage, template: HedgeTemplate, run: Walked) -> tuple[Trade, ...]:
    """Every trade in its order."""
    found = []
    for row in run.trades[: int(run.account[at.TRADES])].tolist():
        leg = int(row[at.TRADE_LEG])
        found.append(
            Trade(
                on=staged.days[int(row[at.TRADE_DAY])],
                reason=REASONS[int(row[at.TRADE_REASON])],
                leg=leg,
                right=template.legs[leg].right,
                strike=row[at.TRADE_STRIKE],
                expiration=date.fromordinal(int(row[at.TRADE_EXPIRES])),
                contracts=int(row[at.TRADE_CONTRACTS]),
                price=row[at.TRADE_PRICE],
                mid=row[at.TRADE_MID],
                commission=row[at.TRADE_COMMISSION],
                cash=row[at.TRADE_CASH],
            )
        )
    return tuple(found)


def calls_of(staged: Stage, run: Walked) -> tuple[MarginCall, ...]:
    """Every margin call in its order."""
    days, cure_days = staged.days, int(run.terms[at.CURE_DAYS])
    found = []
    for row in run.calls[: int(run.account[at.CALLS])].tolist():
        called, ended = int(row[at.CALL_DAY]), int(row[at.CALL_ENDED])
        found.append(
            MarginCall(
                called_on=days[called],
                price=row[at.CALL_PRICE],
                ltv=row[at.CALL_LTV],
                deadline=days[called + cure_days] if called + cure_days < len(days) else None,
                ended_on=days[ended] if ended >= 0 else None,
                ending=ENDINGS[int(row[at.CALL_ENDING])],
                from_hedge=row[at.CALL_HEDGE],
                from_cash=row[at.CALL_CASH],
                from_gold=row[at.CALL_GOLD],
                units_sold=row[at.CALL_UNITS],
            )
        )
    return tuple(found)


def summary_of(staged: Stage, counting: HedgeCounting, walked: Walked, thin_quotes: int = 0) -> Summary:
    """The run in figures; LTVs of the days on which there was a loan."""
    days, account, figures = staged.days, walked.account.tolist(), walked.figures.tolist()

    def day(figure: int) -> date | None:
        return days[int(figures[figure])] if figures[figure] >= 0 else None

    paid, recovered, value_end = account[at.PAID], account[at.RECOVERED], figures[at.VALUE_END]
    net, length = paid - recovered - value_end, (days[-1] - days[0]).days
    return Summary(
        counting=counting,
        survived=figures[at.FIRST_BREACH] < 0,
        ending=ENDINGS[int(figures[at.ENDED])],
        first_breach_date=day(at.FIRST_BREACH),
        first_intraday_breach_date=day(at.FIRST_INTRADAY),
        days_in_breach=int(figures[at.BREACH_DAYS]),
        max_ltv=figures[at.MOST_LTV],
        max_ltv_on=days[int(figures[at.MOST_LTV_ON])],
        max_ltv_ignored=figures[at.MOST_IGNORED],
        max_ltv_after_payment=figures[at.MOST_PAID],
        max_ltv_credited=figures[at.MOST_CREDITED],
        least_headroom=figures[at.LEAST_ROOM],
        hedge_cost_paid=paid,
        hedge_recovered=recovered,
        hedge_value_end=value_end,
        hedge_cost_net=net,
        entry_cost=account[at.ENTERED],
        cost_per_year=net * at.YEAR / length if length >= SHORTEST_YEARLY else nan,
        trades=int(account[at.TRADES]),
        rolls=int(account[at.ROLLS]),
        calls=int(account[at.CALLS]),
        interest=account[at.INTEREST_SUM],
        repaid_from_hedge=account[at.FROM_HEDGE],
        units_end=account[at.HELD_UNITS],
        loan_end=figures[at.LOAN_END],
        final_equity=figures[at.EQUITY_END],
        breaches={each: day(at.BREACH_IGNORED + place) for place, each in enumerate(COUNTINGS)},
        missing_days=int(account[at.MISSING]),
        thin_quotes=thin_quotes,
    )


def repayments(run: Walked) -> FloatArray:
    """What was paid for options each day, net and never below 0, USD; before the loan is drawn, on the day it is."""
    paid = np.maximum(-run.series[at.AT_FLOW], 0.0)
    start = int(run.terms[at.START])
    paid[start] += paid[:start].sum()
    paid[:start] = 0.0
    found: FloatArray = paid
    return found
