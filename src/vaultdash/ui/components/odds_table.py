"""Every model and drift that was looked at, with its probabilities by horizon."""

from vaultdash.domain.exchange import ExchangeRate
from vaultdash.services.odds_report import LowerOdds, ModelOdds, Odds
from vaultdash.services.odds_volatility import HORIZONS
from vaultdash.ui.components.data_table import Cell, Column, DataTable, Row
from vaultdash.ui.components.odds_bars import chance, span_words
from vaultdash.ui.format import money, pct, price, signed_pct, usd

MODEL_COLUMNS = (
    Column("model", "model", left=True),
    *(Column(f"m{months}", "1 month" if months == 1 else f"{months} months") for months in HORIZONS),
)
DRIFT_COLUMNS = (
    Column("model", "model", left=True),
    Column("drift", "drift a year", left=True),
    *(Column(f"m{months}", "1 month" if months == 1 else f"{months} months") for months in HORIZONS),
)
VOLATILITY_COLUMNS = (
    Column("name", "volatility from", left=True),
    Column("month", "1 month"),
    Column("year", "12 months"),
    Column("chance", "call within a year"),
)
LOWER_COLUMNS = (
    Column("drift", "if", left=True),
    Column("ltv", "LTV"),
    Column("loan", "loan"),
    Column("repay", "repay cash"),
    Column("add", "or add gold"),
    Column("sell", "or sell gold"),
)


class OddsTable:
    """A row a model: without drift and, below it, over all drifts."""

    def __init__(self) -> None:
        self._table = DataTable(MODEL_COLUMNS, label="Probability of a margin call by model", roomy=True)

    def show(self, odds: Odds) -> None:
        """Fill the rows."""
        names = tuple(dict.fromkeys(model.model for model in odds.models))
        self._table.show([_model_row(name, [each for each in odds.models if each.model == name]) for name in names])


class DriftTable:
    """A row a model and drift; simulations with their standard error."""

    def __init__(self) -> None:
        self._table = DataTable(DRIFT_COLUMNS, label="Probability of a margin call by model and drift", roomy=True)

    def show(self, odds: Odds) -> None:
        """Fill the rows."""
        self._table.show([_drift_row(model) for model in odds.models])


class VolatilityTable:
    """A row a volatility that could be used."""

    def __init__(self) -> None:
        self._table = DataTable(VOLATILITY_COLUMNS, label="Volatilities that could be used", roomy=True)

    def show(self, odds: Odds) -> None:
        """Fill the rows; the one in use is marked."""
        rows = []
        for choice, probability in odds.by_volatility():
            words = ("old, " if choice.is_stale else "") + choice.source
            name = f"{choice.name} (in use)" if choice is odds.volatility else choice.name
            month = choice.by_months[1]
            rows.append(
                Row(
                    choice.kind.value,
                    {
                        "name": Cell(name, sub=words),
                        "month": Cell(pct(month), month),
                        "year": Cell(pct(choice.yearly), choice.yearly),
                        "chance": Cell(chance(probability), probability),
                    },
                )
            )
        self._table.show(rows)


class LowerTable:
    """A row a drift: the loan for a wanted probability and the ways to it."""

    def __init__(self) -> None:
        self._table = DataTable(LOWER_COLUMNS, label="The loan for a wanted probability", roomy=True)

    def show(self, rows: tuple[LowerOdds, ...], rate: ExchangeRate) -> None:
        """Fill the rows; the loan and what is repaid in the currency of `rate`, dollars below."""
        self._table.show([_lower_row(row, rate) for row in rows])


def _model_row(name: str, drifts: list[ModelOdds]) -> Row:
    """`drifts` begin with the one without drift."""
    first = drifts[0]
    cells = {"model": Cell(name, sub="" if first.price is None else f"at {price(first.price)}")}
    for months in HORIZONS:
        found = [each.by_months[months] for each in drifts]
        cells[f"m{months}"] = Cell(chance(found[0]), found[0], sub=span_words(min(found), max(found)))
    return Row(name, cells)


def _drift_row(model: ModelOdds) -> Row:
    errors = model.errors or {}
    made = "" if model.price is None else f"{model.paths:,} paths, seed {model.seed}; {model.basis}"
    cells = {
        "model": Cell(model.model, sub=made),
        "drift": Cell(signed_pct(model.drift.value), model.drift.value, sub=model.drift.name),
    }
    for months in HORIZONS:
        probability = model.by_months[months]
        error = errors.get(months)
        cells[f"m{months}"] = Cell(
            chance(probability), probability, sub="" if error is None else f"± {error * 100:.2f} %"
        )
    return Row(f"{model.model}|{model.drift.name}", cells)


def _lower_row(row: LowerOdds, rate: ExchangeRate) -> Row:
    ways, enough = row.ways, row.ways.repay_cash <= 0

    def way(amount: float) -> Cell:
        return Cell("–", 0.0) if enough else Cell(usd(amount) if amount < 1e15 else "not enough", amount)

    def owed(amount: float) -> Cell:
        return Cell(money(rate.own(amount), rate.currency), amount, sub="" if rate.is_dollar else usd(amount))

    return Row(
        row.drift.name,
        {
            "drift": Cell(row.drift.name, row.drift.value, sub=signed_pct(row.drift.value) + " a year"),
            "ltv": Cell(pct(row.ltv), row.ltv, sub="low enough now" if enough else ""),
            "loan": owed(row.loan),
            "repay": Cell("–", 0.0) if enough else owed(ways.repay_cash),
            "add": way(ways.add_gold),
            "sell": way(ways.sell_gold),
        },
    )
