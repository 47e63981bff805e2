namespace Streaming.Worker;

/// <summary>What computes the training step.</summary>
internal sealed record EngineOptions
{
    /// <summary>Gets the threads of the CPU engine. Default 0: one for each core; 0 … 256. Results do not depend on it.</summary>
    public int Threads { get; init; }

    /// <summary>Checks every property.</summary>
    /// <exception cref="ArgumentException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionChecks();
        errors.Check(Threads is >= 0 and <= 256, nameof(Threads), Threads, "0 … 256");
        errors.Throw();
    }
}
