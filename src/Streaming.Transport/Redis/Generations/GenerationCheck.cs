namespace Streaming.Transport.Redis.Generations;

/// <summary>Whether a generation is complete enough to switch to.</summary>
/// <param name="Expected">Number of items expected.</param>
/// <param name="Present">Number of these that are present.</param>
public readonly record struct GenerationCheck(long Expected, long Present)
{
    /// <summary>Gets a value indicating whether no item is missing.</summary>
    public bool IsComplete => Present == Expected;
}
