using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Streaming.Transport.Kafka;

namespace Streaming.Transport.Tests.Kafka;

/// <summary>Keeps every line that a source logs.</summary>
internal sealed class RecordingLogger : ILogger<KafkaSource>
{
    public ConcurrentQueue<string> Lines { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    ) => Lines.Enqueue(formatter(state, exception));

    public override string ToString() => string.Join('\n', Lines);
}
