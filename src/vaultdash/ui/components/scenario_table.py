"""One hedge in every scenario, in the three ways of counting it."""

from vaultdash.domain.hedge import MeasuredHedge, Scenario
from vaultdash.domain.loan import is_breached
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.format import pct, price, signed_pct, usd

COLUMNS = (
    Column("change", "gold moves", left=True),
    Column("price", "to"),
    Column("ignored", "LTV, puts ignored"),
    Column("paid", "LTV after payment"),
    Column("credited", "LTV, puts credited"),
    Column("payoff", "puts pay"),
    Column("equity", "equity after loan and premium"),
)


class ScenarioTable:
    """Expiry values; a cell at or above the call limit says so."""

    def __init__(self) -> None:
        self._table = DataTable(COLUMNS, label="Scenarios of the chosen hedge at expiry")

    def show(self, hedge: MeasuredHedge, close_out_ltv: float) -> None:
        """Fill the rows; at or above `close_out_ltv` the lender sells without asking."""
        self._table.show([_row(scenario, close_out_ltv) for scenario in hedge.scenarios])


def _row(scenario: Scenario, close_out_ltv: float) -> Row:
    def _ltv(ltv: float, *, called: bool) -> Cell:
        shown = "repaid" if ltv <= 0 else pct(ltv)
        if is_breached(ltv, close_out_ltv):
            return Cell(f"{shown} close-out", ltv, "close_out")
        return Cell(shown + (" call" if called else ""), ltv, "call" if called else "")

    return Row(
        f"{scenario.price_change_pct:.4f}",
        {
            "change": Cell(signed_pct(scenario.price_change_pct, 0), scenario.price_change_pct),
            "price": Cell(price(scenario.scenario_price), scenario.scenario_price),
            "ignored": _ltv(scenario.unhedged_ltv, called=scenario.margin_call_without_hedge),
            "paid": _ltv(scenario.hedged_ltv_after_payment, called=scenario.margin_call_after_payment),
            "credited": _ltv(scenario.hedged_ltv, called=scenario.margin_call_with_hedge),
            "payoff": Cell(usd(scenario.option_payoff), scenario.option_payoff),
            "equity": Cell(usd(scenario.net_equity), scenario.net_equity, "call" if scenario.net_equity < 0 else ""),
        },
    )
