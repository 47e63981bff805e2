using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Streaming.Worker.Tests.Faults;

/// <summary>Records every log line.</summary>
internal sealed class RecordingLoggers : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    public string Text => string.Join('\n', _lines);

    public bool Has(string text) => _lines.Any(line => line.Contains(text, StringComparison.Ordinal));

    public int Count(string text) => _lines.Count(line => line.Contains(text, StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    ) =>
        _lines.Enqueue(
            $"{TimeProvider.System.GetUtcNow():ss.fff} {logLevel}: "
                + $"{formatter(state, exception)}{(exception is null ? string.Empty : $" {exception}")}"
        );

    public void Dispose() { }
}
