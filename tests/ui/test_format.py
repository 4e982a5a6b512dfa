"""How numbers are shown."""

from datetime import UTC, date, datetime

import pytest

from vaultdash.ui.format import age, day, moment, number, pct, price, signed_pct, usd

NBSP = "\u00a0"


def test_a_fraction_becomes_per_cent_with_its_sign_kept_together() -> None:
    assert pct(0.5844) == f"58.4{NBSP}%"
    assert pct(-0.204) == f"−20.4{NBSP}%"


def test_a_move_that_rounds_to_nothing_has_no_sign() -> None:
    assert signed_pct(0.00001, 2) == f"0.00{NBSP}%"
    assert signed_pct(-0.0082, 2) == f"−0.82{NBSP}%"
    assert signed_pct(0.012) == f"+1.2{NBSP}%"


def test_money_has_a_true_minus_before_the_dollar() -> None:
    assert usd(157_480.4) == f"${NBSP}157,480"
    assert usd(-1234) == f"−${NBSP}1,234"


def test_what_is_not_known_is_a_dash() -> None:
    assert [pct(None), usd(None), price(None), number(None), signed_pct(None), day(None)] == ["–"] * 6


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s ago"), (89, "89 s ago"), (90, "2 min ago"), (5400, "2 h ago"), (86_400 * 4, "4 days ago")],
)
def test_an_age_grows_from_seconds_to_days(seconds: float, shown: str) -> None:
    assert age(seconds) == shown


def test_an_instant_is_told_in_new_york_time() -> None:
    assert moment(datetime(2026, 11, 20, 21, 0, tzinfo=UTC)) == "20 Nov 2026 16:00 New York"
    assert day(date(2026, 1, 2)) == "2 Jan 2026"
