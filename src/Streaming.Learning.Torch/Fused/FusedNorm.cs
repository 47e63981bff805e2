using Streaming.Learning.Torch.State;

namespace Streaming.Learning.Torch.Fused;

/// <summary>The parameters of a norm.</summary>
internal sealed class FusedNorm(DenseParameters dense, string name) : IDisposable
{
    /// <summary>Gets the gain.</summary>
    public FusedParameter Gain { get; } = new(dense, $"{name}.gain");

    /// <summary>Gets the bias.</summary>
    public FusedParameter Bias { get; } = new(dense, $"{name}.bias");

    /// <inheritdoc/>
    public void Dispose()
    {
        Gain.Dispose();
        Bias.Dispose();
    }
}
