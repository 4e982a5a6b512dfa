"""Processes of their own for tests, forked from one that has imported what they need."""

import multiprocessing
from multiprocessing.context import ForkServerContext

NEEDED = ["tests.storage.sql.power_workload", "tests.storage.sql.records", "vaultdash.storage.sql"]


def processes() -> ForkServerContext:
    """Makes processes that begin within milliseconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(NEEDED)
    return context
