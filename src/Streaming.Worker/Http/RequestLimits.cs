using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;

namespace Streaming.Worker.Http;

/// <summary>How many requests are answered at once, and how many each caller may send. Probes and scrapes are never refused.</summary>
internal static class RequestLimits
{
    private const string Unlimited = "";

    /// <summary>Adds the limits of the options.</summary>
    public static void Add(IServiceCollection services, HttpOptions options) =>
        services.AddRateLimiter(limiter =>
        {
            limiter.GlobalLimiter = PartitionedRateLimiter.CreateChained(AtOnce(options.MaxConcurrentRequests), PerCaller(options));
            limiter.OnRejected = (rejected, _) => Refuse(rejected, options);
        });

    private static PartitionedRateLimiter<HttpContext> AtOnce(int most) =>
        PartitionedRateLimiter.Create<HttpContext, string>(context =>
            most == 0 || OpenPaths.Contains(context.Request.Path)
                ? RateLimitPartition.GetNoLimiter(Unlimited)
                : RateLimitPartition.GetConcurrencyLimiter("all", _ => new ConcurrencyLimiterOptions { PermitLimit = most })
        );

    // Twice the rate may arrive at once, so that a caller who sends evenly but through a network that delays is not refused.
    private static PartitionedRateLimiter<HttpContext> PerCaller(HttpOptions options) =>
        PartitionedRateLimiter.Create<HttpContext, string>(context =>
            options.RequestsPerSecond == 0 || OpenPaths.Contains(context.Request.Path)
                ? RateLimitPartition.GetNoLimiter(Unlimited)
                : RateLimitPartition.GetTokenBucketLimiter(
                    Caller(context, options),
                    _ => new TokenBucketRateLimiterOptions
                    {
                        TokenLimit = 2 * options.RequestsPerSecond,
                        TokensPerPeriod = options.RequestsPerSecond,
                        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                    }
                )
        );

    private static string Caller(HttpContext context, HttpOptions options) =>
        options.ApiKeyFile.Length > 0 && ApiKeyGate.Key(context.Request.Headers) is { } key
            ? "key " + key
            : "address " + context.Connection.RemoteIpAddress;

    // Only the limit of a caller knows when there is room again.
    private static async ValueTask Refuse(OnRejectedContext rejected, HttpOptions options)
    {
        (int status, double seconds, string detail) = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan wait)
            ? (
                StatusCodes.Status429TooManyRequests,
                Math.Ceiling(wait.TotalSeconds),
                $"more than {options.RequestsPerSecond} requests a second from this caller (STREAMING__Http__RequestsPerSecond)"
            )
            : (
                StatusCodes.Status503ServiceUnavailable,
                1,
                $"{options.MaxConcurrentRequests} requests are being answered (STREAMING__Http__MaxConcurrentRequests)"
            );
        rejected.HttpContext.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        await TypedResults.Problem(detail, statusCode: status).ExecuteAsync(rejected.HttpContext).ConfigureAwait(false);
    }
}
