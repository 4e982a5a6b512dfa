"""One line an event."""

import logging
import sys

import structlog


def start_logs() -> None:
    """Events to standard error as one line each; colours on a terminal only."""
    _configure(logging.INFO)


def quiet_logs() -> None:
    """Errors only: for commands whose output is the answer."""
    _configure(logging.ERROR)


def _configure(level: int) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
            if sys.stderr.isatty()
            else structlog.processors.LogfmtRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
