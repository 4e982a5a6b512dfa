"""The charts of volatility: which point is what, and the curve among them."""

import json
from datetime import date

import pytest

from tests.api.conftest import LEAPS, MONTH
from tests.builders import a_contract, an_option_quote
from tests.ui.conftest import Priced
from vaultdash.domain.option import Right
from vaultdash.services.chain_pricing import surface_of
from vaultdash.ui.components.contract_drawer import history_options, payoff_options
from vaultdash.ui.components.smile_charts import fit_words, smile_options, term_options
from vaultdash.ui.theme import ChartColours

COLOURS = ChartColours(dark=True)


def series(options: dict, name: str) -> dict:  # type: ignore[type-arg]
    return next(each for each in options["series"] if each.get("name") == name)


def test_points_stand_where_their_quotes_imply_and_the_curve_goes_through_them(priced: Priced) -> None:
    chain = priced()
    options = smile_options(chain, surface_of([chain]), 368.0, COLOURS)
    puts, calls, inside = (series(options, name)["data"] for name in ("puts", "calls", "in the money"))
    assert {400, 410, 420, 430, 440, 450} <= {at for at, _ in puts} <= set(range(400, 461, 10))
    assert {470, 480, 490, 500, 510} <= {at for at, _ in calls} <= set(range(460, 521, 10))
    assert len(puts) + len(calls) + len(inside) <= len(chain.options)
    for _, volatility in [*puts, *calls, *series(options, "fitted")["data"]]:
        assert volatility == pytest.approx(0.2, abs=0.01)
    labels = [mark["label"]["formatter"] for mark in series(options, "fitted")["markLine"]["data"]]
    assert labels == ["now 460.00", "call 368.00"]
    json.dumps(options, allow_nan=False)


def test_a_chain_without_a_good_quote_is_drawn_empty(priced: Priced) -> None:
    chain = priced(an_option_quote(a_contract(460.0), bid=0.0, ask=None))
    options = smile_options(chain, surface_of([chain]), None, COLOURS)
    assert all(each["data"] == [] for each in options["series"])
    assert fit_words(None, MONTH) == "No smile: too few usable quotes."
    json.dumps(options, allow_nan=False)


def test_volatility_by_expiry_has_a_point_an_expiration(priced: Priced) -> None:
    chains = [priced(), priced(expiration=LEAPS)]
    surface = surface_of(chains)
    assert surface is not None
    (line,) = term_options(chains, surface, MONTH, COLOURS)["series"]
    assert [point["value"][0] for point in line["data"]] == [37, 372]
    assert all(point["value"][1] == pytest.approx(0.2, abs=0.01) for point in line["data"])
    assert "from" in fit_words(surface, MONTH)


def test_few_quotes_are_marked_as_few(priced: Priced) -> None:
    some = [one.quote for one in priced(expiration=LEAPS).options if one.quote.contract.strike in (440.0, 460.0)]
    chains = [priced(), priced(*some, expiration=LEAPS)]
    surface = surface_of(chains)
    assert surface is not None
    (line,) = term_options(chains, surface, MONTH, COLOURS)["series"]
    assert [point["symbol"] for point in line["data"]] == ["circle", "emptyCircle"]
    assert line["data"][1]["name"].endswith("few quotes")


@pytest.mark.parametrize(("right", "best"), [(Right.PUT, "first"), (Right.CALL, "last")])
def test_no_more_than_the_premium_can_be_lost(right: Right, best: str) -> None:
    contract = a_contract(450.0, right, date(2026, 7, 17))
    (line,) = payoff_options(contract, 8.4, 22, 460.0, 368.0, COLOURS)["series"]
    gains = [gain for _, gain in line["data"]]
    assert min(gains) == pytest.approx(-8.4 * 2_200)
    assert max(gains) == (gains[0] if best == "first" else gains[-1])
    even = next(at for at, gain in line["data"] if at == 450.0)
    assert even == 450.0


def test_recorded_prices_are_drawn_by_day() -> None:
    options = history_options([(date(2026, 6, 8), 8.4), (date(2026, 6, 9), 8.1)], COLOURS)
    assert options["series"][0]["data"] == [["2026-06-08", 8.4], ["2026-06-09", 8.1]]
    assert options["xAxis"]["type"] == "time"
