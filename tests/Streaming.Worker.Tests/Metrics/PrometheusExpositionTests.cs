using System.Diagnostics.Metrics;
using Streaming.Worker.Metrics;
using Xunit;

namespace Streaming.Worker.Tests.Metrics;

public class PrometheusExpositionTests
{
    [Fact]
    public void Render_EveryKind_IsWrittenAsPrometheusReadsIt()
    {
        string name = "Test" + Guid.NewGuid().ToString("N");
        using var exposition = new PrometheusExposition("shop", name);
        using var meter = new Meter(name);
        Counter<long> events = meter.CreateCounter<long>("streaming.events", "{event}", "Events by outcome.");
        Histogram<double> wait = meter.CreateHistogram(
            "streaming.wait",
            "s",
            "How long.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] }
        );
        double level = 1;
        meter.CreateObservableGauge("streaming.level", () => level, description: "Now.");

        events.Add(2, new KeyValuePair<string, object?>("outcome", "tra\"ined"));
        events.Add(3, new KeyValuePair<string, object?>("outcome", "tra\"ined"));
        wait.Record(0.1);
        wait.Record(0.5);
        wait.Record(7);
        exposition.Render();
        level = 2.5;

        Assert.Equal(
            """
            # HELP streaming_events_total Events by outcome.
            # TYPE streaming_events_total counter
            streaming_events_total{outcome="tra\"ined",model="shop"} 5
            # HELP streaming_level Now.
            # TYPE streaming_level gauge
            streaming_level{model="shop"} 2.5
            # HELP streaming_wait_seconds How long.
            # TYPE streaming_wait_seconds histogram
            streaming_wait_seconds_bucket{model="shop",le="0.1"} 1
            streaming_wait_seconds_bucket{model="shop",le="1"} 2
            streaming_wait_seconds_bucket{model="shop",le="+Inf"} 3
            streaming_wait_seconds_sum{model="shop"} 7.6
            streaming_wait_seconds_count{model="shop"} 3

            """,
            exposition.Render()
        );
    }

    [Fact]
    public void Render_TagsWithoutEnd_AreBounded()
    {
        string name = "Test" + Guid.NewGuid().ToString("N");
        using var exposition = new PrometheusExposition("shop", name);
        using var meter = new Meter(name);
        Counter<long> counter = meter.CreateCounter<long>("many");
        for (int i = 0; i < 10_000; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("id", i));
        }

        Assert.Equal(
            PrometheusExposition.MostSeries + 1,
            exposition.Render().Split('\n').Count(line => line.StartsWith("many_total{", StringComparison.Ordinal)) + 1
        );
    }
}
