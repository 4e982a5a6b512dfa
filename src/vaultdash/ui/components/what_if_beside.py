"""The loan without and with the hedge, side by side: LTV in each counting, gain and loss, what cures it."""

import math
from dataclasses import dataclass, replace

from nicegui import ui

from vaultdash.domain.listed_hedge import HedgeCase, ListedHedge
from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.domain.portfolio import cure, cure_as_counted
from vaultdash.risk.what_if import WhatIf, WhatIfPoint
from vaultdash.ui.components.what_if_words import ZONE_WORDS, lender_of, ltv_words, tone, zone_in
from vaultdash.ui.format import NOTHING, signed_number, unbroken, usd
from vaultdash.ui.theme import TONES, Tone, text

HEADS = ("now, with the hedge", "then, without it", "then, with it")
COUNTED = {
    HedgeCounting.IGNORED: "LTV, options ignored",
    HedgeCounting.AFTER_PAYMENT: "LTV after payment",
    HedgeCounting.CREDITED: "LTV, options credited",
}
ROWS = (
    *(f"ltv-{counting}" for counting in HedgeCounting),
    "zone", "repay", "gold", "hedge", "loan", "gold_pnl", "hedge_pnl", "net_pnl", "equity", "delta",
)  # fmt: skip
LABELS = {
    **{f"ltv-{counting}": words for counting, words in COUNTED.items()},
    "zone": "for the lender that is",
    "repay": "repay to stay below the warning",
    "gold": "gold",
    "hedge": "hedge, at what closing brings",
    "loan": "loan",
    "gold_pnl": "gain or loss of the gold",
    "hedge_pnl": "of the hedge, premium paid",
    "net_pnl": "of both",
    "equity": "gold and hedge less the loan; cash paid for the hedge is not taken off",
    "delta": "moves with gold, USD for 1 USD",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as it is shown."""

    text: str
    tone: Tone = ""


class Beside:
    """A table whose cells are written in place."""

    def __init__(self) -> None:
        self._cells: dict[str, tuple[ui.label, ...]] = {}
        self._labels: dict[str, ui.label] = {}
        with (
            ui.element("div").classes("vd-scroll"),
            ui.element("table").classes("vd-sums").props("aria-label='With and without the hedge'"),
        ):
            with ui.element("thead"), ui.element("tr"):
                text("th", "")
                for head in HEADS:
                    text("th", head)
            with ui.element("tbody"):
                for row in ROWS:
                    with ui.element("tr"):
                        self._labels[row] = text("th", LABELS[row])
                        self._cells[row] = tuple(
                            text("td", NOTHING).mark(f"{row}-{column}") for column in ("now", "without", "with")
                        )

    def show(self, found: WhatIf, case: HedgeCase, hedge: ListedHedge) -> None:
        """Write what has changed."""
        own = lender_of(case, found.change).hedge_counting
        for counting in HedgeCounting:
            is_own = " · your lender" if counting is own else ""
            self._labels[f"ltv-{counting}"].set_text(f"{COUNTED[counting]}{is_own}")
        for row, shown in rows(found, case, hedge).items():
            for label, each in zip(self._cells[row], shown, strict=True):
                label.set_text(unbroken(each.text))
                label.classes(remove=" ".join(TONES), add=each.tone)


def rows(found: WhatIf, case: HedgeCase, hedge: ListedHedge) -> dict[str, tuple[Shown, Shown, Shown]]:
    """By name: now with the hedge, then without it, then with it."""
    now, then = found.now, found.then
    today, loan = case.loan, lender_of(case, found.change)
    alone = case.units * then.price
    owed_alone = then.unhedged_ltv * alone
    units = now.gold_value / now.price

    def money(*amounts: float | None) -> tuple[Shown, Shown, Shown]:
        first, second, third = (Shown(NOTHING if each is None else usd(each)) for each in amounts)
        return first, second, third

    def gains(*amounts: float | None) -> tuple[Shown, Shown, Shown]:
        first, second, third = (_gain(each) for each in amounts)
        return first, second, third

    repaid = cure(owed_alone, alone, loan.warning_ltv).repay_cash
    gold_alone = case.units * (then.price - case.spot)
    found_rows = {
        f"ltv-{counting}": (
            _ltv(now, counting, today),
            Shown(ltv_words(then.unhedged_ltv), tone(then.unhedged_zone)),
            _ltv(then, counting, loan),
        )
        for counting in HedgeCounting
    }
    return found_rows | {
        "zone": (
            Shown(ZONE_WORDS[now.zone], tone(now.zone)),
            Shown(ZONE_WORDS[then.unhedged_zone], tone(then.unhedged_zone)),
            Shown(ZONE_WORDS[then.zone], tone(then.zone)),
        ),
        "repay": (_cure(now, today), Shown(usd(repaid)), _cure(then, loan)),
        "gold": money(now.gold_value, alone, then.gold_value),
        "hedge": money(now.hedge_value, None, then.hedge_value) if hedge.legs else money(None, None, None),
        "loan": money(now.loan_amount, owed_alone, then.loan_amount),
        "gold_pnl": gains(None, gold_alone, then.gold_pnl),
        "hedge_pnl": gains(now.hedge_pnl, None, then.hedge_pnl) if hedge.legs else gains(None, None, None),
        "net_pnl": gains(now.net_pnl, gold_alone, then.net_pnl),
        "equity": money(now.equity, then.unhedged_equity, then.equity),
        "delta": (_delta(now, units), Shown(signed_number(case.units)), _delta(then, units)),
    }


def _ltv(point: WhatIfPoint, counting: HedgeCounting, loan: Loan) -> Shown:
    return Shown(ltv_words(point.ltvs[counting]), tone(zone_in(counting, point, loan)))


def _cure(point: WhatIfPoint, loan: Loan) -> Shown:
    owing = replace(loan, amount=point.loan_amount)
    ways = cure_as_counted(owing, point.gold_value, point.hedge_value, loan.warning_ltv)
    return Shown(usd(ways.repay_cash) if math.isfinite(ways.repay_cash) else "all of it")


def _gain(amount: float | None) -> Shown:
    if amount is None:
        return Shown(NOTHING)
    return Shown(usd(amount) if amount <= 0 else f"+{usd(amount)}")


def _delta(point: WhatIfPoint, units: float) -> Shown:
    delta = point.greeks.delta
    return Shown(NOTHING if delta is None else signed_number(units + delta))
