"""The product, with the moment of publishing written at the end of each broadcast message.

`python -m benchmarks.stamped_server serve` is `python -m vaultdash serve`; only `Feed.publish` of text is extended.
The clock is the monotonic one, which all processes of a computer share.
"""

import time

from vaultdash.__main__ import main
from vaultdash.feed import Feed

_publish = Feed.publish
_count = 0


def stamp(number: int, at_ns: int) -> str:
    """What ends each message: fixed in width, so that clients need not decode."""
    return f',"bench":"{number:010d} {at_ns:020d}"}}'


def publish(self: Feed[object], value: object) -> None:
    """Publish, stamped when it is a message."""
    global _count
    if isinstance(value, str):
        _count += 1
        value = value[:-1] + stamp(_count, time.monotonic_ns())
    _publish(self, value)


if __name__ == "__main__":
    Feed.publish = publish  # type: ignore[assignment,method-assign]
    main()
