"""The house rules, each with a planted violation that it catches."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "vaultdash"
LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = {contract["name"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}
LONGEST_MODULE = 400


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


# import contracts

LAYERS = "Imports go downwards, and strangers do not meet"
CHOICES = "Only bootstrap, main and cli know a wing's implementations"
CACHE = "The other wings know the base of the cache, not how it is made"
SETTINGS = "Only bootstrap, main and cli know the settings"
WINGS = "Wings that touch the world know no strategy"
DOORS = "Each stranger enters by its own door"
THINKING = "Thinking does no I/O"
CYCLES = "There are no import cycles"


@dataclass(frozen=True, slots=True)
class Plant:
    """An offending line at the end of a module, and the contract that must break because of it."""

    contract: str
    module: str
    line: str

    @property
    def told(self) -> str:
        """How the report names this one import."""
        importer, imported = dotted(self.module), self.line.split()[1]
        if self.contract == CYCLES:
            return f".{importer.split('.')[-1]} -> .{imported.split('.')[-1]} (1 import)"
        if not imported.startswith("vaultdash."):
            imported = imported.split(".")[0]
        return f"{importer} -> {imported} (l."


PLANTS = (
    Plant(LAYERS, "domain/loan.py", "import vaultdash.services.vault"),
    Plant(LAYERS, "api/respond.py", "import vaultdash.ui.format"),
    Plant(LAYERS, "market/base.py", "import vaultdash.storage.base"),
    Plant(LAYERS, "strategies/base.py", "import vaultdash.cache.base"),
    Plant(LAYERS, "services/vault.py", "import vaultdash.bootstrap"),
    Plant(LAYERS, "treasury/__init__.py", "import vaultdash.domain.loan"),
    Plant(CHOICES, "services/price_feed.py", "import vaultdash.market.demo"),
    Plant(CHOICES, "services/sweeps.py", "import vaultdash.compute.dask"),
    Plant(DOORS, "compute/local.py", "import distributed"),
    Plant(THINKING, "backtest/sweep.py", "import asyncio"),
    Plant(CACHE, "market/stored.py", "import vaultdash.cache.redis"),
    Plant(SETTINGS, "jobs.py", "import vaultdash.settings"),
    Plant(SETTINGS, "market/failover.py", "import vaultdash.settings"),
    Plant(CHOICES, "ui/live.py", "import vaultdash.storage.parquet_prices"),
    Plant(CHOICES, "api/live.py", "import vaultdash.cache.redis"),
    Plant(WINGS, "market/failover.py", "import vaultdash.strategies.engine"),
    Plant(WINGS, "notify/console.py", "import vaultdash.risk.volatility"),
    Plant(LAYERS, "notify/console.py", "import vaultdash.storage.records"),
    Plant(CHOICES, "services/alert_outbox.py", "import vaultdash.notify.console"),
    Plant(CHOICES, "services/ltv_history.py", "import vaultdash.storage.sql"),
    Plant(CACHE, "notify/console.py", "import vaultdash.cache.memory"),
    Plant(WINGS, "storage/quote_file.py", "import vaultdash.pricing.base"),
    Plant(DOORS, "strategies/measure.py", "import scipy.stats"),
    Plant(DOORS, "services/option_chains.py", "import QuantLib"),
    Plant(DOORS, "bootstrap.py", "import yfinance"),
    Plant(THINKING, "domain/gold.py", "import pathlib"),
    Plant(THINKING, "risk/volatility.py", "import asyncio"),
    Plant(THINKING, "strategies/engine.py", "import vaultdash.clock"),
    Plant(THINKING, "pricing/european.py", "import structlog"),
    Plant(CYCLES, "domain/errors.py", "import vaultdash.domain.portfolio"),
)

STRANGERS = {
    "QuantLib": "risk/volatility.py services/vault.py market/demo.py strategies/engine.py ui/live.py cli.py",
    "scipy": "strategies/measure.py services/hedge_advisor.py domain/loan.py api/answers.py",
    "yfinance": "ui/live.py files/whole.py market/base.py market/stored.py services/price_feed.py cache/memory.py",
    "curl_cffi": "market/failover.py market/cached.py storage/price_csv.py api/routes.py jobs.py",
    "pandas": "market/demo.py storage/history_file.py risk/volatility.py ui/format.py clock.py",
    "polars": "market/demo.py ui/live.py services/daily_history.py cache/memory.py risk/volatility.py main.py",
    "redis": "market/demo.py ui/live.py cache/memory.py cache/envelope.py services/vault.py files/whole.py feed.py",
    "nicegui": "api/app.py main.py bootstrap.py services/vault.py terminal.py storage/base.py",
    "litecharts": "api/app.py services/standing.py market/demo.py",
    "fastapi": "services/vault.py jobs.py market/base.py storage/base.py domain/loan.py terminal.py settings.py",
    "starlette": "services/heartbeat.py cache/base.py bootstrap.py",
    "fastapi_offline": "ui/app.py main.py services/vault.py",
    "uvicorn": "services/vault.py ui/app.py cli.py",
    "httpx": "services/price_feed.py market/yahoo/client.py api/app.py ui/app.py",
    "requests": "services/price_feed.py market/yahoo/client.py files/whole.py",
    "apscheduler": "services/heartbeat.py ui/live.py api/live.py main.py",
    "exchange_calendars": "services/heartbeat.py market/demo.py storage/price_csv.py risk/volatility.py",
    "numba": "strategies/measure.py services/option_chains.py domain/option.py market/demo.py",
    "databento": "services/option_chains.py market/yahoo/client.py cli.py",
    "databento_dbn": "market/demo.py",
    "pyarrow": "storage/history_file.py files/whole.py",
    "sqlalchemy": "services/ltv_history.py storage/records.py notify/console.py bootstrap.py api/routes.py",
    "alembic": "storage/records.py bootstrap.py cli.py",
    "aiosqlite": "storage/records.py services/vault.py",
    "asyncpg": "storage/records.py services/vault.py",
    "pywebpush": "services/alert_outbox.py api/routes.py ui/app.py bootstrap.py",
    "py_vapid": "services/alert_outbox.py bootstrap.py",
    "aiohttp": "services/alert_outbox.py market/base.py",
    "apprise": "services/alert_outbox.py api/routes.py cli.py",
    "arch": "services/call_odds.py pricing/base.py",
    "cryptography": "services/alert_outbox.py cache/secret.py",
    "dask": "compute/local.py services/backtester.py backtest/engine.py",
    "distributed": "compute/base.py bootstrap.py backtest/sweep.py",
}
FACES = ("api/routes.py", "ui/live.py", "jobs.py", "terminal.py", "services/vault.py")
WING_FOLDERS = ("market", "storage", "cache", "notify", "compute")
CONTRACT_MODULES = ("base", "records")  # what a wing promises


def implementations() -> list[str]:
    """Every module and package of a wing but its contracts, with dots."""
    return [
        f"vaultdash.{wing}.{path.stem}"
        for wing in WING_FOLDERS
        for path in sorted((PACKAGE / wing).iterdir())
        if path.stem not in ("__init__", "__pycache__", *CONTRACT_MODULES)
    ]


def dotted(module: str) -> str:
    return f"vaultdash.{module.removesuffix('.py').replace('/', '.')}"


def lint(source: Path, config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--config", config, "--no-cache"],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(source), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


# planted alone, as its fault is to be there
UNDECLARED = next(plant for plant in PLANTS if plant.module.startswith("treasury/"))


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What import-linter says of the package as it is, with a folder of no layer, and with all other plants."""

    def verdict(plants: Iterable[Plant]) -> str:
        source = tmp_path_factory.mktemp("house")
        shutil.copytree(PACKAGE, source / "vaultdash", ignore=shutil.ignore_patterns("__pycache__", "static"))
        for plant in plants:
            path = source / "vaultdash" / plant.module
            path.parent.mkdir(exist_ok=True)
            with path.open("a") as module:
                module.write(f"\n{plant.line}\n")
        return lint(source, ROOT / "pyproject.toml").stdout

    others = [plant for plant in PLANTS if plant is not UNDECLARED]
    return {"as it is": verdict(()), "undeclared": verdict([UNDECLARED]), "planted": verdict(others)}


def faults(report: str) -> dict[str, str]:
    """What the report finds wrong, by contract."""
    parts = re.split(r"^(.+)\n-+\n", report.split("Broken contracts\n")[-1], flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def broken(report: str) -> set[str]:
    """Names of the contracts that the report says are broken; the report wraps long names."""
    text = " ".join(report.split())
    return {name for name in CONTRACTS if f"{name} BROKEN" in text}


def test_every_import_contract_is_kept(verdicts):
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in verdicts["as it is"], verdicts["as it is"]


@pytest.mark.parametrize(
    "plant",
    [plant for plant in PLANTS if plant is not UNDECLARED],
    ids=lambda plant: f"{plant.module}-{plant.line.split()[1]}",
)
def test_a_planted_violation_breaks_its_contract(plant, verdicts):
    assert plant.contract in broken(verdicts["planted"])
    assert plant.told in faults(verdicts["planted"])[plant.contract]
    assert plant.told not in verdicts["as it is"]


@pytest.fixture(scope="module")
def all_at_once(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy in which every stranger and implementation stands where it must not."""
    source = tmp_path_factory.mktemp("crowd")
    shutil.copytree(PACKAGE, source / "vaultdash", ignore=shutil.ignore_patterns("__pycache__", "static"))
    lines = [(module, stranger) for stranger, modules in STRANGERS.items() for module in modules.split()]
    lines += [(module, implementation) for module in FACES for implementation in implementations()]
    for module, imported in lines:
        with (source / "vaultdash" / module).open("a") as file:
            file.write(f"\nimport {imported}\n")
    return " ".join(lint(source, ROOT / "pyproject.toml").stdout.split())


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_stranger_is_caught_at_every_wrong_door(stranger, all_at_once):
    wrong = STRANGERS[stranger].split()
    assert [door for door in wrong if not re.search(rf"\b{dotted(door)} -> {stranger}\b", all_at_once)] == []


def test_every_stranger_of_the_contract_has_a_planted_violation():
    assert set(STRANGERS) == set(CONTRACTS[DOORS]["forbidden_modules"])
    assert CONTRACTS[DOORS]["source_modules"] == ["vaultdash"]  # whatever has no door of its own


@pytest.mark.parametrize("face", FACES)
def test_every_implementation_is_caught_in_a_face(face, all_at_once):
    names = implementations()
    assert len(names) > 15
    assert {"vaultdash.cache.secret", "vaultdash.storage.history_file", "vaultdash.market.yahoo"} < set(names)
    assert [name for name in names if not re.search(rf"\b{dotted(face)} -> {name}\b", all_at_once)] == []


def test_the_contract_of_the_settings_names_every_part_of_the_house():
    parts = {dotted(path.name) for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    outside = {dotted(name) for name in ("__pycache__", "__init__", "__main__", "main", "bootstrap", "settings")}
    outside |= {dotted(path.name) for path in PACKAGE.glob("cli*.py")}
    assert set(CONTRACTS[SETTINGS]["source_modules"]) == parts - outside


def test_every_contract_has_a_planted_violation():
    assert {plant.contract for plant in PLANTS} == set(CONTRACTS)


def test_a_folder_without_a_layer_is_found(verdicts):
    assert LAYERS in broken(verdicts["undeclared"])
    assert "treasury" in verdicts["undeclared"]


# the shape of the source


def test_no_module_is_longer_than_400_lines():
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in modules()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}
    assert len(lengths) > 50


def test_nothing_is_left_to_be_done():
    mark = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")
    assert [name_of(path) for path in modules() if mark.search(path.read_text())] == []


@pytest.mark.parametrize("folder", ["domain", "pricing", "risk", "strategies"])
def test_thinking_is_not_asynchronous(folder):
    thinking = [path for path in modules() if path.is_relative_to(PACKAGE / folder)]
    assert thinking
    assert [name_of(path) for path in thinking if re.search(r"^\s*async |\bawait\b", path.read_text(), re.M)] == []


def test_no_file_has_a_name_that_says_nothing():
    nothing = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    named = [path.stem.lower() for path in PACKAGE.rglob("*") if "__pycache__" not in path.parts]
    assert nothing.isdisjoint(named)


def test_every_module_says_in_one_line_what_it_is():
    silent = [name_of(path) for path in modules() if not path.read_text().lstrip().startswith('"""')]
    assert silent == []


def test_every_lint_exception_has_its_reason_on_the_line():
    bare = re.compile(r"#\s*(noqa|type:\s*ignore)(:?\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|\[[\w, -]+\])?\s*$")
    found = [
        f"{name_of(path)}:{number}"
        for path in modules()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if bare.search(line)
    ]
    assert found == []


# the locks


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_names_no_address(lock):
    assert re.search(r"https?://|--index|--extra-index|--find-links|@\s*file:", (ROOT / lock).read_text()) is None


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_package_of_a_lock_has_its_version_and_hashes(lock):
    entries = re.split(r"\n(?=\S)", "\n" + (ROOT / lock).read_text().strip())
    packages = [entry for entry in entries if entry.strip() and not entry.lstrip().startswith("#")]
    assert len(packages) > 40
    loose = [
        entry.split()[0] for entry in packages if not re.search(r"==\S+.*--hash=sha256:[0-9a-f]{64}", entry, re.S)
    ]
    assert loose == []


def test_every_dependency_is_in_the_lock():
    wanted = {
        re.split(r"[<>=;\[ ]", line)[0].lower().replace("_", "-") for line in PROJECT["project"]["dependencies"]
    }
    locked = set(re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.M))
    assert wanted - {name.lower().replace("_", "-") for name in locked} == set()


# what a start loads


def loaded_by(program: str, *names: str) -> set[str]:
    """Which of the modules a fresh interpreter has loaded after the program."""
    report = f"\nimport sys; print('loaded', *(name for name in {names!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program + report], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_help_loads_nothing_heavy():
    heavy = (
        "nicegui",
        "fastapi",
        "numpy",
        "polars",
        "QuantLib",
        "yfinance",
        "pandas",
        "scipy",
        "pydantic",
        "structlog",
    )
    assert loaded_by("import vaultdash.cli", *heavy) == set()


def test_the_list_of_loaded_modules_can_be_trusted():
    assert loaded_by("import numpy", "numpy", "polars") == {"numpy"}


def test_the_first_page_waits_for_no_quant_library(tmp_path):
    program = f"""
from pathlib import Path
from vaultdash.bootstrap import build_vault
from vaultdash.main import create_app
from vaultdash.settings import Settings
settings = Settings(data_dir=Path({str(tmp_path)!r}), market="demo", _env_file=None)
create_app(settings, build_vault(settings))
"""
    heavy = ("QuantLib", "yfinance", "scipy", "scipy.stats", "polars", "pandas", "exchange_calendars", "curl_cffi")
    assert loaded_by(program, *heavy) == set()
