"""Extreme American contracts, at random but always the same, and what QuantLib's high precision says of them."""

import numpy as np

from tests.pricing.quantlib_oracle import american_figure
from vaultdash.domain.option import Right

Terms = dict[str, np.ndarray]


def extreme(seed: int, count: int, lowest_rate: float = -0.01) -> Terms:
    """Strike 1, spot from half to twice that, a day to three years, volatility 5 to 150 %, yields up to 5 %."""
    print(f"seed {seed}")
    random = np.random.default_rng(seed)
    return {
        "spot": np.exp(random.uniform(np.log(0.5), np.log(2.0), count)),
        "strike": np.ones(count),
        "years": np.round(np.exp(random.uniform(0.0, np.log(1095), count))) / 365,
        "rate": random.uniform(lowest_rate, 0.08, count),
        "dividend_yield": np.where(random.random(count) < 0.2, 0.0, random.uniform(0.0, 0.05, count)),
        "volatility": np.exp(random.uniform(np.log(0.05), np.log(1.5), count)),
        "right": np.where(random.random(count) < 0.4, "C", "P"),
    }


def oracle(terms: Terms) -> np.ndarray:
    """High-precision prices, one contract after the other (9 ms each)."""
    names = ("spot", "strike", "years", "rate", "dividend_yield", "volatility", "right")
    rows = zip(*(terms[name].tolist() for name in names), strict=True)
    return np.array(
        [
            american_figure(spot, strike, round(years * 365), rate, dividend_yield, volatility, Right(right))
            for spot, strike, years, rate, dividend_yield, volatility, right in rows
        ]
    )


def chain(expiries: int = 4, strikes: int = 40) -> Terms:
    """Puts and calls at 380 with a smile, by expiry."""
    days, moneyness = np.meshgrid(
        np.round(np.linspace(20, 800, expiries)), np.linspace(0.6, 1.5, strikes), indexing="ij"
    )
    years = days.ravel() / 365
    deviations = np.log(moneyness.ravel()) / np.sqrt(years)
    return {
        "spot": np.full(years.size, 380.0),
        "strike": 380.0 * moneyness.ravel(),
        "years": years,
        "rate": 0.03 + 0.005 * years,
        "dividend_yield": np.full(years.size, 0.004),
        "volatility": np.clip(0.15 + 0.05 * deviations**2 - 0.02 * deviations, 0.10, 0.85),
        "right": np.where(np.arange(years.size) % 2 == 0, "P", "C"),
    }
