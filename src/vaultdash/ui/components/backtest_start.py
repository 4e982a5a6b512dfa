"""What is doubtful about a loan on the first day of a backtest, said while it is still typed."""

from vaultdash.domain.errors import InvalidInput
from vaultdash.domain.loan import is_breached
from vaultdash.domain.portfolio import Snapshot, loan_to_value
from vaultdash.services.selloff_events import Event
from vaultdash.ui.components.backtest_draft import BY_LTV, TODAY, BacktestDraft
from vaultdash.ui.format import pct, unbroken
from vaultdash.ui.typed import amount, percent


def start_doubt(draft: BacktestDraft, snapshot: Snapshot | None, event: Event | None) -> str:
    """That the lender calls on the first day already; nothing when he does not, or when it cannot be known yet.

    An amount is measured at the first stored close of `event`; of days of the owner's own it is not known here.
    """
    if draft.basis == TODAY:
        if snapshot is None:
            return ""
        loan = snapshot.portfolio.loan
        return _doubt(snapshot.ltv, loan.margin_call_ltv, loan.close_out_ltv)
    try:
        ltv = _typed_ltv(draft, event)
        call = percent("call_ltv", draft.call_ltv)
        close_out = percent("close_out_ltv", draft.close_out_ltv) if draft.close_out_ltv.strip() else None
    except InvalidInput:  # said below the field that is wrong
        return ""
    return "" if ltv is None else _doubt(ltv, call, close_out)


def _typed_ltv(draft: BacktestDraft, event: Event | None) -> float | None:
    if draft.owes == BY_LTV:
        return percent("ltv", draft.ltv)
    if event is None or event.figures is None:
        return None
    gold = amount("units", draft.units) * event.figures.first_close
    return loan_to_value(amount("loan", draft.loan), gold) if gold > 0 else None


def _doubt(ltv: float, call: float, close_out: float | None) -> str:
    if ltv >= 1 or not is_breached(ltv, call):
        return ""  # above 100 % it is refused anyway
    if close_out is not None and is_breached(ltv, close_out):
        limit, what = f"close-out of {pct(close_out, 0)}", "may be sold"
    else:
        limit, what = f"call of {pct(call, 0)}", "is called"
    return unbroken(
        f"An LTV of {pct(ltv)} is at or above the {limit}: without options that count, the loan {what} on the first "
        "day, before gold has fallen."
    )
