"""What brings the loan back at any price: repay, add gold, sell gold; and the largest loan that survives a fall."""

from nicegui import ui

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.portfolio import Snapshot, cure_as_counted, largest_loan
from vaultdash.ui import typed
from vaultdash.ui.components.field import Field
from vaultdash.ui.components.loan_draft import unit_of
from vaultdash.ui.format import number, owed, pct, price, signed_pct, unbroken, usd
from vaultdash.ui.theme import card, note, text

WAYS = ("Repay cash", "or add gold", "or sell gold and repay with it")
COUNTED = {
    HedgeCounting.IGNORED: "Options held are ignored, as your lender does.",
    HedgeCounting.AFTER_PAYMENT: "Options held are sold first and repay the loan.",
    HedgeCounting.CREDITED: "Options held are credited as your lender does.",
}


class CureCard:
    """Two questions with their answers; both follow the price until the owner types one."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._own_price = False
        self._own_target = False
        self._sliding = False
        with card("What would bring it back"):
            with ui.element("div").classes("vd-fields"):
                self._price = Field("If the price is", self._type_price, kind="amount", unit="USD a share")
                self._target = Field("back to an LTV of", self._type_target, kind="percent", unit="%")
            self._slider = ui.slider(min=-60, max=20, step=1, value=0, on_change=self._slide).classes("vd-slider")
            self._slider.props("aria-label='Move of the price in per cent' color=vdgold")
            self._said = text("p", "", "vd-cure-said").mark("cure-said")
            with ui.element("dl").classes("vd-facts") as self._list:
                self._ways = {name: self._fact(name) for name in WAYS}
            self._note = note("")
            with ui.element("div").classes("vd-fields"):
                self._fall = Field("To survive a fall of", self._type_fall, kind="percent", unit="%", value="20")
            self._survives = text("p", "", "vd-cure-said").mark("survives")

    @staticmethod
    def _fact(name: str) -> ui.label:
        text("dt", name)
        return text("dd", "–")

    def show(self, snapshot: Snapshot) -> None:
        """At a new price: what the owner has typed stays."""
        self._snapshot = snapshot
        if not self._own_price:
            self._fill_price(snapshot.price)
            self._fill_slider(0.0)
        if not self._own_target:
            self._target.fill(typed.as_percent(round(snapshot.portfolio.target_ltv, 6)))
        self._answer()
        self._answer_fall()

    def _fill_price(self, value: float) -> None:
        self._price.fill(f"{value:.2f}")

    def _fill_slider(self, move: float) -> None:
        self._sliding = True
        self._slider.value = round(move * 100)
        self._sliding = False

    def _slide(self) -> None:
        if self._snapshot is None or self._sliding:
            return
        self._own_price = self._slider.value != 0
        self._fill_price(self._snapshot.price * (1 + float(self._slider.value) / 100))
        self._price.say(None)
        self._answer()

    def _type_price(self, text_typed: str) -> None:
        self._own_price = bool(text_typed.strip())
        self._answer()

    def _type_target(self, text_typed: str) -> None:
        self._own_target = bool(text_typed.strip())
        self._answer()

    def _type_fall(self, _: str) -> None:
        self._answer_fall()

    def _answer(self) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            return
        at, target = self._read_price(), self._read_target()
        if at is None or target is None:
            self._said.set_text("")
            for label in self._ways.values():
                label.set_text("–")
            return
        self._fill_slider(at / snapshot.price - 1)
        loan, value = snapshot.portfolio.loan, snapshot.shares * at
        worth = options_at(snapshot, at)
        ways = cure_as_counted(loan, value, worth, target)
        move = at / snapshot.price - 1
        where = f"At {price(at)}" + (", the price now," if is_near(snapshot, at) else f" ({signed_pct(move)})")
        if ways.repay_cash == 0:
            self._said.set_text(unbroken(f"{where} nothing is needed: LTV stays at or below {pct(target)}."))
        else:
            self._said.set_text(unbroken(f"{where} one of these brings LTV to {pct(target)}:"))
        collateral = snapshot.portfolio.collateral
        unit, per_unit = unit_of(collateral.instrument.symbol), value / collateral.units_on(snapshot.on)
        ounces = snapshot.gold_ounces

        def gold(worth: float) -> str:
            if worth == 0:
                return usd(0)
            weight = f", {number(worth / value * ounces, 2)} oz" if ounces and unit != "oz" else ""
            return f"{usd(worth)} = {number(worth / per_unit, 1)} {unit}{weight}"

        sale = gold(ways.sell_gold) if ways.sell_gold <= value else f"all of it, {usd(value)}, is not enough"
        for label, said in zip(
            self._ways.values(), (owed(ways.repay_cash, snapshot.rate), gold(ways.add_gold), sale), strict=True
        ):
            label.set_text(unbroken(said))
        self._note.set_text(unbroken(_counted(snapshot, at, worth)))

    def _answer_fall(self) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            return
        try:
            fall = typed.percent("fall", self._fall.text)
            if not 0 < fall < 1:
                raise InvalidInput("fall", "must be above 0 and below 100 %")
        except InvalidInput as problem:
            self._fall.say(typed.sentence("The fall", problem))
            self._survives.set_text("")
            return
        self._fall.say(None)
        loan, at = snapshot.portfolio.loan, snapshot.price * (1 - fall)
        worth = options_at(snapshot, at)
        most = largest_loan(snapshot.shares * at, loan.margin_call_ltv) + loan.factor_of(worth) * worth
        room = most - loan.amount
        verdict = (
            f"yours has {owed(room, snapshot.rate)} of room"
            if room > 0
            else f"yours is {owed(-room, snapshot.rate)} too large"
        )
        ltv = most / snapshot.gold_value
        self._survives.set_text(
            unbroken(
                f"The largest loan is {owed(most, snapshot.rate)}, an LTV of {pct(ltv)} today; {verdict}. On the "
                "limit is a call."
            )
        )

    def _read_price(self) -> float | None:
        try:
            found = typed.amount("price", self._price.text)
            if not 0.01 <= found <= 1e6:
                raise InvalidInput("price", "must be above zero")
        except InvalidInput as problem:
            self._price.say(typed.sentence("The price", problem))
            return None
        self._price.say(None)
        return found

    def _read_target(self) -> float | None:
        try:
            found = typed.percent("target", self._target.text)
            if not 0 < found < 1:
                raise InvalidInput("target", "must be above 0 and below 100 %")
        except InvalidInput as problem:
            self._target.say(typed.sentence("The LTV", problem))
            return None
        self._target.say(None)
        return found


OPTIONS_BASIS = "what exercise would bring, time value left out"


def _counted(snapshot: Snapshot, at: float, worth: float) -> str:
    if snapshot.hedge is None:
        return "No option is held."
    counting = snapshot.portfolio.loan.hedge_counting
    if counting is HedgeCounting.IGNORED:
        return COUNTED[counting]
    basis = "as marked now" if is_near(snapshot, at) else OPTIONS_BASIS
    return f"{COUNTED[counting]} They are worth {usd(worth)} at that price: {basis}."


def is_near(snapshot: Snapshot, at: float) -> bool:
    """True for the price of now, to half a tenth of a per cent."""
    return abs(at / snapshot.price - 1) < 0.0005


def options_at(snapshot: Snapshot, at: float) -> float:
    """What the options held are worth at a price, USD: as marked at the price of now, else what exercise brings."""
    if snapshot.hedge is None:
        return 0.0
    return snapshot.hedge.value if is_near(snapshot, at) else snapshot.hedge.payoff(at)
