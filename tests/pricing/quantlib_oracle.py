"""QuantLib as an oracle, built anew for each option and independently of the package."""

import QuantLib as ql  # noqa: N813  # the short name of its own documentation

from vaultdash.domain.option import Right

START = ql.Date(15, 1, 2024)
KINDS = {Right.CALL: ql.Option.Call, Right.PUT: ql.Option.Put}


def process(spot: float, rate: float, dividend_yield: float, volatility: float) -> ql.BlackScholesMertonProcess:
    days = ql.Actual365Fixed()
    return ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(spot)),
        ql.YieldTermStructureHandle(ql.FlatForward(START, dividend_yield, days)),
        ql.YieldTermStructureHandle(ql.FlatForward(START, rate, days)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(START, ql.NullCalendar(), volatility, days)),
    )


def european_figures(
    spot: float, strike: float, days: int, rate: float, dividend_yield: float, volatility: float, right: Right
) -> tuple[float, ...]:
    """Price, delta, gamma, vega, theta, rho by QuantLib's analytic engine, `days` / 365 to expiry."""
    ql.Settings.instance().evaluationDate = START
    option = ql.VanillaOption(ql.PlainVanillaPayoff(KINDS[right], strike), ql.EuropeanExercise(START + days))
    option.setPricingEngine(ql.AnalyticEuropeanEngine(process(spot, rate, dividend_yield, volatility)))
    return option.NPV(), option.delta(), option.gamma(), option.vega(), option.theta(), option.rho()


def american_figure(
    spot: float, strike: float, days: int, rate: float, dividend_yield: float, volatility: float, right: Right
) -> float:
    """Price by QdFp's high-precision scheme, `days` / 365 to expiry."""
    ql.Settings.instance().evaluationDate = START
    option = ql.VanillaOption(ql.PlainVanillaPayoff(KINDS[right], strike), ql.AmericanExercise(START, START + days))
    market = process(spot, rate, dividend_yield, volatility)
    option.setPricingEngine(ql.QdFpAmericanEngine(market, ql.QdFpAmericanEngine.highPrecisionScheme()))
    return float(option.NPV())
