"""`python -m vaultdash` and the `vault-dash` command."""

from vaultdash.cli import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
