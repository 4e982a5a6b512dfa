"""Whether imported prices can be those of the symbol they are to be stored under."""

import heapq
import itertools
import math
import statistics

from vaultdash.domain.market import Bar, PriceHistory
from vaultdash.storage.price_rows import RATE_SYMBOLS

OTHER_INSTRUMENT = 0.20  # closes of one instrument agree far better, whoever reports them
LARGEST_GLD_CLOSE = 1000.0  # an ounce has cost more since 2008; a GLD share is less than a tenth of one


def doubt(history: PriceHistory, stored: PriceHistory | None) -> str | None:
    """Why the closes look like another instrument's than those stored, in a sentence; None when they do not.

    Judged by the median ratio over common days, or over the joins between neighbouring days when there are none.
    A rate may move by any ratio and is not judged.
    """
    if not history.bars or history.symbol in RATE_SYMBOLS:
        return None
    if stored is None or not stored.bars:
        return _ounce_doubt(history)
    before = {bar.on: bar for bar in stored.bars}
    pairs = [(bar, before[bar.on]) for bar in history.bars if bar.on in before]
    over = f"the median of {len(pairs):,} common days" if len(pairs) > 1 else "on the one common day"
    if not pairs:
        pairs = _joins(history, stored)
        new, old = pairs[-1]
        over = f"from {old.close:g} stored of {old.on} to {new.close:g} in the file of {new.on}"
    ratio = statistics.median(new.close / old.close for new, old in pairs if old.close > 0)
    if abs(ratio - 1) <= OTHER_INSTRUMENT and math.isfinite(ratio):
        return None
    return f"its closes are {ratio:.3g} times those stored for {history.symbol} ({over})"


def _ounce_doubt(history: PriceHistory) -> str | None:
    middle = statistics.median(bar.close for bar in history.bars)
    if history.symbol != "GLD" or middle <= LARGEST_GLD_CLOSE:
        return None
    return f"its median close of {middle:,.2f} looks like the price of an ounce of gold, not of a GLD share"


def _joins(history: PriceHistory, stored: PriceHistory) -> list[tuple[Bar, Bar]]:
    """Neighbouring days of which one is in the file and the other stored, as (file, stored); never none."""
    given = ((bar, True) for bar in history.bars)
    kept = ((bar, False) for bar in stored.bars)
    days = heapq.merge(given, kept, key=lambda day: day[0].on)
    return [
        (one, other) if is_new else (other, one)
        for (one, is_new), (other, also_new) in itertools.pairwise(days)
        if is_new != also_new
    ]
