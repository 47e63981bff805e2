using System.Diagnostics.Metrics;

namespace Streaming.Worker.Metrics;

/// <summary>Which generations of the model a process trains or serves: a metric that is always 1, to join with the others on the
/// instance. The generation is no label of theirs, because it would end every series at a switch.</summary>
public sealed class ModelMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Streaming.Model";

    private readonly Meter _meter = new(MeterName);

    /// <summary>Creates the instrument.</summary>
    /// <param name="generations">Read at each scrape.</param>
    public ModelMetrics(Func<IEnumerable<uint>> generations) =>
        _meter.CreateObservableGauge(
            "streaming.model.info",
            () =>
                generations()
                    .Select(static generation => new Measurement<int>(1, KeyValuePair.Create<string, object?>("generation", generation))),
            null,
            "1 for each generation of the model that this process trains or serves."
        );

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
