"""How a hedge of listed contracts and its certificate look in a terminal."""

from rich.box import SIMPLE_HEAD
from rich.table import Table

from vaultdash.domain.hedge_verdict import CheapestHedge
from vaultdash.domain.listed_hedge import HedgeCase, HedgeMarket, ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.services.workbench_request import CheapestReport

MOST_REJECTED = 8


def case_lines(case: HedgeCase, market: HedgeMarket | None) -> list[str]:
    """The loan, and the quotes it is hedged with."""
    loan = case.loan
    said = [
        f"{case.units:,.10g} shares at {case.spot:,.2f} are {case.gold_value:,.0f} USD; the loan is "
        f"{loan.amount:,.0f} USD: LTV {case.ltv:.1%}, call at {loan.margin_call_ltv:.0%}, at a price of "
        f"{case.call_price:,.2f}."
    ]
    if market is not None:
        days = sorted({option.expiration for option in market.options})
        span = f"{days[0]} to {days[-1]}" if len(days) > 1 else str(days[0]) if days else "none"
        said.append(
            f"{len(market.options):,} contracts of {market.symbol} can be used, expirations {span}, quotes of "
            f"{market.at:%Y-%m-%d %H:%M} UTC ({market.source})."
        )
        if market.rejected:
            told = ", ".join(f"{count:,} {reason}" for reason, count in list(market.counts.items())[:MOST_REJECTED])
            said.append(f"Not used: {told}.")
    return said


def legs_table(hedge: ListedHedge) -> Table:
    """A row a leg, and what all of them cost."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_footer=True)
    table.add_column("", footer="net cost, commissions included")
    for name in ("contracts", "strike"):
        table.add_column(name, justify="right")
    table.add_column("")
    table.add_column("expiration")
    table.add_column("price", justify="right")
    table.add_column("USD", justify="right", footer=f"{hedge.net_cost:,.2f}")
    for leg in hedge.legs:
        table.add_row(
            "buy" if leg.contracts > 0 else "sell",
            f"{abs(leg.contracts):,}",
            f"{leg.option.strike:g}",
            "put" if leg.option.right is Right.PUT else "call",
            str(leg.option.expiration),
            f"{leg.price:,.2f}",
            f"{leg.premium:,.2f}",
        )
    return table


def certificate_table(found: CheapestHedge, case: HedgeCase) -> Table:
    """By what the hedge is known to be the cheapest: bound, worst LTV, where it binds, cheaper neighbours."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_header=False)
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    if found.lp_bound is not None and found.gap is not None:
        table.add_row("fractions would cost", f"{found.lp_bound:,.2f}; whole contracts {found.gap:,.2f} more")
    if found.worst_hedged_ltv is not None and found.worst_price is not None:
        table.add_row("highest hedged LTV", f"{found.worst_hedged_ltv:.6f} at {found.worst_price:,.2f}")
    for each in found.binding:
        on = "" if each.on is None else f" on {each.on}"
        move = each.price / case.spot - 1
        table.add_row(
            "binds", f"{each.price:,.2f} ({move:+.1%}){on}: LTV {each.ltv:.6f}, {each.spare:,.2f} USD to spare"
        )
    for near in found.neighbours:
        table.add_row("cheaper, and fails", f"{near.net_cost:,.2f}: {near.change}: {near.reason}")
    table.add_row("checked", f"at {found.checked:,} prices, outside the solver")
    return table


def report_lines(report: CheapestReport) -> list[str]:
    """The reasons, what each counting makes of it, and what an owner must know."""
    said = [*report.why]
    measure = report.measure
    if measure is not None and measure.hedge.legs:
        for counting in HedgeCounting:
            kept = measure.countings[counting]
            worst = f"LTV at most {kept.worst_ltv:.1%}" if kept.keeps else "a call"
            fall = "called now" if kept.deepest_fall is None else f"safe down to a fall of {kept.deepest_fall:.1%}"
            said.append(f"{counting.value.replace('_', ' ')}: {worst} in the range, {fall}.")
    said += [f"note: {remark}" for remark in report.found.remarks]
    said += [f"note: {remark}" for remark in report.standing.remarks]
    if report.withheld is not None:
        said.append(f"NOT A RECOMMENDATION: {report.withheld}")
    return said
