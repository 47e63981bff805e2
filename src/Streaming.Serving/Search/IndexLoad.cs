namespace Streaming.Serving.Search;

/// <summary>Progress of loading a generation.</summary>
/// <param name="Generation">The generation.</param>
/// <param name="Loaded">Number of items read.</param>
/// <param name="Expected">Number of items last reported by its trainer; 0: unknown.</param>
public sealed record IndexLoad(uint Generation, int Loaded, long Expected);
