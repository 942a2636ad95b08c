"""The strategy of a training that the processes of a group of `torch.distributed` share."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, distributed
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from penstock.training.checkpoint import Checkpoint

__all__ = ["Group"]

_OWN = ("objective", "random")
"""The parts of a trainer's state that differ between processes."""


class Group:
    """All processes of the default group, on CPUs (backend "gloo"); a `training.Strategy`.

    Gradients are summed place by place in the order of the processes' numbers. So a training has the same bits whenever
    as many processes repeat or resume it, wherever they run.

    A checkpoint is one file, which the first process reads and writes.
    """

    def __init__(self) -> None:
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()

    def prepare(self, loss: torch.nn.Module) -> torch.nn.Module:
        """Return the module in DistributedDataParallel; some of its parameters may be unused in a step."""
        parallel = DistributedDataParallel(loss, find_unused_parameters=True)
        parallel.register_comm_hook(None, _mean)
        return parallel

    def reduce(self, values: Tensor) -> Tensor:
        """Return the sum of values (count,) float64 over the processes."""
        total = values.clone()
        distributed.all_reduce(total)
        return total

    def save(self, checkpoint: Checkpoint, state: Mapping[str, Any]) -> None:
        """Write the state, with the own parts of all processes, to the first one's file."""
        own = {name: state[name] for name in _OWN}
        processes: list[Any] | None = [None] * self.size if self.rank == 0 else None
        distributed.gather_object(own, processes)
        if self.rank == 0:
            checkpoint.write({**state, **dict.fromkeys(_OWN), "processes": processes})

    def load(self, checkpoint: Checkpoint) -> dict[str, Any] | None:
        """Return the state in the first process's file, with this process's own parts."""
        read = [checkpoint.read() if self.rank == 0 else None]
        distributed.broadcast_object_list(read)
        state = read[0]
        return None if state is None else state | state["processes"][self.rank]


def _mean(_: None, bucket: distributed.GradBucket) -> torch.futures.Future[Tensor]:
    """Return the mean of a part of the gradient, (count,), over the processes.

    Each process sums its share of the places: the traffic of an all-reduce, whose order of summation would depend on
    where a place lies in the bucket, which differs in a resumed training.
    """
    gradient, size = bucket.buffer(), distributed.get_world_size()
    share = -(-len(gradient) // size)
    padded = functional.pad(gradient, (0, share * size - len(gradient)))
    received = torch.empty_like(padded)
    distributed.all_to_all_single(received, padded)
    total, *others = received.view(size, share)
    for other in others:
        total += other
    mean = torch.empty_like(padded)
    distributed.all_gather(list(mean.view(size, share)), total / size)
    future: torch.futures.Future[Tensor] = torch.futures.Future()
    future.set_result(mean[: len(gradient)])
    return future
