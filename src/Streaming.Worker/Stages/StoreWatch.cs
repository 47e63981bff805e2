using Microsoft.Extensions.Logging;
using Streaming.Transport.Redis.Access;
using Streaming.Transport.Redis.Publishing;
using Streaming.Worker.Health;

namespace Streaming.Worker.Stages;

/// <summary>Checks every 10 seconds for what no other part would notice: servers that may evict embeddings, and a deleted pointer or
/// layout record, which it restores.</summary>
/// <param name="publisher">The publisher, open.</param>
/// <param name="servers">The servers.</param>
/// <param name="health">Receives whether a server may evict.</param>
/// <param name="time">Clock.</param>
/// <param name="logger">Log.</param>
internal sealed class StoreWatch(EmbeddingPublisher publisher, StoreServers servers, HealthReport health, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private string _evicting = string.Empty;
    private string _problem = string.Empty;

    /// <summary>Gets how many servers may evict keys when they are full.</summary>
    public int Evicting { get; private set; }

    /// <summary>Gets the problem of the pointer or the layout record; empty: none. Any thread.</summary>
    public string Problem => Volatile.Read(ref _problem);

    /// <summary>Watches until told to stop.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await LookAsync(cancellationToken).ConfigureAwait(false);
                Volatile.Write(ref _problem, string.Empty);
            }
            catch (Exception exception) when (EmbeddingPublisher.IsOutage(exception))
            {
                // The publisher reports it, with every batch.
            }
            catch (StoreRefusedException exception)
            {
                Volatile.Write(ref _problem, exception.Message);
            }

            await Task.Delay(Interval, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        StoreServer[] evicting = [.. (await servers.ReadAsync(cancellationToken).ConfigureAwait(false)).Where(server => server.Evicts)];
        string text = string.Join(", ", evicting.Select(server => $"{server.EndPoint} ({server.EvictionPolicy})"));
        Evicting = evicting.Length;
        health.Set(
            "redis memory",
            text.Length == 0 ? HealthLevel.Healthy : HealthLevel.Degraded,
            text.Length == 0 ? string.Empty : $"may evict embeddings: {text}"
        );
        if (text.Length > 0 && text != _evicting)
        {
            PipelineLog.StoreEvicts(logger, text);
        }
        else if (text.Length == 0 && _evicting.Length > 0)
        {
            PipelineLog.StoreKeeps(logger, _evicting);
        }

        _evicting = text;
        await publisher.RestoreAsync(cancellationToken).ConfigureAwait(false);
    }
}
