using Streaming.Models.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Benchmarks.Libtorch;

/// <summary>Adam with decoupled decay, with the operators that PyTorch's AdamW and SparseAdam use on a CPU.</summary>
internal sealed class AdamPeer(ModelOptions model, double learningRate)
{
    /// <summary>Gets or sets the number of the update, from 1.</summary>
    public int Update { get; set; }

    /// <summary>Updates values and moments in place.</summary>
    public void Run(Tensor values, Tensor gradients, Tensor first, Tensor second, double decay)
    {
        using DisposeScope scope = NewDisposeScope();
        values.mul_(1 - (learningRate * decay));
        first.lerp_(gradients, 1 - model.Beta1);
        second.mul_(model.Beta2).addcmul_(gradients, gradients, 1 - model.Beta2);
        Tensor root = second.sqrt().div_(Math.Sqrt(1 - Math.Pow(model.Beta2, Update))).add_(model.Epsilon);
        values.addcdiv_(first, root, -learningRate / (1 - Math.Pow(model.Beta1, Update)));
    }

    /// <summary>Updates the rows of a table that a step has touched; other rows keep their moments.</summary>
    /// <param name="values">[items × D].</param>
    /// <param name="rows">[n] int64, each once.</param>
    /// <param name="gradients">[n × D].</param>
    /// <param name="first">[items × D].</param>
    /// <param name="second">[items × D].</param>
    public void RunRows(Tensor values, Tensor rows, Tensor gradients, Tensor first, Tensor second)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor some = values.index_select(0, rows),
            someFirst = first.index_select(0, rows),
            someSecond = second.index_select(0, rows);
        Run(some, gradients, someFirst, someSecond, decay: 0);
        values.index_copy_(0, rows, some);
        first.index_copy_(0, rows, someFirst);
        second.index_copy_(0, rows, someSecond);
    }
}
