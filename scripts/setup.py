"""Make `.venv` from a hashed lock with nothing but the standard library; a second run is instant.

Usage: python3 scripts/setup.py [--dev] [--browser]
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / "python"
STAMP = VENV / ".installed"
LOCKS = {"run": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}


def main() -> int:
    """Bring `.venv` to what the lock says, and say what is wrong if that cannot be done."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--dev", action="store_true", help="development and test tools too")
    arguments.add_argument("--browser", action="store_true", help="a Chromium for the browser tests too")
    wanted = arguments.parse_args()
    if sys.version_info < (3, 11):
        sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12 ...")
    name = "dev" if wanted.dev else "run"
    if not is_installed(name):
        make_venv()
        install(LOCKS[name])
        STAMP.write_text(f"{name} {fingerprint(name)}\n", encoding="utf-8")
    if wanted.browser and find_chromium() is None:
        install_chromium()
    return 0


def fingerprint(name: str) -> str:
    """Hash of everything that decides what `.venv` holds."""
    content = LOCKS[name].read_bytes() + (ROOT / "pyproject.toml").read_bytes() + str(ROOT).encode()
    return hashlib.sha256(content).hexdigest()


def is_installed(name: str) -> bool:
    """True when the stamp matches; an environment with development tools also serves a plain run."""
    if not (STAMP.exists() and PYTHON.exists()):
        return False
    stamp = STAMP.read_text(encoding="utf-8").split()
    names = ("dev",) if name == "dev" else ("run", "dev")
    return any(stamp == [candidate, fingerprint(candidate)] for candidate in names)


def make_venv() -> None:
    """Create `.venv`; on Debian the venv module may have to be installed first."""
    STAMP.unlink(missing_ok=True)
    if PYTHON.exists() and run([PYTHON, "-c", "import sys"], check=False) == 0:
        return
    say("Making .venv")
    shutil.rmtree(VENV, ignore_errors=True)
    if run([sys.executable, "-m", "venv", VENV], check=False, quiet=True) == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    uv = shutil.which("uv")
    if uv and run([uv, "venv", "--quiet", "--python", sys.executable, VENV], check=False) == 0:
        return
    if apt_install(f"python3.{sys.version_info.minor}-venv") and run([sys.executable, "-m", "venv", VENV]) == 0:
        return
    sys.exit("Python's venv module is not usable. On Debian or Ubuntu: sudo apt-get install python3-venv")


def install(lock: Path) -> None:
    """Install the lock with uv, or with pip where uv cannot be had; every hash is checked either way."""
    uv = find_uv()
    pip: list[object] = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    attempts: list[list[object]] = [pip]
    if uv:
        fast: list[object] = [uv, "pip", "install", "--quiet", "--python", PYTHON]
        attempts = [fast, [*fast, "--system-certs"], pip]  # behind a proxy the certificates are the system's
    for command in attempts:
        say(f"Installing {lock.name}" + (" with pip: this takes a few minutes" if command is pip else ""))
        if run([*command, "--require-hashes", "-r", lock], check=False, quiet=command is not attempts[-1]) == 0:
            run([*command, "--no-deps", "--no-build-isolation", "-e", ROOT])
            return
    sys.exit(f"Could not install {lock.name}. Is the package index reachable?")


def find_uv() -> str | None:
    """uv on PATH, else the locked version installed into `.venv`, else None."""
    found = shutil.which("uv") or shutil.which("uv", path=str(BIN))
    if found:
        return found
    with tempfile.TemporaryDirectory() as folder:
        only_uv = Path(folder) / "uv.txt"
        only_uv.write_text(locked("uv"), encoding="utf-8")
        pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, "--no-deps", "--require-hashes", "-r", only_uv], check=False, quiet=True)
    return shutil.which("uv", path=str(BIN))


def locked(package: str) -> str:
    """The lines of one package, with its hashes, from the development lock."""
    lines: list[str] = []
    inside = False
    for line in LOCKS["dev"].read_text(encoding="utf-8").splitlines():
        if not line.startswith((" ", "#")):
            inside = line.startswith(f"{package}==")
        if inside:
            lines.append(line)
    return "\n".join(lines) + "\n"


def find_chromium() -> str | None:
    """The browser of the tests: $VAULT_CHROMIUM, PATH, or one playwright has downloaded."""
    named = os.environ.get("VAULT_CHROMIUM")
    if named:
        return named
    for candidate in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"):
        if found := shutil.which(candidate):
            return found
    probe = (
        "from playwright.sync_api import sync_playwright as s\n"
        "p = s().start(); print(p.chromium.executable_path); p.stop()"
    )
    answer = subprocess.run([str(PYTHON), "-c", probe], capture_output=True, text=True, check=False)
    path = answer.stdout.strip()
    return path if path and Path(path).exists() else None


def install_chromium() -> None:
    """Install a browser, or stop loudly: a suite without its browser tests is not the suite."""
    say("Installing Chromium for the browser tests")
    if apt_install("chromium"):
        return
    if run([PYTHON, "-m", "playwright", "install", "chromium"], check=False) == 0:
        return
    sys.exit("No Chromium found or installable. Install one and set VAULT_CHROMIUM to its path.")


def apt_install(package: str) -> bool:
    """Install a Debian package when this is root on a Debian machine."""
    if not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")):
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install_it = ["apt-get", "install", "-y", "-q", package]
    return (
        run(["apt-get", "update", "-q"], check=False, quiet=True, env=environment) == 0
        and run(install_it, check=False, quiet=True, env=environment) == 0
    )


def run(command: list[object], *, check: bool = True, quiet: bool = False, env: dict[str, str] | None = None) -> int:
    """Run a command; with `check` a failure stops the set-up with the command's own message."""
    out = subprocess.DEVNULL if quiet else None
    code = subprocess.run([str(part) for part in command], stdout=out, stderr=out, env=env, check=False).returncode
    if check and code != 0:
        sys.exit(f"Failed ({code}): {' '.join(str(part) for part in command)}")
    return code


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
