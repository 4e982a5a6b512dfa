"""Yahoo Finance through the yfinance client: unofficial, delayed, for personal use."""

from vaultdash.market.yahoo.limiter import BackOff, Limiter
from vaultdash.market.yahoo.provider import YahooMarket

__all__ = ["BackOff", "Limiter", "YahooMarket"]
