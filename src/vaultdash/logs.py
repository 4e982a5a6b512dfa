"""One line an event."""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor

NOISY = {
    "uvicorn.error": logging.ERROR,  # below it: each malformed request
    "nicegui": logging.ERROR,  # below it: each unknown path, as the visitor wrote it
    "apscheduler": logging.ERROR,  # below it: a beat that waits for a slow provider, every five seconds
}

_LINE = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], drop_missing=True)


def start_logs() -> None:
    """Events to standard error as one line each; colours on a terminal only."""
    _configure(logging.INFO)


def quiet_logs() -> None:
    """Errors only: for commands whose output is the answer."""
    _configure(logging.ERROR)


def _configure(level: int) -> None:
    renderer: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=True, exception_formatter=structlog.dev.plain_traceback)]  # no values
        if sys.stderr.isatty()
        else [structlog.processors.format_exc_info, _printable, _LINE]
    )
    stamp: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*stamp, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    unwrap = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *stamp], processors=[unwrap, *renderer]
        )
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    for name, least in NOISY.items():
        logging.getLogger(name).setLevel(max(least, level))
    for name in ("engineio.server", "socketio.server"):
        library = logging.getLogger(name)
        library.setLevel(logging.ERROR)  # set before it starts, else it adds a handler of its own
        library.addFilter(_is_our_mistake)


def _is_our_mistake(record: logging.LogRecord) -> bool:
    """False for what Engine.IO says of a visitor's malformed request."""
    return "further occurrences" not in record.getMessage()


def _printable(_: object, __: str, event: EventDict) -> EventDict:
    """What is not printable is written as its escape: nobody outside can begin a line of his own."""
    return {key: _escaped(value) if isinstance(value, str) else value for key, value in event.items()}


def _escaped(text: str) -> str:
    return "".join(mark if mark.isprintable() or mark == "\n" else repr(mark)[1:-1] for mark in text)
