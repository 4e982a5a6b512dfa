"""The compiled European pricer: QuantLib to 1e-10 on thousands of contracts, and the reference at every edge."""

import numpy as np
import pytest

from tests.pricing.quantlib_oracle import european_figures
from vaultdash.domain.option import Right
from vaultdash.pricing import InvalidInput, european
from vaultdash.pricing.compiled import kernels_problem
from vaultdash.pricing.elementary_kernels import exp, log_ratio, mills_above, mills_below

GREEKS = ("price", "delta", "gamma", "vega", "theta", "rho")
COUNT = 6000


def contracts(seed: int, count: int = COUNT) -> dict[str, np.ndarray]:
    """Contracts from all over the market; whole days, so that QuantLib has the same year fractions."""
    random = np.random.default_rng(seed)
    strike = np.exp(random.uniform(np.log(20), np.log(500), count))
    return {
        "spot": strike * np.exp(random.uniform(np.log(0.5), np.log(2), count)),
        "strike": strike,
        "years": random.integers(1, 1096, count) / 365,
        "rate": random.uniform(-0.01, 0.08, count),
        "dividend_yield": random.uniform(0.0, 0.05, count),
        "volatility": random.uniform(0.05, 1.5, count),
        "right": random.choice(["C", "P"], count),
    }


def test_price_and_greeks_of_six_thousand_contracts_agree_with_quantlib_to_1e_10() -> None:
    given = contracts(11)
    value = european(**given)  # type: ignore[arg-type]
    assert kernels_problem() is None
    rows = zip(*(column.tolist() for column in given.values()), strict=True)
    expected = np.array(
        [european_figures(s, k, round(t * 365), r, q, v, Right(right)) for s, k, t, r, q, v, right in rows]
    )
    for column, name in enumerate(GREEKS):
        np.testing.assert_allclose(getattr(value, name), expected[:, column], rtol=0, atol=1e-10, err_msg=name)


def test_kernel_and_reference_agree_everywhere() -> None:
    given = contracts(12)
    edge = np.arange(COUNT)
    given["years"][edge % 7 == 0] = 0.0
    given["volatility"][edge % 11 == 0] = 0.0
    given["volatility"][edge % 13 == 0] = 5000.0
    given["spot"][edge % 17 == 0] = given["strike"][edge % 17 == 0]
    given["strike"][edge % 19 == 0] *= 1e100
    given["rate"][edge % 23 == 0] = -90.0
    by_kernel, by_reference = (european(**given, engine=engine) for engine in ("kernel", "reference"))  # type: ignore[arg-type]
    for name in GREEKS:
        mine, theirs = getattr(by_kernel, name), getattr(by_reference, name)
        scale = np.maximum(1.0, np.abs(theirs))
        np.testing.assert_allclose(mine / scale, theirs / scale, rtol=0, atol=2e-12, err_msg=name)


@pytest.mark.parametrize("layout", ["strided", "read-only", "lists", "float32 and integers", "grid"])
def test_the_layout_of_the_inputs_does_not_matter(layout: str) -> None:
    given = {
        name: np.round(column, 1) if name in "spot strike" else column for name, column in contracts(13, 12).items()
    }
    expected = european(**given).price  # type: ignore[arg-type]
    if layout == "strided":
        given = {name: np.repeat(column, 2)[::2] for name, column in given.items()}
    elif layout == "read-only":
        for column in given.values():
            column.flags.writeable = False
    elif layout == "lists":
        given = {name: column.tolist() for name, column in given.items()}
    elif layout == "grid":
        given = {name: column.reshape(3, 4).T for name, column in given.items()}
        expected = expected.reshape(3, 4).T
    else:
        given["strike"], given["volatility"] = np.full(12, 100), np.full(12, 0.25, dtype=np.float32)
        expected = european(**{**given, "strike": 100.0, "volatility": 0.25}).price  # type: ignore[arg-type]
    np.testing.assert_array_equal(european(**given).price, expected)  # type: ignore[arg-type]


def test_right_may_be_signs_in_an_array_of_int8() -> None:
    letters = european(100, 90, 1, 0.05, 0, 0.2, ["C", "P"]).price
    signs = np.array([1, -1], dtype=np.int8)
    assert european(100, 90, 1, 0.05, 0, 0.2, signs).price.tolist() == letters.tolist()
    with pytest.raises(InvalidInput, match="right"):
        european(100, 90, 1, 0.05, 0, 0.2, np.array([1, 0], dtype=np.int8))


@pytest.mark.parametrize("right", ["wide text", "strided text", "other byte order"])
def test_right_may_be_any_array_of_text(right: str) -> None:
    letters = np.array(["C", "P", "P"])
    changed = {
        "wide text": letters.astype("U9"),
        "strided text": np.repeat(letters, 2)[::2],
        "other byte order": letters.astype(">U1"),
    }[right]
    expected = european(100, 90, 1, 0.05, 0, 0.2, letters).price.tolist()
    assert european(100, 90, 1, 0.05, 0, 0.2, changed).price.tolist() == expected


def test_no_rows_are_no_prices() -> None:
    assert european([], 90, 1, 0.05, 0, 0.2, "C").price.shape == (0,)


@pytest.mark.parametrize("engine", ["kernel", "reference"])
def test_one_bad_row_among_many_is_found_and_named(engine: str) -> None:
    given = contracts(14, 500)
    given["volatility"][321] = np.nan
    with pytest.raises(InvalidInput, match="volatility must be finite"):
        european(**given, engine=engine)  # type: ignore[arg-type]


def test_the_elementary_functions_are_good_to_the_last_digits() -> None:
    from scipy.special import erfcx

    random = np.random.default_rng(3)
    for number in np.concatenate([random.uniform(-707, 708, 300), random.uniform(-1, 1, 300), [0.0]]):
        assert exp(number) == pytest.approx(np.exp(number), rel=5e-16)
    for a, b in np.exp(random.uniform(-300, 300, (300, 2))):
        assert log_ratio(a, b) == pytest.approx(np.log(a) - np.log(b), rel=2e-15, abs=2e-13)
    for ratio in np.concatenate([1 + 10.0 ** -np.arange(1, 16), random.uniform(0.4, 2.5, 300)]):
        assert log_ratio(ratio, 1.0) == pytest.approx(np.log(ratio), rel=4e-16, abs=1e-17)
    for x in random.uniform(0, 39, 500):
        exact = np.sqrt(np.pi / 2) * erfcx(x / np.sqrt(2))
        assert mills_above(x) / mills_below(x) == pytest.approx(exact, rel=1.5e-15)
