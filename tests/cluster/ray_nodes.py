"""A Ray cluster of a few nodes on this machine, as a program: prints its address, and obeys a word a line.

``lose`` kills a node that is not the head and all that it runs, ``regain`` adds one, and ``jobs`` prints what
Ray tells of those who used the cluster. It ends with its input. Used as a program: ``ray_nodes.py COUNT``.
"""

import json
import sys

import ray
from ray._private.state import state
from ray.cluster_utils import Cluster

NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "memory": 4 * 2**30}


def main():
    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    others = [cluster.add_node(**NODE) for _ in range(int(sys.argv[1]) - 1)]
    say(cluster.address)
    for line in sys.stdin:
        match line.strip():
            case "lose":
                cluster.remove_node(others.pop(), allow_graceful=False)
                say("lost")
            case "regain":
                others.append(cluster.add_node(**NODE))
                say("regained")
            case "jobs":
                ray.init(address=cluster.address, log_to_driver=False)
                say(json.dumps(state.job_table(), default=str))
                ray.shutdown()
    cluster.shutdown()


def say(what):
    print(what, flush=True)


if __name__ == "__main__":
    main()
