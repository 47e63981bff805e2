namespace Streaming.Transport.Redis.Generations;

/// <summary>Whether a generation is fit to be switched to.</summary>
/// <param name="Expected">Items that should be there.</param>
/// <param name="Present">Items of these that are.</param>
public readonly record struct GenerationCheck(long Expected, long Present)
{
    /// <summary>Gets a value indicating whether no item is missing.</summary>
    public bool IsComplete => Present == Expected;
}
