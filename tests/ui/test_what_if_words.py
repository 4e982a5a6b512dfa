"""The sentence of a what-if, its figures side by side, the table and the cells of a map."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from tests.risk.what_if_cases import UNITS, a_case, a_hedge
from tests.ui.what_if_case import asked
from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.listed_hedge import ListedHedge
from vaultdash.domain.loan import HedgeCounting
from vaultdash.risk.what_if import LenderChange, WhatIfChange, what_if
from vaultdash.ui.components.what_if_beside import rows
from vaultdash.ui.components.what_if_charts import ltv_series, moved_marks, worth_series
from vaultdash.ui.components.what_if_grid import steps, whole
from vaultdash.ui.components.what_if_map import (
    WORDS,
    _travelling,
    has_same_cells,
    map_options,
    moves_of,
    nearest,
    zones_of,
)
from vaultdash.ui.components.what_if_table import row
from vaultdash.ui.components.what_if_words import if_words, ltv_words, sentence
from vaultdash.ui.theme import ChartColours

COLOURS = ChartColours(dark=True)


def told(change: WhatIfChange, **fields: object) -> str:
    found, case, hedge = asked(change, **fields)  # type: ignore[arg-type]
    return "".join(words for words, _ in sentence(found, case, hedge)).replace("\u00a0", " ")


def test_the_sentence_says_what_moves_and_what_it_does() -> None:
    # 600,000 on 2,200 shares at 345: 79.1 %; the puts pay 55 a share: 600,000 / (759,000 + 121,000) = 68.2 %
    assert told(WhatIfChange(price=-0.25, days=180)) == (
        "If gold falls 25 % to 345.00 USD in 180 days, your LTV is 79.1 %: a call. With the hedge 68.2 %: room."
    )


def test_a_lender_who_ignores_options_is_not_made_to_count_them() -> None:
    said = told(WhatIfChange(price=-0.25, days=180), counting=HedgeCounting.IGNORED)
    assert said.endswith(
        "your LTV is 79.1 %: a call. With the hedge your lender, who ignores options, counts the same; once they are "
        "sold and repay it is 63.1 %: room."
    )


def test_without_options_there_is_no_hedge_to_speak_of() -> None:
    said = told(WhatIfChange(price=-0.1), hedge=ListedHedge("none"))
    assert said == "If gold falls 10 % to 414.00 USD at once, your LTV is 65.9 %: room. No option protects it."


def test_everything_that_was_moved_is_said() -> None:
    lender = LenderChange(haircut=0.3, limit_cut=0.05, no_notice=True)
    change = WhatIfChange(price=0.1, volatility=0.05, days=1, rate=-0.0025, lender=lender)
    assert if_words(change, 506.0) == (
        "If gold rises 10 % to 506.00 USD in 1 day, volatility 5 points higher, interest 0.25 points lower, limits 5 "
        "points lower, a haircut of 30 % on options, no notice given"
    )
    stopped = WhatIfChange(price=-0.1, crash_volatility=True, lender=LenderChange(haircut=0.3, stops_counting=True))
    assert if_words(stopped, 414.0) == (
        "If gold falls 10 % to 414.00 USD at once, volatility up as in a crash, options no longer counted"
    )
    assert if_words(WhatIfChange(days=30), 460.0) == "If gold stays at 460.00 USD for 30 days"


def test_ltvs_beyond_every_scale_are_words() -> None:
    assert [ltv_words(each) for each in (0.712, math.inf, 0.0, -0.2)] == [
        "71.2\u00a0%",
        "no cover",
        "repaid",
        "repaid",
    ]


def test_both_sides_stand_beside_each_other() -> None:
    found, case, hedge = asked(WhatIfChange(price=-0.25, days=180))
    shown = {
        name: tuple(each.text.replace("\u00a0", " ") for each in cells)
        for name, cells in rows(found, case, hedge).items()
    }
    assert shown["zone"] == ("room", "a call", "room")
    assert shown["gold"] == ("$ 1,012,000", "$ 759,000", "$ 759,000")
    assert shown["loan"] == ("$ 600,000", "$ 600,000", "$ 600,000")
    assert shown["hedge"][2] == "$ 121,000"
    # back to the warning level of 70 %: 600,000 - 0.7 x 759,000 without, and nothing with the hedge credited
    assert shown["repay"] == ("$ 0", "$ 68,700", "$ 0")
    assert shown["gold_pnl"] == ("–", "−$ 253,000", "−$ 253,000")
    assert shown["equity"] == (shown["equity"][0], "$ 159,000", "$ 280,000")
    assert shown["delta"][1:] == ("+2,200", "+2,200")  # expired: no option moves any more
    assert shown[f"ltv-{HedgeCounting.AFTER_PAYMENT}"][1:] == ("79.1 %", "63.1 %")


def test_a_row_of_the_table_names_the_zone_of_each_counting() -> None:
    found, case, _ = asked(WhatIfChange(price=-0.25, days=180))
    cells = row(found.then, case, case.loan).cells
    assert (cells["without"].text, cells["without"].sub, cells["without"].tone) == ("79.1\u00a0%", "call", "call")
    assert (cells["credited"].sub, cells["ignored"].sub) == ("", "call")
    assert cells["move"].sub == "345.00"
    assert cells["net"].sort == pytest.approx(found.then.net_pnl)


def test_cells_are_in_the_zone_above_a_limit_that_they_stand_on() -> None:
    loan = a_case().loan
    ltvs = np.array([0.3, 0.6, 0.6999, 0.70, 0.7499, 0.75, 0.85 - 1e-12, math.inf, -1.0])
    assert [WORDS[zone] for zone in zones_of(ltvs, loan)] == [
        WORDS[0], "room", "room", "warning", "warning", "call", "close-out", "close-out", WORDS[0],
    ]  # fmt: skip


def test_without_notice_no_cell_is_a_mere_call() -> None:
    loan = LenderChange(no_notice=True).applied(a_case().loan)
    assert [WORDS[zone] for zone in zones_of(np.array([0.74, 0.75]), loan)] == ["warning", "close-out"]


def test_a_map_says_the_same_whole_and_renewed() -> None:
    case = a_case()
    found = what_if(case, a_hedge(), WhatIfChange(), map_moves=(-0.5, 0.0), map_days=(0, 30, 180)).by_time
    assert found is not None
    options = map_options(found, case, case.loan, HedgeCounting.CREDITED, COLOURS, dark=True)
    cells = options["series"][0]["data"]
    assert [cell[:2] for cell in cells] == [[0, 0], [1, 0], [0, 1], [1, 1], [0, 2], [1, 2]]
    zones, ltvs, worth, width = _travelling(found, case.loan, HedgeCounting.CREDITED)
    assert zones.strip("'") == "".join(str(cell[2]) for cell in cells)
    assert [each / 1e4 for each in json.loads(ltvs)] == [cell[3] for cell in cells]
    assert json.loads(worth) == [cell[4] for cell in cells]
    assert width == "2"
    assert cells[4][3] == pytest.approx(600_000 / (UNITS * 230 + UNITS * 170), abs=1e-4)
    assert options["xAxis"]["data"] == ["−50\u00a0%", "0\u00a0%"]
    assert nearest(moves_of(found, case), -0.3) == 0
    assert has_same_cells(found, found)
    assert not has_same_cells(found, replace(found, prices=found.prices + 1.0))


def test_only_marks_are_sent_when_the_price_alone_moves() -> None:
    still, case, hedge = asked(WhatIfChange(days=30))
    moved, *_ = asked(WhatIfChange(price=-0.2, days=30))
    for before, after in (
        (worth_series(still, case, hedge, COLOURS), worth_series(moved, case, hedge, COLOURS)),
        (
            ltv_series(still, case, hedge, case.loan, HedgeCounting.CREDITED, COLOURS),
            ltv_series(moved, case, hedge, case.loan, HedgeCounting.CREDITED, COLOURS),
        ),
    ):
        assert [line["data"] for line in before] == [line["data"] for line in after]
        (mark,) = moved_marks(after)
        assert mark["markLine"] != before[0]["markLine"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("−50, −30, 0, 20", (-0.5, -0.3, 0.0, 0.2)),
        ("20; -30 % 0 0", (-0.3, 0.0, 0.2)),
        ("12.5", (0.125,)),
    ],
)
def test_steps_are_read_as_they_are_typed(typed: str, found: tuple[float, ...]) -> None:
    assert steps("prices", typed, lambda step: step / 100) == found


@pytest.mark.parametrize("typed", ["", "ten", "1,,x", " ".join(["1"] * 61)])
def test_steps_that_are_none_are_refused(typed: str) -> None:
    with pytest.raises(InvalidInput):
        steps("prices", typed, float)


def test_days_are_whole_and_ahead() -> None:
    assert steps("days", "0, 30", whole) == (0.0, 30.0)
    for wrong in ("1.5", "-3"):
        with pytest.raises(InvalidInput, match="whole days"):
            steps("days", wrong, whole)
