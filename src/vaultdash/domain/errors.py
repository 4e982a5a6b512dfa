"""The error tree: every failure the owner may see has a class and a sentence."""


class VaultError(Exception):
    """Base of everything the house raises on purpose."""


class InvalidInput(VaultError, ValueError):
    """The request makes no sense; `argument` names what is wrong with it."""

    def __init__(self, argument: str, reason: str) -> None:
        super().__init__(f"{argument} {reason}")
        self.argument = argument
        self.reason = reason

    def __reduce__(self) -> "tuple[type[InvalidInput], tuple[str, str]]":
        """How it travels between processes: by both of its parts, not by the sentence made of them."""
        return type(self), (self.argument, self.reason)


class NotFound(VaultError):
    """No such thing."""


class Refused(VaultError):
    """Understood, and declined: expired, stale, over a limit."""


class ProviderError(VaultError):
    """The outside failed; it may be tried elsewhere or later."""


class RateLimited(ProviderError):
    """The provider asks us to wait; `retry_after_seconds` says how long we will."""

    def __init__(self, message: str, retry_after_seconds: float = 60.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(ProviderError):
    """The provider could not be reached, or failed inside."""


class BadPayload(ProviderError):
    """The provider answered with something that is not an answer."""


class DatabaseError(VaultError):
    """What the owner entered and the alerts cannot be read or written; the sentence says why and what to do."""
