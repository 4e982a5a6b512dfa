"""A backtest's result as it is shown: words, ranking, picture, detail."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from tests.ui.backtests import FALL, START, a_comparison, a_report, a_scenario, own
from vaultdash.backtest.result import Ending, Reason
from vaultdash.domain.loan import HedgeCounting
from vaultdash.domain.option import Right
from vaultdash.services.selloff_events import Event
from vaultdash.strategies.templates import TEMPLATES, system_template
from vaultdash.ui.components.backtest_basis import counting_words, drawn_words, loan_basis, price_basis
from vaultdash.ui.components.backtest_beside import start_ltv, survivors
from vaultdash.ui.components.backtest_chart import BUCKETS, MOST_DAYS, backtest_options, drawn_days, lane
from vaultdash.ui.components.backtest_detail import _counts, _trade, fan_rows
from vaultdash.ui.components.backtest_form import event_label, event_words
from vaultdash.ui.components.backtest_ranking import expirations, ranking_rows
from vaultdash.ui.components.backtest_words import (
    REASONS,
    SHORTLY,
    ending,
    hedge_name,
    hedges_of,
    outcome,
    trade_words,
    with_days,
)
from vaultdash.ui.components.hedge_colours import SPARE, UNHEDGED, hedge_colours
from vaultdash.ui.theme import HEDGE_COLOURS, ChartColours

DARK = ChartColours(dark=True)
IGNORED, PAID, CREDITED = HedgeCounting.IGNORED, HedgeCounting.AFTER_PAYMENT, HedgeCounting.CREDITED
ATM, OTM = "protective_put_atm", "protective_put_otm_90"


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def series_named(options: dict, name: str) -> dict:  # type: ignore[type-arg]  # as the chart takes them
    return next(one for one in options["series"] if one["name"] == name)


def test_every_ending_and_reason_has_words_and_a_tone() -> None:
    assert set(SHORTLY) == set(Ending)
    assert set(REASONS) == set(Reason)


def test_colours_stay_with_their_hedge() -> None:
    ids = [template.id for template in TEMPLATES if template.id != "no_hedge"]
    every = hedge_colours(ids)
    assert len(set(every.values())) == len(ids) + 1
    assert all(every[name] == colour for name, colour in HEDGE_COLOURS.items())
    assert hedge_colours(reversed(ids)) == every
    assert hedge_colours(["mine"])["mine"] == hedge_colours([*ids, "mine"])["mine"]
    crowd = hedge_colours(f"mine-{number}" for number in range(len(SPARE)))
    assert len(set(crowd.values())) == len(SPARE) + 1


def test_the_ranking_shows_what_hand_computation_gives() -> None:
    # gold 1,000,000, loan 600,000; at 78 the ATM put brings 220,000: 600 / (780 + 220); at 84 it is worth 160,000
    rows = {row.id: row.cells for row in ranking_rows(a_comparison(), CREDITED)}
    assert list(rows) == [ATM, OTM, UNHEDGED]
    assert rows[ATM]["ltv"].sort == pytest.approx(0.6)
    assert rows[UNHEDGED]["ltv"].sort == pytest.approx(600 / 780)
    assert rows[ATM]["cost"].sort == pytest.approx(30_000 - 160_000)
    assert plain(rows[ATM]["cost"].text) == "$ 130,000 gained"
    assert plain(rows[ATM]["cost"].sub) == "13.00 % of the gold"
    assert rows[ATM]["equity"].sort == pytest.approx(840_000 + 160_000 - 600_000 - 30_000)
    assert plain(rows[ATM]["equity"].sub) == "+$ 130,000 to no hedge"
    assert rows[ATM]["repaid"].sort == pytest.approx(570 / 780)
    assert "no call" in rows[ATM]["repaid"].sub
    assert (rows[ATM]["outcome"].text, rows[ATM]["outcome"].tone) == ("no call", "room")
    assert rows[UNHEDGED]["outcome"].sub == "limit reached 31 Jan 2026"
    assert rows[UNHEDGED]["repaid"].text == "–"
    assert rows[UNHEDGED]["ltv"].tone == "call"


def test_another_counting_changes_the_ltv_and_says_that_it_did_not_decide() -> None:
    comparison = a_comparison()
    rows = {row.id: row.cells for row in ranking_rows(comparison, IGNORED)}
    assert rows[ATM]["ltv"].sort == pytest.approx(600 / 780)
    assert (rows[ATM]["outcome"].text, rows[ATM]["outcome"].sub) == ("would be a call", "31 Jan 2026")
    paid = {row.id: row.cells for row in ranking_rows(comparison, PAID)}
    assert paid[ATM]["ltv"].sort == pytest.approx(max(0.6, 510 / 900, 380 / 780, 440 / 840))
    assert "this decided the calls" in counting_words(comparison, CREDITED)
    assert "decided by credited" in counting_words(comparison, IGNORED)


def test_a_template_with_its_own_counting_is_named() -> None:
    comparison = a_comparison()
    run = comparison.runs[0]
    apart = replace(
        run,
        template=replace(run.template, counting=IGNORED),
        summary=replace(run.summary, counting=IGNORED),
    )
    changed = replace(comparison, runs=(apart, *comparison.runs[1:]))
    assert f"{run.template.name}: counted as the template says" in counting_words(changed, CREDITED)


def test_a_limit_reached_only_during_the_day_is_not_hidden() -> None:
    run = a_comparison().runs[0]
    touched = replace(run, summary=replace(run.summary, first_intraday_breach_date=START))
    assert ending(touched) == ("only during the day", "warning")
    assert outcome(touched, CREDITED)[1] == "limit reached 29 Jan 2026"


def test_the_hedge_that_is_none_stands_apart_and_alone() -> None:
    comparison = a_comparison([system_template("no_hedge"), system_template(ATM)])
    assert [run.template.id for run in hedges_of(comparison)] == [ATM]
    assert [row.id for row in ranking_rows(comparison, CREDITED)] == [ATM, UNHEDGED]


def test_a_changed_template_is_named_with_its_version() -> None:
    assert hedge_name(own("mine", version=3)) == "Mine · version 3"
    assert hedge_name(own("mine")) == "Mine"


def test_a_short_run_is_drawn_day_by_day() -> None:
    assert drawn_days([np.arange(MOST_DAYS, dtype=float)]) == list(range(MOST_DAYS))


def test_of_a_long_run_the_highest_ltv_of_every_stretch_and_hedge_is_drawn() -> None:
    dice = np.random.default_rng(7)
    lanes = [dice.random(5_000) for _ in range(3)]
    lanes[1][:100] = np.nan  # before the loan
    kept = drawn_days(lanes, must=[1234])
    assert kept == sorted(set(kept))
    assert {0, 1234, 4999} <= set(kept)
    assert len(kept) <= 3 * BUCKETS + 3
    for values in lanes:
        shown = values[kept]
        assert np.nanmax(shown) == np.nanmax(values)
        for first in range(0, 5_000, 25):  # buckets of 5,000 / 200
            part = values[first : first + 25]
            inside = [index for index in kept if first <= index < first + 25]
            if np.isfinite(part).any():
                assert np.nanmax(values[inside]) == np.nanmax(part)


def test_the_picture_has_each_lane_in_the_colour_of_the_table() -> None:
    comparison = a_comparison()
    options, left_out = backtest_options(comparison, None, CREDITED, ATM, DARK)
    assert left_out == 0
    rows = {row.cells["hedge"].swatch for row in ranking_rows(comparison, CREDITED)}
    lanes = {run.template.name for run in comparison.runs} | {"No hedge"}
    assert {series_named(options, name)["itemStyle"]["color"] for name in lanes} == rows
    bare = series_named(options, "No hedge")
    assert bare["data"] == [60.0, 66.67, 76.92, 71.43]
    assert series_named(options, "gold")["data"] == list(FALL)
    mine = series_named(options, "ATM put")
    assert mine["lineStyle"]["width"] > bare["lineStyle"]["width"]
    assert series_named(options, "same money repaid")["data"][2] == round(570 / 780 * 100, 2)


def test_the_first_breach_is_marked_where_it_is() -> None:
    options, _ = backtest_options(a_comparison(), None, CREDITED, UNHEDGED, DARK)
    (marked,) = series_named(options, "No hedge")["markPoint"]["data"]
    assert marked["coord"] == ["2026-01-31", 76.92]
    assert series_named(options, "ATM put")["markPoint"]["data"] == []
    counted_so, _ = backtest_options(a_comparison(), None, IGNORED, UNHEDGED, DARK)
    assert series_named(counted_so, "ATM put")["markPoint"]["data"][0]["coord"] == ["2026-01-31", 76.92]


def test_the_limits_and_zones_are_the_loans() -> None:
    options, _ = backtest_options(a_comparison(), None, CREDITED, ATM, DARK)
    (limits,) = [one["markLine"]["data"] for one in options["series"] if "markLine" in one]
    assert [line["yAxis"] for line in limits] == [70.0, 75.0, 85.0]
    assert [line["label"]["formatter"] for line in limits] == ["warning\n70 %", "call\n75 %", "close-out\n85 %"]
    (zones,) = [one["markArea"]["data"] for one in options["series"] if "markArea" in one and one["name"] == "limits"]
    assert [(low["yAxis"], high["yAxis"]) for low, high in zones][:2] == [(70.0, 75.0), (75.0, 85.0)]


def test_the_fall_is_shaded_and_trades_stand_on_the_price() -> None:
    fall = Event("own", "A fall", date(2026, 1, 30), date(2026, 1, 31), "", "test")
    options, _ = backtest_options(a_comparison(), fall, CREDITED, ATM, DARK)
    ((begin, end),) = series_named(options, "gold")["markArea"]["data"]
    assert (begin["xAxis"], begin["name"], end["xAxis"]) == ("2026-01-30", "A fall", "2026-01-31")
    assert series_named(options, "trades")["data"] == [["2026-01-29", 100.0]]


def test_a_lost_loan_does_not_flatten_the_others() -> None:
    options, _ = backtest_options(a_comparison(closes=(100.0, 20.0)), None, CREDITED, ATM, DARK)
    assert options["yAxis"][1]["max"] == 115.0
    calm, _ = backtest_options(a_comparison(closes=(100.0, 99.0)), None, CREDITED, ATM, DARK)
    assert calm["yAxis"][1]["max"] == 87.0


def test_days_before_the_loan_have_no_ltv() -> None:
    comparison = a_comparison()
    run = comparison.unhedged
    early = replace(run.series, ltv_credited=np.array([np.nan, 0.6, 0.7, 0.7]))
    options, _ = backtest_options(replace(comparison, unhedged=replace(run, series=early)), None, CREDITED, ATM, DARK)
    assert series_named(options, "No hedge")["data"][0] is None


def test_a_long_picture_says_what_it_leaves_out() -> None:
    closes = 100 + 10 * np.sin(np.linspace(0, 30, 3_000))
    comparison = a_comparison(closes=list(closes), scenario=a_scenario(list(closes)))
    options, left_out = backtest_options(comparison, None, CREDITED, ATM, DARK)
    assert left_out == 3_000 - len(options["xAxis"][0]["data"]) > 1_500
    assert drawn_words(left_out).startswith(f"{left_out:,} days are left out")
    assert drawn_words(0) == ""
    highest = max(value for value in series_named(options, "No hedge")["data"] if value is not None)
    assert highest == round(float(lane(comparison.unhedged, CREDITED).max()) * 100, 2)


def test_the_fan_has_a_row_a_purchase_and_says_what_is_missing() -> None:
    rows = [row.cells for row in fan_rows(a_report(), ATM)]
    assert [cells["months"].text for cells in rows] == ["at the start", "1 month"]
    assert rows[0]["ltv"].sort == pytest.approx(0.6)
    assert rows[1]["outcome"].text == "no prices so early"
    assert fan_rows(a_report(), "gone")[0].cells["outcome"].text == "not part of it"


def test_a_trade_is_told_with_its_contract_and_its_side() -> None:
    run = a_comparison().runs[0]
    (trade,) = run.trades
    cells = _trade(0, trade, run.template).cells
    assert cells["why"].text == "bought"
    assert cells["what"].text == "100 P Jan 2027"
    assert cells["count"].text == "+100"
    assert plain(cells["cash"].text) == "−$ 30,000"


@pytest.mark.parametrize(
    ("reason", "contracts", "bought_leg", "sold_leg"),
    [
        (Reason.ENTRY, 21, "bought", None),
        (Reason.ENTRY, -21, None, "sold"),
        (Reason.ROLL, 21, "rolled: opened", "rolled: closed"),
        (Reason.ROLL, -21, "rolled: closed", "rolled: opened"),
        (Reason.RATCHET, -21, "followed gold up: closed", "followed gold up: opened"),
        (Reason.CURE, 21, None, "bought back to cure the call"),
        (Reason.MONETISE_LTV, 21, None, "bought back, as the put was cashed in"),
        (Reason.MONETISE_LTV, -21, "cashed in, LTV reached", None),
        (Reason.EXPIRY, 21, None, "expired"),
    ],
)
def test_a_sold_leg_is_opened_by_selling_and_closed_by_buying(
    reason: Reason, contracts: int, bought_leg: str | None, sold_leg: str | None
) -> None:
    collar = system_template("collar_95_110")
    (trade,) = a_comparison().runs[0].trades
    for leg, words in enumerate((bought_leg, sold_leg)):
        if words is not None:
            one = replace(trade, reason=reason, contracts=contracts, leg=leg, cash=-100.0 * contracts)
            assert trade_words(one, collar) == words


def test_a_collar_says_why_it_may_have_one_call_fewer() -> None:
    run = a_comparison([system_template("collar_95_110")]).runs[0]
    (put,) = run.trades
    call = replace(put, leg=1, right=Right.CALL, contracts=-99, cash=20_000.0)
    assert "Puts are rounded up" in _counts(replace(run, trades=(put, call)))
    assert _counts(run) == ""


def test_the_expirations_really_bought_are_told() -> None:
    run = a_comparison().runs[0]
    (put,) = run.trades
    october = replace(put, expiration=date(2026, 10, 16))
    assert expirations(replace(run, trades=(october,))) == "to Oct 2026"
    april = replace(put, expiration=date(2026, 4, 17))
    closed = replace(april, contracts=-100, reason=Reason.ROLL)
    assert expirations(replace(run, trades=(april, closed, october))) == "to Apr – Oct 2026"
    later = replace(put, expiration=date(2027, 1, 15))
    assert expirations(replace(run, trades=(april, later))) == "to Apr 2026 – Jan 2027"
    rows = ranking_rows(
        replace(a_comparison(), runs=(replace(run, trades=(october,)), *a_comparison().runs[1:])), PAID
    )
    assert rows[0].cells["hedge"].sub == "to Oct 2026 · 1 trade"


def test_days_are_written_as_on_every_page() -> None:
    assert with_days("Within their deadline on 2026-02-02: later.") == "Within their deadline on 2 Feb 2026: later."
    assert with_days("No day: 2026-13-40, 12026-01-01") == "No day: 2026-13-40, 12026-01-01"


def test_where_options_are_ignored_the_lanes_are_told_to_be_one_until_a_call() -> None:
    scenario = a_scenario(counting=IGNORED)
    one_line = a_comparison(scenario=scenario)
    assert "All lanes are the same as without a hedge until a call" in counting_words(one_line, IGNORED)
    with_repay = a_comparison([system_template(ATM), system_template("repay_with_premium")], scenario=scenario)
    assert "1 of 2 lanes are the same" in counting_words(with_repay, IGNORED)
    assert "lanes are" not in counting_words(a_comparison(), CREDITED)
    first = one_line.runs[0]
    after = replace(first.series, ltv_ignored=first.series.ltv_ignored * np.array([1.0, 1.0, 1.0, 0.5]))
    cured = replace(one_line, runs=(replace(first, series=after), *one_line.runs[1:]))
    assert "All lanes are the same" in counting_words(cured, IGNORED)  # what follows the call on day three may differ
    before = replace(first.series, ltv_ignored=first.series.ltv_ignored * np.array([1.0, 0.9, 1.0, 1.0]))
    apart = replace(one_line, runs=(replace(first, series=before), *one_line.runs[1:]))
    assert "1 of 2 lanes are the same" in counting_words(apart, IGNORED)


def test_limits_that_are_one_share_their_name_and_close_ones_take_one_line() -> None:
    loan = replace(a_scenario().loan, close_out_ltv=0.75)
    options, _ = backtest_options(a_comparison(scenario=replace(a_scenario(), loan=loan)), None, CREDITED, ATM, DARK)
    (limits,) = [one["markLine"]["data"] for one in options["series"] if "markLine" in one]
    assert [(line["yAxis"], line["label"]["formatter"]) for line in limits] == [
        (70.0, "warning\n70 %"),
        (75.0, "call, close-out\n75 %"),
    ]
    close = replace(loan, warning_ltv=0.74, close_out_ltv=0.85)
    options, _ = backtest_options(a_comparison(scenario=replace(a_scenario(), loan=close)), None, CREDITED, ATM, DARK)
    (limits,) = [one["markLine"]["data"] for one in options["series"] if "markLine" in one]
    assert [line["label"]["formatter"] for line in limits] == ["warning 74 %", "call 75 %", "close-out 85 %"]
    assert {line["label"]["position"] for line in limits} == {"end"}


def test_what_it_stands_on_names_terms_costs_and_the_limits_of_its_prices() -> None:
    comparison = a_comparison()
    said = plain(loan_basis(comparison))
    for part in ("29 Jan 2026", "10,000 GLD shares", "$ 600,000", "LTV 60.0 %", "call 75 %", "back to 70 %"):
        assert part in said
    prices = plain(price_basis(comparison))
    for part in ("prices of the test", "traded at the next close", "0.65 USD a contract", "In a panic"):
        assert part in prices


def test_runs_side_by_side_have_their_terms() -> None:
    report = a_report()
    assert start_ltv(report) == pytest.approx(0.6)
    assert survivors(report) == "2 of 2"
    with_repay = a_report(a_comparison([system_template(ATM), system_template("repay_with_premium")]))
    assert survivors(with_repay) == "1 of 1"


@pytest.mark.parametrize(
    ("fields", "label", "words"),
    [
        ({"depth": -0.139}, "Fall · −13.9 % · 29 Jan 2026 – 2 Feb 2026", "Told."),
        ({"is_own": True}, "Fall (yours) · 29 Jan 2026 – 2 Feb 2026", "Told."),
        ({"missing": "none stored"}, "2026 · no prices stored", "It cannot be replayed: none stored."),
        ({"doubt": "Adjusted?"}, "Fall · 29", "Told. Adjusted?"),
    ],
)
def test_a_fall_in_the_list_says_what_is_known_of_it(fields: dict[str, object], label: str, words: str) -> None:
    event = Event("fall", "Fall", START, date(2026, 2, 2), "Told.", "test", **fields)  # type: ignore[arg-type]
    assert label in plain(event_label(event))
    assert words in plain(event_words(event))
