using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;
using StackExchange.Redis;

namespace Streaming.Transport.Redis;

/// <summary>Resilience of calls to Redis: a timeout, retries with backoff, and a circuit breaker that spares a failing server.</summary>
internal static class RedisPipeline
{
    /// <summary>Transient replies: memory, loading, failover, a busy script, a moving slot.</summary>
    private static readonly string[] PassingReplies =
    [
        "OOM",
        "LOADING",
        "READONLY",
        "MASTERDOWN",
        "CLUSTERDOWN",
        "TRYAGAIN",
        "BUSY",
        "NOREPLICAS",
        "MISCONF",
    ];

    public static ResiliencePipeline Create(RedisOptions options, TimeProvider time)
    {
        Func<Exception?, ValueTask<bool>> passing = static error => ValueTask.FromResult(error is not null && IsPassing(error));
        return new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(
                new RetryStrategyOptions
                {
                    ShouldHandle = arguments => passing(arguments.Outcome.Exception),
                    MaxRetryAttempts = options.RetryAttempts,
                    Delay = options.RetryDelay,
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                    MaxDelay = TimeSpan.FromSeconds(5),
                }
            )
            .AddCircuitBreaker(
                new CircuitBreakerStrategyOptions
                {
                    ShouldHandle = arguments => passing(arguments.Outcome.Exception),
                    FailureRatio = 0.5,
                    MinimumThroughput = 20,
                    SamplingDuration = TimeSpan.FromSeconds(10),
                    BreakDuration = TimeSpan.FromSeconds(1),
                }
            )
            .AddTimeout(options.CommandTimeout)
            .Build();
    }

    public static bool IsPassing(Exception error) =>
        error switch
        {
            RedisConnectionException or TimeoutException or TimeoutRejectedException => true,
            RedisServerException reply => Passes(reply.Message),
            _ => false,
        };

    /// <summary>Whether a reply's text is transient.</summary>
    public static bool Passes(string reply) => PassingReplies.Any(start => Says(reply, start));

    /// <summary>Whether an error is transient, or comes from the breaker that such errors opened.</summary>
    public static bool IsTrouble(Exception error) => IsPassing(error) || error is BrokenCircuitException;

    public static bool IsWrongType(Exception error) => error is RedisServerException reply && Says(reply, "WRONGTYPE");

    /// <summary>Whether the client's Redis user lacks a permission.</summary>
    public static bool IsDenied(Exception error) => error is RedisServerException reply && (Says(reply, "NOPERM") || Says(reply, "NOAUTH"));

    public static bool IsOutOfMemory(Exception error) => error is RedisServerException reply && Says(reply, "OOM");

    /// <summary>Redis before version 7 wraps a script's error: "ERR Error running script …: … OOM command not allowed …".</summary>
    private static bool Says(RedisServerException reply, string start) => Says(reply.Message, start);

    private static bool Says(string reply, string start) =>
        reply.StartsWith(start, StringComparison.Ordinal)
        || reply.Contains($": {start} ", StringComparison.Ordinal)
        || reply.Contains($"-{start} ", StringComparison.Ordinal);
}
