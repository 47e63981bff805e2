namespace Streaming.Worker.Generations;

/// <summary>Who moves readers to a new generation.</summary>
public enum GenerationSwitching
{
    /// <summary>The new generation's worker, once, when the checks pass.</summary>
    Auto,

    /// <summary>A person, by a command.</summary>
    Manual,
}
