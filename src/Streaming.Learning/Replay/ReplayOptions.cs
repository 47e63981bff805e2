using Streaming.Models.Options;

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

    /// <summary>Validates every property.</summary>
    /// <exception cref="ArgumentException">Names every invalid property, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(Ratio is >= 0 and <= 16, "Replay.Ratio", Ratio, "0 … 16");
        errors.Check(EarlierPredictions is >= 0 and <= 1_023, "Replay.EarlierPredictions", EarlierPredictions, "0 … 1023");
        errors.Check(Capacity is >= 16 and <= 16_777_216, "Replay.Capacity", Capacity, "16 … 16777216");
        errors.Check(Recency is >= 0 and <= 1, "Replay.Recency", Recency, "0 … 1");
        errors.Throw();
    }
}
