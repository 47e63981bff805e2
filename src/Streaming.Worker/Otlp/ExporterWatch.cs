using System.Diagnostics.Tracing;
using Microsoft.Extensions.Logging;

namespace Streaming.Worker.Otlp;

/// <summary>Passes on what OpenTelemetry's exporter says of its failures, which it tells to an event source alone: one warning when
/// sending begins to fail, one line when it works again.</summary>
internal sealed class ExporterWatch : EventListener
{
    private const string Prefix = "OpenTelemetry-Exporter-";
    private readonly ILogger? _logger;
    private readonly Uri? _endpoint;
    private readonly TimeSpan _quiet;
    private readonly Lock _gate = new();
    private readonly List<EventSource> _early = [];
    private readonly Timer? _recovery;
    private bool _isFailing;

    /// <summary>Begins to listen.</summary>
    /// <param name="endpoint">The collector.</param>
    /// <param name="interval">How often figures are sent: when none has failed for two of these, sending works again.</param>
    /// <param name="logger">Log.</param>
    public ExporterWatch(Uri endpoint, TimeSpan interval, ILogger logger)
    {
        _endpoint = endpoint;
        _quiet = 2 * interval + TimeSpan.FromSeconds(10); // The exporter's own time limit.
        _recovery = new Timer(_ => Recover());
        lock (_gate)
        {
            _logger = logger;
            _early.ForEach(Enable);
            _early.Clear();
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _recovery?.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name.StartsWith(Prefix, StringComparison.Ordinal))
        {
            // The base's constructor calls this before the fields of this class are set.
            lock (_gate)
            {
                if (_logger is null)
                {
                    _early.Add(eventSource);
                }
                else
                {
                    Enable(eventSource);
                }
            }
        }
    }

    /// <inheritdoc/>
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (_logger is not { } logger || eventData.Level > EventLevel.Warning)
        {
            return;
        }

        lock (_gate)
        {
            _recovery!.Change(_quiet, Timeout.InfiniteTimeSpan);
            if (!_isFailing)
            {
                _isFailing = true;
                TelemetryLog.Failing(logger, _endpoint!, Words(eventData));
            }
        }
    }

    private void Enable(EventSource source) => EnableEvents(source, EventLevel.Warning);

    private void Recover()
    {
        lock (_gate)
        {
            if (_isFailing)
            {
                _isFailing = false;
                TelemetryLog.Working(_logger!, _endpoint!);
            }
        }
    }

    // The message with its values, up to the stack trace that some have.
    private static string Words(EventWrittenEventArgs data)
    {
        const int most = 300;
        object?[] values = [.. data.Payload ?? Enumerable.Empty<object?>()];
        string text = data.Message is { } message
            ? string.Format(System.Globalization.CultureInfo.InvariantCulture, message, values)
            : string.Join(' ', values);
        text = text.Split(['\r', '\n'], 2)[0];
        return text.Length > most ? text[..most] + "…" : text;
    }
}
