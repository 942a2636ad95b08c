"""A Ray cluster of three nodes, all on this machine, where Ray is installed."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cluster():
    """A cluster whose head has no CPU, so that no worker runs there."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("needs Ray: pip install 'penstock[ray]'")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")  # else workers wait for whatever else this machine does
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))  # where nodes find `small_jobs`
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        yield cluster
        cluster.shutdown()


@pytest.fixture
def address(cluster):
    """The address of the cluster, with two nodes that each have a CPU for two workers."""
    for node in list(cluster.worker_nodes):
        if node.dead_processes():  # by a test before
            cluster.remove_node(node)
    for _ in range(2 - len(cluster.worker_nodes)):
        cluster.add_node(num_cpus=2)
    return cluster.address
