using System.Diagnostics.Metrics;
using System.Globalization;
using Serilog.Core;
using Serilog.Events;
using Serilog.Parsing;

namespace Streaming.Worker.Logging;

/// <summary>
/// Writes log events on a thread of its own. Whoever reads the log may hang (a log driver, a terminal that is held), and a write to its
/// pipe then waits without end: nobody but this thread waits with it. The queue is bounded; what does not fit is dropped, counted, and
/// said once there is room again.
/// </summary>
internal sealed class BackgroundSink : ILogEventSink, IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Streaming.Logging";

    /// <summary>Events that may wait: some megabytes.</summary>
    internal const int Capacity = 10_000;

    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(1);
    private readonly Action<LogEvent> _write;
    private readonly Queue<LogEvent> _queue = [];
    private readonly Thread _thread;
    private readonly Meter _meter = new(MeterName);
    private long _dropped;
    private long _total;
    private bool _ended;

    /// <summary>Starts the thread.</summary>
    /// <param name="write">Writes an event; may block, and may throw.</param>
    public BackgroundSink(Action<LogEvent> write)
    {
        _write = write;
        // Observed, so that it is there with 0 from the first scrape: a rate needs to see where it begins.
        _meter.CreateObservableCounter(
            "streaming.log.dropped",
            () => Dropped,
            "{line}",
            "Log lines that were dropped because standard error did not take them."
        );
        _thread = new Thread(Run) { IsBackground = true, Name = "log" };
        _thread.Start();
    }

    /// <summary>Gets how many lines were dropped.</summary>
    internal long Dropped => Volatile.Read(ref _total);

    /// <inheritdoc/>
    public void Emit(LogEvent logEvent)
    {
        lock (_queue)
        {
            if (_queue.Count < Capacity)
            {
                _queue.Enqueue(logEvent);
                Monitor.Pulse(_queue);
                return;
            }

            _dropped++;
        }

        Interlocked.Increment(ref _total);
    }

    /// <summary>Writes what waits, for a second at most.</summary>
    public void Dispose()
    {
        lock (_queue)
        {
            _ended = true;
            Monitor.Pulse(_queue);
        }

        _thread.Join(EndLimit);
        _meter.Dispose();
    }

    private void Run()
    {
        while (Take(out LogEvent? logEvent, out long dropped))
        {
            if (dropped > 0)
            {
                Write(DroppedEvent(dropped, logEvent.Timestamp));
            }

            Write(logEvent);
        }
    }

    private bool Take([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out LogEvent? logEvent, out long dropped)
    {
        lock (_queue)
        {
            while (!_queue.TryDequeue(out logEvent))
            {
                if (_ended)
                {
                    dropped = 0;
                    return false;
                }

                Monitor.Wait(_queue);
            }

            (dropped, _dropped) = (_dropped, 0);
            return true;
        }
    }

    private void Write(LogEvent logEvent)
    {
        try
        {
            _write(logEvent);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            Interlocked.Increment(ref _total);
        }
    }

    private static LogEvent DroppedEvent(long lines, DateTimeOffset time) =>
        new(
            time,
            LogEventLevel.Warning,
            exception: null,
            new MessageTemplateParser().Parse(
                string.Create(CultureInfo.InvariantCulture, $"{lines} log lines were dropped: standard error did not take them")
            ),
            []
        );
}
