"""What an option is worth: arrays in, arrays out, no market and no clock."""

from vaultdash.domain.errors import InvalidInput
from vaultdash.pricing.american import american, american_price
from vaultdash.pricing.american_chain import AmericanChain
from vaultdash.pricing.base import FloatArray, Numbers, Rights, Valuation
from vaultdash.pricing.european import european
from vaultdash.pricing.implied import ImpliedVolatility, implied_volatility

__all__ = [
    "AmericanChain",
    "FloatArray",
    "ImpliedVolatility",
    "InvalidInput",
    "Numbers",
    "Rights",
    "Valuation",
    "american",
    "american_price",
    "european",
    "implied_volatility",
]
