"""vault-dash alerts: what is watched and raised, answers to it, and who is told, in a terminal."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from vaultdash.domain.alert import AlertPlan, Channel
    from vaultdash.domain.portfolio import Portfolio
    from vaultdash.services.alert_board import AlertBoard
    from vaultdash.services.vault import Vault

WithVault = Callable[[Callable[["Vault"], Awaitable[Any]]], Any]
Show = Callable[["Table"], None]
NOBODY = (
    "No channel leads to you: NOBODY WOULD BE TOLD of a margin call. Add one: vault-dash alerts channels add NAME"
)
PortfolioOption = Annotated[str | None, typer.Option("--portfolio", help="Its id; default the current one")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print what the API answers")]
EventArgument = Annotated[str | None, typer.Argument(help="Beginning of its id; default all that stand")]
ChannelArgument = Annotated[str, typer.Argument(help="Its name, or the beginning of its id")]


def alerts_app(with_vault: WithVault, show: Show) -> typer.Typer:
    """The commands under `alerts`; `with_vault` runs work on a Vault and ends the command when it is refused."""
    app = typer.Typer(
        help="What is watched, what is raised, and who is told.", no_args_is_help=True, rich_markup_mode=None
    )
    _add_looking(app, with_vault, show)
    _add_rules(app, with_vault, show)
    _add_answers(app, with_vault)
    _add_channels(app, with_vault, show)
    return app


def _add_looking(app: typer.Typer, with_vault: WithVault, show: Show) -> None:
    @app.command("list")
    def list_alerts(portfolio: PortfolioOption = None, as_json: JsonOption = False) -> None:
        """The alerts that stand, whom they reached, and who would be told."""
        from vaultdash.api.alert_answers import alerts_answer
        from vaultdash.api.respond import encode

        async def ask(vault: "Vault") -> "tuple[Portfolio, AlertBoard, bytes]":
            chosen, board = await _board(vault, portfolio)
            return chosen, board, encode(alerts_answer(board, chosen.loan, vault.now()))

        chosen, board, encoded = with_vault(ask)
        if as_json:
            typer.echo(encoded.decode())
            return
        for line in board_lines(board, chosen.name):
            typer.echo(line)

    @app.command("history")
    def history(
        portfolio: PortfolioOption = None,
        limit: Annotated[int, typer.Option(min=1, max=1000, help="How many lines")] = 30,
        as_json: JsonOption = False,
    ) -> None:
        """Everything that happened to alerts, newest first."""
        from vaultdash.api.alert_answers import event_answer
        from vaultdash.api.respond import encode

        async def ask(vault: "Vault") -> Any:
            return await vault.alerts.history(_chosen(vault, portfolio).id, limit)

        events = with_vault(ask)
        if as_json:
            typer.echo(encode([event_answer(event) for event in events]).decode())
            return
        if not events:
            typer.echo("Nothing has happened yet.")
        else:
            rows = ((f"{each.at:%Y-%m-%d %H:%M}", each.kind.value, each.title, each.id[:8]) for each in events)
            show(_table(("when (UTC)", "what", "title", "id"), rows))


def _add_rules(app: typer.Typer, with_vault: WithVault, show: Show) -> None:
    @app.command("rules")
    def rules(portfolio: PortfolioOption = None) -> None:
        """What is watched."""

        async def ask(vault: "Vault") -> "tuple[Portfolio, AlertBoard]":
            return await _board(vault, portfolio)

        from vaultdash.domain.alert_rules import severity_of
        from vaultdash.domain.alert_words import plan_words, rule_words

        chosen, board = with_vault(ask)
        raised = {name for name, state in board.states.items() if state.is_raised}
        show(
            _table(
                ("id", "watched", "severity", "state"),
                (
                    (
                        rule.id,
                        rule_words(rule),
                        severity_of(rule, chosen.loan.margin_call_ltv).name.lower(),
                        ("RAISED" if rule.id in raised else "armed") if rule.is_on else "off",
                    )
                    for rule in board.plan.rules
                ),
            )
        )
        if board.plan.quiet is not None:
            typer.echo(plan_words(board.plan).partition(". ")[2])

    @app.command("add")
    def add(
        metric: Annotated[str, typer.Argument(help="ltv, hedged_ltv, price, probability or stale_data")],
        threshold: Annotated[float, typer.Argument(help="0.7 for 70 %; USD a share; or minutes")],
        months: Annotated[int, typer.Option(help="Horizon of a probability: 1, 3, 6 or 12")] = 3,
        rearm: Annotated[float | None, typer.Option(help="How far back it is armed again")] = None,
        call: Annotated[bool, typer.Option("--call", help="Ignore quiet hours")] = False,
        portfolio: PortfolioOption = None,
    ) -> None:
        """Watch one thing more."""
        from vaultdash.api.alert_answers import rule_id
        from vaultdash.domain.alert import AlertMetric, AlertPlan, AlertRule, AlertSeverity
        from vaultdash.domain.alert_words import plan_words
        from vaultdash.domain.errors import InvalidInput

        async def change(vault: "Vault") -> "AlertPlan":
            if metric not in set(AlertMetric):
                raise InvalidInput("metric", f"must be one of {', '.join(AlertMetric)}, not {metric}")
            watched, severity = AlertMetric(metric), AlertSeverity.CALL if call else AlertSeverity.WARNING
            rule = AlertRule(rule_id(watched, threshold, months), watched, threshold, severity, rearm, months)
            chosen = _chosen(vault, portfolio)
            known = await vault.alerts.plan(chosen.id)
            kept = tuple(each for each in known.rules if each.id != rule.id)
            return await vault.alerts.configure(chosen.id, AlertPlan((*kept, rule), known.quiet))

        typer.echo(plan_words(with_vault(change)))

    @app.command("remove")
    def remove(
        rule: Annotated[str, typer.Argument(help="Id of a rule, as `rules` shows it")],
        portfolio: PortfolioOption = None,
    ) -> None:
        """Watch one thing less."""
        from vaultdash.domain.alert import AlertPlan
        from vaultdash.domain.alert_words import plan_words
        from vaultdash.domain.errors import NotFound

        async def change(vault: "Vault") -> "AlertPlan":
            chosen = _chosen(vault, portfolio)
            known = await vault.alerts.plan(chosen.id)
            kept = tuple(each for each in known.rules if each.id != rule)
            if len(kept) == len(known.rules):
                raise NotFound(f"There is no rule {rule}; `vault-dash alerts rules` lists them")
            return await vault.alerts.configure(chosen.id, AlertPlan(kept, known.quiet))

        typer.echo(plan_words(with_vault(change)))

    @app.command("usual")
    def usual(portfolio: PortfolioOption = None) -> None:
        """Back to the usual rules, at the limits of the loan; quiet hours stay."""
        from dataclasses import replace

        from vaultdash.domain.alert import usual_plan
        from vaultdash.domain.alert_words import plan_words

        async def change(vault: "Vault") -> "AlertPlan":
            chosen = _chosen(vault, portfolio)
            known = await vault.alerts.plan(chosen.id)
            return await vault.alerts.configure(chosen.id, replace(usual_plan(chosen.loan), quiet=known.quiet))

        typer.echo(plan_words(with_vault(change)))


def _add_answers(app: typer.Typer, with_vault: WithVault) -> None:
    @app.command("acknowledge")
    def acknowledge(event: EventArgument = None, portfolio: PortfolioOption = None) -> None:
        """You know: nothing more is sent for it."""

        async def answer(vault: "Vault") -> list[str]:
            return [(await vault.alerts.acknowledge(each)).title for each in await _meant(vault, portfolio, event)]

        for title in with_vault(answer):
            typer.echo(title)

    @app.command("snooze")
    def snooze(
        event: EventArgument = None,
        minutes: Annotated[float, typer.Option(help="For so many minutes")] = 60.0,
        portfolio: PortfolioOption = None,
    ) -> None:
        """Send nothing for a while; if it still holds then, remind."""
        from vaultdash.domain.errors import InvalidInput

        async def answer(vault: "Vault") -> list[str]:
            if not 0 < minutes <= 43_200:
                raise InvalidInput("minutes", "must be above zero and within 30 days")
            until = vault.now() + timedelta(minutes=minutes)
            put_off = [await vault.alerts.snooze(each, until) for each in await _meant(vault, portfolio, event)]
            return [f"{each.title}. {each.body}" for each in put_off]

        for line in with_vault(answer):
            typer.echo(line)


def _add_channels(app: typer.Typer, with_vault: WithVault, show: Show) -> None:
    channels = typer.Typer(help="Who is told: list, add, remove.", rich_markup_mode=None)
    app.add_typer(channels, name="channels")

    @channels.callback(invoke_without_command=True)
    def list_channels(context: typer.Context) -> None:
        """Who is told, step by step."""
        if context.invoked_subcommand is not None:
            return
        from vaultdash.services.alert_notes import reaches

        async def ask(vault: "Vault") -> Any:
            return await vault.outbox.channels()

        found = with_vault(ask)
        if found:
            rows = ((str(each.step), each.name, each.kind.value, _state(each), each.id[:8]) for each in found)
            show(_table(("step", "name", "kind", "state", "id"), rows))
        if not any(reaches(each) for each in found):
            typer.echo(NOBODY)

    @channels.command("add")
    def add(
        name: Annotated[str, typer.Argument(help="What you call it, such as phone")],
        address: Annotated[
            str, typer.Option(prompt="Address (mailtos://..., ntfy://..., tgram://...)", hide_input=True)
        ],
        step: Annotated[int, typer.Option(help="0 is told first")] = 0,
        wait: Annotated[float, typer.Option(help="Minutes after the step before it")] = 5.0,
    ) -> None:
        """Add a way to you and send a test message. The address is asked for, so that no other program sees it."""
        from vaultdash.domain.alert import ChannelKind

        async def made(vault: "Vault") -> Any:
            channel = await vault.outbox.add_channel(ChannelKind.APPRISE, name, address, step=step, wait_minutes=wait)
            return await vault.outbox.test(channel.id)

        _told(with_vault(made), name)

    @channels.command("remove")
    def remove(channel: ChannelArgument) -> None:
        """Take a way to you away."""

        async def gone(vault: "Vault") -> str:
            found = await _channel(vault, channel)
            await vault.outbox.remove_channel(found.id)
            return found.name

        typer.echo(f"{with_vault(gone)} was removed.")

    @app.command("test")
    def test(channel: ChannelArgument) -> None:
        """Send one message now."""

        async def tried(vault: "Vault") -> Any:
            found = await _channel(vault, channel)
            return found.name, await vault.outbox.test(found.id)

        name, result = with_vault(tried)
        _told(result, name)


def board_lines(board: "AlertBoard", name: str) -> list[str]:
    """How the alerts of a loan stand, a line each."""
    lines = []
    for raised in board.raised:
        if raised.event.covered:
            continue
        state = raised.state
        answered = "acknowledged" if state.acknowledged_at else "not acknowledged"
        if state.snoozed_until is not None:
            answered = f"put off until {state.snoozed_until:%Y-%m-%d %H:%M} UTC"
        reached = sum(row.is_accepted for row in raised.deliveries)
        told = f"taken by {reached} of {len(raised.deliveries)} channels"
        figures = f"Figures of {raised.event.at:%Y-%m-%d %H:%M} UTC."
        lines += [
            f"{raised.event.title}  [{raised.event.id[:8]}, {answered}, {told}]",
            figures,
            raised.event.body,
            "",
        ]
    lines = lines or [f"No alert stands for {name}."]
    lines += [f"{event.title}\n{event.body}" for event in board.undelivered]
    return [*lines, *board.remarks, *(board.doubts if board.reaches_somebody else (NOBODY,))]


def _state(channel: "Channel") -> str:
    if not channel.is_on:
        return "off"
    return channel.problem or ("ok" if channel.accepted_at else "never tried")


def _told(result: Any, name: str) -> None:
    if not result.is_accepted:
        typer.echo(f"{name} could not be reached: {result.problem}", err=True)
        raise typer.Exit(1)
    typer.echo(f"A test message was taken for {name}. Look whether it arrived.")


def _table(names: tuple[str, ...], rows: "Iterable[tuple[str, ...]]") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    table = Table(*names, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table


def _chosen(vault: "Vault", portfolio_id: str | None) -> "Portfolio":
    return vault.book.current if portfolio_id is None else vault.book.stored(portfolio_id).portfolio


async def _board(vault: "Vault", portfolio_id: str | None) -> "tuple[Portfolio, AlertBoard]":
    from vaultdash.services.alert_board import alert_board

    chosen = _chosen(vault, portfolio_id)
    return chosen, await alert_board(vault.database, chosen)


async def _meant(vault: "Vault", portfolio_id: str | None, beginning: str | None) -> list[str]:
    """The ids of the alerts that are meant; raises NotFound when nothing stands."""
    from vaultdash.domain.errors import NotFound

    _, board = await _board(vault, portfolio_id)
    standing = [raised.event for raised in board.raised]
    if beginning is None:
        found = [event.id for event in standing if not event.covered]
    else:
        found = [event.id for event in standing if event.id.startswith(beginning)]
    if not found:
        raise NotFound("No such alert stands; `vault-dash alerts list` shows those that do")
    return found


async def _channel(vault: "Vault", wanted: str) -> "Channel":
    from vaultdash.domain.errors import NotFound

    listed = await vault.outbox.channels()
    found = [each for each in listed if each.name == wanted] or [
        each for each in listed if each.id.startswith(wanted)
    ]
    if len(found) != 1:
        raise NotFound(f"{len(found) or 'No'} channels are called {wanted}; `vault-dash alerts channels` lists them")
    return found[0]
