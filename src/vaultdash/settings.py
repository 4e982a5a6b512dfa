"""Deployment settings, from the environment or `.env`; a wrong one is named and stops the start."""

import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, NoDecode, SettingsConfigDict

ENV_FILE = ".env"
REDIS_EXAMPLE = "redis://localhost:6379/0"
LARGEST_AMOUNT = 1e12  # of units and of dollars
FRACTIONS = ("_LTV", "_RATE", "_SPREAD")
SIMILAR = 0.8
SECRETS = ("VAULT_REDIS_URL", "VAULT_DATABASE_URL", "VAULT_DEADMAN_URL")
NAMES_OF_OTHERS = {"VAULT_FORMAT", "VAULT_MOUNT", "VAULT_PATH", "VAULT_UI"}  # of HashiCorp's Vault, similar to ours
_HOST = re.compile(r"(\*\.)?[a-z0-9.-]{1,253}(:\d{1,5})?")
_PING = re.compile(r"https://|http://(127\.0\.0\.1|localhost)(:\d{1,5})?(/|$)")
_SCHEDULER = re.compile(r"(tcp|tls|ws|wss)://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}")
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?")


class SettingsError(Exception):
    """One sentence for each setting that is wrong."""


def default_data_dir() -> Path:
    """Where the owner's data lives unless VAULT_DATA_DIR says otherwise."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "vault-dash"


def _plain(name: str) -> AliasChoices:
    """Accept the plain `NAME` and `VAULT_NAME` like the others."""
    return AliasChoices(name, f"VAULT_{name}")


class Settings(BaseSettings):
    """Everything a deployment decides. Fractions, not per cent: 0.75 is 75 %."""

    model_config = SettingsConfigDict(
        env_prefix="VAULT_", env_file=ENV_FILE, env_file_encoding="utf-8-sig", extra="ignore", env_ignore_empty=True
    )

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    data_dir: Path = Field(default_factory=default_data_dir)
    market: Literal["auto", "yahoo", "demo"] = "auto"
    redis_url: str | None = Field(None, repr=False)  # may hold a password
    database_url: str | None = Field(None, repr=False)  # may hold a password
    deadman_url: str | None = Field(None, repr=False)  # who has it can pretend that all is well
    dask_scheduler: str | None = None
    push_contact: str = Field("mailto:owner@localhost", pattern=r"^(mailto:|https://)\S{3,200}$")
    push_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    price_interval_seconds: float = Field(30.0, ge=5, le=3600)
    websocket_interval_seconds: float = Field(
        5.0, ge=0.5, le=300, validation_alias=_plain("WEBSOCKET_INTERVAL_SECONDS")
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias=_plain("CORS_ORIGINS"))
    environment: str = Field("local", pattern=r"^[A-Za-z0-9_-]{1,32}$", validation_alias=_plain("ENVIRONMENT"))

    collateral: str = Field("GLD", pattern=r"^[A-Za-z0-9^][A-Za-z0-9.^=-]{0,14}$")
    units: float = Field(1_000_000 / 460, gt=0, le=LARGEST_AMOUNT, allow_inf_nan=False)
    loan_amount: float = Field(
        600_000,
        gt=0,
        le=LARGEST_AMOUNT,
        allow_inf_nan=False,
        validation_alias=AliasChoices("VAULT_LOAN_AMOUNT", "VAULT_LOAN"),
    )
    loan_currency: Literal["USD", "CHF", "EUR", "GBP"] = "USD"
    margin_call_ltv: float = Field(0.75, gt=0, lt=1)
    warning_ltv: float = Field(0.70, gt=0, lt=1)
    close_out_ltv: float = Field(0.85, gt=0, lt=1)
    hedge_counting: Literal["ignored", "after_payment", "credited"] = "ignored"
    reference_rate: float = Field(0.045, ge=-0.05, le=0.5)
    loan_spread: float = Field(0.0195, ge=-0.05, le=0.5)

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            value = tuple(part.strip().rstrip("/").lower() for part in value.split(",") if part.strip())
        for origin in value if isinstance(value, tuple) else ():
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an origin; write https://name or http://name:port")
        return value

    @field_validator("push_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        if isinstance(value, str):
            value = tuple(part.strip().lower() for part in value.split(",") if part.strip())
        for host in value if isinstance(value, tuple) else ():
            if not _HOST.fullmatch(host):
                raise ValueError(f"{host!r} is no host name; write push.example.org, or name:port")
        return value

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("must be postgresql://user@host/name, or sqlite:/// and a file")
        return value

    @field_validator("deadman_url")
    @classmethod
    def _check_deadman_url(cls, value: str | None) -> str | None:
        if value is not None and not _PING.match(value):
            raise ValueError("must start with https://")  # plain http only to this computer
        return value

    @field_validator("dask_scheduler")
    @classmethod
    def _check_dask_scheduler(cls, value: str | None) -> str | None:
        if value is not None and not _SCHEDULER.fullmatch(value):
            raise ValueError("must be the address of a Dask scheduler, such as tcp://localhost:8786")
        return value

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must start with redis://, rediss:// or unix://")
        try:
            _ = value and urlsplit(value).port
        except ValueError:
            raise ValueError(f"must be an address such as {REDIS_EXAMPLE}") from None
        return value

    @field_validator("data_dir")
    @classmethod
    def _expand_home(cls, value: Path) -> Path:
        try:
            return value.expanduser()  # no shell has done it in a .env file
        except RuntimeError:
            raise ValueError("begins with ~, but there is no home directory of that name") from None

    @model_validator(mode="after")
    def _check_limits(self) -> "Settings":
        if not self.warning_ltv < self.margin_call_ltv <= self.close_out_ltv:
            raise ValueError(
                f"VAULT_WARNING_LTV {self.warning_ltv:g}, VAULT_MARGIN_CALL_LTV {self.margin_call_ltv:g} and "
                f"VAULT_CLOSE_OUT_LTV {self.close_out_ltv:g} must rise in this order"
            )
        return self


def load_settings(**overrides: object) -> Settings:
    """Read the settings; raises SettingsError with a line for each that is wrong."""
    given = {name: value for name, value in overrides.items() if value is not None}
    wrong: list[str] = []
    settings = None
    try:
        settings = Settings(**given)  # type: ignore[arg-type]  # overrides are validated by pydantic like the rest
    except ValidationError as error:
        wrong = [_line(problem) for problem in error.errors()]
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{ENV_FILE} cannot be read: {error}") from None
    wrong += _misspelt()
    if settings is None or wrong:
        raise SettingsError("\n".join(wrong))
    return settings


def _misspelt() -> list[str]:
    """A sentence for each VAULT_ name, in the environment or `.env`, that is nearly one of ours."""
    known = known_names()
    given = {*os.environ, *DotEnvSettingsSource(Settings).env_vars}
    strange = {name.upper() for name in given if name.upper().startswith("VAULT_")} - known - NAMES_OF_OTHERS
    meant = {name: difflib.get_close_matches(name, sorted(known), 1, SIMILAR) for name in sorted(strange)}
    return [f"{name} is no setting; did you mean {near[0]}?" for name, near in meant.items() if near]


def known_names() -> set[str]:
    """Every name a setting can be given by."""
    names: set[str] = set()
    for field, info in Settings.model_fields.items():
        alias = info.validation_alias
        names.update(map(str, alias.choices) if isinstance(alias, AliasChoices) else [f"VAULT_{field.upper()}"])
    return names


def _line(problem: object) -> str:
    assert isinstance(problem, dict)
    if not problem["loc"]:
        return _reason(problem)
    name = str(problem["loc"][0])
    plain = {"websocket_interval_seconds", "cors_origins", "environment"}
    if name.isupper():
        variable = name
    else:
        variable = name.upper() if name in plain else f"VAULT_{name.upper()}"
    if variable in SECRETS:
        return f"{variable} {_reason(problem)}"  # its value may hold a password
    hint = "; write 0.05 for 5 %" if variable.endswith(FRACTIONS) else ""
    return f"{variable} is {problem['input']!r}: {_reason(problem)}{hint}"


def _reason(problem: dict[str, object]) -> str:
    reason = str(problem["msg"]).removeprefix("Value error, ")
    first, _, _ = reason.partition(" ")
    return reason if first.isupper() else reason[:1].lower() + reason[1:]
