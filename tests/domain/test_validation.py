"""Checks at the border of objects: the argument is named and told what it should be."""

import math

import pytest

from vaultdash.domain.errors import InvalidInput, VaultError
from vaultdash.domain.validation import finite, not_negative, open_fraction, positive

NOT_FINITE = (math.nan, math.inf, -math.inf, 10**400)


@pytest.mark.parametrize("check", [finite, positive, not_negative, open_fraction])
@pytest.mark.parametrize("value", NOT_FINITE)
def test_a_number_that_is_not_finite_is_refused_by_name(check, value):
    with pytest.raises(InvalidInput, match=r"^spot must be a finite number") as refused:
        check("spot", value)
    assert refused.value.argument == "spot"


@pytest.mark.parametrize("value", [0, 0.0, -0.0, -1e-300, -5])
def test_positive_refuses_zero_and_below(value):
    with pytest.raises(InvalidInput, match="spot must be above zero"):
        positive("spot", value)


def test_positive_takes_the_smallest_number_above_zero():
    assert positive("spot", 5e-324) == 5e-324


def test_not_negative_takes_zero():
    assert not_negative("delay_seconds", 0) == 0.0


def test_not_negative_refuses_what_is_below():
    with pytest.raises(InvalidInput, match="delay_seconds must not be negative, not -1"):
        not_negative("delay_seconds", -1)


@pytest.mark.parametrize("value", [0, 1, 1.0, -0.1, 2, 75, 100, 1e9])
def test_a_fraction_lies_strictly_between_zero_and_one(value):
    with pytest.raises(InvalidInput, match="must be a fraction between 0 and 1"):
        open_fraction("margin_call_ltv", value)


@pytest.mark.parametrize(("value", "hint"), [(75, "write 0.75 for 75 %"), (70.5, "write 0.705 for 70.5 %")])
def test_a_fraction_that_looks_like_per_cent_is_told_how_to_write_it(value, hint):
    with pytest.raises(InvalidInput, match=hint):
        open_fraction("margin_call_ltv", value)


@pytest.mark.parametrize("value", [0, 1, 1.2, 1.99, 100, -3])
def test_no_hint_is_given_where_per_cent_would_be_wrong_too(value):
    with pytest.raises(InvalidInput) as refused:
        open_fraction("margin_call_ltv", value)
    assert "%" not in str(refused.value)


def test_a_refusal_is_a_vault_error_and_a_value_error():
    assert issubclass(InvalidInput, VaultError)
    assert issubclass(InvalidInput, ValueError)
