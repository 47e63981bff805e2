using Streaming.Core.Options;

namespace Streaming.Serving.Graphs;

/// <summary>
/// An approximate search by a graph of the catalogue, for indexes of about a million items and more. It answers searches for cosines at the
/// index's whole width, without a shortlist and without boosts; all other searches are exact.
/// </summary>
public sealed record ApproximateOptions
{
    /// <summary>Gets what makes an empty graph, as <c>UsearchGraph.Create</c> of the package Streaming.Serving.Approximate does.</summary>
    public required Func<GraphShape, VectorGraph> Create { get; init; }

    /// <summary>Gets the number of items from which on a graph is built: the exact search of fewer is fast enough. Default 100,000; 1 and
    /// up.</summary>
    public int MinItems { get; init; } = 100_000;

    /// <summary>Gets the number of threads that build a graph. Default 1; 1 … 256.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Gets the number of candidates that a search keeps: more find more of the exact result and take longer. Default 256, which
    /// finds .987 of the exact 20 of a million clustered vectors (192: .985 in 0.85 of the time, 128: .981 in 0.66); 1 … 10,000.</summary>
    public int Candidates { get; init; } = 256;

    /// <summary>Gets how far a vector may move from where the graph has it, as distance of vectors of length 1, before it is searched
    /// exactly. Default 0.1; 0 … 2.</summary>
    public double MaxMove { get; init; } = 0.1;

    /// <summary>Gets the share of the graph's vectors that may be searched exactly, because they changed or were removed, before another
    /// graph is built. Default 0.01: 10,000 of a million, which take about a third of the time of the
    /// graph; 0.0001 … 1.</summary>
    public double MaxChanged { get; init; } = 0.01;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(Create is not null, nameof(Create), "null", "what makes a graph");
        errors.Range(nameof(MinItems), MinItems, 1, int.MaxValue);
        errors.Range(nameof(Threads), Threads, 1, 256);
        errors.Range(nameof(Candidates), Candidates, 1, 10_000);
        errors.Range(nameof(MaxMove), MaxMove, 0, 2);
        errors.Range(nameof(MaxChanged), MaxChanged, 0.0001, 1);
        errors.Throw();
    }
}
