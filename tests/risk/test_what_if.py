"""A change applied to a loan and its hedge: arithmetic by hand, harsher lenders, and what a grid says."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from tests.risk.what_if_cases import AT, EXPIRATION, SPOT, UNITS, a_case, a_hedge, a_leg
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.listed_hedge import ListedHedge
from vaultdash.domain.loan import HedgeCounting, Interest
from vaultdash.domain.option import Right
from vaultdash.domain.portfolio import Zone
from vaultdash.domain.position import PremiumFunding
from vaultdash.risk.what_if import PRICE_MOVES, LenderChange, WhatIf, WhatIfChange, what_if
from vaultdash.risk.what_if_values import WhatIfRow, hedge_values

NOTHING = ListedHedge("nothing")
AT_EXPIRY = WhatIfChange(price=-0.25, days=180)  # 345 a share: 400 puts pay 55


def asked(change: WhatIfChange, hedge: ListedHedge | None = None, **fields: object) -> WhatIf:
    return what_if(a_case(**fields), a_hedge() if hedge is None else hedge, change, with_maps=False)  # type: ignore[arg-type]


def test_no_change_is_today() -> None:
    found = asked(WhatIfChange())
    assert found.then.hedge_value == pytest.approx(found.now.hedge_value, abs=1e-5)
    assert found.then.ltvs == pytest.approx(found.now.ltvs)
    assert found.then.zone is found.now.zone is Zone.ROOM
    assert found.now.unhedged_ltv == pytest.approx(600_000 / (UNITS * SPOT))
    assert (found.by_time, found.by_volatility) == (None, None)


def test_a_fall_to_expiry_is_arithmetic_in_every_counting() -> None:
    hedge = a_hedge()
    then = asked(AT_EXPIRY, hedge).then
    gold, paid = 2200 * 345.0, 2200 * 55.0
    assert then.hedge_value == pytest.approx(paid)
    assert then.ltvs[HedgeCounting.IGNORED] == pytest.approx(600_000 / gold)
    assert then.ltvs[HedgeCounting.AFTER_PAYMENT] == pytest.approx((600_000 - paid) / gold)
    assert then.ltvs[HedgeCounting.CREDITED] == pytest.approx(600_000 / (gold + paid))
    assert then.unhedged_ltv == pytest.approx(600_000 / gold)
    assert (then.zone, then.unhedged_zone) == (Zone.ROOM, Zone.CALL)
    assert then.gold_pnl == pytest.approx(2200 * (345 - 460))
    assert then.hedge_pnl == pytest.approx(paid - hedge.net_cost)
    assert then.net_pnl == pytest.approx(then.gold_pnl + then.hedge_pnl)
    assert then.equity == pytest.approx(gold + paid - 600_000)
    assert then.unhedged_equity == pytest.approx(gold - 600_000)


def test_a_loan_that_capitalises_grows_by_its_interest() -> None:
    interest = Interest(reference_rate=0.04, spread=0.02, capitalised=True)
    found = asked(WhatIfChange(days=9), interest=interest)  # within a quarter: simple interest, act/360
    assert AT.date() == date(2026, 6, 21)
    assert found.then.loan_amount == pytest.approx(600_000 * (1 + 0.06 * 9 / 360))
    over_a_quarter = asked(WhatIfChange(days=19), interest=interest).then.loan_amount
    assert over_a_quarter == pytest.approx(600_000 * (1 + 0.06 * 9 / 360) * (1 + 0.06 * 10 / 360))
    assert asked(WhatIfChange(days=90)).then.loan_amount == 600_000  # paid in cash


def test_a_bigger_haircut_raises_the_credited_ltv_alone() -> None:
    change = replace(AT_EXPIRY, lender=LenderChange(haircut=0.5))
    then = asked(change).then
    assert then.ltvs[HedgeCounting.CREDITED] == pytest.approx(600_000 / (2200 * 345.0 + 0.5 * 2200 * 55.0))
    assert then.ltvs[HedgeCounting.AFTER_PAYMENT] == asked(AT_EXPIRY).then.ltvs[HedgeCounting.AFTER_PAYMENT]


def test_lower_limits_move_the_zones_and_not_the_ltv() -> None:
    before = asked(WhatIfChange(), NOTHING).then
    after = asked(WhatIfChange(lender=LenderChange(limit_cut=0.16)), NOTHING).then
    assert before.unhedged_ltv == after.unhedged_ltv == pytest.approx(0.5929, abs=1e-4)
    assert (before.zone, after.zone, after.unhedged_zone) == (Zone.ROOM, Zone.CALL, Zone.CALL)


def test_a_lender_who_stops_counting_sees_no_hedge() -> None:
    then = asked(replace(AT_EXPIRY, lender=LenderChange(stops_counting=True))).then
    assert (then.zone, then.unhedged_zone) == (Zone.CALL, Zone.CALL)
    assert then.ltvs[HedgeCounting.CREDITED] < 0.75  # what it would be if it were counted


def test_without_notice_a_call_is_the_sale() -> None:
    then = asked(replace(AT_EXPIRY, lender=LenderChange(no_notice=True)), NOTHING).then
    assert then.zone is Zone.CLOSE_OUT
    room = asked(WhatIfChange(lender=LenderChange(no_notice=True)), NOTHING).then
    assert room.zone is Zone.ROOM
    harsher = LenderChange(no_notice=True).applied(a_case().loan)
    assert (harsher.cure_days, harsher.close_out_ltv) == (0, harsher.margin_call_ltv)


def test_today_is_under_the_terms_of_today() -> None:
    found = asked(WhatIfChange(lender=LenderChange(limit_cut=0.2)), NOTHING)
    assert (found.now.zone, found.then.zone) == (Zone.ROOM, Zone.CALL)


def test_a_premium_that_is_lent_is_owed_and_one_paid_in_gold_is_gone() -> None:
    lent = a_hedge(a_leg(400.0), funding=PremiumFunding.LOAN)
    sold = replace(lent, funding=PremiumFunding.SELL_GOLD)
    cost = lent.net_cost
    assert asked(WhatIfChange(), lent).now.loan_amount == pytest.approx(600_000 + cost)
    assert asked(WhatIfChange(), lent).now.unhedged_ltv == pytest.approx(600_000 / (UNITS * SPOT))
    assert asked(WhatIfChange(), sold).now.gold_value == pytest.approx(UNITS * SPOT - cost)
    dear = a_hedge(a_leg(460.0, 3_000), funding=PremiumFunding.SELL_GOLD)
    with pytest.raises(InvalidInput, match="more than all the gold"):
        asked(WhatIfChange(), dear)


def test_the_table_and_the_point_are_the_same_reckoning() -> None:
    found = asked(WhatIfChange(price=-0.3, volatility=0.05, days=30, rate=0.01))
    assert len(found.table) == len(PRICE_MOVES)
    same = found.table[PRICE_MOVES.index(-0.3)]
    assert same.ltvs == pytest.approx(found.then.ltvs)
    assert same.net_pnl == pytest.approx(found.then.net_pnl)
    assert same.greeks.delta == pytest.approx(found.then.greeks.delta)


def test_maps_hold_the_values_of_their_own_rows() -> None:
    case, hedge = a_case(), a_hedge(a_leg(400.0), a_leg(520.0, -22, Right.CALL))
    change = WhatIfChange(price=-0.2, volatility=0.04, days=45, rate=0.01)
    found = what_if(case, hedge, change)
    time, volatility = found.by_time, found.by_volatility
    assert time is not None
    assert volatility is not None
    assert time.ltv.shape == time.hedge_value.shape == (41, 41)
    assert (time.rows[0], time.rows[-1]) == (0, 180)
    assert (volatility.rows[0], volatility.rows[-1]) == (-0.1, 0.3)
    row = WhatIfRow(days=int(time.rows[7]), volatility=0.04, rate=0.01)
    assert time.hedge_value[7] == pytest.approx(hedge_values(hedge, case, time.prices, [row])[0])
    row = WhatIfRow(days=45, volatility=float(volatility.rows[3]), rate=0.01)
    assert volatility.hedge_value[3] == pytest.approx(hedge_values(hedge, case, volatility.prices, [row])[0])
    point = what_if(case, hedge, replace(change, price=-0.3), with_maps=False).then
    column = int(np.argmin(abs(time.prices - 0.7 * SPOT)))
    exact = what_if(case, hedge, change, map_days=[45]).by_time
    assert exact is not None
    assert exact.ltv[0, column] == pytest.approx(point.ltvs[HedgeCounting.CREDITED])


def test_a_grid_of_ones_own_gives_the_steps() -> None:
    found = what_if(
        a_case(),
        a_hedge(),
        WhatIfChange(),
        price_moves=(-0.5, 0.0),
        map_days=(0, 30, 400),
        map_volatilities=(0.0, 0.1),
        map_moves=(-0.5, 0.0),
    )
    assert [point.price for point in found.table] == pytest.approx([230.0, 460.0])
    assert found.by_time is not None
    assert found.by_volatility is not None
    assert found.by_time.ltv.shape == (3, 2)
    assert found.by_volatility.rows.tolist() == [0.0, 0.1]
    assert found.by_time.hedge_value[2] == pytest.approx([2200 * 170.0, 0.0])  # expired: exercise alone


def test_curves_bend_at_every_strike_and_end_in_the_payoff() -> None:
    hedge = a_hedge(a_leg(400.0), a_leg(520.0, -22, Right.CALL))
    curves = asked(WhatIfChange(days=30), hedge).curves
    assert {400.0, 460.0, 520.0} <= set(curves.prices.tolist())
    payoffs = [hedge.payoff(float(price)) for price in curves.prices]
    assert curves.value_at_expiry == pytest.approx(payoffs)
    assert curves.unhedged_ltv == pytest.approx(600_000 / (UNITS * curves.prices))
    at_spot = curves.prices.tolist().index(460.0)
    assert curves.value_now[at_spot] == pytest.approx(asked(WhatIfChange(), hedge).now.hedge_value)


def test_doing_nothing_has_curves_maps_and_the_same_ltv_in_every_counting() -> None:
    found = what_if(a_case(), NOTHING, WhatIfChange(price=-0.2))
    assert set(found.then.ltvs.values()) == {found.then.unhedged_ltv}
    assert found.by_time is not None
    assert found.by_time.rows[-1] == 365
    assert not found.curves.value_at_expiry.any()
    assert found.remarks[0] == "No option is held, so all countings are the same."


def test_remarks_name_what_expires_and_what_is_not_known() -> None:
    said = " ".join(asked(WhatIfChange(days=200, crash_volatility=True)).remarks)
    assert f"400 put, {EXPIRATION:%-d %b %Y}: expired by then" in said
    assert "volatility rises by one point" in said
    assert "Interest is paid in cash" in said
    assert "keeps the volatility of its strike" in said


@pytest.mark.parametrize(
    ("named", "fields"),
    [
        ("price", {"price": -1.0}),
        ("price", {"price": float("nan")}),
        ("volatility", {"volatility": 5.0}),
        ("days", {"days": -1}),
        ("days", {"days": 4_000}),
        ("rate", {"rate": 3.0}),
    ],
)
def test_a_change_that_makes_no_sense_is_named(named: str, fields: dict[str, float]) -> None:
    with pytest.raises(InvalidInput) as refused:
        WhatIfChange(**fields)  # type: ignore[arg-type]  # one of them is no whole number on purpose
    assert refused.value.argument == named


def test_terms_that_make_no_sense_are_named() -> None:
    with pytest.raises(InvalidInput, match="haircut"):
        LenderChange(haircut=20)
    with pytest.raises(InvalidInput, match="limit_cut"):
        LenderChange(limit_cut=5)
    with pytest.raises(InvalidInput, match="prices"):
        what_if(a_case(), a_hedge(), WhatIfChange(), price_moves=(-1.5,))
