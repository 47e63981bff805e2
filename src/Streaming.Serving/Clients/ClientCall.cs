using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Streaming.Serving.Clients;

/// <summary>A call that is being measured: disposed, it is recorded; as failed unless it was said to have succeeded.</summary>
internal sealed class ClientCall(Histogram<double> duration, string call) : IDisposable
{
    private readonly long _begun = Stopwatch.GetTimestamp();
    private bool _isAnswered;

    public void Succeeded() => _isAnswered = true;

    public void Dispose() =>
        duration.Record(
            Stopwatch.GetElapsedTime(_begun).TotalSeconds,
            new KeyValuePair<string, object?>("call", call),
            new KeyValuePair<string, object?>("outcome", _isAnswered ? "answered" : "failed")
        );
}
