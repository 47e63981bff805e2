using Streaming.Worker.Figures;
using Streaming.Worker.Generations;
using Streaming.Worker.Metrics;
using Streaming.Worker.Serve;

namespace Streaming.Worker.Page;

/// <summary>What the page shows of this process. A part that the process does not have is null.</summary>
public sealed record PageSource
{
    /// <summary>Gets the model's name.</summary>
    public required string Model { get; init; }

    /// <summary>Gets the pipeline's status; null: this process does not train.</summary>
    public Func<PipelineStatus?>? Pipeline { get; init; }

    /// <summary>Gets the pipeline's figures over time.</summary>
    public FigureHistory? Figures { get; init; }

    /// <summary>Gets what lookups are answered from; null: this process answers none.</summary>
    public ServedGenerations? Served { get; init; }

    /// <summary>Gets the generations in the store; returns null before it is connected.</summary>
    public Func<GenerationList?>? Generations { get; init; }
}
