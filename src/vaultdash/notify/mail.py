"""Mails by apprise's SMTP, with one Message-ID a key: mailboxes that know it already keep one of them."""

import email
import email.policy
import hashlib
import re
import smtplib

from vaultdash.domain.alert import AlertSeverity
from vaultdash.notify.apprise_address import Service, listening
from vaultdash.notify.base import Message
from vaultdash.notify.failure_words import mail_failure, mail_refusal

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def send_mail(plugin: Service, message: Message) -> None:
    """Send to every recipient; raises ProviderError with the reason when one of them is refused. Blocks."""
    from apprise import NotifyFormat
    from apprise.exception import AppriseException
    from apprise.plugins.email.base import NotifyEmail
    from apprise.plugins.email.smtp import AppriseSMTPController

    sender = plugin.from_addr[1]
    failure = None
    with listening() as said:
        try:
            with AppriseSMTPController(
                host=plugin.smtp_host,
                port=plugin.port,
                secure_mode=plugin.secure_mode,
                user=plugin.user,
                password=plugin.password,
                verify_certificate=plugin.verify_certificate,
                socket_connect_timeout=plugin.socket_connect_timeout,
            ) as server:
                for prepared in NotifyEmail.prepare_emails(
                    subject=message.title,
                    body=f"{message.body}\n\n-- \nVault Dashboard. A repeat of this message has the same number:\n"
                    f"{message.key}\n",
                    from_addr=plugin.from_addr,
                    to=plugin.targets,
                    cc=plugin.cc,
                    bcc=plugin.bcc,
                    reply_to=plugin.reply_to,
                    smtp_host=plugin.smtp_host,
                    notify_format=NotifyFormat.TEXT,
                    headers={**_headers(message), **plugin.headers},
                    names=plugin.names,
                    tzinfo=plugin.tzinfo,
                ):
                    content = _with_message_id(prepared.body, message_id(message.key, sender))
                    if not server.sendmail(sender, prepared.to_addrs, content):
                        failure = mail_refusal(said, prepared.recipient)
        except (OSError, smtplib.SMTPException, RuntimeError, ValueError, AppriseException) as error:
            failure = mail_failure(error, plugin.smtp_host, plugin.port)
    if failure is not None:  # raised here, without the error it came from, whose text may hold the password
        raise failure


def message_id(key: str, sender: str) -> str:
    """The Message-ID of a key: the same on every repeat."""
    name = key if _PLAIN.fullmatch(key) else hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
    return f"<{name}@{sender.rpartition('@')[2] or 'vault-dash'}>"


def _headers(message: Message) -> dict[str, str]:
    urgent = {"Importance": "high", "X-Priority": "1"} if message.severity is AlertSeverity.CALL else {}
    return {"Auto-Submitted": "auto-generated", **urgent}


def _with_message_id(text: str, identity: str) -> str:
    mail = email.message_from_string(text, policy=email.policy.compat32)
    del mail["Message-ID"]
    mail["Message-ID"] = identity
    return mail.as_string()
