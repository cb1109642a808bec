"""Unmodified frameworks from PyPI on a virtual chip: Triton, and PyTorch with FlagGems. `wanren run` starts this."""

import copy

import torch
import triton
import triton.language as tl
from torch import nn
from torch.nn import functional as F


@triton.jit
def add(x, y, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + i, tl.load(x + i, mask=i < n) + tl.load(y + i, mask=i < n), mask=i < n)


class Block(nn.Module):
    """One of a decoder's: attention that sees what came before, then two layers."""

    def __init__(self, width=32, heads=4):
        super().__init__()
        self.heads = heads
        self.into, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.layers = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        n, length, width = x.shape
        parts = self.into(self.first(x)).view(n, length, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(n, length, width))
        return x + self.layers(self.second(x))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(50, 32), nn.Embedding(16, 32)
        self.blocks, self.head = nn.Sequential(Block(), Block()), nn.Linear(32, 50)

    def forward(self, words):
        return self.head(self.blocks(self.words(words) + self.places(torch.arange(16, device=words.device))))


def losses(model, inputs, wanted, device, optimizer, steps):
    model, inputs, wanted = copy.deepcopy(model).to(device), inputs.to(device), wanted.to(device).reshape(-1)
    step = optimizer(model.parameters())
    found = []
    for _ in range(steps):
        step.zero_grad()
        made = model(inputs)
        loss = F.cross_entropy(made.reshape(-1, made.shape[-1]), wanted)
        loss.backward()
        step.step()
        found.append(loss.item())
    return found


def train(name, model, inputs, wanted, optimizer, steps):
    host, chip = (losses(model, inputs, wanted, where, optimizer, steps) for where in ("cpu", "cuda"))
    worst = max(abs(a - b) for a, b in zip(host, chip))
    print(f"{name}: loss {chip[0]:.4f} to {chip[-1]:.4f}, {worst:.1e} from the host's")
    assert worst < 1e-5 and chip[-1] < chip[0]


def main():
    torch.manual_seed(0)
    assert torch.cuda.is_available()
    a, b = torch.rand(98432), torch.rand(98432)
    out = torch.empty(98432, device="cuda")
    add[(97,)](a.cuda(), b.cuda(), out, 98432, BLOCK=1024)
    assert torch.equal(out.cpu(), a + b)

    wide, narrow = torch.randn(4, 16, 32), torch.randn(4, 16, 1)
    for op in (torch.add, torch.sub, torch.mul, torch.div):
        assert torch.equal(op(wide.cuda(), narrow.cuda()).cpu(), op(wide, narrow)), op
    assert torch.equal(wide.cuda().sort(-1).values.cpu(), wide.sort(-1).values)
    assert torch.allclose(wide.cuda().permute(2, 0, 1).contiguous().double().sum(1).cpu(), wide.permute(2, 0, 1).double().sum(1))

    x = torch.randn(128, 20)
    mlp = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.GELU(), nn.LayerNorm(64), nn.Linear(64, 5))
    train("MLP", mlp, x, x[:, :5].argmax(1), lambda p: torch.optim.Adam(p, lr=1e-2), 5)
    cnn = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(16 * 36, 10),
    )  # fmt: skip
    sgd = lambda p: torch.optim.SGD(p, lr=0.1)  # noqa: E731
    train("CNN", cnn, torch.randn(8, 1, 16, 16), torch.randint(0, 10, (8,)), sgd, 3)
    words = torch.randint(0, 50, (4, 17))
    train("decoder", Decoder(), words[:, :-1], words[:, 1:], sgd, 3)
    print("PASS")


main()
