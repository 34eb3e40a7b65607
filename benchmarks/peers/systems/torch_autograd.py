"""What systems that are torch programs share: leaf tensors in, autograd out."""

import torch


class TorchSystem:
    """Subclasses give model(x, weights) -> (B, n)."""

    precision = "complex64"

    def __init__(self, problem, threads):
        torch.set_num_threads(threads)
        self.x, self.weights, self.targets = (
            torch.tensor(problem[name], dtype=torch.float32) for name in ("inputs", "weights", "targets")
        )
        self.x.requires_grad_()
        self.weights.requires_grad_()

    def step(self):
        self.x.grad = self.weights.grad = None
        outputs = self.model(self.x, self.weights)
        loss = (outputs - self.targets).square().sum(dim=1).mean()
        loss.backward()
        return loss, self.x.grad, self.weights.grad

    def forward(self):
        with torch.no_grad():
            return (self.model(self.x, self.weights),)

    def arrays(self, found):
        return [tensor.detach().numpy() for tensor in found]
