"""One epoch of PyTorch with autograd; tensors in memory, no DataLoader."""
from bench_peer import Task, missing, serve

try:
    import torch
except ImportError:
    missing("python3-torch")

task = Task()
torch.set_num_threads(task.threads)
torch.manual_seed(1)
X, y = torch.from_numpy(task.X), torch.from_numpy(task.y)
network = task.torch_network(torch)
optimizer = torch.optim.SGD(network.parameters(), lr=task.rate)


def epoch():
    total = 0.0
    for rows in torch.randperm(task.n).split(task.batch):
        loss = torch.nn.functional.cross_entropy(network(X[rows]), y[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total * task.batch / task.n


serve(f"PyTorch {torch.__version__}", epoch)
