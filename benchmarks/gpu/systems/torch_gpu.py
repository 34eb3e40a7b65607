"""What torch programs on a GPU share: tensors there, and calls that come back when the GPU is done."""

import torch


class OnGpu:
    """In front of a TorchSystem: class System(OnGpu, TorchSystem)."""

    def __init__(self, problem, threads, device="cuda"):
        self.device = torch.device(device)
        super().__init__(problem, threads)
        self.x, self.weights, self.targets = (
            tensor.detach().to(self.device) for tensor in (self.x, self.weights, self.targets)
        )
        self.x.requires_grad_()
        self.weights.requires_grad_()

    def step(self):
        found = super().step()
        self.wait()
        return found

    def wait(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def arrays(self, found):
        return [tensor.detach().cpu().numpy() for tensor in found]
