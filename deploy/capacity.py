"""Whether the processor can take what its queues send at once, and has the memory for it."""

from collections.abc import Iterable
from dataclasses import replace

from deploy.errors import Failed
from deploy.options import Options
from deploy.state import Queue

#: Mebibytes that so many CPUs need at least: https://cloud.google.com/run/docs/configuring/services/memory-limits
LEAST_MEBIBYTES = {1: 512, 2: 512, 4: 2048, 6: 4096, 8: 4096}
MIB = 1 << 20


def fitted(options: Options, queues: Iterable[Queue]) -> Options:
    """The options with processor_instances filled in. Raises Failed, with the options to change, if they do not fit."""
    tasks, concurrency = int(sum(queue.at_once for queue in queues)), int(options.processor_concurrency)
    # One instance more than the sum takes: while one starts or ends, the queues do not wait.
    instances = int(options.processor_instances or -(-tasks // concurrency) + 1)
    if instances * concurrency < tasks:
        raise Failed(
            f"the queues send {tasks} tasks at once, {instances} instances take {instances * concurrency}: "
            "raise --processor-instances or --processor-concurrency, or lower max_concurrent_dispatches in pipeline.toml"
        )
    _check_memory(options)
    return replace(options, processor_instances=str(instances))


def _check_memory(options: Options) -> None:
    memory, cpus, concurrency = options.processor_memory, int(options.processor_cpu), int(options.processor_concurrency)
    mebibytes = int(memory[:-2]) * (1024 if memory.endswith("Gi") else 1)
    if not LEAST_MEBIBYTES[cpus] <= mebibytes <= cpus * 4096:
        takes = f"{LEAST_MEBIBYTES[cpus]}Mi to {cpus * 4}Gi"
        raise Failed(f"--processor-memory is '{memory}'; with --processor-cpu {cpus} Cloud Run takes {takes}")
    # A file and its outputs lie in memory (/tmp is memory on Cloud Run), beside a decoded picture of 50 megapixels.
    least = 256 + concurrency * (int(options.max_file_bytes) // MIB + 384)
    if mebibytes < least:
        raise Failed(
            f"{concurrency} files of {options.max_file_bytes} bytes at once take {least}Mi: raise --processor-memory, "
            "or lower --processor-concurrency or --max-file-bytes"
        )
