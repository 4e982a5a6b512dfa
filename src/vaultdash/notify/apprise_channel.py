"""Mail, ntfy, Telegram and everything else apprise has an address for."""

from vaultdash.domain.alert import AlertSeverity, Channel
from vaultdash.domain.errors import InvalidInput, Unavailable
from vaultdash.notify.apprise_address import is_mail, listening, opened, require_reachable
from vaultdash.notify.base import Accepted, Message
from vaultdash.notify.daemon_threads import DaemonThreads
from vaultdash.notify.failure_words import service_failure
from vaultdash.notify.mail import send_mail
from vaultdash.notify.push_hosts import PushHosts

TIMEOUT_SECONDS = 14.0  # less than the outbox waits, so that the reason is told


class AppriseNotifier:
    """Sends in threads of its own. `hosts` says which hosts of a private network may be written to."""

    def __init__(self, hosts: PushHosts, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._hosts = hosts
        self._timeout_seconds = timeout_seconds
        self._threads = DaemonThreads("notify")

    async def check(self, address: str) -> None:
        """Raise InvalidInput: what is missing in the address, or why it is refused."""

        def look() -> None:
            try:
                require_reachable(opened(address), self._hosts)
            except Unavailable as error:
                raise InvalidInput("address", f"is refused: {error}") from None

        try:
            await self._threads.run(look, self._timeout_seconds)
        except TimeoutError:
            return  # a name server that hangs: what is sent is checked again

    async def send(self, channel: Channel, message: Message) -> Accepted:
        """Hand over one message; it is plain text, and no more is heard of it. Raises ProviderError."""
        try:
            await self._threads.run(lambda: _hand_over(channel.address, message, self._hosts), self._timeout_seconds)
        except TimeoutError:
            raise Unavailable(f"{channel.name} did not answer within {self._timeout_seconds:g} seconds") from None
        return Accepted(gives_receipts=False)

    async def aclose(self) -> None:
        """Nothing is held: what still runs ends with the process."""


def _hand_over(address: str, message: Message, hosts: PushHosts) -> None:
    try:
        plugin = opened(address)
    except InvalidInput as error:
        raise Unavailable(f"This channel's {error}") from None
    require_reachable(plugin, hosts)
    if is_mail(plugin):
        return send_mail(plugin, message)
    from apprise import NotifyFormat, NotifyType

    kinds = {AlertSeverity.CALL: NotifyType.FAILURE, AlertSeverity.WARNING: NotifyType.WARNING}
    if plugin.__module__.startswith("apprise.plugins.custom_"):  # a webhook of the owner's: it can fold repeats
        plugin.headers = {**plugin.headers, "Idempotency-Key": message.key}
    with listening() as said:
        taken = plugin.notify(
            body=f"{message.body}\n[{message.key}]",
            title=message.title,
            notify_type=kinds.get(message.severity, NotifyType.INFO),
            body_format=NotifyFormat.TEXT,
        )
    if not taken:
        raise service_failure(said, str(plugin.service_name))
    return None
