"""The model chain: listed days and strikes, American prices, trading units."""

import itertools
from datetime import date

import pytest

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import Right
from vaultdash.pricing import american, european, model_chain
from vaultdash.pricing.model_chain import expirations, strikes

ON = date(2026, 6, 10)


def test_expirations_are_the_next_twelve_third_fridays_and_the_next_two_januaries() -> None:
    listed = expirations(date(2026, 1, 5))
    assert listed[0] == date(2026, 1, 16)
    assert listed[11] == date(2026, 12, 18)
    assert listed[12:] == (date(2027, 1, 15), date(2028, 1, 21))


def test_january_already_among_the_twelve_is_listed_once() -> None:
    listed = expirations(ON)
    assert len(listed) == 13
    assert listed.count(date(2027, 1, 15)) == 1
    assert listed[-1] == date(2028, 1, 21)


def test_expiration_moves_to_thursday_when_the_third_friday_is_a_holiday() -> None:
    assert expirations(ON)[0] == date(2026, 6, 18)  # Juneteenth
    assert date(2025, 4, 17) in expirations(date(2025, 1, 1))  # Good Friday


def test_the_day_of_expiry_itself_is_not_listed() -> None:
    assert expirations(date(2026, 7, 17))[0] == date(2026, 8, 21)
    assert expirations(date(2026, 7, 16))[0] == date(2026, 7, 17)


@pytest.mark.parametrize("spot", [0.013, 1.0, 7.3, 50.0, 100.0, 461.37, 2345.0, 99_999.0])
def test_strikes_surround_spot_in_even_steps(spot: float) -> None:
    found = strikes(spot)
    assert 15 <= len(found) <= 41
    assert 0.8 * spot * (1 - 1e-9) <= found[0] < spot < found[-1] <= 1.2 * spot * (1 + 1e-9)
    steps = {round((after - before) / spot, 9) for before, after in itertools.pairwise(found)}
    assert len(steps) == 1


def test_gold_share_at_460_has_strikes_every_five_dollars() -> None:
    assert strikes(460.0) == tuple(float(strike) for strike in range(370, 555, 5))


def test_chain_says_that_it_is_a_model_and_prices_the_first_expiration_a_month_away() -> None:
    chain = model_chain("GLD", 460.0, ON, 0.16, 0.045)
    assert chain.source == "model"
    assert chain.symbol == "GLD"
    assert chain.expiration == date(2026, 7, 17)
    assert chain.days_to_expiry == 37
    assert {option.expiration for option in chain.options} == {chain.expiration}
    assert len(chain.options) == 2 * len(strikes(460.0))
    assert {option.implied_volatility for option in chain.options} == {0.16}


def test_chain_prices_are_american_and_greeks_in_trading_units() -> None:
    chain = model_chain("GLD", 460.0, ON, 0.16, 0.045, expiration=date(2027, 5, 21))
    put = next(option for option in chain.options if option.right is Right.PUT and option.strike == 460.0)
    years = (date(2027, 5, 21) - ON).days / 365
    value = american(460.0, 460.0, years, 0.045, 0.0, 0.16, "P", rho=True)
    assert put.price == pytest.approx(float(value.price), abs=1e-9)
    assert put.price > float(european(460.0, 460.0, years, 0.045, 0.0, 0.16, "P").price) + 1
    assert put.delta == pytest.approx(float(value.delta))
    assert put.gamma == pytest.approx(float(value.gamma))
    assert put.vega == pytest.approx(float(value.vega) / 100)
    assert put.theta == pytest.approx(float(value.theta) / 365)
    assert put.rho == pytest.approx(float(value.rho) / 100)
    assert put.days_to_expiry == 345


def test_an_expiration_that_is_not_listed_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidInput, match="2026-07-17") as refusal:
        model_chain("GLD", 460.0, ON, 0.16, 0.045, expiration=date(2026, 7, 18))
    assert refusal.value.argument == "expiration"


@pytest.mark.parametrize(("argument", "value"), [("spot", 0.0), ("volatility", -0.1), ("rate", float("nan"))])
def test_a_wrong_number_is_refused_by_name(argument: str, value: float) -> None:
    given = {"spot": 460.0, "volatility": 0.16, "rate": 0.045, argument: value}
    with pytest.raises(InvalidInput) as refusal:
        model_chain("GLD", on=ON, **given)  # type: ignore[arg-type]
    assert refusal.value.argument == argument
