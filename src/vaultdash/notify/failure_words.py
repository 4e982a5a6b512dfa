"""Why a message was not taken, in words the owner can act on and without any secret."""

import re
import smtplib
import socket
import ssl
from collections.abc import Sequence

from vaultdash.domain.errors import ProviderError, RateLimited, Unavailable

_STATUS = re.compile(r"error\s*=\s*(\d{3})\b|\[(\d{3})\]|\bHTTP (\d{3})\b")
_SMTP = re.compile(r"\((\d{3}), b")
_REFUSED = re.compile(r"recipient .* was refused: (\d{3})|\{'[^']*': \((\d{3}), b", re.DOTALL)


def mail_failure(error: BaseException, server: str, port: int) -> ProviderError:
    """What went wrong before the mail server was given the message."""
    where = f"{server}:{port}"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Unavailable(
            f"The mail server does not accept this user and password ({error.smtp_code}). Many providers want an "
            "app password instead of the usual one"
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        if "STARTTLS" in str(error):
            return Unavailable(f"{where} offers no STARTTLS: choose TLS from the start, or no encryption")
        return Unavailable(f"{where} wants no login: leave user and password empty, or choose STARTTLS")
    if isinstance(error, UnicodeError):
        return Unavailable("User and password for a mail server may hold ASCII characters only")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unavailable(f"{where} shows a certificate that is not trusted: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return Unavailable(f"{where} does not speak TLS like that: choose STARTTLS (587), TLS (465) or none (25)")
    if isinstance(error, socket.gaierror):
        return Unavailable(f"There is no mail server named {server}")
    if isinstance(error, ConnectionRefusedError):
        return Unavailable(f"Nothing listens at {where}: is the port right?")
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return Unavailable(f"{where} did not answer in time")
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return Unavailable(f"{where} hung up: perhaps it wants TLS from the start")
    code = f" ({error.smtp_code})" if isinstance(error, smtplib.SMTPResponseException) else ""
    return Unavailable(f"{where} could not be used{code}")


def mail_refusal(said: Sequence[str], recipient: str) -> ProviderError:
    """What the mail server answered to the message, from what apprise said."""
    text = "\n".join(said)
    if refused := _REFUSED.search(text):
        code = refused[1] or refused[2]
        later = "; it may take it later" if code.startswith("4") else ": is the address right?"
        return Unavailable(f"The mail server refused the recipient {recipient} ({code}){later}")
    if found := _SMTP.search(text):
        if found[1].startswith("4"):
            return RateLimited(f"The mail server asks us to try again later ({found[1]})")
        sender = " It may not like the sender's address" if "', 'from'" in text or "@" in text else ""
        return Unavailable(f"The mail server refused the message ({found[1]}).{sender}".removesuffix("."))
    return Unavailable("The mail server hung up before it took the message")


def service_failure(said: Sequence[str], service: str) -> ProviderError:
    """What a service answered, from what apprise said; only numbers of it are repeated."""
    text = "\n".join(said)
    if found := _STATUS.search(text):
        code = int(next(filter(None, found.groups())))
        if code in (401, 403):
            return Unavailable(f"{service} does not accept this user, password or token ({code})")
        if code in (404, 410):
            return Unavailable(f"{service} knows no such recipient or address ({code})")
        if code == 429:
            return RateLimited(f"{service} asks us to wait")
        if 300 <= code < 400:
            return Unavailable(f"{service} wanted to redirect the message elsewhere, which is not followed")
        return Unavailable(f"{service} refused the message ({code})")
    reasons = (
        ("CERTIFICATE_VERIFY_FAILED", "shows a certificate that is not trusted"),
        ("Name or service not known", "has a host name that does not exist"),
        ("Temporary failure in name resolution", "has a host name that could not be looked up"),
        ("NameResolutionError", "has a host name that does not exist"),
        ("Connection refused", "does not listen there: are host and port right?"),
        ("timed out", "did not answer in time"),
        ("SSLError", "does not speak TLS there"),
        ("Connection error", "could not be reached"),
        ("There are no", "was given nobody to write to"),
    )
    for mark, words in reasons:
        if mark in text:
            return Unavailable(f"{service} {words}")
    return Unavailable(f"{service} did not take the message and gave no reason")
