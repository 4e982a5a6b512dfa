"""JSON or YAML text into plain values, strictly: nothing said twice, nothing that refers to another part."""

import json
from collections import Counter
from typing import Any

from vaultdash.domain.errors import InvalidInput

MOST_DEPTH = 20
LONGEST_NAME = 80  # of a field that is repeated in a sentence
UNREADABLE = "is neither JSON nor YAML"


def plain_of(text: bytes | str, what: str, most_bytes: int) -> Any:
    """What JSON or YAML says, whichever it is: a text that begins with { is JSON.

    `what` is how errors call the text. Raises InvalidInput for what is longer than `most_bytes`, cannot be read, goes
    deeper than MOST_DEPTH, gives a name twice, or refers to another part of itself.
    """
    if len(text) > most_bytes:
        raise InvalidInput(what, f"must have at most {most_bytes:,} bytes")
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InvalidInput(what, "must be text in UTF-8") from None
    try:
        return _json(text, what) if text.lstrip().startswith("{") else _yaml(text, what)
    except RecursionError:
        raise InvalidInput(what, f"{UNREADABLE}: it goes too deep") from None


def _json(text: str, what: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        _require_once([name for name, _ in pairs])
        return dict(pairs)

    def refuse(word: str) -> Any:
        raise InvalidInput(what, f"holds {word}, which is no number")

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise InvalidInput(what, f"is no JSON: {error.msg} in line {error.lineno}") from None
    except InvalidInput:
        raise
    except ValueError:  # an integer of thousands of digits
        raise InvalidInput(what, "holds a number that is too long") from None


def _yaml(text: str, what: str) -> Any:
    import yaml

    class OnceLoader(yaml.SafeLoader):
        """Plain values only; no anchors, which can make a small text enormous, and no name twice."""

        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise InvalidInput(what, "must not refer to another part of itself (*name)")
            self.depth += 1
            if self.depth > MOST_DEPTH:
                raise InvalidInput(what, "goes too deep")
            try:
                return super().compose_node(parent, index)
            finally:
                self.depth -= 1

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            _require_once([key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)])
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(text, OnceLoader)  # noqa: S506 - a safe loader, made stricter
    except InvalidInput:
        raise
    except yaml.MarkedYAMLError as error:
        where = "" if error.problem_mark is None else f" in line {error.problem_mark.line + 1}"
        raise InvalidInput(what, f"{UNREADABLE}: {error.problem or 'a sign is out of place'}{where}") from None
    except (yaml.YAMLError, ValueError, OverflowError):
        raise InvalidInput(what, UNREADABLE) from None


def _require_once(names: list[str]) -> None:
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise InvalidInput(
            twice if twice.isprintable() and len(twice) <= LONGEST_NAME else "a field", "is given twice"
        )
