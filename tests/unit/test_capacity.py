"""The memory of a pool: the need of a task, and what is refused."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from shared import capacity, routes
from shared.errors import BadConfiguration
from shared.routes import Routes
from shared.routes.definitions import DEFAULT_POOL
from shared.settings import ROOT
from tests.unit.pipelines import table

MIB, GIB = 1 << 20, 1 << 30


def pipeline(steps: dict[str, Any], **pool: Any) -> Routes:
    """A pipeline of these steps, all in one task and one pool, of 2 GiB and 3 deliveries unless said otherwise."""
    keys = {"cpu": 2, "memory": "2Gi", "concurrency": 3, "max_instances": 1, "deadline_seconds": 540}
    return routes.check(table(steps) | {"pools": {"default": keys | pool}})


def step(memory: int, output_bytes: int) -> dict[str, Any]:
    return {"memory": f"{memory}Mi", "output_bytes": output_bytes * MIB}


def refusal(loaded: Routes, max_file_bytes: int = MIB) -> str:
    with pytest.raises(BadConfiguration) as refused:
        capacity.check(loaded, max_file_bytes)
    return refused.value.message


TWO = {"a": step(500, 50), "b": step(300, 38)}


def test_a_delivery_needs_the_memory_of_its_largest_step_and_the_outputs_of_all() -> None:
    plan = pipeline(TWO).whole_plan([0])

    assert capacity.need(step.limits for step in plan.steps) == 588 * MIB


def test_a_pool_with_the_memory_for_all_deliveries_at_once_is_right() -> None:
    loaded = pipeline(TWO, memory="2020Mi")  # 256 + 3 * 588

    capacity.check(loaded, MIB)
    assert capacity.room(loaded.pools["default"]) == 3 * 588 * MIB


def test_a_pool_with_less_is_named_with_the_steps_and_what_would_be_right() -> None:
    assert refusal(pipeline(TWO, memory="2019Mi")) == (
        "pools.default.memory: 2019Mi is too little: a file's task of the steps a, b needs 588Mi, and 3 run at once; "
        "write at least 2020Mi or lower concurrency to 2 or lower `memory` and `output_bytes` of these steps"
    )


def test_the_largest_file_and_its_unpacked_copy_need_room_beside_one_task() -> None:
    loaded = pipeline(TWO, concurrency=1)
    capacity.check(loaded, 602 * MIB)  # 2 * 602 + 588 + 256 = 2048

    assert refusal(loaded, 603 * MIB) == (
        "pools.default.memory: 2048Mi is too little: a file's task of the steps a, b needs 588Mi, and a file of "
        f"{603 * MIB} bytes needs twice its size beside one of them; write at least 2050Mi or lower SLUICE_MAX_FILE_BYTES "
        f"(--max-file-bytes) to {602 * MIB}"
    )


def test_no_remedy_is_proposed_that_cannot_be() -> None:
    message = refusal(pipeline({"a": step(4096, 1)}))

    assert "concurrency to" not in message
    assert "SLUICE_MAX_FILE_BYTES (" not in message


def test_values_that_have_to_be_lower_together_are_one_remedy() -> None:
    loaded = pipeline(TWO, memory="1200Mi")  # room for 944

    assert refusal(loaded, 300 * MIB).endswith(
        f"; write at least 2020Mi or lower concurrency to 1 and SLUICE_MAX_FILE_BYTES (--max-file-bytes) to {178 * MIB} "
        "or lower `memory` and `output_bytes` of these steps"
    )


def test_a_remedy_with_more_memory_names_the_cpus_that_it_takes() -> None:
    assert "; write at least 12547Mi with cpu = 4 or lower" in refusal(pipeline({"a": step(4096, 1)}))


def test_no_remedy_exceeds_the_largest_instance_of_cloud_run() -> None:
    assert refusal(pipeline({"a": step(32_000, 1)})).endswith(
        "beside one of them; lower `memory` and `output_bytes` of these steps"
    )


def test_each_pool_is_checked_for_the_queues_that_it_serves() -> None:
    keys = table({"a": step(500, 50), "b": {"queue": "slow", **step(3000, 50)}})
    small, large = (
        {"cpu": 2, "concurrency": 1, "max_instances": 1, "deadline_seconds": 540, "memory": memory} for memory in ("1Gi", "4Gi")
    )
    keys["queues"]["slow"]["pool"] = "large"
    capacity.check(routes.check(keys | {"pools": {"default": small, "large": large}}), MIB)

    assert refusal(routes.check(keys | {"pools": {"default": large, "large": small}})).startswith("pools.large.memory: 1024Mi ")


def test_the_shipped_pools_have_the_memory_for_the_largest_files() -> None:
    capacity.check(routes.load(ROOT / "pipeline.toml"), 512 * MIB)


def test_a_pipeline_without_pools_has_the_memory_for_pictures() -> None:
    capacity.check(routes.check(table({"a": {}})), 512 * MIB)
    shipped = routes.load(ROOT / "pipeline.toml").pools["default"]
    assert replace(shipped, max_instances=5) == DEFAULT_POOL  # the shipped one leaves two CPUs to the pool of recordings


def test_a_processor_serves_a_pool_of_pipeline_toml() -> None:
    loaded = pipeline(TWO)
    assert capacity.served(loaded, "default") == loaded.pools["default"]

    with pytest.raises(BadConfiguration, match=r"^SLUICE_POOL is 'big'; set it to a pool of pipeline\.toml: default$"):
        capacity.served(loaded, "big")


def test_a_pool_loads_the_processors_of_its_own_queues() -> None:
    shipped = routes.load(ROOT / "pipeline.toml")

    loaded = {name: capacity.processors(shipped, pool) for name, pool in shipped.pools.items()}

    documents = ["document.facts", "document.pages", "document.text"]
    assert loaded == {
        "default": [
            *("any.digest", "archive.list", *documents, "image.facts", "image.renditions", "table.profile", "text.facts"),
        ],
        "slow": ["image.renditions", "table.convert"],
        "media": ["audio.waveform", "media.facts", "media.poster", "media.preview"],
    }


def test_the_checks_need_the_standard_library_alone() -> None:
    program = f"""
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from shared import capacity, routes
capacity.check(routes.load(Path({str(ROOT / "pipeline.toml")!r})), 1)
"""
    done = subprocess.run([sys.executable, "-S", "-I", "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")
