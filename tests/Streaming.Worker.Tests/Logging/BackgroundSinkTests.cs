using System.Diagnostics.Metrics;
using Serilog.Events;
using Serilog.Parsing;
using Streaming.Worker.Logging;
using Xunit;

namespace Streaming.Worker.Tests.Logging;

/// <summary>Whoever reads the log may hang: nobody who logs does.</summary>
public sealed class BackgroundSinkTests
{
    [Fact]
    public void WriterHangs_LoggingContinuesAndWhatDoesNotFitIsCountedAndTheEndIsNotHeldUp()
    {
        using var hang = new ManualResetEventSlim();
        using var reached = new ManualResetEventSlim();
        var written = new List<string>();
        var sink = new BackgroundSink(logEvent =>
        {
            reached.Set();
            hang.Wait();
            lock (written)
            {
                written.Add(logEvent.RenderMessage(null));
            }
        });

        sink.Emit(Event("first"));
        reached.Wait(TestContext.Current.CancellationToken);
        for (int i = 0; i < BackgroundSink.Capacity + 7; i++)
        {
            sink.Emit(Event("more"));
        }

        Assert.Equal(7, sink.Dropped);
        Assert.Contains(7, Observed());
        sink.Dispose(); // Returns, though the writer hangs.
        Assert.Empty(written);

        hang.Set();
        Assert.True(SpinWait.SpinUntil(() => Count(written) == BackgroundSink.Capacity + 2, TimeSpan.FromMinutes(1)));
        Assert.Contains("7 log lines were dropped: standard error did not take them", written);
    }

    [Fact]
    public void WriterFails_IsCountedAndTheNextLineIsTried()
    {
        var written = new List<string>();
        var sink = new BackgroundSink(logEvent =>
        {
            if (logEvent.RenderMessage(null) == "bad")
            {
                throw new IOException("no space left on device");
            }

            written.Add(logEvent.RenderMessage(null));
        });
        sink.Emit(Event("bad"));
        sink.Emit(Event("good"));
        sink.Dispose();

        Assert.Equal(["good"], written);
        Assert.Equal(1, sink.Dropped);
    }

    private static int Count(List<string> written)
    {
        lock (written)
        {
            return written.Count;
        }
    }

    /// <summary>The counters of all sinks of this process, as a scrape finds them.</summary>
    private static List<long> Observed()
    {
        var values = new List<long>();
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Name == "streaming.log.dropped")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => values.Add(value));
        listener.Start();
        listener.RecordObservableInstruments();
        return values;
    }

    private static LogEvent Event(string text) =>
        new(DateTimeOffset.UnixEpoch, LogEventLevel.Information, null, new MessageTemplateParser().Parse(text), []);
}
