"""Reads an apprise address: which service it is, what is missing, and what is refused."""

import contextlib
import logging
import re
import threading
from collections.abc import Iterator
from typing import Any, cast

from vaultdash.domain.errors import InvalidInput, Unavailable
from vaultdash.notify.networks import addresses, is_public
from vaultdash.notify.push_hosts import PushHosts

Service = Any  # one of apprise's, which are not typed

LONGEST = 4000
CONNECT_SECONDS = 10.0
# These act on this computer instead of reaching somebody, or read files that the address names.
LOCAL = {"blink1", "dbus", "deltachat", "fcm", "glib", "gnome", "macosx", "rsyslog", "syslog", "vapid", "windows"}
FILE_OPTIONS = {"attach", "template", "pgp", "pgppub", "pgpprv", "pgpkey", "wkd", "keyfile", "subfile", "pem"}
_SCHEMA = re.compile(r"([a-z0-9]{2,20})://", re.IGNORECASE)


def opened(address: str) -> Service:
    """The service behind an address; raises InvalidInput, which never repeats the address. Blocks."""
    with listening():
        return _opened(address)


def _opened(address: str) -> Service:
    import apprise
    from apprise import plugins
    from apprise.plugins import N_MGR

    schema = schema_of(address)
    parts: dict[str, Any] | None = cast(Any, plugins).url_to_dict(address.strip(), secure_logging=True)
    if parts is None or parts.get("schema") not in N_MGR:
        if schema in N_MGR:
            raise InvalidInput("address", f"is not complete for {schema}://{_hint(schema)}")
        raise InvalidInput(
            "address", f"begins with {schema}://, which is no known service; write mailtos://, ntfy://, tgram:// ..."
        )
    plugin_class = N_MGR[parts["schema"]]
    if plugin_class.__module__.rpartition(".")[2] in LOCAL:
        raise InvalidInput("address", f"begins with {schema}://, which acts on this computer instead of reaching you")
    unwanted = sorted(FILE_OPTIONS & {name.lower() for name in parts.get("qsd", {})})
    if unwanted:
        raise InvalidInput("address", f"must not use {', '.join(unwanted)}: files of this computer are not sent")
    asset = apprise.AppriseAsset(
        app_id="Vault Dashboard",
        app_desc="Vault Dashboard",
        app_url="",
        image_url_mask="",  # pictures would be fetched from elsewhere
        image_url_logo="",
        http_redirects=False,
        async_mode=False,
        storage_mode="memory",
        allow_templates=False,
        body_format=apprise.NotifyFormat.TEXT,
    )
    plugin = None
    with contextlib.suppress(TypeError, ValueError, LookupError, AttributeError, OSError):  # may repeat a password
        plugin = plugin_class(**{**parts, "asset": asset, "tag": set()})
    if plugin is None or not plugin.enabled:
        raise InvalidInput("address", f"is not complete for {schema}://{_hint(schema)}")
    _require_somebody(plugin)
    plugin.redirects = False
    plugin.socket_connect_timeout = min(plugin.socket_connect_timeout, CONNECT_SECONDS)
    plugin.socket_read_timeout = min(plugin.socket_read_timeout, CONNECT_SECONDS)
    plugin.retry = 0  # the outbox tries again
    return plugin


def schema_of(address: str) -> str:
    """What stands before ://, in small letters; raises InvalidInput when nothing does."""
    if len(address) > LONGEST or not address.strip().isprintable():
        raise InvalidInput("address", "is too long, or holds characters that cannot be printed")
    found = _SCHEMA.match(address.strip())
    if found is None:
        raise InvalidInput("address", "must begin with a service, such as mailtos:// or ntfy://")
    return found[1].lower()


def is_mail(plugin: Service) -> bool:
    """True for a mail server reached by SMTP."""
    from apprise.plugins.email.base import NotifyEmail

    return isinstance(plugin, NotifyEmail)


def require_reachable(plugin: Service, hosts: PushHosts) -> None:
    """Raise Unavailable when a web address leads into a private network that the deployment did not name. Blocks.

    A mail server may be on the owner's own network: it is spoken to in SMTP, and no page of it is asked for. The
    name is looked up right before each sending; apprise then looks it up once more by itself.
    """
    host = _own_host(plugin)
    port = plugin.port or (443 if plugin.secure else 80)
    if host is None or is_mail(plugin) or hosts.trusts(host, port):
        return
    try:
        found = addresses(host, port)
    except OSError:
        return  # whatever stands there is not a host; the service says so when it is asked
    if not all(map(is_public, found)):
        raise Unavailable(f"{host} is in a private network; name it in VAULT_PUSH_HOSTS to trust it")


@contextlib.contextmanager
def listening() -> Iterator[list[str]]:
    """What apprise says in this thread: it answers with yes or no and leaves the reason in its log.

    Nothing of it goes on to the log of the house: addresses with passwords stand in it.
    """
    said: list[str] = []
    thread = threading.get_ident()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread:
                said.append(record.getMessage())

    ear, logger = Ear(), logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it names the paths it asks for, tokens and all
    logger.addHandler(ear)
    try:
        yield said
    finally:
        logger.removeHandler(ear)


def _own_host(plugin: Service) -> str | None:
    """The host that the owner wrote, for services that are reached at one."""
    if not any("{host}" in template for template in plugin.templates) or getattr(plugin, "mode", "") == "cloud":
        return None
    host = str(getattr(plugin, "smtp_host", "") or plugin.host or "")
    return host.strip("[]") or None


def _require_somebody(plugin: Service) -> None:
    """Many services take any address and complain when they are to send: ask for a recipient at once."""
    for name in ("targets", "topics", "channels", "phone"):
        value = getattr(plugin, name, None)
        if isinstance(value, list | tuple | set) and not value and len(plugin) == 0:
            raise InvalidInput("address", f"names nobody to write to{_hint(schema_of(plugin.url(privacy=True)))}")
    if is_mail(plugin) and not plugin.targets:
        raise InvalidInput("address", "names nobody to write to: the recipient is not a mail address")
    if getattr(plugin, "topics", None) == []:
        raise InvalidInput("address", "names no topic to write to")


def _hint(schema: str) -> str:
    examples = {
        "mailto": "mailto://user:password@server:25?from=me@example.org&to=me@example.org",
        "mailtos": "mailtos://user:password@server:587?from=me@example.org&to=me@example.org",
        "ntfy": "ntfy://topic, or ntfy://server/topic",
        "ntfys": "ntfys://server/topic",
        "tgram": "tgram://bot-token/chat-id",
        "discord": "discord://webhook-id/webhook-token",
        "slack": "slack://token-a/token-b/token-c",
        "pover": "pover://user-key@application-token",
        "gotify": "gotify://server/token",
        "json": "json://server/path",
    }
    return f"; it is written {examples[schema]}" if schema in examples else ""
