"""What is watched: rules that are added, changed, switched on and off and removed, and the quiet hours."""

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import time

from nicegui import ui

from vaultdash.domain.alert import AlertMetric, AlertPlan, AlertRule, AlertSeverity, AlertState, QuietHours
from vaultdash.domain.alert_rules import severity_of
from vaultdash.domain.errors import InvalidInput, VaultError
from vaultdash.ui.components.alert_phrases import SEVERITIES, SEVERITY_TONES, rule_detail, rule_name
from vaultdash.ui.components.field import Choice, Field
from vaultdash.ui.components.question import Question
from vaultdash.ui.theme import button, note, text, visible
from vaultdash.ui.typed import amount, as_amount, as_percent, percent

METRICS = {
    AlertMetric.LTV.value: "LTV",
    AlertMetric.HEDGED_LTV.value: "LTV with options",
    AlertMetric.PRICE.value: "price",
    AlertMetric.PROBABILITY.value: "chance of a call",
    AlertMetric.STALE_DATA.value: "no fresh price",
}
EXPLAINED = {
    AlertMetric.LTV.value: "Loan ÷ gold, no option counted. Raised when it rises to the limit.",
    AlertMetric.HEDGED_LTV.value: "As your lender counts options. Silent where it ignores them and you hold none.",
    AlertMetric.PRICE.value: "The price in USD of what values your gold. Raised when it falls to the limit.",
    AlertMetric.PROBABILITY.value: "The chance that the loan is called within some months, by closed form.",
    AlertMetric.STALE_DATA.value: "Minutes of trading without a fresh price. Then nothing watches the loan.",
}
UNITS = {AlertMetric.PRICE.value: "USD", AlertMetric.STALE_DATA.value: "minutes"}
MONTHS = {"1": "1 month", "3": "3 months", "6": "6 months", "12": "12 months"}
SEVERITY_CHOICES = {
    AlertSeverity.CALL.name: "call",
    AlertSeverity.WARNING.name: "warning",
    AlertSeverity.INFO.name: "notice",
}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


class RuleEditor:
    """Every change is kept at once by `save`, which may raise VaultError; `show` draws the plan as it is kept.

    `go_back` gives own rules up for the usual ones.
    """

    def __init__(self, save: Callable[[AlertPlan], Awaitable[None]], go_back: Callable[[], Awaitable[None]]) -> None:
        self._save = save
        self._go_back = go_back
        self._plan = AlertPlan(())
        self._drawn: object = None
        self._call_ltv = 1.0
        self._list = ui.element("div").classes("vd-list").mark("rules")
        with ui.element("div").classes("vd-actions"):
            button("Add a rule", self._add)
            self._back = button("Back to the usual rules", self._ask_back)
        self._question = Question()
        self._quiet_line = ui.element("div").classes("vd-line")
        self._said = text("div", "", "vd-problem call").props("role=alert")
        self._form = _RuleForm(self._keep_rule)
        self._hours = _QuietForm(self._keep_quiet)

    def show(self, plan: AlertPlan, states: Mapping[str, AlertState], call_ltv: float) -> None:
        """Draw the rules; nothing is drawn again when nothing changed. From `call_ltv` on LTV rules are calls."""
        raised = {rule_id for rule_id, state in states.items() if state.is_raised}
        if self._drawn == (plan, raised, call_ltv):
            return
        self._drawn, self._plan, self._call_ltv = (plan, raised, call_ltv), plan, call_ltv
        visible(self._back, when=not plan.follows_loan)
        self._list.clear()
        with self._list:
            if not plan.rules:
                text("div", "Nothing is watched.", "vd-empty")
            for rule in plan.rules:
                self._line(rule, is_raised=rule.id in raised)
        self._quiet_line.clear()
        with self._quiet_line:
            quiet = plan.quiet
            with ui.element("div").classes("vd-line-name"):
                text("b", "Quiet hours")
            text(
                "span",
                "none: every alert is sent at once"
                if quiet is None
                else f"{quiet.begins:%H:%M} to {quiet.ends:%H:%M}, {quiet.zone}; calls are sent all the same",
                "muted",
            )
            with ui.element("div").classes("vd-tabs"):
                button("Change", lambda: self._hours.open(quiet), words="Change the quiet hours")

    def _line(self, rule: AlertRule, *, is_raised: bool) -> None:
        with ui.element("div").classes("vd-line" + ("" if rule.is_on else " vd-off")):
            with ui.element("div").classes("vd-line-name"):
                text("b", rule_name(rule))
                severity = severity_of(rule, self._call_ltv)
                text("span", SEVERITIES[severity], f"vd-note {SEVERITY_TONES[severity]}")
            words = "raised now; " if is_raised else ""
            text("span", f"{words}{rule_detail(rule)}" if rule.is_on else "off", "muted")
            with ui.element("div").classes("vd-tabs"):
                name = rule_name(rule)
                switch = button(
                    "on" if rule.is_on else "off",
                    lambda: self._replace(rule, replace(rule, is_on=not rule.is_on)),
                    words=f"{name}: switch {'off' if rule.is_on else 'on'}",
                )
                switch.props(f"aria-pressed={'true' if rule.is_on else 'false'}")
                button("Change", lambda: self._form.open(rule), words=f"Change: {name}")
                button("Remove", lambda: self._replace(rule, None), words=f"Remove: {name}")

    def _add(self) -> None:
        self._form.open(None)

    async def _ask_back(self) -> None:
        sure = await self._question.ask(
            "Back to the usual rules?",
            "Your own rules are given up; quiet hours stay. The usual ones stand at the limits of your loan and move "
            "with them.",
            "Use the usual rules",
        )
        if sure:
            self._said.set_text("")
            try:
                await self._go_back()
            except VaultError as error:
                self._said.set_text(f"{error}.")

    async def _keep_rule(self, before: AlertRule | None, after: AlertRule) -> None:
        if before is None:
            await self._save(replace(self._plan, rules=(*self._plan.rules, after)))
        else:
            rules = tuple(after if rule.id == before.id else rule for rule in self._plan.rules)
            await self._save(replace(self._plan, rules=rules))

    async def _keep_quiet(self, quiet: QuietHours | None) -> None:
        await self._save(replace(self._plan, quiet=quiet))

    async def _replace(self, rule: AlertRule, changed: AlertRule | None) -> None:
        rules = tuple(changed if each.id == rule.id else each for each in self._plan.rules)
        self._said.set_text("")
        try:
            await self._save(replace(self._plan, rules=tuple(each for each in rules if each is not None)))
        except VaultError as error:
            self._said.set_text(f"{error}.")


class _Form:
    """A dialog with fields and one button that keeps them; what is wrong is said under the field."""

    def __init__(self, title: str) -> None:
        self._is_told = False  # under its field already
        self._dialog = ui.dialog()
        with self._dialog, ui.element("div").classes("vd-dialog").props("role=dialog"):
            self._title = text("h2", title, "vd-sentence")
            with ui.element("div").classes("vd-fields"):
                self._fields()
            self._said = text("div", "", "vd-problem call").props("role=alert")
            with ui.element("div").classes("vd-actions"):
                button("Keep", self._keep, main=True)
                self._more()
                button("Cancel", self._dialog.close)

    def _fields(self) -> None:
        """Make them."""

    def _more(self) -> None:
        """Further buttons."""

    async def _keep(self) -> None:
        self._said.set_text("")
        self._is_told = False
        try:
            await self._read_and_keep()
        except VaultError as error:
            words = str(error)
            self._said.set_text("" if self._is_told else f"{words[:1].upper()}{words[1:]}.")
        else:
            self._dialog.close()

    async def _read_and_keep(self) -> None:
        raise InvalidInput("form", "keeps nothing")


class _RuleForm(_Form):
    def __init__(self, keep: Callable[[AlertRule | None, AlertRule], Awaitable[None]]) -> None:
        self._keep_rule = keep
        self._rule: AlertRule | None = None
        self._metric = AlertMetric.LTV.value
        self._severity = AlertSeverity.WARNING.name
        self._chosen_months = "3"
        super().__init__("A rule")

    def open(self, rule: AlertRule | None) -> None:
        """Ask for a new rule, or change one."""
        self._rule = rule
        self._title.set_text("A new rule" if rule is None else "Change a rule")
        self._said.set_text("")
        shown = rule or AlertRule("new", AlertMetric.LTV, 0.70)
        self._severity, self._chosen_months = shown.severity.name, str(shown.months)
        self._severities.fill(self._severity)
        self._months.fill(self._chosen_months)
        self._metrics.fill(shown.metric.value)
        self._choose(shown.metric.value)
        self._threshold.fill(self._written(shown.threshold) if rule is not None else "")
        self._rearm.fill("" if shown.rearm is None else self._written(shown.rearm))
        for field in (self._threshold, self._rearm):
            field.say(None)
        self._dialog.open()

    def _fields(self) -> None:
        self._metrics = Choice("What is watched", METRICS, self._metric, self._choose)
        with ui.element("div").classes("vd-field wide") as self._months_box:
            self._months = Choice("Within", MONTHS, self._chosen_months, self._choose_months)
        self._threshold = Field("Limit", lambda _: None, kind="amount", words="Limit")
        self._rearm = Field(
            "Armed again after it is back by", lambda _: None, kind="amount", hint="May stay empty for the usual."
        )
        self._severities = Choice(
            "How it is told",
            SEVERITY_CHOICES,
            self._severity,
            self._choose_severity,
            hint="A call ignores quiet hours and stays on the screen. LTV at the lender's call limit is always one.",
        )

    def _choose(self, metric: str) -> None:
        self._metric = metric
        self._metrics.explain(EXPLAINED[metric])
        unit = UNITS.get(metric, "%")
        for field in (self._threshold, self._rearm):
            field.say_unit(unit)
        visible(self._months_box, when=metric == AlertMetric.PROBABILITY.value)

    def _choose_months(self, months: str) -> None:
        self._chosen_months = months

    def _choose_severity(self, name: str) -> None:
        self._severity = name

    def _written(self, value: float) -> str:
        return as_amount(value) if self._metric in UNITS else as_percent(value)

    def _number(self, field: Field, name: str) -> float:
        try:
            return amount(name, field.text) if self._metric in UNITS else percent(name, field.text)
        except InvalidInput as error:
            self._refuse(field, error)
            raise

    def _refuse(self, field: Field, error: InvalidInput) -> None:
        """Say in the field's own words and unit what is wrong; raises the error."""
        field.say(f"{error.argument.capitalize()} {error.reason}.")
        self._is_told = True
        raise error

    async def _read_and_keep(self) -> None:
        for field in (self._threshold, self._rearm):
            field.say(None)
        threshold = self._number(self._threshold, "limit")
        rearm = self._number(self._rearm, "distance") if self._rearm.text.strip() else None
        if threshold <= 0 or (self._metric not in UNITS and threshold >= 1):
            between = "above zero" if self._metric in UNITS else "between 0 and 100 %, such as 72.5"
            self._refuse(self._threshold, InvalidInput("limit", f"must be {between}"))
        if rearm is not None and rearm < 0:
            self._refuse(self._rearm, InvalidInput("distance", "must not be below zero"))
        if rearm is not None and rearm >= threshold and self._metric != AlertMetric.PRICE.value:
            unit = UNITS.get(self._metric, "%")
            below = f"must be below the limit of {self._written(threshold)} {unit}"
            self._refuse(self._rearm, InvalidInput("distance", below))
        made = AlertRule(
            self._rule.id if self._rule else f"own-{uuid.uuid4().hex[:12]}",
            AlertMetric(self._metric),
            threshold,
            AlertSeverity[self._severity],
            rearm,
            int(self._chosen_months),
            self._rule.is_on if self._rule else True,
        )
        await self._keep_rule(self._rule, made)


class _QuietForm(_Form):
    def __init__(self, keep: Callable[[QuietHours | None], Awaitable[None]]) -> None:
        self._keep_quiet = keep
        super().__init__("Quiet hours")

    async def open(self, quiet: QuietHours | None) -> None:
        """Ask for other hours; the zone proposed is the browser's."""
        self._said.set_text("")
        self._begins.fill(f"{quiet.begins:%H:%M}" if quiet else "22:00")
        self._ends.fill(f"{quiet.ends:%H:%M}" if quiet else "07:00")
        self._zone.fill(quiet.zone if quiet else "America/New_York")
        self._dialog.open()
        if quiet is None:
            try:
                found = await ui.run_javascript("Intl.DateTimeFormat().resolvedOptions().timeZone", timeout=3.0)
            except TimeoutError:
                return
            if isinstance(found, str) and found:
                self._zone.fill(found)

    def _fields(self) -> None:
        self._begins = Field("From", lambda _: None, hint="22:00")
        self._ends = Field("To", lambda _: None, hint="07:00")
        self._zone = Field("Time zone", lambda _: None, hint="Such as Europe/London or America/New_York")
        note("What is no call waits for their end. A margin call is sent at any hour.")

    def _more(self) -> None:
        button("No quiet hours", self._none)

    async def _none(self) -> None:
        await self._keep_quiet(None)
        self._dialog.close()

    async def _read_and_keep(self) -> None:
        hours = QuietHours(_clock("from", self._begins.text), _clock("to", self._ends.text), self._zone.text.strip())
        await self._keep_quiet(hours)


def _clock(argument: str, written: str) -> time:
    found = _CLOCK.fullmatch(written.strip())
    if found is None:
        raise InvalidInput(argument, "must be a time of day such as 22:00")
    return time(int(found[1]), int(found[2]))
