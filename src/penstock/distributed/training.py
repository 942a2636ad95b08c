"""One training shared by several processes, of this machine or of a Ray cluster."""

from collections.abc import Sequence

from penstock.checks import check_whole
from penstock.distributed.cluster.connection import check_address
from penstock.distributed.cluster.training import train_on
from penstock.distributed.local import train_here
from penstock.errors import ConfigError
from penstock.training import Callback, History, Job

__all__ = ["check_workers", "train"]


def check_workers(workers: int, on: str | None, batch_size: int) -> None:
    """Check that each process gets rows of a whole batch, and that there is a cluster.

    Raises:
        ConfigError: it does not, `workers` is not a whole number of 1 or more, or the address can't be reached.
        MissingExtraError: Ray is needed, and not installed.
    """
    if check_whole("workers", workers, at_least=1) > batch_size:
        raise ConfigError(
            f"workers must be at most batch_size, {batch_size}, as they share the rows of each batch; got {workers}"
        )
    if on is not None:
        check_address(on)


def train(job: Job, workers: int, on: str | None = None, callbacks: Sequence[Callback] = ()) -> History:
    """Train with several processes, as `Job.run` does with this one alone; the job's module gets the weights.

    All have the same batches in the same order, whatever their number, and each its own rows of every batch. The
    gradient is that of one process, but for the order of sums: each part of a batch counts by its weight, see
    `Objective.loss`. Random numbers, such as dropout, and a loss within a batch, such as mixtures of its rows or a
    penalty on its activations, are those of each process and its rows.

    Args:
        job: the training.
        workers: number of processes.
        on: address of a Ray cluster, as `check_address` takes it; None for this machine.
        callbacks: called in this process.

    Raises:
        ConfigError: the cluster can't be reached, or has too few CPUs.
        WorkerError: processes were lost more than three times, or did not begin.
        KeyboardInterrupt: as `Trainer.fit`.
        DivergedError: as `Job.run`.
    """
    return train_here(job, workers, callbacks) if on is None else train_on(on, job, workers, callbacks)
