"""The judge of paths in plain NumPy, all paths of a chunk at once: what is asked until the kernels are compiled."""

import numpy as np

from vaultdash.domain.loan import LTV_TOLERANCE
from vaultdash.pricing.base import FloatArray
from vaultdash.risk.path_verdict_layout import ALMOST, NEVER, FlagArray, Legs, Marks, Rules, WholeArray


def judge(
    prices: FloatArray,
    owed: FloatArray,
    rules: Rules,
    legs: Legs,
    marks: Marks,
    called: FlagArray,
    uncured: FlagArray,
    sold: FlagArray,
    repaid: FloatArray,
) -> None:
    """What the kernel of this name does: see there for the arguments."""
    judged = _Judged(prices.shape[0], owed, rules, legs, marks)
    for day in range(prices.shape[1]):
        judged.close(day, prices[:, day] * rules.spot)
        if not judged.is_open.any():
            break
    called[:], uncured[:], sold[:], repaid[:] = judged.called, judged.uncured, judged.sold, judged.repaid


class _Judged:
    """Where every path stands. `open` ones are still followed; a day of -1 is none."""

    def __init__(self, paths: int, owed: FloatArray, rules: Rules, legs: Legs, marks: Marks) -> None:
        self._owed, self._rules, self._legs, self._marks = owed, rules, legs, marks
        self.loan, self.units = np.full(paths, rules.loan), np.full(paths, rules.units)
        self.left: WholeArray = np.repeat(legs.contracts[:, None], paths, axis=1)
        self.arriving = np.zeros((rules.money_lag + 1, paths))
        self.due, self.paid, self.called_for, self.repaid = (np.zeros(paths) for _ in range(4))
        self.call_day, self.sale_day = np.full(paths, NEVER), np.full(paths, NEVER)
        self.is_open = np.ones(paths, np.bool_)
        self.called, self.uncured, self.sold = (np.zeros(paths, np.bool_) for _ in range(3))

    def close(self, day: int, price: FloatArray) -> None:
        """A close, in the order in which things happen there."""
        rules = self._rules
        if day > 0:
            self.loan *= self._owed[day] / self._owed[day - 1]
        self._expire(day, price)
        self._sell(self.is_open & (self.sale_day == day), day, price)
        self._receive(day)
        ltv, options = self._ltv(day, price)
        is_new = self.is_open & (self.call_day == NEVER) & self._is_at(ltv, rules.call_ltv)
        self.called |= is_new
        self.call_day[is_new], self.paid[is_new] = day, 0.0
        counted = self.units * price + self._weight(options) * options
        self.called_for[is_new] = (self.loan - rules.call_ltv * counted)[is_new]
        if rules.sells:
            ordered = is_new & ~self._is_at(ltv, rules.close_out_ltv)
            self.sale_day[ordered] = day + rules.sale_lag
            if rules.sale_lag == 0:
                self._sell(ordered, day, price)
                self._receive(day)
                ltv, options = self._ltv(day, price)
        self._look_at_calls(day, ltv)
        self.is_open &= ~self.uncured & (self.loan > 0.0)
        if day >= rules.steps:
            self.is_open &= self.call_day != NEVER

    def _look_at_calls(self, day: int, ltv: FloatArray) -> None:
        has_call = self.is_open & (self.call_day != NEVER) & (self.loan > 0.0)
        is_out = has_call & self._is_at(ltv, self._rules.close_out_ltv)
        has_paid = (self.paid > 0.0) & (self.paid >= self.called_for * ALMOST)
        is_cured = has_call & ~is_out & has_paid & ~self._is_at(ltv, self._rules.call_ltv)
        is_late = has_call & ~is_out & ~is_cured & (day >= self.call_day + self._rules.cure_days)
        self.sold |= is_out
        self.uncured |= is_out | is_late
        self.call_day[is_cured] = NEVER

    def _is_at(self, ltv: FloatArray, limit: float) -> FlagArray:
        return np.asarray(ltv >= limit - LTV_TOLERANCE)

    def _weight(self, options: FloatArray) -> FloatArray:
        """What a dollar of options is to the lender beside the gold."""
        if self._rules.counted <= 0.0:
            return np.zeros_like(options)
        return np.where(options > 0.0, self._rules.counted, 1.0)

    def _ltv(self, day: int, price: FloatArray) -> tuple[FloatArray, FloatArray]:
        options = self.due.copy()
        if self._rules.counted > 0.0:
            for leg in range(self.left.shape[0]):
                options += self.left[leg] * self._share(leg, day, price)
        counted = self.units * price + self._weight(options) * options
        is_there = counted > 0.0
        return np.where(is_there, self.loan / np.where(is_there, counted, 1.0), np.inf), options

    def _share(self, leg: int, day: int, price: FloatArray) -> FloatArray:
        """What closing a contract brings, or costs."""
        legs, marks = self._legs, self._marks
        if day >= legs.expiry[leg]:
            return np.asarray(self._exercise(leg, price) * legs.multiplier[leg])
        row = marks.values[legs.table[leg], day]
        nodes = marks.low + marks.step * np.arange(row.size)
        place = np.log(price / self._rules.spot)
        least = self._exercise(leg, price)
        value = np.maximum(np.interp(place, nodes, row), least)
        for edge, is_beyond in ((0, place <= nodes[0]), (-1, place >= nodes[-1])):
            at_edge = self._exercise(leg, self._rules.spot * np.exp(nodes[edge : None if edge else 1]))
            value = np.where(is_beyond, least + np.maximum(row[edge] - at_edge, 0.0), value)
        half = legs.half[leg]
        closed = np.maximum(value - half, least) if legs.contracts[leg] > 0 else value + half
        return np.asarray(closed * legs.multiplier[leg])

    def _exercise(self, leg: int, price: FloatArray) -> FloatArray:
        return np.asarray(np.maximum(self._legs.sign[leg] * (price - self._legs.strike[leg]), 0.0))

    def _expire(self, day: int, price: FloatArray) -> None:
        for leg in np.nonzero(self._legs.expiry == day)[0].tolist():
            held = np.where(self.is_open, self.left[leg], 0) * self._legs.multiplier[leg]
            pays = held * self._exercise(leg, price)
            self.left[leg] = 0
            gained = np.maximum(pays, 0.0)
            self._send(gained, day)
            self.units = np.maximum(self.units + np.minimum(pays, 0.0) / price, 0.0)

    def _send(self, money: FloatArray, day: int) -> None:
        self.arriving[(day + self._rules.money_lag) % self.arriving.shape[0]] += money
        self.due += money

    def _receive(self, day: int) -> None:
        slot = self.arriving[day % self.arriving.shape[0]]
        arrived = np.where(self.is_open, slot, 0.0)
        slot[:] = 0.0
        self.due = np.maximum(self.due - arrived, 0.0)
        self.paid += arrived
        self.repaid += np.minimum(arrived, self.loan)
        self.loan = np.maximum(self.loan - arrived, 0.0)

    def _sell(self, chosen: FlagArray, day: int, price: FloatArray) -> None:
        """Sell on the chosen paths what brings them to the target, in whole contracts."""
        (at,) = np.nonzero(chosen)
        if not at.size or not self.left.size:
            return
        rules, legs = self._rules, self._legs
        spot = price[at]
        shares = np.stack([self._share(leg, day, spot) for leg in range(legs.contracts.size)])
        left = self.left[:, at]
        sign = np.sign(left)
        goes = np.where(left > 0, shares > rules.commission, (left < 0) & (legs.sign[:, None] < 0.0))
        each = np.where(goes, sign * shares - rules.commission, 0.0)
        whole = (np.abs(left) * each).sum(axis=0)
        largest = np.where(goes, np.abs(left), 0).max(axis=0, initial=0)
        options = self.due[at] + (left * shares).sum(axis=0)
        weight = self._weight(options)
        short = self.loan[at] - rules.target_ltv * (self.units[at] * spot + weight * options)
        wanted = np.maximum(short / (1.0 - rules.target_ltv * weight), self.called_for[at]) - self.due[at]
        sells = (whole > 0.0) & (wanted > 0.0)
        fraction = np.where(sells, np.minimum(wanted / np.where(sells, whole, 1.0), 1.0), 0.0)
        parts = np.minimum(np.ceil(fraction * largest).astype(np.int64), largest)
        per = np.maximum(largest, 1)
        while True:
            counts = np.where(goes, (np.abs(left) * parts + per - 1) // per, 0)
            money = (counts * each).sum(axis=0)
            more = sells & (money < wanted) & (parts < largest)
            if not more.any():
                break
            parts += more
        counts = np.where(sells, counts, 0)
        self.left[:, at] = left - sign * counts
        gained = np.zeros_like(self.due)
        gained[at] = np.where(sells, np.maximum(money, 0.0), 0.0)
        self._send(gained, day)
