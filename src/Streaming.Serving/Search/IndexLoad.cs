namespace Streaming.Serving.Search;

/// <summary>How far the load of a generation has come.</summary>
/// <param name="Generation">The generation.</param>
/// <param name="Loaded">Items that are read.</param>
/// <param name="Expected">Items that its trainer last said it has; 0: it has not said.</param>
public sealed record IndexLoad(uint Generation, int Loaded, long Expected);
