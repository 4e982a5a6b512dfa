"""The hedges side by side, with what one could do instead."""

from collections.abc import Callable

from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.hedge import Comparison, MeasuredHedge
from vaultdash.domain.loan import Interest
from vaultdash.domain.portfolio import Snapshot, cure
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.components.hedge_colours import hedge_colours
from vaultdash.ui.format import number, owed, pct, price, usd
from vaultdash.ui.theme import UNHEDGED_COLOUR

COLUMNS = (
    Column("hedge", "hedge", left=True),
    Column("year", "cost a year"),
    Column("ignored", "LTV at the call price: puts ignored"),
    Column("paid", "after payment"),
    Column("credited", "puts credited"),
    Column("cost", "cost"),
    Column("keeps", "call kept away"),
)


class HedgeTable:
    """A row a hedge; choosing one shows its scenarios."""

    def __init__(self, pick: Callable[[str], None]) -> None:
        self._table = DataTable(COLUMNS, pick=pick, label="Six hedges side by side", roomy=True)

    def show(self, comparison: Comparison, snapshot: Snapshot, picked: str, recommended: str | None) -> None:
        """Fill the rows: the hedges, doing nothing, and repaying instead."""
        colours = hedge_colours(hedge.plan.name for hedge in comparison.hedges)
        rows = [
            _row(hedge, comparison, colours[hedge.plan.name], best=hedge.plan.name == recommended)
            for hedge in comparison.hedges
        ]
        rows.append(_nothing(comparison))
        if snapshot.is_called:
            rows.append(_cure(snapshot))
        elif recommended is not None:
            rows.append(_repay(comparison, recommended, snapshot.portfolio.loan.interest, snapshot.rate))
        self._table.show(rows, picked)


def contracts(hedge: MeasuredHedge, units: float) -> str:
    """`22 × 460 P · 12 months`: whole contracts, rounded up, by leg."""
    pairs = zip(hedge.contracts_ceil.contracts_per_leg, hedge.plan.legs, strict=True)
    return (
        " + ".join(f"{count} × {price(leg.strike)} {leg.right}" for count, leg in pairs)
        + f" · {hedge.plan.months} months"
    )


def _row(hedge: MeasuredHedge, comparison: Comparison, colour: str, *, best: bool) -> Row:
    cost, kept, limit = hedge.cost, hedge.protection, comparison.situation.margin_call_ltv
    return Row(
        hedge.plan.name,
        {
            "hedge": Cell(
                hedge.plan.title + (" · recommended" if best else ""),
                sub=contracts(hedge, comparison.situation.units),
                swatch=colour,
            ),
            "year": Cell(pct(cost.annualized_cost_pct, 2), cost.annualized_cost_pct, sub=usd(cost.annualized_cost)),
            "cost": Cell(usd(cost.total_cost), cost.total_cost, sub=f"{number(cost.term_months)} months"),
            "ignored": Cell(pct(limit), limit, "call"),
            "credited": Cell(pct(kept.hedged_ltv_at_threshold), kept.hedged_ltv_at_threshold),
            "paid": Cell(pct(kept.hedged_ltv_after_payment_at_threshold), kept.hedged_ltv_after_payment_at_threshold),
            "keeps": _kept(kept.lowest_price_kept_credited, kept.lowest_price_kept_after_payment),
        },
    )


def _kept(credited: float | None, after_payment: float | None) -> Cell:
    """How far down the call is kept away at expiry, by the counting; worst first."""

    def words(lowest: float | None) -> str:
        return "no" if lowest is None else "at any price" if lowest == 0 else f"to {price(lowest)}"

    return Cell(
        f"credited: {words(credited)}",
        1e18 if credited is None else credited,
        "call" if credited is None else "",
        sub=f"after payment: {words(after_payment)}",
    )


def _nothing(comparison: Comparison) -> Row:
    limit = comparison.situation.margin_call_ltv
    return Row(
        "do_nothing",
        {
            "hedge": Cell("Do nothing", swatch=UNHEDGED_COLOUR),
            "year": Cell(pct(0.0, 2), 0.0),
            "cost": Cell(usd(0.0), 0.0),
            "ignored": Cell(pct(limit), limit, "call"),
            "credited": Cell(pct(limit), limit, "call"),
            "paid": Cell(pct(limit), limit, "call"),
            "keeps": Cell(
                f"to {price(comparison.situation.margin_call_price)}", comparison.situation.margin_call_price
            ),
        },
    )


def _cure(snapshot: Snapshot) -> Row:
    """What brings a called loan back to the warning limit, at the price now."""
    loan = snapshot.portfolio.loan
    paid = cure(loan.amount, snapshot.gold_value, loan.warning_ltv).repay_cash
    saved = -paid * loan.interest.rate / snapshot.gold_value
    after = Cell(f"{pct(loan.warning_ltv)} now", loan.warning_ltv)
    return Row(
        "repay_instead",
        {
            "hedge": Cell(
                "Repay instead",
                sub=f"{owed(paid, snapshot.rate)} ends the call at the price now",
                swatch=UNHEDGED_COLOUR,
            ),
            "year": Cell(pct(saved, 2), saved, sub="interest saved"),
            "cost": Cell(usd(paid), paid, sub="less debt"),
            "ignored": after,
            "credited": after,
            "paid": after,
            "keeps": Cell("ends it for now", 0.0, "room"),
        },
    )


def _repay(comparison: Comparison, recommended: str, interest: Interest, rate: ExchangeRate) -> Row:
    """Repaying the loan with the premium of the recommended hedge: what it does at the same price."""
    hedge = next(hedge for hedge in comparison.hedges if hedge.plan.name == recommended)
    situation, paid = comparison.situation, min(hedge.cost.total_cost, comparison.situation.loan_amount)
    left = situation.loan_amount - paid
    ltv = left / (situation.units * situation.margin_call_price)
    saved, call = -paid * interest.rate, situation.margin_call_price * left / situation.loan_amount
    return Row(
        "repay_instead",
        {
            "hedge": Cell(
                "Repay instead", sub=f"{owed(paid, rate)}, what {hedge.plan.title} costs", swatch=UNHEDGED_COLOUR
            ),
            "year": Cell(
                pct(saved / situation.portfolio_value, 2), saved / situation.portfolio_value, sub="interest saved"
            ),
            "cost": Cell(usd(paid), paid, sub="less debt"),
            "ignored": Cell(pct(ltv), ltv),
            "credited": Cell(pct(ltv), ltv),
            "paid": Cell(pct(ltv), ltv),
            "keeps": Cell(f"to {price(call)}", call),
        },
    )
