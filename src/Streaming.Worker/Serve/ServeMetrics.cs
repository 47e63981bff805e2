using System.Diagnostics.Metrics;
using Streaming.Core.Embeddings;
using Streaming.Serving.Graphs;
using Streaming.Serving.Lookups;
using Streaming.Serving.Search;

namespace Streaming.Worker.Serve;

/// <summary>Metrics of serving: values by outcome of reading them, and the index.</summary>
public sealed class ServeMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Streaming.Serve";

    private readonly Meter _meter = new(MeterName);
    private readonly EmbeddingIndex _index;
    private readonly KeyValuePair<string, object?> _tag;
    private readonly long[] _refused = new long[Enum.GetValues<EmbeddingFault>().Length];
    private long _found;
    private long _missing;

    /// <summary>Creates the instruments.</summary>
    /// <param name="index">The index.</param>
    /// <param name="name">The label of everything: "active" or "trial".</param>
    public ServeMetrics(EmbeddingIndex index, string name)
    {
        _index = index;
        _tag = new("index", name);
        _meter.CreateObservableCounter("streaming.lookups", Lookups, "{item}", "Items looked up, by outcome: found, missing.");
        _meter.CreateObservableCounter(
            "streaming.values.refused",
            Refused,
            "{item}",
            "Values in Redis that lookups or the index could not read, by reason: foreign, truncated, newer, corrupt, other_generation, "
                + "too_narrow."
        );
        _meter.CreateObservableGauge("streaming.index.items", () => Measure(_index.Count), "{item}", "Items in the index.");
        _meter.CreateObservableGauge(
            "streaming.index.generation",
            () => Measure((long)_index.Generation),
            null,
            "Generation of the index, 0 before the first load."
        );
        _meter.CreateObservableGauge(
            "streaming.index.age",
            () => Measure(_index.Age.TotalSeconds),
            "s",
            "Time since the index last matched Redis."
        );
        _meter.CreateObservableGauge(
            "streaming.index.memory",
            () => Measure(_index.Current.Bytes),
            "By",
            "Memory used by the index, excluding id strings."
        );
        AddGraph();
    }

    private static GraphStatus None { get; } = new();

    /// <summary>Gets the number of values that lookups and the index could read.</summary>
    public long ValuesFound => Volatile.Read(ref _found) + _index.Found;

    /// <summary>Returns the number of values refused for a reason.</summary>
    public long ValuesRefused(EmbeddingFault fault) => Volatile.Read(ref _refused[(int)fault]) + _index.RefusedFor(fault);

    /// <summary>Counts the items of a lookup.</summary>
    public void Count(ReadOnlySpan<ItemRead> items)
    {
        foreach (ref readonly ItemRead item in items)
        {
            ref long counter = ref _missing;
            if (item.Status != ItemStatus.Missing)
            {
                counter = ref item.Status == ItemStatus.Found ? ref _found : ref _refused[(int)item.Fault];
            }

            Interlocked.Increment(ref counter);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private void AddGraph()
    {
        GraphStatus Graph() => _index.Graph ?? None;
        _meter.CreateObservableGauge(
            "streaming.index.graph.vectors",
            () => Measure(Graph().Vectors),
            "{item}",
            "Items in the graph of the approximate search; 0: every search is exact."
        );
        _meter.CreateObservableGauge(
            "streaming.index.graph.changed",
            () => Measure(Graph().Changed),
            "{item}",
            "Items searched exactly in addition to the graph, because they were added or moved since it was built."
        );
        _meter.CreateObservableGauge("streaming.index.graph.memory", () => Measure(Graph().Bytes), "By", "Memory used by the graph.");
        _meter.CreateObservableCounter(
            "streaming.index.graph.builds",
            () => Outcomes(Graph().Builds, "succeeded", Graph().FailedBuilds, "failed"),
            "{build}",
            "Builds of a graph, by outcome: succeeded, failed."
        );
        _meter.CreateObservableCounter(
            "streaming.index.graph.build.time",
            () => Measure(Graph().BuildTime.TotalSeconds),
            "s",
            "Time of these builds."
        );
        _meter.CreateObservableCounter(
            "streaming.index.graph.searches",
            () => Outcomes(Graph().Searches, "answered", Graph().Fallbacks, "exact"),
            "{search}",
            "Searches that the graph could answer, by outcome: answered, exact (its filter admits too few items)."
        );
    }

    private IEnumerable<Measurement<long>> Outcomes(long one, string outcome, long other, string otherwise) =>
        [
            new(one, KeyValuePair.Create<string, object?>("outcome", outcome), _tag),
            new(other, KeyValuePair.Create<string, object?>("outcome", otherwise), _tag),
        ];

    private Measurement<T> Measure<T>(T value)
        where T : struct => new(value, _tag);

    private IEnumerable<Measurement<long>> Lookups() =>
        [
            new(Volatile.Read(ref _found), KeyValuePair.Create<string, object?>("outcome", "found"), _tag),
            new(Volatile.Read(ref _missing), KeyValuePair.Create<string, object?>("outcome", "missing"), _tag),
        ];

    private IEnumerable<Measurement<long>> Refused() =>
        Refusals.All.Select(fault => new Measurement<long>(
            ValuesRefused(fault),
            KeyValuePair.Create<string, object?>("reason", Refusals.Tag(fault)),
            _tag
        ));
}
