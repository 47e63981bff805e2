using System.Diagnostics.Metrics;
using Streaming.Serving.Graphs;
using Streaming.Serving.Lookups;
using Streaming.Serving.Search;

namespace Streaming.Serving.Clients;

/// <summary>The instruments of a client, on the meter "Streaming.Serving".</summary>
internal sealed class ClientMetrics : IDisposable
{
    private readonly Meter _meter = new("Streaming.Serving");
    private readonly Counter<long> _items;
    private readonly Histogram<double> _duration;

    public ClientMetrics(EmbeddingIndex? index)
    {
        _items = _meter.CreateCounter<long>(
            "streaming.serving.items",
            "{item}",
            "Items looked up by id, by outcome: found, missing, refused."
        );
        _duration = _meter.CreateHistogram<double>(
            "streaming.serving.duration",
            "s",
            "Time of a call, by call (get, similar, user, items) and outcome (answered, failed)."
        );
        if (index is not null)
        {
            _meter.CreateObservableGauge("streaming.serving.index.items", () => index.Count, "{item}", "Items in the index.");
            _meter.CreateObservableGauge(
                "streaming.serving.index.generation",
                () => (long)index.Generation,
                null,
                "Generation of the index; 0 before the first load."
            );
            _meter.CreateObservableGauge(
                "streaming.serving.index.age",
                () => index.Age.TotalSeconds,
                "s",
                "Time since the index last matched Redis."
            );
            _meter.CreateObservableGauge(
                "streaming.serving.index.memory",
                () => index.Current.Bytes,
                "By",
                "Memory used by the index, excluding id strings."
            );
        }

        if (index is { Graph: not null })
        {
            AddGraph(() => index.Graph!);
        }
    }

    public void Count(ReadCounts counts)
    {
        Add("found", counts.Found);
        Add("missing", counts.Missing);
        Add("refused", counts.Refused);
    }

    public ClientCall Start(string call) => new(_duration, call);

    public void Dispose() => _meter.Dispose();

    private void AddGraph(Func<GraphStatus> graph)
    {
        _meter.CreateObservableGauge(
            "streaming.serving.index.graph.vectors",
            () => graph().Vectors,
            "{item}",
            "Items in the graph of the approximate search; 0: every search is exact."
        );
        _meter.CreateObservableGauge(
            "streaming.serving.index.graph.changed",
            () => graph().Changed,
            "{item}",
            "Items searched exactly in addition to the graph, because they were added or moved since it was built."
        );
        _meter.CreateObservableGauge("streaming.serving.index.graph.memory", () => graph().Bytes, "By", "Memory used by the graph.");
        _meter.CreateObservableCounter("streaming.serving.index.graph.builds", () => graph().Builds, "{build}", "Graphs built.");
        _meter.CreateObservableCounter(
            "streaming.serving.index.graph.builds.failed",
            () => graph().FailedBuilds,
            "{build}",
            "Builds of a graph that failed."
        );
        _meter.CreateObservableCounter(
            "streaming.serving.index.graph.build.time",
            () => graph().BuildTime.TotalSeconds,
            "s",
            "Time of all builds."
        );
        _meter.CreateObservableCounter(
            "streaming.serving.index.graph.searches",
            () => graph().Searches,
            "{search}",
            "Searches that the graph answered."
        );
    }

    private void Add(string outcome, int items)
    {
        if (items > 0)
        {
            _items.Add(items, new KeyValuePair<string, object?>("outcome", outcome));
        }
    }
}
