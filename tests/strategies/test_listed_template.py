"""Templates on a listed chain and hedges as templates: the rules of each, and that one undoes the other."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies.listed_cases import FAR, MID, SOON, a_case, a_hedge, a_market, a_put
from vaultdash.domain.errors import InvalidInput, Refused
from vaultdash.domain.listed_hedge import ListedHedge, ListedOption, StrategyKind, leg_at
from vaultdash.domain.option import Right
from vaultdash.domain.position import PremiumFunding
from vaultdash.domain.template import HedgeTemplate, Side, Strike, StrikeRule, TemplateLeg
from vaultdash.strategies.listed import build, from_template, to_template
from vaultdash.strategies.listed_greeks import option_greeks
from vaultdash.strategies.listed_template import whole_contracts
from vaultdash.strategies.templates import TEMPLATES, system_template

MARKET = a_market()


def a_template(*legs: TemplateLeg, **fields: object) -> HedgeTemplate:
    return HedgeTemplate("mine", "Mine", legs=legs, **fields)  # type: ignore[arg-type]  # fields of the template


def a_rule(rule: StrikeRule, value: float | None, months: float = 3.0, **fields: object) -> TemplateLeg:
    given: dict[str, object] = {"right": Right.PUT, **fields}
    return TemplateLeg(strike=Strike(rule, value), months=months, **given)  # type: ignore[arg-type]  # fields of the leg


def rows(hedge: ListedHedge) -> list[tuple[int, float, date]]:
    return [(leg.contracts, leg.option.strike, leg.option.expiration) for leg in hedge.legs]


@pytest.mark.parametrize(
    ("rule", "value", "strike"),
    [
        (StrikeRule.PERCENT_OF_SPOT, 0.93, 430.0),  # 427.8
        (StrikeRule.DISTANCE_TO_CALL, 1.10, 405.0),  # 1.1 x 368 = 404.8
        (StrikeRule.FIRST_ABOVE_CALL, None, 370.0),
    ],
)
def test_a_strike_is_the_listed_one_its_rule_means(rule: StrikeRule, value: float | None, strike: float) -> None:
    found = from_template(a_template(a_rule(rule, value)), MARKET, a_case())
    assert rows(found) == [(22, strike, MID)]
    assert found.title == "Mine"
    assert found.legs[0].price == found.legs[0].option.ask


def test_between_two_strikes_the_higher_is_taken() -> None:
    found = from_template(a_template(a_rule(StrikeRule.PERCENT_OF_SPOT, 427.5 / 460)), MARKET, a_case())
    assert rows(found)[0][1] == 430.0


@pytest.mark.parametrize("right", Right)
def test_a_delta_is_that_of_the_contract_nearest_to_it(right: Right) -> None:
    side = Side.BUY if right is Right.PUT else Side.SELL
    leg = a_rule(StrikeRule.DELTA, 0.25, right=right, side=side)
    (found,) = from_template(a_template(leg), MARKET, a_case()).legs
    listed = [option for option in MARKET if option.right is right and option.expiration == MID]
    deltas = {
        option: abs((each.delta or 0.0) if each else 9.0) for option, each in option_greeks(listed, a_case()).items()
    }
    assert abs(deltas[found.option] - 0.25) == min(abs(delta - 0.25) for delta in deltas.values())
    assert deltas[found.option] == pytest.approx(0.25, abs=0.03)


def test_the_expiration_is_the_one_nearest_to_the_months_and_ties_are_later() -> None:
    for months, day in ((1.0, SOON), (2.5, MID), (9.0, FAR), (60.0, FAR)):
        found = from_template(a_template(a_rule(StrikeRule.PERCENT_OF_SPOT, 0.9, months)), MARKET, a_case())
        assert rows(found)[0][2] == day
    days = a_market(date(2026, 7, 10), date(2026, 7, 20))  # 30 and 40 days: 35 days is as near to either
    found = from_template(a_template(a_rule(StrikeRule.PERCENT_OF_SPOT, 0.9, 35 * 12 / 365)), days, a_case())
    assert rows(found)[0][2] == date(2026, 7, 20)


def test_a_given_expiration_takes_the_place_of_the_only_tenor() -> None:
    template = system_template("collar_95_110")
    assert {row[2] for row in rows(from_template(template, MARKET, a_case(), expiration=SOON))} == {SOON}
    two = a_template(a_rule(StrikeRule.PERCENT_OF_SPOT, 0.9, 3.0), a_rule(StrikeRule.PERCENT_OF_SPOT, 0.8, 6.0))
    with pytest.raises(InvalidInput, match="different tenors"):
        from_template(two, MARKET, a_case(), expiration=SOON)


def test_ladders_round_together_and_calls_down() -> None:
    found = from_template(system_template("laddered_put_33_33_33_atm_otm95_otm90"), MARKET, a_case())
    # thirds of 2,173.9 shares end at 7.25, 14.49 and 21.74 contracts, rounded up: 8, 15, 22
    assert [row[0] for row in rows(found)] == [8, 7, 7]
    assert [row[0] for row in rows(from_template(system_template("collar_95_110"), MARKET, a_case()))] == [22, -21]
    assert [row[0] for row in rows(from_template(system_template("partial_50_otm_95"), MARKET, a_case()))] == [11]
    assert [row[0] for row in rows(from_template(system_template("put_spread_95_80"), MARKET, a_case()))] == [22, -22]


def test_fixed_numbers_stay_and_sold_ones_never_exceed_what_covers_them() -> None:
    five = a_rule(StrikeRule.PERCENT_OF_SPOT, 0.95, contracts=5)
    nine = a_rule(StrikeRule.PERCENT_OF_SPOT, 0.85, contracts=9, side=Side.SELL)
    calls = a_rule(StrikeRule.PERCENT_OF_SPOT, 1.1, contracts=30, side=Side.SELL, right=Right.CALL)
    assert whole_contracts((five, nine, calls), a_case().units) == [5, 5, 21]


def test_every_template_of_the_house_is_a_hedge_of_the_chain_or_says_why_not() -> None:
    for template in TEMPLATES:
        if template.repays:
            with pytest.raises(Refused, match="buys no option"):
                from_template(template, MARKET, a_case())
            continue
        found = from_template(template, MARKET, a_case())
        assert len(found.legs) == len(template.legs)
        assert found.title == template.name


def test_the_same_contract_is_not_bought_and_sold() -> None:
    few = [option for option in MARKET if option.strike in (370.0, 380.0)]
    with pytest.raises(Refused, match="would buy and sell the same"):
        from_template(system_template("put_spread_95_80"), [each for each in few if each.strike == 380.0], a_case())
    merged = from_template(system_template("laddered_put_50_50_atm_otm95"), few, a_case())
    assert rows(merged) == [(22, 380.0, FAR)]  # both rungs fall on it


def test_calls_on_less_than_a_contract_of_gold_are_refused() -> None:
    small = a_case(units=40.0, loan=replace(a_case().loan, amount=11_000.0))
    with pytest.raises(Refused, match="A call is over 100 shares"):
        from_template(system_template("collar_95_110"), MARKET, small)


@pytest.mark.parametrize("kind", [kind for kind in StrategyKind if kind is not StrategyKind.CUSTOM])
def test_what_is_built_comes_back_from_its_template(kind: StrategyKind) -> None:
    case = a_case()
    hedge = build(kind, MARKET, case, funding=PremiumFunding.SELL_GOLD)
    template = to_template(hedge, case, "mine", "Mine")
    assert all(leg.contracts is None for leg in template.legs)  # shares are enough: it fits another loan
    again = from_template(template, MARKET, case)
    assert again == replace(hedge, title="Mine")
    twice = from_template(template, MARKET, replace(case, units=2 * case.units))
    assert twice.legs[0].contracts > 1.8 * hedge.legs[0].contracts


LEG = st.tuples(st.sampled_from([option for option in MARKET if option.bid and option.ask]), st.integers(1, 40))


@settings(max_examples=60, deadline=None)
@given(st.lists(LEG, min_size=1, max_size=4, unique_by=lambda leg: leg[0]), st.data())
def test_any_bought_hedge_comes_back_from_its_template(
    chosen: list[tuple[ListedOption, int]], data: st.DataObject
) -> None:
    legs = [leg_at(option, count) for option, count in chosen]
    calls = sorted({option for option in MARKET if option.right is Right.CALL and option.bid}, key=lambda o: o.title)
    if data.draw(st.booleans()):
        sold = data.draw(st.sampled_from([call for call in calls if call not in [leg.option for leg in legs]]))
        legs.append(leg_at(sold, -data.draw(st.integers(1, 21))))
    hedge = ListedHedge("Mine", tuple(legs))
    assert from_template(to_template(hedge, a_case(), "mine", "Mine"), MARKET, a_case()) == hedge


def test_more_than_covers_the_gold_is_kept_as_a_number() -> None:
    template = to_template(a_hedge(a_put(400.0, 44), a_put(350.0, -30), a_put(340.0, -14)), a_case(), "mine", "Mine")
    assert [leg.contracts for leg in template.legs] == [44, 30, 14]


def test_short_options_are_held_to_expiry_and_longer_ones_rolled() -> None:
    rolls = [
        to_template(a_hedge(a_put(400.0, 5, expiration=day)), a_case(), "mine", "Mine").roll.days_before_expiry
        for day in (SOON, MID)
    ]
    assert rolls == [None, 30]


@pytest.mark.parametrize(
    ("hedge", "said"),
    [
        (a_hedge(a_put(400.0, 5, expiration=date(2026, 6, 12))), "too near for a template"),
        (a_hedge(*(a_put(400.0 + k, 5) for k in range(7))), "at most 6 in a template"),
        (a_hedge(a_put(400.0, -5)), "sell more puts than they buy"),
        (a_hedge(a_put(30.0, 5)), "between 0.1 and 3"),
    ],
)
def test_what_no_template_can_say_is_refused(hedge: ListedHedge, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        to_template(hedge, a_case(), "mine", "Mine")
