using Polly;
using Polly.Retry;
using Polly.Timeout;
using StackExchange.Redis;

namespace Streaming.Serving;

/// <summary>Timeout and retries of reads: a bounded wait per attempt and a few quick retries. Reads are idempotent.</summary>
internal sealed class ReadPipeline
{
    /// <summary>Replies of a server that is starting, of a failover, and of slots being migrated.</summary>
    private static readonly string[] PassingReplies = ["LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "Key has MOVED"];

    private readonly ResiliencePipeline _pipeline;
    private readonly TimeSpan _timeout;

    public ReadPipeline(ServingOptions options, TimeProvider time)
    {
        _timeout = options.Timeout;
        ResiliencePipelineBuilder builder = new() { TimeProvider = time };
        if (options.RetryAttempts > 0)
        {
            builder.AddRetry(
                new RetryStrategyOptions
                {
                    ShouldHandle = static arguments => ValueTask.FromResult(Passes(arguments.Outcome.Exception)),
                    MaxRetryAttempts = options.RetryAttempts,
                    Delay = TimeSpan.FromMilliseconds(20),
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                }
            );
        }

        _pipeline = builder.AddTimeout(options.Timeout).Build();
    }

    /// <summary>Whether an error means that the keys of one command are split between two servers, because their slot is being
    /// migrated.</summary>
    public static bool IsSlotMigrating(RedisServerException error) => error.Message.StartsWith("TRYAGAIN", StringComparison.Ordinal);

    private static bool Passes(Exception? error) =>
        error switch
        {
            RedisConnectionException or TimeoutException or TimeoutRejectedException => true,
            RedisServerException reply => PassingReplies.Any(start => reply.Message.StartsWith(start, StringComparison.Ordinal)),
            _ => false,
        };

    /// <summary>Runs a read.</summary>
    /// <param name="call">Sends the command; called once per attempt.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="TimeoutException">No attempt was answered in time.</exception>
    public async Task<T> RunAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await _pipeline
                .ExecuteAsync(
                    static async (question, token) => await question().WaitAsync(token).ConfigureAwait(false),
                    call,
                    cancellationToken
                )
                .ConfigureAwait(false);
        }
        catch (TimeoutRejectedException error)
        {
            throw new TimeoutException($"Redis did not answer within {_timeout.TotalMilliseconds:0} ms.", error);
        }
    }
}
