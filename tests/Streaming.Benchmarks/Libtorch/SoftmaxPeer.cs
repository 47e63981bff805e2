using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Benchmarks.Libtorch;

/// <summary>The nested softmax in libtorch, forward with its operators and backward by autograd, on a workload's data.</summary>
internal sealed class SoftmaxPeer : IDisposable
{
    private readonly SoftmaxWorkload _workload;
    private readonly int[] _widths;
    private readonly long _rows;
    private readonly Tensor _users;
    private readonly Tensor _batch;
    private readonly Tensor _bank;
    private readonly Tensor _logQ;
    private readonly Tensor _ids;
    private readonly Tensor _positives;

    public SoftmaxPeer(SoftmaxWorkload workload)
    {
        SoftmaxShape shape = workload.Shape;
        (_workload, _widths, _rows) = (workload, shape.Widths, shape.Rows);
        using DisposeScope scope = NewDisposeScope();
        Tensor candidates = tensor(workload.Candidates, [shape.Candidates, shape.Dimension]);
        _users = tensor(workload.Users, [_rows, shape.Dimension], requires_grad: true).DetachFromDisposeScope();
        _batch = candidates.narrow(0, 0, _rows).clone().requires_grad_().DetachFromDisposeScope();
        _bank = candidates.narrow(0, _rows, shape.Bank).clone().DetachFromDisposeScope();
        _logQ = tensor(workload.LogQ).DetachFromDisposeScope();
        _ids = tensor(workload.Ids, dtype: ScalarType.Int64).DetachFromDisposeScope();
        _positives = arange(_rows, dtype: ScalarType.Int64).DetachFromDisposeScope();
    }

    /// <summary>Runs a loop over the widths with cross_entropy.</summary>
    public double[] Naive() =>
        Run(() =>
        {
            Tensor candidates = cat([_batch, _bank]),
                hits = Hits();
            return Array.ConvertAll(
                _widths,
                width =>
                {
                    Tensor scores = _users.narrow(1, 0, width).mm(candidates.narrow(1, 0, width).t());
                    scores = Instead(scores, scores.div(SoftmaxWorkload.Temperature));
                    scores = Instead(scores, scores.sub(_logQ));
                    scores = Instead(scores, scores.masked_fill(hits, float.NegativeInfinity));
                    return Instead(scores, nn.functional.cross_entropy(scores, _positives));
                }
            );
        });

    /// <summary>Computes each width's scores from the previous width's; the bank separately, so that it needs no gradient.</summary>
    public double[] Cumulative() =>
        Run(() =>
        {
            Tensor users = _users.div(SoftmaxWorkload.Temperature);
            Tensor bias = _logQ.neg().expand(_rows, -1).masked_fill(Hits(), float.NegativeInfinity);
            Tensor onBatch = bias.narrow(1, 0, _rows),
                onBank = bias.narrow(1, _rows, _bank.shape[0]);
            int begin = 0;
            return Array.ConvertAll(
                _widths,
                width =>
                {
                    int count = width - begin;
                    Tensor part = users.narrow(1, begin, count);
                    onBatch = addmm(onBatch, part, _batch.narrow(1, begin, count).t(), 1, 1);
                    onBank = addmm(onBank, part, _bank.narrow(1, begin, count).t(), 1, 1);
                    begin = width;
                    return logaddexp(logsumexp(onBatch, 1), logsumexp(onBank, 1)).sub(onBatch.diagonal(0, 0, 1)).mean();
                }
            );
        });

    /// <summary>Checks that a variant computes the workload's last result: losses and gradients.</summary>
    /// <exception cref="InvalidOperationException">The results differ.</exception>
    public void RequireSame(string name, Func<double[]> variant)
    {
        string what = $"nested softmax {_workload.Shape.Name}, {name}";
        Agreement.Require($"{what}, losses", _workload.Losses, variant(), 1e-4);
        Agreement.Require($"{what}, users' gradients", _workload.UserGradients, _users.grad!, 1e-3);
        Agreement.Require($"{what}, candidates' gradients", _workload.CandidateGradients, _batch.grad!, 1e-3);
    }

    public void Dispose()
    {
        foreach (Tensor tensor in new[] { _users, _batch, _bank, _logQ, _ids, _positives })
        {
            tensor.Dispose();
        }
    }

    // Frees what Python's reference counting would have freed by now.
    private static Tensor Instead(Tensor used, Tensor result)
    {
        used.Dispose();
        return result;
    }

    private double[] Run(Func<Tensor[]> forward)
    {
        using DisposeScope scope = NewDisposeScope();
        _users.grad = null;
        _batch.grad = null;
        Tensor[] losses = forward();
        stack(losses).sum().div(_widths.Length).backward();
        return Array.ConvertAll(losses, loss => (double)loss.item<float>());
    }

    // Another column with the positive's id.
    private Tensor Hits()
    {
        Tensor hits = _ids.narrow(0, 0, _rows).unsqueeze(1).eq(_ids.unsqueeze(0));
        hits.index_put_(tensor(false), TensorIndex.Tensor(_positives), TensorIndex.Tensor(_positives));
        return hits;
    }
}
