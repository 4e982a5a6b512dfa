"""The forward from pairs of American calls and puts: what early exercise hides, and when a yield is not believed."""

import asyncio
import math
from datetime import date

import numpy as np
import pytest

from tests.builders import NOON
from tests.new_york import HOURS
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.option import OptionChain, Right, years_to_expiry
from vaultdash.market.demo import DemoMarket
from vaultdash.market.demo_options import RATE
from vaultdash.pricing import american_price, european
from vaultdash.pricing.base import FloatArray
from vaultdash.pricing.compiled import ENGINES
from vaultdash.pricing.parity import ForwardBasis, ParityForward, pairs_of, parity_forward
from vaultdash.pricing.quote_filter import two_sided

SPOT = 430.0
STRIKES = np.arange(400.0, 461.0, 3.0)
NEAR = np.abs(np.log(STRIKES / SPOT)) <= 0.03
SAME_MOMENT = 1e-5  # of spot: share and options of one instant


def american_pairs(years: float, rate: float, dividend_yield: float) -> tuple[FloatArray, FloatArray]:
    k = np.log(STRIKES / SPOT) - (rate - dividend_yield) * years
    volatility = 0.2 - 0.05 * k + 0.3 * k * k
    market = (SPOT, STRIKES, years, rate, dividend_yield, volatility)
    return american_price(*market, "C"), american_price(*market, "P")


@pytest.mark.parametrize("years", [0.1, 0.5, 2.5])
@pytest.mark.parametrize(
    ("rate", "dividend_yield"), [(0.04, 0.0), (0.06, 0.02), (0.01, 0.029), (0.0, 0.02), (0.05, -0.01)]
)
def test_yield_of_american_pairs_is_recovered_where_the_plain_median_is_biased(
    years: float, rate: float, dividend_yield: float
) -> None:
    call, put = american_pairs(years, rate, dividend_yield)
    found = parity_forward(STRIKES, call, put, SPOT, years, rate, spot_error=SAME_MOMENT)
    plain = np.median(STRIKES[NEAR] + math.exp(rate * years) * (call - put)[NEAR])
    assert abs(rate - math.log(plain / SPOT) / years - dividend_yield) > 1e-3
    assert found.effective_yield == pytest.approx(dividend_yield, abs=2e-4)
    assert found.forward == pytest.approx(SPOT * math.exp((rate - dividend_yield) * years), abs=2e-4 * years * SPOT)
    assert (found.basis, found.pairs, found.spot) == (ForwardBasis.PARITY, int(NEAR.sum()), SPOT)
    assert np.abs(found.residuals).max() < 0.01


def test_one_wrong_pair_moves_nothing_and_shows_in_its_residual() -> None:
    call, put = american_pairs(0.5, 0.04, 0.01)
    row = int(np.flatnonzero(NEAR)[3])
    call[row] += 5.0
    found = parity_forward(STRIKES, call, put, SPOT, 0.5, 0.04, spot_error=SAME_MOMENT)
    assert found.effective_yield == pytest.approx(0.01, abs=5e-4)
    worst = int(np.argmax(np.abs(found.residuals)))
    assert found.strikes[worst] == STRIKES[row]
    assert found.residuals[worst] == pytest.approx(5.0, abs=1.0)  # early exercise is judged at the wrong price, too


def test_wide_pairs_count_for_less_than_narrow_ones() -> None:
    call, put = american_pairs(1.0, 0.04, 0.01)
    spread = np.full(STRIKES.size, 0.2)
    wrong = np.flatnonzero(NEAR)[:5]
    call[wrong] += 1.0
    spread[wrong] = 4.0
    weighted, plain = (
        parity_forward(STRIKES, call, put, SPOT, 1.0, 0.04, weights, spot_error=SAME_MOMENT)
        for weights in (spread, None)
    )
    assert weighted.effective_yield == pytest.approx(0.01, abs=5e-4)
    assert abs(plain.effective_yield - 0.01) > 5e-4


def test_wider_quotes_make_the_forward_less_certain() -> None:
    call, put = american_pairs(0.5, 0.04, 0.01)
    errors = [
        parity_forward(STRIKES, call, put, SPOT, 0.5, 0.04, np.full(STRIKES.size, spread)).forward_error
        for spread in (0.05, 0.5, 2.0)
    ]
    assert errors == sorted(errors)
    assert errors[2] == pytest.approx(2.0 / math.sqrt(12 * NEAR.sum()), rel=1e-9)  # of a mid anywhere in the spread


def test_share_price_of_another_moment_is_no_yield_of_a_short_expiry() -> None:
    years, moved = 5 / 365, SPOT + 0.6
    market = (moved, STRIKES, years, 0.04, 0.0, 0.2)
    found = parity_forward(STRIKES, american_price(*market, "C"), american_price(*market, "P"), SPOT, years, 0.04)
    assert (found.basis, found.effective_yield) == (ForwardBasis.ASSUMED, 0.0)
    assert found.forward == pytest.approx(moved * math.exp(0.04 * years), abs=2e-3)
    assert found.spot == pytest.approx(moved, abs=2e-3)
    assert found.yield_error > 0.02
    assert "at 430.60 USD, 0.60 USD above its quote: " in found.remark
    assert "of different moments" in found.remark


@pytest.fixture(scope="module")
def demo_chains() -> list[OptionChain]:
    """Expiries of the demo market from nine days to two and a half years, of which the true yield is 0."""
    market = DemoMarket(lambda: NOON, HOURS, american_price)

    async def chains() -> list[OptionChain]:
        listed = (await market.expirations("GLD")).days
        wanted = (NOON.date().toordinal() + days for days in (10, 25, 55, 90, 130, 190, 270, 290, 350, 590, 950))
        days = {min(listed, key=lambda day, at=at: abs(day.toordinal() - at)) for at in wanted}
        return [await market.chain("GLD", day) for day in sorted(days)]

    return asyncio.run(chains())


def of_chain(chain: OptionChain, spot: float) -> ParityForward:
    strike = np.array([quote.contract.strike for quote in chain.quotes])
    sign = np.array([1.0 if quote.contract.right is Right.CALL else -1.0 for quote in chain.quotes])
    bid, ask = (np.array([getattr(quote, side) for quote in chain.quotes], dtype=float) for side in ("bid", "ask"))
    years = years_to_expiry(chain.expiration, chain.underlying.at)
    pairs = pairs_of(strike, sign, bid, ask, two_sided(bid, ask))
    return parity_forward(pairs.strike, pairs.call_mid, pairs.put_mid, spot, years, RATE, pairs.spread)


@pytest.mark.parametrize("shift", [-0.007, -0.003, 0.0, 0.003, 0.007])
def test_share_price_of_another_moment_never_gives_a_yield_that_is_wrong_by_a_per_cent(
    demo_chains: list[OptionChain], shift: float
) -> None:
    told = 0
    for chain in demo_chains:
        true, years = chain.underlying.price, years_to_expiry(chain.expiration, chain.underlying.at)
        found = of_chain(chain, true * (1 + shift))
        assert found.forward == pytest.approx(true * math.exp(RATE * years), rel=2e-3)
        if found.basis is ForwardBasis.PARITY:
            assert abs(found.effective_yield) < 0.01
            assert found.remark == ""
            told += 1
        else:
            assert (found.effective_yield, found.spot) == (0.0, pytest.approx(true, rel=1e-3))
            assert "USD" in found.remark
    assert told >= 3  # from ten months on


def test_the_remark_of_a_late_chain_says_by_how_many_dollars(demo_chains: list[OptionChain]) -> None:
    chain = min(demo_chains, key=lambda chain: abs((chain.expiration - date(2026, 8, 4)).days))
    true = chain.underlying.price
    assert 45 < (chain.expiration - NOON.date()).days < 65
    late = of_chain(chain, 1.007 * true)
    gap = 1.007 * true - late.spot
    assert gap == pytest.approx(0.007 * true, abs=0.2)
    assert f"the share at {late.spot:.2f} USD, {gap:.2f} USD below its quote" in late.remark
    assert "of different moments" in late.remark
    near = of_chain(chain, true).remark
    assert "too near" in near
    assert "of different moments" not in near


def test_quotes_that_are_too_wide_tell_no_yield() -> None:
    call, put = american_pairs(1.0, 0.04, 0.004)
    found = parity_forward(STRIKES, call, put, SPOT, 1.0, 0.04, np.full(STRIKES.size, 20.0))
    assert found.basis is ForwardBasis.ASSUMED
    assert "too wide to tell a yield" in found.remark


def test_a_forward_whose_yield_is_only_unproven_is_that_of_the_options() -> None:
    call, put = american_pairs(0.6, 0.04, 0.028)
    found = parity_forward(STRIKES, call, put, SPOT, 0.6, 0.04)
    assert (found.basis, found.effective_yield) == (ForwardBasis.ASSUMED, 0.0)
    assert found.forward == pytest.approx(
        SPOT * math.exp((0.04 - 0.028) * 0.6), abs=1.0
    )  # the share price says 440.44


def test_forward_far_from_the_share_price_is_not_believed() -> None:
    years = 5 / 365
    market = (1.015 * SPOT, STRIKES, years, 0.04, 0.0, 0.2)
    found = parity_forward(STRIKES, american_price(*market, "C"), american_price(*market, "P"), SPOT, years, 0.04)
    assert found.forward == pytest.approx(SPOT * math.exp(0.04 * years), rel=1e-12)
    assert found.spot == SPOT
    assert "more than 3% is not believed" in found.remark
    assert np.median(found.residuals) == pytest.approx(0.015 * SPOT, rel=0.02)


def test_absurd_yield_is_not_believed() -> None:
    market = (SPOT * math.exp(-0.4 * 0.5), STRIKES, 0.5, 0.04, 0.0, 0.2)
    call, put = european(*market, "C").price, european(*market, "P").price
    found = parity_forward(STRIKES, call, put, SPOT, 0.5, 0.04)
    assert (found.basis, found.effective_yield) == (ForwardBasis.ASSUMED, 0.0)
    assert found.forward == pytest.approx(SPOT * math.exp(0.02))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_without_three_pairs_the_forward_is_that_of_spot_and_rate(count: int) -> None:
    call, put = american_pairs(0.5, 0.04, 0.01)
    rows = np.flatnonzero(NEAR)[:count]
    found = parity_forward(STRIKES[rows], call[rows], put[rows], SPOT, 0.5, 0.04)
    assert (found.basis, found.effective_yield, found.pairs) == (ForwardBasis.ASSUMED, 0.0, 0)
    assert found.forward == pytest.approx(SPOT * math.exp(0.02))
    assert math.isinf(found.yield_error)
    assert "3 are needed to tell a yield" in found.remark


def test_expired_pairs_say_nothing() -> None:
    call, put = np.maximum(SPOT - STRIKES, 0.01), np.maximum(STRIKES - SPOT, 0.01)
    found = parity_forward(STRIKES, call, put, SPOT, 0.0, 0.04)
    assert (found.forward, found.basis) == (SPOT, ForwardBasis.ASSUMED)
    assert "have expired" in found.remark


def test_faulty_rows_are_left_out_and_faulty_arguments_refused() -> None:
    call, put = american_pairs(0.5, 0.04, 0.01)
    call[np.flatnonzero(NEAR)[0]] = math.nan
    put[np.flatnonzero(NEAR)[1]] = 0.0
    assert parity_forward(STRIKES, call, put, SPOT, 0.5, 0.04).pairs == NEAR.sum() - 2
    for wrong in ((call[:-1], put, SPOT), (call, put, -SPOT), (call, put, math.nan)):
        with pytest.raises(InvalidInput):
            parity_forward(STRIKES, wrong[0], wrong[1], wrong[2], 0.5, 0.04)


def test_nonsense_prices_do_not_raise() -> None:
    random = np.random.default_rng(3)
    for scale in (0.01, 1.0, 1e3):
        prices = random.uniform(0, scale, (2, STRIKES.size))
        found = parity_forward(STRIKES, prices[0], prices[1], SPOT, 0.5, 0.04)
        assert math.isfinite(found.forward)
        assert found.forward > 0


def test_pairs_are_the_strikes_where_both_rights_are_usable() -> None:
    strike = [110.0, 100.0, 100.0, 110.0, 105.0, 95.0, 95.0]
    sign = [1, 1, -1, -1, 1, 1, -1]
    bid = [1.0, 4.0, 3.0, 9.0, 2.0, 8.0, 1.0]
    ask = [1.2, 4.4, 3.2, 9.4, 2.2, 8.2, 1.4]
    usable = [True, True, True, True, True, False, True]
    pairs = pairs_of(strike, sign, bid, ask, usable)
    np.testing.assert_allclose(pairs.strike, [100.0, 110.0])
    np.testing.assert_allclose(pairs.call_mid, [4.2, 1.1])
    np.testing.assert_allclose(pairs.put_mid, [3.1, 9.2])
    np.testing.assert_allclose(pairs.spread, [0.6, 0.6])


def test_both_engines_find_the_same_forward() -> None:
    call, put = american_pairs(0.5, 0.04, 0.01)
    kernel, reference = (parity_forward(STRIKES, call, put, SPOT, 0.5, 0.04, engine=engine) for engine in ENGINES)
    assert kernel.forward == pytest.approx(reference.forward, abs=2e-3)
