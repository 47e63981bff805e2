using System.Text.Json;
using System.Text.Json.Serialization;
using Streaming.Worker.Metrics;

namespace Streaming.Lab.Demo.Report;

/// <summary>The result of a demo. The JSON names are a contract.</summary>
internal sealed record DemoReport
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Gets a description of the feed.</summary>
    public required string Feed { get; init; }

    /// <summary>Gets the number of events by outcome.</summary>
    public required EventTotals Events { get; init; }

    /// <summary>Gets the events read per second, from the first event sent to the last one trained.</summary>
    public required double EventsPerSecond { get; init; }

    /// <summary>Gets the duration of that period in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>Gets the prequential quality at each width, over all scored examples of the run.</summary>
    public required IReadOnlyList<WidthQuality> Widths { get; init; }

    /// <summary>Gets the quality of baselines.</summary>
    public required Baselines Baselines { get; init; }

    /// <summary>Gets the quality of the counts of co-occurrences and transitions as one list; null if nothing is counted.</summary>
    public Quality? Counts { get; init; }

    /// <summary>Gets the quality of that list fused with the model's, at each width; empty if nothing is counted.</summary>
    public IReadOnlyList<WidthQuality> Fused { get; init; } = [];

    /// <summary>Gets the cost of counting and of evaluation.</summary>
    public required EvaluationCost Cost { get; init; }

    /// <summary>Gets the time from a record's production until its item's new embedding is in Redis.</summary>
    public required Quantiles FreshnessMilliseconds { get; init; }

    /// <summary>Gets the contents of Redis.</summary>
    public required StoreSize Redis { get; init; }

    /// <summary>Gets the training totals.</summary>
    public required TrainingTotals Training { get; init; }

    /// <summary>Gets items with their nearest neighbours, read from Redis.</summary>
    public required IReadOnlyList<NeighbourExample> Examples { get; init; }

    /// <summary>Returns the report as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json) + "\n";
}
