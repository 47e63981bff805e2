using Streaming.Core.Options;

namespace Streaming.Learning.Replay;

/// <summary>Experience replay: how many past examples are kept, and how many join a batch.</summary>
public sealed record ReplayOptions
{
    /// <summary>Gets the number of past examples replayed per new example. Default 1; 0 (off) … 16.</summary>
    public double Ratio { get; init; } = 1;

    /// <summary>
    /// Gets how many items of a replayed example's own history are predicted too, each from those before it. The tower computes all
    /// steps anyway, so they cost it nothing. Default 4; 0 … 1,023. Ignored by the mind tower, which predicts only at the last
    /// step.
    /// </summary>
    public int EarlierPredictions { get; init; } = 4;

    /// <summary>Gets the number of examples kept. Default 65,536; 16 … 16,777,216.</summary>
    public int Capacity { get; init; } = 65_536;

    /// <summary>
    /// Gets the preference for recent examples. 0: every example of the whole stream is kept with the same probability (Vitter's
    /// algorithm R). 1: every new example replaces a random one, so ages are exponential with a mean of the capacity (Aggarwal
    /// 2006). In between: a mean age of capacity / recency. Default 0.2.
    /// </summary>
    public double Recency { get; init; } = 0.2;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(Ratio), Ratio, 0, 16);
        errors.Range(nameof(EarlierPredictions), EarlierPredictions, 0, 1_023);
        errors.Range(nameof(Capacity), Capacity, 16, 16_777_216);
        errors.Range(nameof(Recency), Recency, 0, 1);
        errors.Throw();
    }
}
