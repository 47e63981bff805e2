"""The peer on a card: the same training step in PyTorch. Requests on stdin, one timed repetition each.

step-load B L M ITEMS w1,w2,... DEVICE float32|tf32 eager|compile|reduce-overhead
        builds model, bank and data; answers 0
step    one training step; answers seconds and the loss
"""
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F


class NestedLinear(torch.nn.Module):
    """Block-triangular: one dense product with masked weights is faster here than a product for each block."""

    def __init__(self, inputs, outputs):
        super().__init__()
        mask, begin = torch.zeros(outputs[-1], inputs[-1]), 0
        for i, o in zip(inputs, outputs):
            mask[begin:o, :i] = 1
            begin = o
        self.register_buffer("mask", mask)
        self.weight = torch.nn.Parameter(mask * torch.randn_like(mask) / mask.sum(1, keepdim=True).sqrt())
        self.bias = torch.nn.Parameter(torch.zeros(outputs[-1]))

    def forward(self, x):
        return F.linear(x, self.weight * self.mask, self.bias)


class IncrementNorm(torch.nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.ranges = list(zip([0] + widths[:-1], widths))
        self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(end - begin) for begin, end in self.ranges)

    def forward(self, x):
        return torch.cat([norm(x[..., begin:end]) for norm, (begin, end) in zip(self.norms, self.ranges)], -1)


class Lru(torch.nn.Module):
    def __init__(self, widths, complex_numbers):
        super().__init__()
        self.complex_numbers = complex_numbers
        d, double = widths[-1], [2 * w for w in widths]
        self.input, self.output = NestedLinear(widths, double), NestedLinear(double, widths)
        radius = torch.sqrt(torch.rand(d) * (0.99 ** 2 - 0.8 ** 2) + 0.8 ** 2)
        self.nu = torch.nn.Parameter(torch.log(-torch.log(radius)))
        self.theta = torch.nn.Parameter(torch.log(2 * np.pi * torch.rand(d)))
        self.gamma = torch.nn.Parameter(0.5 * torch.log(1 - radius ** 2))

    def forward(self, x, last):
        """x [L, B, D]; the outputs of all steps, or of the last one only."""
        return self.complex_steps(x, last) if self.complex_numbers else self.real_steps(x, last)

    def real_steps(self, x, last):
        """The same for TorchInductor, which has no complex numbers."""
        gamma, radius, angle = torch.exp(self.gamma), torch.exp(-torch.exp(self.nu)), torch.exp(self.theta)
        real, imaginary = radius * torch.cos(angle), radius * torch.sin(angle)
        driven = self.input(x).unflatten(-1, (-1, 2)) * gamma[:, None]
        a, b = driven[0].unbind(-1)
        states = [driven[0]]
        for step in driven.unbind(0)[1:]:
            c, d = step.unbind(-1)
            a, b = c + real * a - imaginary * b, d + real * b + imaginary * a
            if not last:
                states.append(torch.stack([a, b], -1))
        return self.output((torch.stack([a, b], -1) if last else torch.stack(states)).flatten(-2))

    def complex_steps(self, x, last):
        driven = torch.view_as_complex(self.input(x).unflatten(-1, (-1, 2))) * torch.exp(self.gamma)
        factor = torch.exp(torch.complex(-torch.exp(self.nu), torch.exp(self.theta)))
        state, states = driven[0], [driven[0]]
        for step in driven.unbind(0)[1:]:
            state = torch.addcmul(step, factor, state)
            if not last:
                states.append(state)
        state = state if last else torch.stack(states)
        return self.output(torch.view_as_real(state).flatten(-2))


class Block(torch.nn.Module):
    def __init__(self, widths, last, complex_numbers):
        super().__init__()
        self.last = last
        self.mix_norm, self.ffn_norm, self.lru = IncrementNorm(widths), IncrementNorm(widths), Lru(widths, complex_numbers)
        self.gate, self.up, self.down = (NestedLinear(widths, widths) for _ in range(3))

    def forward(self, x):
        mixed = F.dropout(self.lru(self.mix_norm(x), self.last), 0.2)
        h = mixed + (x[-1] if self.last else x)
        y = self.ffn_norm(h)
        return h + F.dropout(self.down(F.silu(self.gate(y)) * F.dropout(self.up(y), 0.2)), 0.2)


class Tower(torch.nn.Module):
    def __init__(self, widths, complex_numbers, layers=2):
        super().__init__()
        self.start = torch.nn.Parameter(0.02 * torch.randn(widths[-1]))
        self.norm = IncrementNorm(widths)
        self.blocks = torch.nn.Sequential(*[Block(widths, i == layers - 1, complex_numbers) for i in range(layers)])

    def forward(self, history):
        start = self.start.expand(1, history.shape[1], -1)
        return self.blocks(self.norm(F.dropout(torch.cat([start, history]), 0.2)))


class Step:
    """One step of training: cross-batch negatives, five widths, AdamW, sparse rows by SparseAdam."""

    def __init__(self, batch, length, bank, items, widths, device, mode):
        torch.manual_seed(1)
        self.widths, self.batch = widths, batch
        self.items = torch.nn.Embedding(items, widths[-1], sparse=True)
        torch.nn.init.normal_(self.items.weight, std=0.02)
        self.items.to(device)
        self.tower = Tower(widths, complex_numbers=mode == "eager").to(device)
        self.dense = torch.optim.AdamW(self.tower.parameters(), lr=1e-3, weight_decay=0.01)
        self.sparse = torch.optim.SparseAdam(self.items.parameters(), lr=1e-3)
        self.history = torch.randint(items, (length, batch), device=device)
        self.positives = torch.randint(items, (batch,), device=device)
        self.log_q = torch.full((batch + bank,), -9.0, device=device)
        self.bank, self.bank_ids = 0.02 * torch.randn(bank, widths[-1], device=device), torch.randint(items, (bank,), device=device)
        self.diagonal = torch.arange(batch, device=device)
        # Sparse gradients of the table stay outside of what is compiled.
        self.objective = self.compute
        if mode != "eager":
            self.objective = torch.compile(self.compute, mode=None if mode == "compile" else mode, dynamic=False)

    def compute(self, history, candidates):
        return self.loss(self.tower(history), candidates)

    def run(self):
        self.dense.zero_grad(set_to_none=True)
        self.sparse.zero_grad(set_to_none=True)
        candidates = self.items(self.positives)
        loss = self.objective(self.items(self.history), candidates)
        loss.backward()
        self.clip(5.0)
        self.dense.step()
        self.sparse.step()
        self.bank = torch.cat([candidates.detach(), self.bank[:-self.batch]])
        self.bank_ids = torch.cat([self.positives, self.bank_ids[:-self.batch]])
        return float(loss)

    def loss(self, users, candidates):
        mask = self.positives[:, None] == torch.cat([self.positives, self.bank_ids])[None, :]
        mask[self.diagonal, self.diagonal] = False
        bias = (-self.log_q).expand(self.batch, -1).masked_fill(mask, float("-inf"))
        on_batch, on_bank, total, begin = bias[:, :self.batch], bias[:, self.batch:], 0, 0
        for w in self.widths:
            on_batch = torch.addmm(on_batch, users[:, begin:w], candidates[:, begin:w].T)
            on_bank = torch.addmm(on_bank, users[:, begin:w], self.bank[:, begin:w].T)
            begin = w
            log_sum = torch.logaddexp(torch.logsumexp(on_batch, 1), torch.logsumexp(on_bank, 1))
            total = total + (log_sum - on_batch.diagonal()).mean()
        return total / len(self.widths)

    @torch.no_grad()
    def clip(self, most):
        gradients = [p.grad for p in self.tower.parameters()]
        rows = self.items.weight.grad = self.items.weight.grad.coalesce()
        gradients.append(rows.values())
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients]))
        if norm > most:
            for gradient in gradients:
                gradient.mul_(most / norm)


def main():
    print(f"PyTorch {torch.__version__}", flush=True)
    step = None
    for line in sys.stdin:
        words, answer = line.split(), [0]
        if words[0] == "step-load":
            torch.backends.cuda.matmul.allow_tf32 = words[7] == "tf32"
            step = Step(*[int(w) for w in words[1:5]], [int(w) for w in words[5].split(",")], words[6], words[8])
        elif words[0] == "step":
            start = time.perf_counter()
            loss = step.run()
            answer = [time.perf_counter() - start, loss]
        else:
            raise ValueError(words[0])
        print(*[repr(float(value)) for value in answer], flush=True)


main()
