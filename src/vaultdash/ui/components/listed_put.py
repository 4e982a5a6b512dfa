"""A listed put over the whole collateral: what it costs, what it keeps away, and every scenario."""

from nicegui import ui

from vaultdash.domain.loan import HedgeCounting, Loan
from vaultdash.services.contract_cover import ContractCover
from vaultdash.ui.components.chain_words import contract_name, origin, state_word
from vaultdash.ui.components.scenario_table import ScenarioTable
from vaultdash.ui.format import age, pct, price, unbroken, usd
from vaultdash.ui.theme import card, note, text

FACTS = (
    "Cost at the ask, with commission",
    "Cost a year",
    "LTV at the call price, put ignored",
    "after payment",
    "put credited",
    "Call kept away, credited",
    "Call kept away, after payment",
    "Least that gold and puts are worth",
)


class ListedPut:
    """One put that was chosen on the Options page; says in a sentence why it cannot be measured when it cannot."""

    def __init__(self, osi: str) -> None:
        with card("Your listed put") as head:
            with head:
                ui.link("Back to the options", f"/options?contract={osi.replace(' ', '%20')}").classes("vd-tab")
            self._title = text("p", f"Asking for {' '.join(osi.split())} …", "vd-sentence").mark("listed-put")
            with ui.element("div").classes("vd-columns vd-hidden") as self._found:
                with ui.element("div"):
                    self._scenarios = ScenarioTable()
                with ui.element("div"):
                    with ui.element("dl").classes("vd-facts"):
                        self._facts = {name: self._fact(name) for name in FACTS}
                    self._says = note("")
            self._origin = note("")

    @staticmethod
    def _fact(name: str) -> ui.label:
        text("dt", name)
        return text("dd", "")

    def fail(self, reason: str) -> None:
        """Say why there is nothing to show."""
        self._title.set_text(reason)
        self._found.classes(add="vd-hidden")
        self._origin.set_text("")

    def show(self, found: ContractCover, loan: Loan) -> None:
        """Fill it, with the terms of the loan and how its lender counts hedges."""
        contract, hedge, chain = found.option.quote.contract, found.hedge, found.chain
        whole, loan_limit = hedge.contracts_ceil, hedge.protection.threshold_price
        cost, kept, each = whole.cost, whole.protection, hedge.protection
        self._title.set_text(
            unbroken(
                f"{found.contracts} × {contract_name(contract)} at {price(found.ask)} cost {usd(cost.total_cost)}"
                f"{_effect(found, loan.hedge_counting)}."
            )
        )
        limit = _limit(found)
        values = (
            f"{usd(cost.total_cost)}, {pct(cost.cost_pct_of_portfolio, 2)} of the gold",
            f"{usd(cost.annualized_cost)}, {pct(cost.annualized_cost_pct, 2)}",
            pct(limit),
            pct(kept.hedged_ltv_after_payment_at_threshold),
            pct(kept.hedged_ltv_at_threshold),
            _kept(each.lowest_price_kept_credited),
            _kept(each.lowest_price_kept_after_payment),
            usd(kept.portfolio_floor_value),
        )
        for label, value in zip(self._facts.values(), values, strict=True):
            label.set_text(unbroken(value))
        self._says.set_text(
            f"Call price {price(loan_limit)}. {found.contracts} whole contracts at the ask, commission included, "
            f"held to expiry in {chain.days_to_expiry} days; the scenarios cover every share exactly."
        )
        self._scenarios.show(hedge, loan.close_out_ltv)
        word = state_word(chain)
        self._origin.set_text(f"{word + ' · ' if word else ''}{origin(chain)} · {age(chain.age_seconds)}")
        self._found.classes(remove="vd-hidden")


def _limit(found: ContractCover) -> float:
    """LTV at the call price with nothing counted: the limit itself."""
    kept = found.hedge.protection
    at_call = min(found.hedge.scenarios, key=lambda one: abs(one.scenario_price - kept.threshold_price))
    return at_call.unhedged_ltv * at_call.scenario_price / kept.threshold_price


def _effect(found: ContractCover, counting: HedgeCounting) -> str:
    """What they do about the call, in the lender's own way of counting."""
    kept = found.hedge.contracts_ceil.protection
    call = price(kept.threshold_price)
    if counting is HedgeCounting.IGNORED:
        paid = pct(kept.hedged_ltv_after_payment_at_threshold)
        return (
            f"; your lender ignores puts, so the call still comes at {call}, where selling them brings LTV to {paid}"
        )
    if not found.is_above_the_call:
        return f"; the strike is not above your call price of {call}, so they do not keep the call away"
    return "; as your lender counts, they keep the call away at expiry"


def _kept(lowest: float | None) -> str:
    return "no" if lowest is None else "at any price" if lowest == 0 else f"to {price(lowest)}"
