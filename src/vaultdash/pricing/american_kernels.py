"""Every compiled kernel of American options, run once: what `warm_up` asks for."""

import numpy as np

from vaultdash.pricing.american_alive import alive_values, puts, shared_prices, sharing
from vaultdash.pricing.american_implied import invert
from vaultdash.pricing.american_tables import tables
from vaultdash.pricing.base import Contracts


def warm() -> None:
    """Compile, or load from disk, and run: about ten seconds the first time, a fraction of one later."""
    count = 16
    column = np.ones(count)
    given = Contracts(100.0 * column, 100.0 * column, column, 0.04 * column, 0.0 * column, 0.2 * column, -column)
    rows = puts(given)
    alive_values(rows)
    alive_values(rows._replace(years=np.linspace(0.5, 1.0, count)))
    shared = sharing(rows)
    if shared is not None:
        kept = tables(0.04 * column[:1], 0.0 * column[:1], column[:1], 0.1 * column[:1], 0.3 * column[:1])
        shared_prices(rows, shared, kept, np.zeros(count, dtype=np.int64))
    invert(7.0 * column, *given[:5], given.sign)
