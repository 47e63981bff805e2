#!/usr/bin/env python3
"""Golden vectors of the losses and the linear recurrent unit, by PyTorch's autograd in float64.

    python3 make_golden.py > golden.json        (written with PyTorch 1.13.0 of Debian 12)

Everything is written the plain way, one width and one row at a time, from the equations: nothing here shares code or
tricks with the engines. Inputs are rounded to float32 first, so that both engines read exactly what was used here.
"""
import json
import math
import sys

import torch

torch.manual_seed(20240601)
torch.set_num_threads(1)
DOUBLE = torch.float64


def draw(*shape, scale=1.0):
    return (torch.randn(*shape) * scale).float().double()


def numbers(tensor):
    return [float(f"{value:.12g}") for value in tensor.detach().reshape(-1).tolist()]


def width_loss(users, candidates, ids, log_q, positive, weights, width, temperature, cosine, correction):
    """Mean over rows, by weight, of the loss of one width."""
    total = torch.zeros((), dtype=DOUBLE)
    for row in range(users.shape[0]):
        u, c = users[row, :width], candidates[:, :width]
        scores = c @ u
        if cosine:
            scores = scores / torch.sqrt((u * u).sum() + 1e-12) / torch.sqrt((c * c).sum(1) + 1e-12)
        scores = scores / temperature
        p = positive[row]
        negatives = [j for j in range(len(ids)) if j != p and ids[j] != ids[p]]
        if correction == "Corrected":
            # RecSys 2025 (arXiv 2507.09331): Q'(d) = Q(d) / (1 - Q(p)); the row's weight is held fixed.
            log_miss = math.log(max(1 - math.exp(log_q[p]), 2.0**-20))
            corrected = torch.stack([scores[j] - log_q[j] + log_miss for j in negatives])
            gap = torch.logsumexp(corrected, 0) - scores[p]
            mean = torch.exp(corrected).mean()
            missed = (1 - torch.exp(scores[p]) / (torch.exp(scores[p]) + mean)).detach()
            loss = missed * gap
        else:
            shift = log_q if correction == "Classic" else torch.zeros_like(log_q)
            logits = scores - shift
            loss = torch.logsumexp(logits[[p] + negatives], 0) - logits[p]
        total = total + weights[row] * loss
    return total / weights.sum()


def softmax_case(name, correction, cosine, temperature, width_weights):
    widths, rows, own, bank = [4, 8, 12], 5, 7, 6
    users, candidates = draw(rows, widths[-1]), draw(own + bank, widths[-1])
    # Column 5 repeats row 0's positive and two bank entries are accidental hits; one entry has lost its item.
    ids = [10, 11, 12, 13, 14, 10, 15, 11, 16, -1, 17, 12, 18]
    log_q = (-1 - 3 * torch.rand(own + bank)).float().double()
    positive = [0, 1, 2, 3, 4]
    weights = (0.5 + torch.rand(rows)).float().double()
    u, c = users.clone().requires_grad_(), candidates.clone().requires_grad_()
    losses = [width_loss(u, c, ids, log_q, positive, weights, w, temperature, cosine, correction) for w in widths]
    share = torch.tensor(width_weights, dtype=DOUBLE)
    (torch.stack(losses) * share).sum().div(share.sum()).backward()
    return {
        "name": name, "widths": widths, "temperature": temperature, "cosine": cosine, "correction": correction,
        "widthWeights": width_weights, "gradientCandidates": own, "positiveColumn": positive, "ids": ids,
        "users": numbers(users), "candidates": numbers(candidates), "logQ": numbers(log_q), "rowWeights": numbers(weights),
        "losses": [float(f"{loss.item():.12g}") for loss in losses],
        "userGradients": numbers(u.grad), "candidateGradients": numbers(c.grad[:own]),
    }


def lru_case(steps):
    """s_t = lambda * s_(t-1) + gamma * (B x_t), y_t = Re(C s_t); B and C block-triangular by widths."""
    widths = [4, 8]
    d = widths[-1]
    starts = [0] + widths[:-1]
    x = draw(steps, d)
    nu, theta, gamma = draw(d, scale=0.3) - 1, draw(d, scale=0.5), draw(d, scale=0.3) - 1
    names = ["nu_log", "theta_log", "gamma_log"]
    values = [nu, theta, gamma]
    for k, (start, end) in enumerate(zip(starts, widths)):
        n = end - start
        names += [f"input.weight.{k}", f"output.weight.{k}"]
        values += [draw(end, 2 * n, scale=0.4), draw(2 * end, n, scale=0.4)]
    names += ["input.bias", "output.bias"]
    values += [draw(2 * d, scale=0.2), draw(d, scale=0.2)]
    leaves = {name: value.float().double().clone().requires_grad_() for name, value in zip(names, values)}
    inputs = x.clone().requires_grad_()

    # From the stored layout (of each increment first the real parts, then the imaginary ones) to complex maps.
    into = [inputs[:, :end] @ leaves[f"input.weight.{k}"] for k, end in enumerate(widths)]
    drive = torch.cat(into, 1) + leaves["input.bias"]
    real = torch.cat([drive[:, 2 * s: s + e] for s, e in zip(starts, widths)], 1)
    imaginary = torch.cat([drive[:, s + e: 2 * e] for s, e in zip(starts, widths)], 1)
    radius = torch.exp(-torch.exp(leaves["nu_log"]))
    phase = torch.exp(leaves["theta_log"])
    lam = torch.complex(radius * torch.cos(phase), radius * torch.sin(phase))
    state = torch.zeros(d, dtype=torch.complex128)
    states = []
    for t in range(steps):
        state = lam * state + torch.exp(leaves["gamma_log"]) * torch.complex(real[t], imaginary[t])
        states.append(state)
    states = torch.stack(states)
    rows = torch.cat([part for s, e in zip(starts, widths) for part in (states.real[:, s:e], states.imag[:, s:e])], 1)
    outputs = torch.cat([rows[:, : 2 * end] @ leaves[f"output.weight.{k}"] for k, end in enumerate(widths)], 1) + leaves["output.bias"]
    direction = draw(steps, d)
    (outputs * direction).sum().backward()
    return {
        "steps": steps, "widths": widths, "inputs": numbers(x), "direction": numbers(direction),
        "parameters": {name: numbers(leaf) for name, leaf in leaves.items()},
        "outputs": numbers(outputs), "inputGradients": numbers(inputs.grad),
        "parameterGradients": {name: numbers(leaf.grad) for name, leaf in leaves.items()},
    }


def main():
    softmax = [
        softmax_case("none", "None", False, 1.0, [1, 1, 1]),
        softmax_case("classic", "Classic", False, 0.5, [1, 1, 1]),
        softmax_case("classic, weights", "Classic", False, 2.0, [0.25, 0, 2]),
        softmax_case("classic, cosine", "Classic", True, 0.125, [1, 1, 1]),
        softmax_case("corrected", "Corrected", False, 1.0, [1, 1, 1]),
        softmax_case("corrected, cosine", "Corrected", True, 0.25, [1, 2, 1]),
    ]
    json.dump({"softmax": softmax, "lru": [lru_case(1), lru_case(7), lru_case(20)]}, sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
