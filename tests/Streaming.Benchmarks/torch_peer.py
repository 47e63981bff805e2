"""The peer of the benchmarks: the same computations in PyTorch. Requests on stdin, one timed repetition each.

softmax-load FILE B M w1,w2,...   loads a problem; answers 0
softmax VARIANT                   answers seconds and the loss of each width
gemm M N K                        answers seconds
lru VARIANT B L H                 answers seconds
step-load B L M ITEMS w1,w2,... [DEVICE [tf32]]
                                  builds model, bank and data; answers 0
step                              one training step; answers seconds and the loss
"""
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

# Processor time of the process is what is left to measure where other programs hold the processor.
clock = time.process_time if os.environ.get("PEER_CLOCK") == "processor" else time.perf_counter
THREADS = int(os.environ.get("OMP_NUM_THREADS", "2"))
torch.set_num_threads(THREADS)
TEMPERATURE = 0.1
softmax = {}


def softmax_load(path, batch, bank, widths):
    batch, bank, widths = int(batch), int(bank), [int(w) for w in widths.split(",")]
    n, d = batch + bank, widths[-1]
    raw = np.fromfile(path, dtype=np.float32)
    at = 0

    def take(*shape):
        nonlocal at
        count = int(np.prod(shape))
        part = raw[at:at + count].reshape(shape).copy()
        at += count
        return part

    users, candidates, log_q = take(batch, d), take(n, d), take(n)
    ids = torch.from_numpy(take(n).view(np.int32).copy()).long()
    candidates = torch.from_numpy(candidates)
    softmax.update(
        B=batch, widths=widths, users=torch.from_numpy(users).requires_grad_(),
        batch=candidates[:batch].clone().requires_grad_(), bank=candidates[batch:].clone(),
        log_q=torch.from_numpy(log_q), ids=ids, positives=torch.arange(batch))


def hits(s):
    mask = s["ids"][:s["B"], None] == s["ids"][None, :]
    mask[s["positives"], s["positives"]] = False
    return mask


def softmax_naive(s):
    """A loop over widths with cross_entropy."""
    users, batch, bank = s["users"], s["batch"], s["bank"]
    candidates, mask, total, losses = torch.cat([batch, bank]), hits(s), 0, []
    for w in s["widths"]:
        logits = users[:, :w] @ candidates[:, :w].T / TEMPERATURE - s["log_q"]
        loss = F.cross_entropy(logits.masked_fill(mask, float("-inf")), s["positives"])
        losses.append(loss.detach())
        total = total + loss
    (total / len(s["widths"])).backward()
    return losses


def softmax_cumulative(s):
    """Each width's logits from those of the width before; the bank apart, so that it costs no gradient."""
    users, batch, bank = s["users"] / TEMPERATURE, s["batch"], s["bank"]
    bias = (-s["log_q"]).expand(s["B"], -1).masked_fill(hits(s), float("-inf"))
    on_batch, on_bank = bias[:, :s["B"]], bias[:, s["B"]:]
    total, losses, begin = 0, [], 0
    for w in s["widths"]:
        part = users[:, begin:w]
        on_batch = torch.addmm(on_batch, part, batch[:, begin:w].T)
        on_bank = torch.addmm(on_bank, part, bank[:, begin:w].T)
        begin = w
        log_sum = torch.logaddexp(torch.logsumexp(on_batch, 1), torch.logsumexp(on_bank, 1))
        loss = (log_sum - on_batch.diagonal()).mean()
        losses.append(loss.detach())
        total = total + loss
    (total / len(s["widths"])).backward()
    return losses


@torch.no_grad()
def softmax_handwritten(s, rows=128):
    """No autograd: chunks of rows, buffers kept, in-place operations, suffix sums over the widths."""
    users, candidates = s["users"].detach(), torch.cat([s["batch"].detach(), s["bank"]])
    b, n, widths = s["B"], candidates.shape[0], s["widths"]
    if "scores" not in s:
        s["scores"] = torch.empty(len(widths), rows, n)
    user_gradients, batch_gradients = torch.empty_like(users), torch.zeros(b, widths[-1])
    losses, scaled, bias = torch.zeros(len(widths)), users / TEMPERATURE, -s["log_q"]
    for first in range(0, b, rows):
        end = min(b, first + rows)
        count, local = end - first, torch.arange(end - first)
        mask = s["ids"][first:end, None] == s["ids"][None, :]
        mask[local, local + first] = False
        hit = mask.nonzero(as_tuple=True)
        before, begin = bias.expand(count, n), 0
        for k, w in enumerate(widths):
            scores = s["scores"][k, :count]
            torch.addmm(before, scaled[first:end, begin:w], candidates[:, begin:w].T, out=scores)
            if k == 0:
                scores[hit] = float("-inf")
            before, begin = scores, w
        outer = None
        for k in range(len(widths) - 1, -1, -1):
            scores = s["scores"][k, :count]
            log_sum = torch.logsumexp(scores, 1, keepdim=True)
            losses[k] += (log_sum.squeeze(1) - scores[local, local + first]).sum()
            scores.sub_(log_sum).exp_()
            if outer is not None:
                scores.add_(outer)
            scores[local, local + first] -= 1
            outer, begin = scores, 0 if k == 0 else widths[k - 1]
            user_gradients[first:end, begin:widths[k]] = scores @ candidates[:, begin:widths[k]]
            batch_gradients[:, begin:widths[k]].addmm_(scores[:, :b].T, users[first:end, begin:widths[k]])
    scale = 1 / (b * TEMPERATURE * len(widths))
    user_gradients.mul_(scale)
    batch_gradients.mul_(scale)
    return list(losses / b)


SOFTMAX = {"naive": softmax_naive, "cumulative": softmax_cumulative, "handwritten": softmax_handwritten}


def run_softmax(variant):
    softmax["users"].grad = None
    softmax["batch"].grad = None
    start = clock()
    losses = SOFTMAX[variant](softmax)
    seconds = clock() - start
    return [seconds] + [float(loss) for loss in losses]


def run_gemm(m, n, k, kept={}):
    key = (int(m), int(n), int(k))
    if key not in kept:
        kept.clear()
        kept[key] = torch.randn(key[0], key[2]), torch.randn(key[2], key[1]), torch.empty(key[0], key[1])
    a, b, c = kept[key]
    repetitions = max(1, int(2e9 / (2 * key[0] * key[1] * key[2])))
    start = clock()
    for _ in range(repetitions):
        torch.mm(a, b, out=c)
    return [(clock() - start) / repetitions]


def run_lru(variant, batch, length, channels, kept={}):
    key = (int(batch), int(length), int(channels))
    if key not in kept:
        kept.clear()
        torch.manual_seed(1)
        b, l, h = key
        kept[key] = (torch.polar(0.8 + 0.19 * torch.rand(h), 0.3 * torch.rand(h)).requires_grad_(),
                     torch.randn(l, b, h, dtype=torch.complex64).requires_grad_(), torch.randn(l, b, h, dtype=torch.complex64))
    factor, inputs, gradient = kept[key]
    factor.grad = inputs.grad = None
    start = clock()
    if variant == "loop":
        state, states = inputs[0], [inputs[0]]
        for x in inputs.unbind(0)[1:]:
            state = torch.addcmul(x, factor, state)
            states.append(state)
        torch.stack(states).backward(gradient)
    else:
        with torch.no_grad():
            states, back = torch.empty_like(inputs), torch.empty_like(inputs)
            states[0] = inputs[0]
            for t in range(1, len(inputs)):
                torch.addcmul(inputs[t], factor, states[t - 1], out=states[t])
            conjugate = factor.conj().resolve_conj()
            back[-1] = gradient[-1]
            for t in range(len(inputs) - 2, -1, -1):
                torch.addcmul(gradient[t], conjugate, back[t + 1], out=back[t])
            (back[1:] * states[:-1].conj()).sum((0, 1))
    return [clock() - start]


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
    def __init__(self, widths):
        super().__init__()
        d, double = widths[-1], [2 * w for w in widths]
        self.input, self.output = NestedLinear(widths, double), NestedLinear(double, widths)
        radius = torch.sqrt(torch.rand(d) * (0.99 ** 2 - 0.8 ** 2) + 0.8 ** 2)
        self.nu = torch.nn.Parameter(torch.log(-torch.log(radius)))
        self.theta = torch.nn.Parameter(torch.log(2 * np.pi * torch.rand(d)))
        self.gamma = torch.nn.Parameter(0.5 * torch.log(1 - radius ** 2))

    def forward(self, x, last):
        """x [L, B, D]; the outputs of all steps, or of the last one only."""
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
    def __init__(self, widths, last):
        super().__init__()
        self.last = last
        self.mix_norm, self.ffn_norm, self.lru = IncrementNorm(widths), IncrementNorm(widths), Lru(widths)
        self.gate, self.up, self.down = (NestedLinear(widths, widths) for _ in range(3))

    def forward(self, x):
        mixed = F.dropout(self.lru(self.mix_norm(x), self.last), 0.2)
        h = mixed + (x[-1] if self.last else x)
        y = self.ffn_norm(h)
        return h + F.dropout(self.down(F.silu(self.gate(y)) * F.dropout(self.up(y), 0.2)), 0.2)


class Tower(torch.nn.Module):
    def __init__(self, widths, layers=2):
        super().__init__()
        self.start = torch.nn.Parameter(0.02 * torch.randn(widths[-1]))
        self.norm = IncrementNorm(widths)
        self.blocks = torch.nn.Sequential(*[Block(widths, i == layers - 1) for i in range(layers)])

    def forward(self, history):
        start = self.start.expand(1, history.shape[1], -1)
        return self.blocks(self.norm(F.dropout(torch.cat([start, history]), 0.2)))


class Step:
    """One step of training: cross-batch negatives, five widths, AdamW, sparse rows by SparseAdam."""

    def __init__(self, batch, length, bank, items, widths, device="cpu"):
        torch.manual_seed(1)
        self.widths, self.batch = widths, batch
        self.items = torch.nn.Embedding(items, widths[-1], sparse=True)
        torch.nn.init.normal_(self.items.weight, std=0.02)
        self.items.to(device)
        self.tower = Tower(widths).to(device)
        self.dense = torch.optim.AdamW(self.tower.parameters(), lr=1e-3, weight_decay=0.01)
        self.sparse = torch.optim.SparseAdam(self.items.parameters(), lr=1e-3)
        self.history = torch.randint(items, (length, batch), device=device)
        self.positives = torch.randint(items, (batch,), device=device)
        self.log_q = torch.full((batch + bank,), -9.0, device=device)
        self.bank, self.bank_ids = 0.02 * torch.randn(bank, widths[-1], device=device), torch.randint(items, (bank,), device=device)
        self.diagonal = torch.arange(batch, device=device)

    def run(self):
        self.dense.zero_grad(set_to_none=True)
        self.sparse.zero_grad(set_to_none=True)
        users = self.tower(self.items(self.history))
        candidates = self.items(self.positives)
        loss = self.loss(users, candidates)
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


step = {}


def answer(words):
    if words[0] == "softmax-load":
        softmax.clear()
        softmax_load(*words[1:])
        return [0]
    if words[0] == "softmax":
        return run_softmax(words[1])
    if words[0] == "gemm":
        return run_gemm(*words[1:])
    if words[0] == "lru":
        return run_lru(*words[1:])
    if words[0] == "step-load":
        torch.backends.cuda.matmul.allow_tf32 = words[7:] == ["tf32"]
        step["step"] = Step(*[int(w) for w in words[1:5]], [int(w) for w in words[5].split(",")], *words[6:7])
        return [0]
    if words[0] == "step":
        start = clock()
        loss = step["step"].run()
        return [clock() - start, loss]
    raise ValueError(words[0])


def main():
    blas = os.path.realpath("/etc/alternatives/libblas.so.3-x86_64-linux-gnu")
    allocator = "jemalloc" if "jemalloc" in os.environ.get("LD_PRELOAD", "") else "glibc's allocator"
    print(f"PyTorch {torch.__version__}, {blas}, {allocator}, {THREADS} threads", flush=True)
    for line in sys.stdin:
        print(*[repr(float(value)) for value in answer(line.split())], flush=True)


main()
