using Polly;
using Polly.Retry;
using Polly.Timeout;
using StackExchange.Redis;

namespace Streaming.Serving;

/// <summary>How reads meet trouble: a bounded wait for each try and a few quick retries. Reads change nothing, so any may be repeated.</summary>
internal sealed class ReadPipeline
{
    /// <summary>Replies of a server that has just started, of a fail-over, and of slots on the move.</summary>
    private static readonly string[] PassingReplies = ["LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "Key has MOVED"];

    private readonly ResiliencePipeline _pipeline;
    private readonly TimeSpan _timeout;

    public ReadPipeline(ServingOptions options, TimeProvider clock)
    {
        _timeout = options.Timeout;
        ResiliencePipelineBuilder builder = new() { TimeProvider = clock };
        if (options.RetryAttempts > 0)
        {
            builder.AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = static arguments => ValueTask.FromResult(Passes(arguments.Outcome.Exception)),
                MaxRetryAttempts = options.RetryAttempts,
                Delay = TimeSpan.FromMilliseconds(20),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
            });
        }

        _pipeline = builder.AddTimeout(options.Timeout).Build();
    }

    /// <summary>Whether an error says that keys of one command are at two servers now, because their slot is on its way.</summary>
    public static bool IsSlotOnItsWay(RedisServerException error) => error.Message.StartsWith("TRYAGAIN", StringComparison.Ordinal);

    private static bool Passes(Exception? error) => error switch
    {
        RedisConnectionException or TimeoutException or TimeoutRejectedException => true,
        RedisServerException reply => PassingReplies.Any(start => reply.Message.StartsWith(start, StringComparison.Ordinal)),
        _ => false,
    };

    /// <summary>Asks the store.</summary>
    /// <param name="call">Sends the question; again at every try.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TimeoutException">It did not answer in time, at any try.</exception>
    public async Task<T> RunAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await _pipeline.ExecuteAsync(
                static async (question, token) => await question().WaitAsync(token).ConfigureAwait(false), call, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutRejectedException error)
        {
            throw new TimeoutException($"Redis did not answer within {_timeout.TotalMilliseconds:0} ms.", error);
        }
    }
}
