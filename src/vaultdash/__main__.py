"""`python -m vaultdash` and the `vault-dash` command."""

import gc

STARTING = 200_000


def main() -> None:
    """Run the command line."""
    gc.set_threshold(STARTING)  # what is imported stays: to look for garbage in it took a sixth of the start
    from vaultdash.cli import app  # imported when the line above holds

    app()


if __name__ == "__main__":
    main()
