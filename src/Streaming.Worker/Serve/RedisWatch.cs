using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Streaming.Transport.Redis;
using Streaming.Worker.Health;
using Streaming.Worker.Http;

namespace Streaming.Worker.Serve;

/// <summary>Reports to health and log whether Redis answers, and why it does not.</summary>
internal sealed class RedisWatch(
    IConnectionMultiplexer redis,
    RedisOptions options,
    HealthReport health,
    TimeProvider time,
    ILoggerFactory loggers
)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = loggers.CreateLogger<RedisWatch>();
    private readonly string _servers = RedisConnection.Servers(options);
    private string _reason = string.Empty;

    /// <summary>Watches until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Report(
                redis.IsConnected ? string.Empty : await RedisConnection.DiagnoseAsync(options, cancellationToken).ConfigureAwait(false)
            );
            await Task.Delay(Interval, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private void Report(string reason)
    {
        health.Set(
            "redis",
            reason.Length == 0 ? HealthLevel.Healthy : HealthLevel.Degraded,
            reason.Length == 0 ? string.Empty : $"{_servers} unavailable: {reason}"
        );
        if (reason.Length > 0 && _reason.Length == 0)
        {
            HttpLog.RedisAway(_logger, _servers, reason);
        }
        else if (reason.Length == 0 && _reason.Length > 0)
        {
            HttpLog.RedisBack(_logger, _servers);
        }

        _reason = reason;
    }
}
