"""The endpoints of hedges and what-if: examples that run, answers that match their schema, nonsense refused."""

from typing import Any

import httpx
import pytest

from tests.api.json_schema import validate
from vaultdash.api import hedge_examples as examples

EXAMPLES = [
    (path, name, example["value"])
    for path, group in (
        ("/api/hedges/cheapest", examples.CHEAPEST),
        ("/api/hedges/evaluate", examples.EVALUATE),
        ("/api/hedges/path-verdict", examples.PATHS),
        ("/api/whatif", examples.WHAT_IF),
    )
    for name, example in group.items()
]


@pytest.mark.parametrize(("path", "name", "body"), EXAMPLES, ids=[f"{path} {name}" for path, name, _ in EXAMPLES])
async def test_every_example_of_the_description_runs(
    api_client: httpx.AsyncClient, path: str, name: str, body: dict[str, Any]
) -> None:
    answer = await api_client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    document = (await api_client.get("/openapi.json")).json()
    told = document["paths"][path]["post"]
    assert told["requestBody"]["content"]["application/json"]["examples"][name]["value"] == body
    schema = told["responses"]["200"]["content"]["application/json"]["schema"]
    validate(answer.json(), schema, document)
