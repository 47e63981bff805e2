using Streaming.Serving.Search;
using Streaming.Worker.Figures;
using Streaming.Worker.Generations;
using Streaming.Worker.Metrics;

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

    /// <summary>Gets the status of the index; null: this process answers no lookups.</summary>
    public Func<IndexStatus>? Index { get; init; }

    /// <summary>Gets the widths that lookups have now.</summary>
    public Func<IReadOnlyList<int>>? Widths { get; init; }

    /// <summary>Gets the generations in the store; returns null before it is connected.</summary>
    public Func<GenerationList?>? Generations { get; init; }
}
