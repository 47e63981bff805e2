using Streaming.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Softmax;

/// <summary>
/// The nested prefixes of n vectors, of unit length if scores are cosines: small enough to keep for every width, so that nothing of
/// the size of the scores needs scaling. Columns beyond a width are 0.
/// </summary>
internal sealed class Prefixes(Increments increments, Tensor values, Tensor? inverseNorms)
{
    /// <summary>Gets the prefixes [K × n × D].</summary>
    public Tensor Values => values;

    /// <summary>Prefixes of width k [n × w_k], without a copy.</summary>
    public Tensor Width(int k) => Width(values, k);

    /// <summary>Width k of values [K × n × D] in this layout: [n × w_k], without a copy.</summary>
    public Tensor Width(Tensor laidOut, int k) => laidOut.select(0, k).narrow(1, 0, increments.End(k));

    /// <summary>Gradient with respect to the vectors [n × D], given that of the prefixes [K × n × D].</summary>
    public Tensor Backward(Tensor gradient)
    {
        using DisposeScope scope = NewDisposeScope();
        if (inverseNorms is not null)
        {
            // Only the component orthogonal to a unit vector counts: (g − v̂⟨v̂, g⟩) / ‖v‖.
            Tensor along = values.mul(gradient).sum(2, keepdim: true);
            gradient = gradient.addcmul(values, along, -1).mul_(inverseNorms);
        }

        return gradient.sum(dim: 0).MoveToOuterDisposeScope();
    }
}
