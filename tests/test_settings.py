"""Settings: every variable by its name, from the environment and `.env`, and a wrong one stops the start."""

import os
from pathlib import Path

import pytest

from vaultdash.settings import SettingsError, known_names, load_settings

VARIABLES = {
    "VAULT_HOST": ("localhost", "host", "localhost"),
    "VAULT_PORT": ("8123", "port", 8123),
    "VAULT_DATA_DIR": ("/srv/vault", "data_dir", Path("/srv/vault")),
    "VAULT_MARKET": ("demo", "market", "demo"),
    "VAULT_REDIS_URL": ("redis://localhost:6379/0", "redis_url", "redis://localhost:6379/0"),
    "VAULT_DATABASE_URL": ("postgresql://me@db/vault", "database_url", "postgresql://me@db/vault"),
    "VAULT_DEADMAN_URL": ("https://ping.example/x", "deadman_url", "https://ping.example/x"),
    "VAULT_DASK_SCHEDULER": ("tcp://dask.example:8786", "dask_scheduler", "tcp://dask.example:8786"),
    "VAULT_PUSH_CONTACT": ("mailto:me@example.org", "push_contact", "mailto:me@example.org"),
    "VAULT_PUSH_HOSTS": ("Push.Example, 127.0.0.1:9000", "push_hosts", ("push.example", "127.0.0.1:9000")),
    "VAULT_PRICE_INTERVAL_SECONDS": ("60", "price_interval_seconds", 60.0),
    "WEBSOCKET_INTERVAL_SECONDS": ("2.5", "websocket_interval_seconds", 2.5),
    "CORS_ORIGINS": ("https://a.example, http://b:81/", "cors_origins", ("https://a.example", "http://b:81")),
    "ENVIRONMENT": ("production", "environment", "production"),
    "VAULT_COLLATERAL": ("XAU-OZ", "collateral", "XAU-OZ"),
    "VAULT_UNITS": ("200", "units", 200.0),
    "VAULT_LOAN_AMOUNT": ("500000", "loan_amount", 500_000.0),
    "VAULT_LOAN": ("400000", "loan_amount", 400_000.0),
    "VAULT_LOAN_CURRENCY": ("GBP", "loan_currency", "GBP"),
    "VAULT_MARGIN_CALL_LTV": ("0.8", "margin_call_ltv", 0.8),
    "VAULT_WARNING_LTV": ("0.65", "warning_ltv", 0.65),
    "VAULT_CLOSE_OUT_LTV": ("0.9", "close_out_ltv", 0.9),
    "VAULT_HEDGE_COUNTING": ("credited", "hedge_counting", "credited"),
    "VAULT_REFERENCE_RATE": ("0.03", "reference_rate", 0.03),
    "VAULT_LOAN_SPREAD": ("0.02", "loan_spread", 0.02),
    "VAULT_WEBSOCKET_INTERVAL_SECONDS": ("3", "websocket_interval_seconds", 3.0),
    "VAULT_CORS_ORIGINS": ("https://[::1]:8443", "cors_origins", ("https://[::1]:8443",)),
    "VAULT_ENVIRONMENT": ("staging", "environment", "staging"),
}
CANARY = "canary-7f3a"


@pytest.fixture(autouse=True)
def _a_bare_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith("VAULT_") or name.upper() in VARIABLES:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refusal() -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings()
    return str(refused.value)


def test_without_any_setting_the_house_is_the_brief(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    settings = load_settings()
    assert (settings.host, settings.port, settings.market, settings.redis_url) == ("127.0.0.1", 8000, "auto", None)
    assert (settings.price_interval_seconds, settings.cors_origins) == (30.0, ())
    assert settings.data_dir == tmp_path / "data" / "vault-dash"
    assert settings.units == pytest.approx(1_000_000 / 460)
    assert (settings.loan_amount, settings.hedge_counting) == (600_000, "ignored")
    assert (settings.warning_ltv, settings.margin_call_ltv, settings.close_out_ltv) == (0.70, 0.75, 0.85)


def test_data_lives_at_home_unless_told_otherwise(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings().data_dir == tmp_path / ".local" / "share" / "vault-dash"


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_is_read_from_the_environment(name, monkeypatch):
    text, field, value = VARIABLES[name]
    monkeypatch.setenv(name, text)
    assert getattr(load_settings(), field) == value


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_is_read_from_the_env_file(name):
    text, field, value = VARIABLES[name]
    Path(".env").write_text(f"{name}={text}\n")
    assert getattr(load_settings(), field) == value


def test_the_environment_wins_over_the_env_file(monkeypatch):
    Path(".env").write_text("VAULT_PORT=8111\n")
    monkeypatch.setenv("VAULT_PORT", "8222")
    assert load_settings().port == 8222


def test_what_the_command_line_says_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("VAULT_PORT", "8222")
    monkeypatch.setenv("VAULT_HOST", "::1")
    settings = load_settings(port=8333, host="localhost")
    assert (settings.port, settings.host) == (8333, "localhost")


def test_what_the_command_line_leaves_open_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("VAULT_PORT", "8222")
    assert load_settings(port=None, host=None).port == 8222


def test_an_empty_variable_is_none(monkeypatch):
    monkeypatch.setenv("VAULT_PORT", "")
    monkeypatch.setenv("VAULT_REDIS_URL", "")
    assert (load_settings().port, load_settings().redis_url) == (8000, None)


def test_what_belongs_to_other_programs_is_left_alone(monkeypatch):
    monkeypatch.setenv("VAULT_ADDR", "https://vault.example:8200")
    Path(".env").write_text("VAULT_TOKEN=x\nSOMETHING=else\n")
    assert load_settings().port == 8000


MISSPELT = [
    ("VAULT_LOAN_AMOUT", "VAULT_LOAN_AMOUNT"),
    ("VAULT_UNIT", "VAULT_UNITS"),
    ("VAULT_PROT", "VAULT_PORT"),
    ("VAULT_MARGIN_LTV", "VAULT_MARGIN_CALL_LTV"),
    ("VAULT_CORS_ORIGIN", "VAULT_CORS_ORIGINS"),
]


@pytest.mark.parametrize(("name", "meant"), MISSPELT)
def test_a_name_that_is_nearly_a_setting_is_refused(name, meant, monkeypatch):
    monkeypatch.setenv(name, CANARY)
    assert refusal() == f"{name} is no setting; did you mean {meant}?"


@pytest.mark.parametrize(("name", "meant"), MISSPELT)
def test_a_name_that_is_nearly_a_setting_is_refused_in_the_env_file(name, meant):
    Path(".env").write_text(f"{name.lower()}=900000\n")
    assert refusal() == f"{name} is no setting; did you mean {meant}?"


def test_a_misspelt_name_is_told_with_the_wrong_values(monkeypatch):
    monkeypatch.setenv("VAULT_PORT", "abc")
    monkeypatch.setenv("VAULT_LOAN_AMOUT", "900000")
    assert [line.split()[0] for line in refusal().splitlines()] == ["VAULT_PORT", "VAULT_LOAN_AMOUT"]


OTHERS = ["ADDR", "CACERT", "CAPATH", "CHROMIUM", "CLIENT_CERT", "CLIENT_TIMEOUT", "FORMAT", "LOG_LEVEL", "MOUNT",
          "NAMESPACE", "PATH", "RATE_LIMIT", "REDIRECT_ADDR", "SKIP_VERIFY", "TOKEN", "UI"]  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_names_of_other_programs_are_no_misspelt_settings(name, monkeypatch):
    monkeypatch.setenv(f"VAULT_{name}", "x")
    assert load_settings().port == 8000


def test_the_names_are_all_that_are_read():
    assert known_names() == {*VARIABLES, "VAULT_LOAN_CURRENCY"}


def test_an_env_file_that_begins_with_a_byte_order_mark_is_read_whole():
    Path(".env").write_bytes(b"\xef\xbb\xbfVAULT_PORT=8444\n")
    assert load_settings().port == 8444


def test_an_env_file_that_is_no_text_is_named():
    Path(".env").write_bytes(b"VAULT_HOST=\xff\xfe\n")
    assert refusal().startswith(".env cannot be read")


def test_a_tilde_is_the_home_directory_in_an_env_file_too(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    Path(".env").write_text("VAULT_DATA_DIR=~/vault\n")
    assert load_settings().data_dir == tmp_path / "vault"


WRONG = [
    ("VAULT_PORT", "abc", "VAULT_PORT is 'abc': input should be a valid integer"),
    ("VAULT_PORT", "99999", "VAULT_PORT is '99999': input should be less than or equal to 65535"),
    ("VAULT_PORT", "0", "VAULT_PORT is '0': input should be greater than or equal to 1"),
    ("VAULT_DATA_DIR", "~no-such-user-here/x", "VAULT_DATA_DIR is '~no-such-user-here/x': begins with ~"),
    ("VAULT_MARKET", "nasdaq", "VAULT_MARKET is 'nasdaq': input should be 'auto', 'yahoo' or 'demo'"),
    ("VAULT_COLLATERAL", "no gold", "VAULT_COLLATERAL is 'no gold': string should match"),
    ("VAULT_UNITS", "-1", "VAULT_UNITS is '-1': input should be greater than 0"),
    ("VAULT_UNITS", "nan", "VAULT_UNITS is 'nan': input should be a finite number"),
    ("VAULT_UNITS", "inf", "VAULT_UNITS is 'inf': input should be a finite number"),
    ("VAULT_UNITS", "1e13", "VAULT_UNITS is '1e13': input should be less than or equal to 1000000000000"),
    ("VAULT_LOAN_AMOUNT", "1e300", "VAULT_LOAN_AMOUNT is '1e300': input should be less than or equal to 10000000"),
    ("VAULT_LOAN_AMOUNT", "0", "VAULT_LOAN_AMOUNT is '0': input should be greater than 0"),
    ("VAULT_LOAN_CURRENCY", "JPY", "VAULT_LOAN_CURRENCY is 'JPY': input should be 'USD', 'CHF', 'EUR' or 'GBP'"),
    ("VAULT_MARGIN_CALL_LTV", "75", "VAULT_MARGIN_CALL_LTV is '75': input should be less than 1; write 0.05 for 5 %"),
    ("VAULT_WARNING_LTV", "nan", "VAULT_WARNING_LTV is 'nan': input should be"),
    ("VAULT_CLOSE_OUT_LTV", "0", "VAULT_CLOSE_OUT_LTV is '0': input should be greater than 0"),
    ("VAULT_HEDGE_COUNTING", "some", "VAULT_HEDGE_COUNTING is 'some': input should be 'ignored', 'after_payment'"),
    (
        "VAULT_REFERENCE_RATE",
        "4.5",
        "VAULT_REFERENCE_RATE is '4.5': input should be less than or equal to 0.5; write",
    ),
    ("VAULT_LOAN_SPREAD", "nan", "VAULT_LOAN_SPREAD is 'nan': input should be"),
    ("VAULT_REDIS_URL", "http://localhost", "VAULT_REDIS_URL must start with redis://, rediss:// or unix://"),
    ("VAULT_REDIS_URL", "redis://localhost:port/0", "VAULT_REDIS_URL must be an address such as redis://localhost"),
    ("VAULT_REDIS_URL", "redis://localhost:99999", "VAULT_REDIS_URL must be an address such as redis://localhost"),
    (
        "VAULT_DATABASE_URL",
        "mysql://localhost/x",
        "VAULT_DATABASE_URL must be postgresql://user@host/name",
    ),
    ("VAULT_DEADMAN_URL", "http://ping.example", "VAULT_DEADMAN_URL must start with https://"),
    ("VAULT_DEADMAN_URL", "http://localhost.evil.example", "VAULT_DEADMAN_URL must start with https://"),
    ("VAULT_PUSH_CONTACT", "me", "VAULT_PUSH_CONTACT is 'me': string should match"),
    ("VAULT_PUSH_HOSTS", "https://push.example/x", "VAULT_PUSH_HOSTS is 'https://push.example/x': 'https://push.ex"),
    ("VAULT_PRICE_INTERVAL_SECONDS", "0", "VAULT_PRICE_INTERVAL_SECONDS is '0': input should be greater than or"),
    ("VAULT_PRICE_INTERVAL_SECONDS", "nan", "VAULT_PRICE_INTERVAL_SECONDS is 'nan': input should be"),
    ("WEBSOCKET_INTERVAL_SECONDS", "0", "WEBSOCKET_INTERVAL_SECONDS is '0': input should be greater than or equal"),
    ("WEBSOCKET_INTERVAL_SECONDS", "inf", "WEBSOCKET_INTERVAL_SECONDS is 'inf': input should be less than or equal"),
    ("CORS_ORIGINS", "garbage", "CORS_ORIGINS is 'garbage': 'garbage' is not an origin; write https://name"),
    ("ENVIRONMENT", "a b", "ENVIRONMENT is 'a b': string should match"),
]


@pytest.mark.parametrize(("name", "text", "sentence"), WRONG)
def test_a_wrong_setting_is_named_with_what_it_should_be(name, text, sentence, monkeypatch):
    monkeypatch.setenv(name, text)
    assert refusal().startswith(sentence)


@pytest.mark.parametrize(("name", "text", "sentence"), WRONG)
def test_a_wrong_setting_in_the_env_file_is_named_alike(name, text, sentence):
    Path(".env").write_text(f"{name}='{text}'\n")
    assert refusal().startswith(sentence)


@pytest.mark.parametrize(
    "origin",
    ["*", "null", "https://", "ftp://a", "https://a/path", "https://a?b", "https://a#b", "https://a b",
     "https://user:pass@a", "https://a:port", '["https://a"]', "https://a;https://b"],
)  # fmt: skip
def test_what_is_no_origin_is_refused(origin, monkeypatch):
    monkeypatch.setenv("CORS_ORIGINS", f"https://good.example,{origin}")
    assert "is not an origin; write https://name or http://name:port" in refusal()


def test_an_origin_is_lower_case_as_browsers_send_it(monkeypatch):
    monkeypatch.setenv("CORS_ORIGINS", "HTTPS://Vault.Example")
    assert load_settings().cors_origins == ("https://vault.example",)


def test_all_wrong_settings_are_named_at_once(monkeypatch):
    monkeypatch.setenv("VAULT_PORT", "abc")
    monkeypatch.setenv("VAULT_UNITS", "-1")
    lines = refusal().splitlines()
    assert sorted(line.split()[0] for line in lines) == ["VAULT_PORT", "VAULT_UNITS"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("VAULT_WARNING_LTV", "0.75"), ("VAULT_MARGIN_CALL_LTV", "0.9"), ("VAULT_CLOSE_OUT_LTV", "0.5")],
)
def test_limits_out_of_order_are_named(name, text, monkeypatch):
    monkeypatch.setenv(name, text)
    assert f"{name} {text}" in refusal()
    assert "must rise in this order" in refusal()


@pytest.mark.parametrize("name", ["VAULT_DATABASE_URL", "VAULT_DEADMAN_URL"])
def test_a_secret_address_is_repeated_nowhere(name, monkeypatch):
    monkeypatch.setenv(name, f"ftp://:{CANARY}@host/x")
    monkeypatch.setenv("VAULT_WARNING_LTV", "0.9")
    said = refusal()
    assert said.startswith(f"{name} must")
    assert CANARY not in said


@pytest.mark.parametrize(
    ("name", "url"),
    [("VAULT_DATABASE_URL", f"postgresql://me:{CANARY}@db/x"), ("VAULT_DEADMAN_URL", f"https://ping/{CANARY}")],
)
def test_a_secret_address_is_not_shown_with_the_settings(name, url, monkeypatch):
    monkeypatch.setenv(name, url)
    settings = load_settings()
    assert CANARY in str((settings.database_url, settings.deadman_url))
    assert CANARY not in repr(settings)


@pytest.mark.parametrize(
    "url",
    [f"http://:{CANARY}@cache:6379/0", f"redis://:{CANARY}@cache:port/0", f"redis://:p:{CANARY}/x@cache:6379",
     f"redis://user:{CANARY}@cache:99999/0", CANARY, f"redis://[{CANARY}"],
)  # fmt: skip
def test_a_password_in_a_wrong_redis_url_is_not_repeated(url, monkeypatch):
    monkeypatch.setenv("VAULT_REDIS_URL", url)
    monkeypatch.setenv("VAULT_WARNING_LTV", "0.9")  # a mistake elsewhere must not show it either
    said = refusal()
    assert said.startswith("VAULT_REDIS_URL must")
    assert CANARY not in said


def test_a_password_in_the_redis_url_is_not_shown_with_the_settings(monkeypatch):
    monkeypatch.setenv("VAULT_REDIS_URL", f"redis://:{CANARY}@cache:6379/0")
    settings = load_settings()
    assert CANARY in str(settings.redis_url)
    assert CANARY not in repr(settings)
    assert CANARY not in str(settings)


def test_a_contradiction_elsewhere_does_not_show_the_redis_password(monkeypatch):
    monkeypatch.setenv("VAULT_REDIS_URL", f"redis://:{CANARY}@cache:6379/0")
    monkeypatch.setenv("VAULT_WARNING_LTV", "0.9")
    assert CANARY not in refusal()
