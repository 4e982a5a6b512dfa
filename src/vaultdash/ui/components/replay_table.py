"""Past falls on the loan: called or not, when, how high the LTV went, and what would have cured it."""

from collections.abc import Callable

from vaultdash.risk.replay import Outcome, Replay
from vaultdash.services.risk_words import outcome_words, replay_sentence
from vaultdash.services.selloff_replay import Replayed, SelloffReport
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.format import day, pct, price, signed_pct
from vaultdash.ui.theme import Tone

CALLED = "called at the close of"
COLUMNS = (
    Column("fall", "fall", left=True),
    Column("outcome", "the loan", left=True),
    Column("highest", "highest LTV"),
    Column("depth", "depth"),
    Column("called", CALLED),
    Column("intraday", "at a low of"),
    Column("deadline", "deadline"),
    Column("sold", "may be sold from"),
)
TONES: dict[Outcome, Tone] = {
    Outcome.NOT_CALLED: "room",
    Outcome.CALLED: "call",
    Outcome.SOLD_AFTER_DEADLINE: "call",
    Outcome.SOLD_IN_CURE: "close_out",
    Outcome.SOLD_AT_ONCE: "close_out",
}


class ReplayTable:
    """A row a fall; choosing one tells its id."""

    def __init__(self, pick: Callable[[str], None]) -> None:
        self._table = DataTable(COLUMNS, pick=pick, label="Past falls of gold on the loan", roomy=True)

    def show(self, report: SelloffReport, picked: str | None) -> None:
        """Fill the rows."""
        self._table.label("called", CALLED if report.rate.is_dollar else f"{CALLED}, {report.priced_by}")
        self._table.show([_row(row) for row in report.rows], picked)


def _row(row: Replayed) -> Row:
    cells = {
        "fall": Cell(row.name, row.start.isoformat(), sub=f"{day(row.start)} – {day(row.end)}"),
        "depth": Cell(signed_pct(row.depth), row.depth),
    }
    if row.replay is None:
        cells["outcome"] = Cell("not known", sub=row.missing or "")
        return Row(row.id, {column.name: Cell("–", "") for column in COLUMNS} | cells)
    return Row(row.id, cells | _figures(row.replay))


def _figures(found: Replay) -> dict[str, Cell]:
    call, lows = found.call, found.worst_low_ltv
    words = outcome_words(found)
    only_low = call is None and found.called_intraday_on is not None
    limit = found.loan.margin_call_ltv
    return {
        "outcome": Cell(words, tone="warning" if only_low else TONES[found.outcome]),
        "called": Cell("–", "")
        if call is None
        else Cell(day(call.on), call.on.isoformat(), sub=f"{price(call.price)}, LTV {pct(call.ltv)}"),
        "intraday": Cell(day(found.called_intraday_on), str(found.called_intraday_on or "")),
        "highest": Cell(
            pct(found.worst_ltv),
            found.worst_ltv,
            "call" if found.worst_ltv >= limit else "",
            sub="" if lows is None else f"{pct(lows)} at a low",
        ),
        "deadline": Cell("–", "")
        if call is None
        else Cell(
            day(call.deadline),
            call.deadline.isoformat(),
            sub="" if call.deadline_ltv is None else f"LTV {pct(call.deadline_ltv)}",
        ),
        "sold": Cell(
            day(found.sale_on),
            str(found.sale_on or ""),
            sub="" if found.close_out_on is None else f"close-out {day(found.close_out_on)}",
        ),
    }


def told(row: Replayed) -> str:
    """A chosen row in sentences: history, what happened to the loan."""
    if row.replay is None:
        return f"{row.told} Not replayed: {row.missing}."
    return f"{row.told} {replay_sentence(row.replay)}"
