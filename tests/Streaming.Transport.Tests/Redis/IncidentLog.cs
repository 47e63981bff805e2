using System.Threading.Channels;
using Streaming.Transport.Redis.Publishing;

namespace Streaming.Transport.Tests.Redis;

/// <summary>A publisher's incidents, to wait for.</summary>
internal sealed class IncidentLog
{
    private readonly Channel<PublishIncident> _channel = Channel.CreateBounded<PublishIncident>(
        new BoundedChannelOptions(1000) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    public void Add(PublishIncident incident) => _channel.Writer.TryWrite(incident);

    /// <summary>Waits for an incident of the kind, skipping others.</summary>
    public async Task<PublishIncident> WaitForAsync(PublishIncidentKind kind, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(40));
        var seen = new List<PublishIncident>();
        try
        {
            await foreach (PublishIncident incident in _channel.Reader.ReadAllAsync(limit.Token))
            {
                if (incident.Kind == kind)
                {
                    return incident;
                }

                seen.Add(incident);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"No {kind} within 40 s, but {seen.Count} others; the first: "
                    + $"{string.Join("; ", seen.Take(3).Select(incident => $"{incident.Kind} {incident.Items} {incident.Error?.Message}"))}"
            );
        }

        throw new InvalidOperationException("unreachable: the channel never completes");
    }
}
