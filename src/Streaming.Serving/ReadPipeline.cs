using Polly;
using Polly.Retry;
using Polly.Timeout;
using StackExchange.Redis;

namespace Streaming.Serving;

/// <summary>How reads meet trouble: a bounded wait for each try and a few quick retries. Reads change nothing, so any may be repeated.</summary>
internal static class ReadPipeline
{
    public static ResiliencePipeline Create(ServingOptions options, TimeProvider clock)
    {
        ResiliencePipelineBuilder builder = new() { TimeProvider = clock };
        if (options.RetryAttempts > 0)
        {
            builder.AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = static arguments => ValueTask.FromResult(
                    arguments.Outcome.Exception is RedisConnectionException or TimeoutException or TimeoutRejectedException),
                MaxRetryAttempts = options.RetryAttempts,
                Delay = TimeSpan.FromMilliseconds(20),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
            });
        }

        return builder.AddTimeout(options.Timeout).Build();
    }
}
