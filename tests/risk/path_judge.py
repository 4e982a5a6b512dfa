"""One path of closes judged slowly, by the rules of docs/path-verdict.md, with nothing of the product's."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Held:
    """Contracts of an option: `closing(day, price)` is what closing a share brings, or costs when it was sold."""

    contracts: int
    right: str
    strike: float
    expires: int
    closing: Callable[[int, float], float]

    def exercise(self, price: float) -> float:
        return max(price - self.strike if self.right == "C" else self.strike - price, 0.0)


@dataclass
class Lender:
    """Terms; `credits` is the share of the options' value that stands beside the gold, None when none does."""

    call: float = 0.75
    close_out: float = 0.85
    cure_days: int = 2
    credits: float | None = None

    def ltv(self, loan: float, gold: float, options: float) -> float:
        if self.credits is not None:
            gold += options * self.credits if options > 0 else options
        return loan / gold if gold > 0 else math.inf

    def shortfall(self, loan: float, gold: float, options: float) -> float:
        if self.credits is not None:
            gold += options * self.credits if options > 0 else options
        return loan - self.call * gold


@dataclass
class Told:
    called: bool = False
    uncured: bool = False
    sold: bool = False
    repaid: float = 0.0
    calls: list[int] = field(default_factory=list)
    sales: list[tuple[int, float]] = field(default_factory=list)


def judge_path(
    closes: Sequence[float],
    owed: Sequence[float],
    loan: float,
    units: float,
    lender: Lender,
    options: Sequence[tuple[Held, int]],
    last_call_day: int,
    sells: bool = True,
    settlement: int = 2,
    target: float = 0.70,
    commission: float = 0.65,
) -> Told:
    """`options` are (what, shares a contract)."""
    told = Told()
    left = [held.contracts for held, _ in options]
    mail: list[tuple[int, float]] = []  # (day, money)
    deadline = called_for = None
    came = 0.0
    sell_on = None

    def pi(day: int, price: float) -> float:
        return sum(n * size * held.closing(day, price) for n, (held, size) in zip(left, options, strict=True) if n)

    for day, price in enumerate(closes):
        if day:
            loan = loan / owed[day - 1] * owed[day]
        for i, (held, size) in enumerate(options):
            if held.expires == day and left[i]:
                pays, left[i] = left[i] * size * held.exercise(price), 0
                if pays > 0:
                    mail.append((day + max(settlement - 1, 0), pays))
                else:
                    units = max(units + pays / price, 0.0)
        for look in (1, 2):
            if sell_on == day:
                sell_on = None
                due = sum(money for _, money in mail)
                money = _sale(
                    left, options, lender, loan, units * price, due, day, price, target, called_for, commission
                )
                if money > 0:
                    told.sales.append((day, money))
                    mail.append((day + max(settlement - 1, 0), money))
            arrived = sum(money for when, money in mail if when <= day)
            mail = [(when, money) for when, money in mail if when > day]
            came += arrived
            told.repaid += min(arrived, loan)
            loan = max(loan - arrived, 0.0)
            if loan == 0:
                return told
            worth = sum(money for _, money in mail) + (pi(day, price) if lender.credits is not None else 0.0)
            ltv = lender.ltv(loan, units * price, worth)
            if deadline is None and ltv >= lender.call - 1e-9 and day <= last_call_day and look == 1:
                told.called = True
                told.calls.append(day)
                deadline, came, called_for = day + lender.cure_days, 0.0, lender.shortfall(loan, units * price, worth)
                if sells and ltv < lender.close_out - 1e-9:
                    sell_on = day + min(settlement, 1)
                if sell_on == day:
                    continue
            break
        if deadline is not None:
            if ltv >= lender.close_out - 1e-9:
                told.sold = told.uncured = True
                return told
            if ltv < lender.call - 1e-9 and came > 0 and came >= called_for * (1 - 1e-12):
                deadline = None
            elif day >= deadline:
                told.uncured = True
                return told
        if deadline is None and day >= last_call_day:
            return told
    return told


def _sale(left, options, lender, loan, gold, due, day, price, target, called_for, commission):
    """The fraction of everything that is needed, every leg rounded up, then more until it is enough; less `left`."""
    shares = [held.closing(day, price) * size if n else 0.0 for n, (held, size) in zip(left, options, strict=True)]
    going = [
        i
        for i, (held, _) in enumerate(options)
        if (left[i] > 0 and shares[i] > commission) or (left[i] < 0 and held.right == "P")
    ]
    if not going:
        return 0.0
    pi = due + sum(n * share for n, share in zip(left, shares, strict=True))
    weight = 0.0 if lender.credits is None else lender.credits if pi > 0 else 1.0
    wanted = max((loan - target * (gold + weight * pi)) / (1 - target * weight), called_for) - due
    largest = max(abs(left[i]) for i in going)

    def counts(part):
        return {i: math.copysign(-(-abs(left[i]) * part // largest), left[i]) for i in going}

    def money(part):
        return sum(n * shares[i] - abs(n) * commission for i, n in counts(part).items())

    if wanted <= 0 or money(largest) <= 0:
        return 0.0
    enough = range(1, largest + 1)
    part = next(
        (part for part in enough if part / largest >= wanted / money(largest) and money(part) >= wanted), largest
    )
    brought = money(part)
    for i, n in counts(part).items():
        left[i] -= int(n)
    return max(brought, 0.0)
