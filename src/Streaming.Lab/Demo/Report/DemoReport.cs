using System.Text.Json;
using System.Text.Json.Serialization;
using Streaming.Worker.Metrics;

namespace Streaming.Lab.Demo.Report;

/// <summary>What a demo came to. The names of the JSON are a contract.</summary>
internal sealed record DemoReport
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Gets the feed in words.</summary>
    public required string Feed { get; init; }

    /// <summary>Gets what became of the events.</summary>
    public required EventTotals Events { get; init; }

    /// <summary>Gets the events read, over the time from the first event sent to the last one trained.</summary>
    public required double EventsPerSecond { get; init; }

    /// <summary>Gets that time.</summary>
    public required double Seconds { get; init; }

    /// <summary>Gets prequential quality for each width, over all scored examples of the run.</summary>
    public required IReadOnlyList<WidthQuality> Widths { get; init; }

    /// <summary>Gets the same of simple methods.</summary>
    public required Baselines Baselines { get; init; }

    /// <summary>Gets the same of the counts of co-occurrences and transitions as one list; null where nothing is counted.</summary>
    public Quality? Counts { get; init; }

    /// <summary>Gets the same of that list fused with the model's, for each width; empty where nothing is counted.</summary>
    public IReadOnlyList<WidthQuality> Fused { get; init; } = [];

    /// <summary>Gets the cost of the counts and of the figures.</summary>
    public required EvaluationCost Cost { get; init; }

    /// <summary>Gets the time from a record's production until its item's new embedding is in Redis.</summary>
    public required Quantiles FreshnessMilliseconds { get; init; }

    /// <summary>Gets what is in Redis.</summary>
    public required StoreSize Redis { get; init; }

    /// <summary>Gets figures of the training.</summary>
    public required TrainingTotals Training { get; init; }

    /// <summary>Gets items with their nearest neighbours, read from Redis.</summary>
    public required IReadOnlyList<NeighbourExample> Examples { get; init; }

    /// <summary>The report as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json) + "\n";
}
