"""Why it is not sure that the owner would be told of an alert: none can be raised, or no way leads to a person."""

from collections.abc import Sequence

from vaultdash.domain.alert import Channel
from vaultdash.domain.portfolio import Portfolio
from vaultdash.services.alert_notes import reaches
from vaultdash.services.vault import Vault

NOBODY = "Nobody would be told: add a way to reach you."


async def alert_doubts(vault: Vault) -> tuple[str, ...]:
    """Sentences about every portfolio and the channels, the gravest first; none when all is well.

    Raises DatabaseError.
    """
    by_loan = len(vault.book.all) > 1 and vault.heartbeat.keep_problem is None
    found = list(channel_doubts(await vault.outbox.channels()))
    for portfolio in vault.book.all:
        silence = silence_of(vault, portfolio)
        if silence is not None:
            found.append(f"{portfolio.name}: {silence}" if by_loan else silence)
    return tuple(dict.fromkeys(found))


def silence_of(vault: Vault, portfolio: Portfolio) -> str | None:
    """Why no alert on a portfolio can be raised now, in a sentence; None while it can, and before the first price."""
    if vault.heartbeat.keep_problem is not None:
        return f"{vault.heartbeat.keep_problem}."
    beat = vault.heartbeat.current()
    return None if beat is None else vault.alerts.silence(portfolio, beat)


def channel_doubts(channels: Sequence[Channel]) -> tuple[str, ...]:
    """What is wrong with the ways to the owner: that there is none, or that the last message by it failed."""
    usable = [channel for channel in channels if reaches(channel)]
    if not usable:
        return (NOBODY,)
    failing = [channel for channel in usable if channel.problem]
    whose = [f"the last message to {channel.name} failed ({channel.problem})" for channel in failing]
    if len(failing) == len(usable):
        return (f"It is not sure that anybody would be told: {'; '.join(whose)}.",)
    return tuple(f"{words[:1].upper()}{words[1:]}." for words in whose)
