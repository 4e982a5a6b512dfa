"""A mail server as its owner knows it, and as the address of a channel."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote, urlencode

from vaultdash.domain.errors import InvalidInput

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_MAIL = re.compile(r"[^@\s,;<>\"\\:/?#&%]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


class MailSecurity(StrEnum):
    """How the connection is protected: from the start, after a greeting, or not at all."""

    TLS = "ssl"
    STARTTLS = "starttls"
    NONE = "insecure"


USUAL_PORTS = {MailSecurity.TLS: 465, MailSecurity.STARTTLS: 587, MailSecurity.NONE: 25}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in, as whom, from whom and to whom; without a user nobody logs in."""

    server: str
    to: str
    port: int | None = None
    security: MailSecurity = MailSecurity.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.server):
            raise InvalidInput("server", "must be the mail server's name, such as smtp.example.org")
        for name, mail in (("to", self.to), ("from", self.sender or self.to)):
            for each in mail.split(","):
                if not _MAIL.fullmatch(each.strip()):
                    raise InvalidInput(name, "must be a mail address, such as me@example.org")
        if self.port is not None and not 1 <= self.port <= 65535:
            raise InvalidInput("port", "must be between 1 and 65535")
        if bool(self.user) != bool(self.password):
            raise InvalidInput("password", "and user are given together, or neither of them")
        if not (self.user + self.password).isprintable() or not (self.user + self.password).isascii():
            raise InvalidInput("password", "and user may hold plain letters, digits and signs only (ASCII)")

    @property
    def address(self) -> str:
        """As apprise writes it; it holds the password."""
        schema = "mailto" if self.security is MailSecurity.NONE else "mailtos"
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        port = self.port or USUAL_PORTS[self.security]
        first = (self.sender or self.to).split(",")[0].strip()
        everybody = ",".join(each.strip() for each in self.to.split(","))
        options = {"smtp": self.server, "from": first, "to": everybody, "mode": self.security.value}
        return f"{schema}://{login}{self.server}:{port}/?{urlencode(options, quote_via=quote)}"
