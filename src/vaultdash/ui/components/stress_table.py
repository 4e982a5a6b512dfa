"""What a fall of gold, or a harsher lender, does to the loan; a row that is a call also says what cures it."""

import math
from dataclasses import replace

from nicegui import ui

from vaultdash.domain.exchange import ExchangeRate
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import Cure, Snapshot, Zone, zone
from vaultdash.risk.stress import LenderShock, StressRow
from vaultdash.services.loan_stress import DollarFall, StressReport
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.format import money, pct, price, signed_pct, usd
from vaultdash.ui.theme import Tone

ZONE_WORDS = {Zone.ROOM: "", Zone.WARNING: "warning", Zone.CALL: "call", Zone.CLOSE_OUT: "close-out"}
TONES: dict[Zone, Tone] = {
    Zone.ROOM: "",
    Zone.WARNING: "warning",
    Zone.CALL: "call",
    Zone.CLOSE_OUT: "close_out",
}
CURES = (Column("repay", "repay cash"), Column("add", "or add gold"), Column("sell", "or sell gold"))
PLAIN = (Column("fall", "gold", left=True), Column("price", "price"), Column("ltv", "LTV"), *CURES)
WITH_OPTIONS = (
    Column("fall", "gold", left=True),
    Column("price", "price"),
    Column("ltv", "LTV as the lender counts"),
    Column("ignored", "options ignored"),
    Column("paid", "after payment"),
    Column("credited", "credited"),
    Column("options", "options worth"),
    *CURES,
)
SHOCKS = (
    Column("name", "the lender", left=True),
    Column("limit", "call limit"),
    Column("ltv", "LTV"),
    Column("drop", "fall to a call"),
    *CURES,
)


class StressTable:
    """Falls; with options held also every counting, volatility unchanged and, below it, as in a crash."""

    def __init__(self) -> None:
        self._box = ui.element("div")
        self._table: DataTable | None = None
        self._has_options: bool | None = None

    def show(self, report: StressReport) -> None:
        """Fill the rows."""
        if self._table is None or report.has_options is not self._has_options:
            self._has_options = report.has_options
            self._box.clear()
            with self._box:
                columns = WITH_OPTIONS if report.has_options else PLAIN
                self._table = DataTable(columns, label="The loan after a fall of gold")
        snapshot = report.snapshot
        rows = [_fall(row, snapshot, with_options=report.has_options) for row in report.rows]
        if report.dollar_fall is not None:
            rows.append(_dollar_fall(report.dollar_fall, snapshot, with_options=report.has_options))
        self._table.show(rows)


class ShockTable:
    """Harsher terms at the price now."""

    def __init__(self) -> None:
        self._table = DataTable(SHOCKS, label="The loan under harsher terms", roomy=True)

    def show(self, report: StressReport) -> None:
        """Fill the rows."""
        rate = report.snapshot.rate
        self._table.show([_shock(shock, rate) for shock in report.shocks])


def _fall(row: StressRow, snapshot: Snapshot, *, with_options: bool) -> Row:
    loan = snapshot.portfolio.loan
    cells = {
        "fall": Cell(signed_pct(row.change, 0), row.change),
        "price": Cell(price(row.price), row.price),
        "ltv": _ltv(row.lender_ltv, row.zone),
        **_cures(row.cure, snapshot.rate),
    }
    if with_options:
        for name, counting in (
            ("ignored", HedgeCounting.IGNORED),
            ("paid", HedgeCounting.AFTER_PAYMENT),
            ("credited", HedgeCounting.CREDITED),
        ):
            ltv, crashed = row.ltvs[counting], row.crashed_ltvs[counting]
            same = counting is HedgeCounting.IGNORED
            cells[name] = _ltv(ltv, zone(ltv, loan), sub="" if same else f"{_shown(crashed)} in a crash")
        worth = row.option_value
        cells["options"] = Cell(usd(worth), worth, sub=f"{usd(row.crashed_option_value)} in a crash")
    return Row(f"{row.change:.2f}", cells)


def _dollar_fall(fall: DollarFall, snapshot: Snapshot, *, with_options: bool) -> Row:
    """As a fall of gold, with what is repaid at the fallen dollar."""
    found = _fall(fall.row, replace(snapshot, rate=fall.rate), with_options=with_options)
    change = fall.rate.per_dollar / snapshot.rate.per_dollar - 1.0
    named = replace(found.cells["fall"], sub=f"dollar {signed_pct(change, 0)}")
    return Row("dollar", found.cells | {"fall": named})


def _shock(shock: LenderShock, rate: ExchangeRate) -> Row:
    drop = shock.drop_to_call
    return Row(
        shock.name,
        {
            "name": Cell(shock.name, sub=shock.told),
            "limit": Cell(pct(shock.loan.margin_call_ltv, 0), shock.loan.margin_call_ltv),
            "ltv": _ltv(shock.ltv, shock.zone),
            "drop": Cell(pct(drop) if drop > 0 else "called", drop, "call" if drop <= 0 else ""),
            **_cures(shock.cure, rate),
        },
    )


def _ltv(ltv: float, where: Zone, sub: str = "") -> Cell:
    """The zone stands below the figure, which keeps the column narrow."""
    below = "; ".join(words for words in (ZONE_WORDS[where], sub) if words)
    return Cell(_shown(ltv), ltv if math.isfinite(ltv) else 1e9, TONES[where], below)


def _shown(ltv: float) -> str:
    if ltv <= 0:
        return "repaid"
    return pct(ltv) if math.isfinite(ltv) else "no cover"


def _cures(ways: Cure, rate: ExchangeRate) -> dict[str, Cell]:
    """What is repaid in the loan's currency, with the dollars below; gold in dollars."""
    amounts = {"repay": ways.repay_cash, "add": ways.add_gold, "sell": ways.sell_gold}
    if ways.repay_cash <= 0:
        return {name: Cell("–", 0.0) for name in amounts}
    cells = {
        name: Cell(usd(amount) if math.isfinite(amount) else "not enough", min(amount, 1e300))
        for name, amount in amounts.items()
    }
    if not rate.is_dollar:
        own = money(rate.own(ways.repay_cash), rate.currency)
        cells["repay"] = Cell(own, ways.repay_cash, sub=usd(ways.repay_cash))
    return cells
