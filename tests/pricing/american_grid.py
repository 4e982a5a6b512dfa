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


def most_extreme(seed: int, count: int) -> Terms:
    """Rates up to 8 %, yields up to 25 % and volatilities from 2 %; half is near where exercise begins to pay."""
    terms = extreme(seed, count, lowest_rate=0.0)
    random = np.random.default_rng(seed + 1000)
    is_call = terms["right"] == "C"
    terms["dividend_yield"] = random.uniform(0.0, 0.25, count)
    terms["volatility"] = np.exp(random.uniform(np.log(0.02), np.log(1.5), count))
    earned, paid = np.where(
        is_call, (terms["dividend_yield"], terms["rate"]), (terms["rate"], terms["dividend_yield"])
    )
    variance = terms["volatility"] ** 2
    tilt = 2.0 * (earned - paid) / variance - 1.0
    power = 0.5 * (tilt + np.sqrt(tilt**2 + 8.0 * earned / variance))
    boundary = np.maximum(power / (1.0 + power), 0.2)  # of the mirrored put without expiry
    deviation = terms["volatility"] * np.sqrt(terms["years"])
    ratio = boundary * np.exp(random.uniform(-0.5, 1.5, count) * deviation)
    near = random.random(count) < 0.5
    terms["spot"] = np.where(near, np.where(is_call, 1.0 / ratio, ratio), terms["spot"])
    return terms


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
