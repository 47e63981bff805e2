namespace Streaming.Worker.Generations;

/// <summary>How readers switch to a new generation.</summary>
public enum GenerationSwitching
{
    /// <summary>By the new generation's worker, once, when the checks pass.</summary>
    Auto,

    /// <summary>By command.</summary>
    Manual,
}
