"""What the workbench says of a failure that nobody foresaw: it is logged, and the page stays usable."""

import structlog

log = structlog.get_logger()


def broken(error: Exception) -> str:
    """Log it, and give the words for the page."""
    log.error("workbench_broke", reason=repr(error), exc_info=error)
    return "something went wrong in this server; its log says what"
