"""PyTorch's DistributedDataParallel over gloo, as a peer of bench_ranks.py.

It is started and asked like the peers of bench_peer.py, and starts the other
processes itself; $RANKS says how many there are in all.  Each has all images,
and takes its part of every minibatch.
"""
import os
import subprocess
import sys
import tempfile

from bench_peer import Task, missing, serve

try:
    import torch
    import torch.distributed as dist
except ImportError:
    missing("python3-torch")
if not (dist.is_available() and dist.is_gloo_available()):
    missing("a python3-torch with gloo")

ranks, rank = int(os.environ["RANKS"]), int(os.environ.get("RANK", 0))
if rank == 0:  # the processes meet in a file, which needs no port
    os.environ["MEETING"] = tempfile.mktemp(prefix="ddp-")
    for other in range(1, ranks):
        subprocess.Popen([sys.executable, *sys.argv], stdin=subprocess.DEVNULL,
                         env=os.environ | {"RANK": str(other)})
os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
dist.init_process_group("gloo", init_method="file://" + os.environ["MEETING"],
                        rank=rank, world_size=ranks)

task = Task()
torch.set_num_threads(task.threads)
X, y = torch.from_numpy(task.X), torch.from_numpy(task.y)
network = task.torch_network(torch)
parallel = torch.nn.parallel.DistributedDataParallel(network)
optimizer = torch.optim.SGD(parallel.parameters(), lr=task.rate)
order = torch.Generator().manual_seed(1)  # the same for all processes


def epoch():
    """The mean loss of this process's examples."""
    dist.broadcast(torch.zeros(1), 0)  # the others wait here
    total = 0.0
    for rows in torch.randperm(task.n, generator=order).split(task.batch):
        mine = rows.chunk(ranks)[rank]
        loss = torch.nn.functional.cross_entropy(parallel(X[mine]), y[mine])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total * task.batch / task.n


if rank == 0:
    serve(f"PyTorch {torch.__version__}, gloo", epoch)
else:
    try:
        while True:
            epoch()
    except RuntimeError:  # the first process has ended
        pass
