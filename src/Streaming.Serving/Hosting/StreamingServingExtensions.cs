using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Streaming.Serving.Clients;

namespace Streaming.Serving.Hosting;

/// <summary>Registers a client of a model in an application.</summary>
public static class StreamingServingExtensions
{
    /// <summary>Name of the health check.</summary>
    public const string HealthCheckName = "streaming";

    /// <summary>
    /// Registers <see cref="StreamingClient"/>, the background service that loads and refreshes its index, and the health check
    /// "streaming": healthy while the index is fresh, degraded while it is stale, unhealthy while calls that need it cannot be answered.
    /// </summary>
    /// <param name="services">The application's services. Without <see cref="StreamingServingOptions.Redis"/> they must hold an
    /// <c>IConnectionMultiplexer</c>.</param>
    /// <param name="configure">Sets the options; wrong ones are named when the application starts.</param>
    public static IServiceCollection AddStreamingServing(this IServiceCollection services, Action<StreamingServingOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<StreamingServingOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<StreamingServingOptions>, OptionsValidation>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<StoreConnection>();
        services.TryAddSingleton(static provider => new StreamingClient(
            provider.GetRequiredService<StoreConnection>().Database,
            provider.GetRequiredService<IOptions<StreamingServingOptions>>().Value,
            provider.GetRequiredService<TimeProvider>()
        ));
        services.AddHostedService<IndexRefresher>();
        services.AddHealthChecks().AddCheck<IndexHealthCheck>(HealthCheckName, tags: ["ready"]);
        return services;
    }
}
