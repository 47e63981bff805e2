using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Devices;

/// <summary>Checks shapes before native calls, some of which terminate the process instead of raising an error.</summary>
internal static class Shapes
{
    /// <summary>Requires a shape.</summary>
    /// <exception cref="ArgumentException">Names the tensor, its shape and the expected one.</exception>
    public static void Require(Tensor tensor, string name, params ReadOnlySpan<long> shape)
    {
        if (!shape.SequenceEqual(tensor.shape))
        {
            throw new ArgumentException(
                $"{name} has shape [{string.Join(", ", tensor.shape)}]; expected: [{string.Join(", ", shape.ToArray())}]."
            );
        }
    }
}
