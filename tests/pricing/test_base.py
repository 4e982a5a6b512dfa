"""Bad input is refused, and the refusal names the argument."""

import math

import pytest

from vaultdash.pricing import InvalidInput, Valuation, american, european

GOOD: dict[str, object] = {
    "spot": 100.0,
    "strike": 95.0,
    "years": 1.0,
    "rate": 0.05,
    "dividend_yield": 0.0,
    "volatility": 0.2,
    "right": "P",
}
BAD = [
    ("spot", 0.0),
    ("spot", -1.0),
    ("spot", math.nan),
    ("spot", [100.0, math.inf]),
    ("spot", "a lot"),
    ("spot", None),
    ("strike", 0),
    ("strike", [90, -90]),
    ("strike", math.inf),
    ("years", -0.01),
    ("years", math.nan),
    ("rate", math.nan),
    ("rate", -math.inf),
    ("rate", 1e6),
    ("dividend_yield", math.inf),
    ("dividend_yield", -1e6),
    ("volatility", -0.2),
    ("volatility", [0.2, math.nan]),
    ("volatility", 1e300),
    ("right", "put"),
    ("right", "p"),
    ("right", ""),
    ("right", ["C", "X"]),
    ("right", 1),
    ("right", None),
    ("right", [None, "C"]),
]


@pytest.mark.parametrize("price", [european, american])
@pytest.mark.parametrize(("argument", "value"), BAD)
def test_bad_input_is_refused_by_name(price: object, argument: str, value: object) -> None:
    with pytest.raises(InvalidInput) as refusal:
        price(**{**GOOD, argument: value})  # type: ignore[operator]
    assert refusal.value.argument == argument
    assert str(refusal.value).startswith(f"{argument} ")


@pytest.mark.parametrize("argument", ["strike", "years", "rate", "dividend_yield", "volatility", "right"])
def test_a_shape_that_does_not_broadcast_is_refused_by_name(argument: str) -> None:
    three = ["C", "P", "C"] if argument == "right" else [0.1, 0.2, 0.3]
    with pytest.raises(InvalidInput, match="broadcast") as refusal:
        european(**{**GOOD, "spot": [100.0, 101.0], argument: three})  # type: ignore[arg-type]
    assert refusal.value.argument == argument


def test_good_input_is_not_refused() -> None:
    assert isinstance(european(**GOOD), Valuation)  # type: ignore[arg-type]
    assert isinstance(american(**GOOD), Valuation)  # type: ignore[arg-type]
