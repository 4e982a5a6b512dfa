"""How near the odds of a call are, and how far models differ: `python -m benchmarks.odds_accuracy FOLDER`.

The folder holds `gld_daily.csv`. Prints watching closes by the shifted barrier beside an exact integral, the flat
simulation beside the closed form, and a loan of 0.60 LTV, called at 0.75 and sold at 0.85, at 25 % by each model.
"""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from tests.risk.closes_oracle import closes_probability

from vaultdash.risk import (
    CallTerms,
    Flat,
    call_probability,
    gap_risk,
    model_parameters,
    odds_by_model,
    simulated_odds,
)
from vaultdash.services.pricing_kernels import share_machine_code
from vaultdash.storage.price_csv import read_price_csv

CONSOLE = Console(width=140)
TERMS = CallTerms(1 / 0.60, 1 / 0.75, 1 / 0.85)
VOLATILITY, MONTHS, PATHS, SEEDS = 0.25, (1, 3, 6, 12), 100_000, 50
WATCHED = (
    (252, 0.50),
    (252, 0.60),
    (126, 0.60),
    (63, 0.60),
    (21, 0.60),
    (21, 0.65),
    (21, 0.70),
    (5, 0.70),
    (5, 0.74),
)


def main() -> int:
    """Print the tables."""
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "gld_daily.csv").is_file():
        print(__doc__, file=sys.stderr)
        return 2
    share_machine_code()
    bars = read_price_csv(Path(sys.argv[1]) / "gld_daily.csv", "GLD").history.bars
    watched_at_closes()
    flat_against_the_closed_form()
    by_model([bar.close for bar in bars])
    return 0


def watched_at_closes() -> None:
    """The shifted barrier, and none, less the integral from close to close."""
    table = Table("days", "LTV", "integral", "shifted barrier", "error", "every moment", "error")
    for days, ltv in WATCHED:
        exact = closes_probability(math.log(0.75 / ltv), days, VOLATILITY, 0.0)
        daily = call_probability(0.75, ltv, days / 252, VOLATILITY, monitoring="daily")
        moments = call_probability(0.75, ltv, days / 252, VOLATILITY)
        numbers = (exact, daily, daily - exact, moments, moments - exact)
        table.add_row(str(days), f"{ltv:.2f}", *(f"{number:.5f}" for number in numbers))
    CONSOLE.print(table)


def flat_against_the_closed_form() -> None:
    """Standard errors between them over many seeds: mean 0 and deviation 1 when everything is right."""
    terms = replace(TERMS, monitoring="continuous")
    away = []
    for seed in range(SEEDS):
        odds = simulated_odds(terms, Flat(VOLATILITY), MONTHS, PATHS, seed)
        for month in MONTHS:
            exact = call_probability(terms.spot, terms.call_price, month / 12, VOLATILITY)
            away.append((odds.probabilities[month] - exact) / odds.standard_errors[month])
    largest = np.abs(away).max()
    CONSOLE.print(
        f"{SEEDS} seeds of {PATHS:,} paths, {len(away)} probabilities: standard errors from the closed form "
        f"{np.mean(away):+.2f} in the mean, deviation {np.std(away):.2f}, largest {largest:.1f}"
    )


def by_model(closes: list[float]) -> None:
    """Closed form and every model, watched both ways; then what the models are."""
    for monitoring in ("continuous", "daily"):
        terms = replace(TERMS, monitoring=monitoring)
        table = Table(monitoring, *(f"{month} months" for month in MONTHS), "a tenth by", "gap", "kernel")
        exact = [
            call_probability(terms.spot, terms.call_price, m / 12, VOLATILITY, monitoring=monitoring) for m in MONTHS
        ]
        gap = gap_risk(0.75, 0.85, terms.cure_days, VOLATILITY, monitoring=monitoring)
        table.add_row("closed form", *(f"{number:.4f}" for number in exact), "", f"{gap:.1e}", "")
        for odds in odds_by_model(closes, VOLATILITY, terms, MONTHS, PATHS):
            cells = [f"{odds.probabilities[month]:.4f} ± {odds.standard_errors[month]:.4f}" for month in MONTHS]
            tenth = "" if odds.tenth_years is None else f"{odds.tenth_years * 12:.1f} months"
            sold = f"{odds.gap_probability:.4f} ± {odds.gap_standard_error:.4f}"
            table.add_row(odds.model, *cells, tenth, sold, odds.engine)
        CONSOLE.print(table)
    for model in model_parameters(closes, VOLATILITY).models:
        numbers = ", ".join(f"{name} {number:.4g}" for name, number in model.parameters().items())
        CONSOLE.print(f"{model.name}: {numbers} ({model.basis})")


if __name__ == "__main__":
    sys.exit(main())
