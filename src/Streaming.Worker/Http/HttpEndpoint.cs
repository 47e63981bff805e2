using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Streaming.Core.Events;
using Streaming.Worker.Failures;

namespace Streaming.Worker.Http;

/// <summary>The HTTP side of the program: one Kestrel server, routes given by whoever starts it.</summary>
public sealed class HttpEndpoint : IAsyncDisposable
{
    // An id of the longest kind, every byte of it escaped, with its quotation marks and comma.
    private const long LongestItem = (6 * InteractionEvent.MaxIdBytes) + 3;
    private const long LeastBody = 1 << 20;

    private readonly WebApplication _application;

    private HttpEndpoint(WebApplication application, Uri address)
    {
        _application = application;
        Address = address;
    }

    /// <summary>Gets the address that it listens on.</summary>
    public Uri Address { get; }

    /// <summary>Starts to listen.</summary>
    /// <exception cref="ServerUnavailableException">The port is taken or the address is not one of this machine.</exception>
    /// <param name="options">Where, and how much of a request is read.</param>
    /// <param name="loggers">For what goes wrong.</param>
    /// <param name="map">Adds the routes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="background">What runs as long as the server does.</param>
    public static async Task<HttpEndpoint> StartAsync(
        HttpOptions options,
        ILoggerFactory loggers,
        Action<IEndpointRouteBuilder> map,
        CancellationToken cancellationToken,
        IHostedService? background = null
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddLogging();
        builder.Services.AddRoutingCore();
        builder.Services.AddCors();
        RequestLimits.Add(builder.Services, options);
        builder.Services.AddResponseCompression(static compression =>
            compression.MimeTypes = ["application/json", "application/problem+json", "text/html", "text/plain"]
        );
        if (background is not null)
        {
            builder.Services.AddSingleton(background);
        }

        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                // As many items as are allowed, and no list of exclusions is longer.
                kestrel.Limits.MaxRequestBodySize = Math.Max(LeastBody, 2 * LongestItem * options.MaxItems);
                kestrel.Listen(IPAddress.Parse(options.Address), options.Port);
            });
        WebApplication application = builder.Build();
        var problems = new Problems(loggers.CreateLogger(nameof(HttpEndpoint)));
        application.UseResponseCompression();
        application.Use(problems.InvokeAsync);
        if (options.CorsOrigins.Count > 0)
        {
            application.UseCors(policy =>
                policy
                    .WithOrigins([.. options.CorsOrigins])
                    .AllowAnyHeader()
                    .WithMethods("GET", "HEAD", "POST")
                    .WithExposedHeaders("ETag", "X-Index-Age")
            );
        }

        if (options.ApiKeyFile.Length > 0)
        {
            ILogger logger = loggers.CreateLogger(nameof(ApiKeys));
            application.Use(new ApiKeyGate(new ApiKeys(options.ApiKeyFile, TimeProvider.System, logger)).InvokeAsync);
        }

        application.UseRateLimiter();
        application.UseRouting();
        map(application);
        try
        {
            await application.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw new ServerUnavailableException(
                $"cannot listen on {options.Address}:{options.Port} ({exception.Message}); set STREAMING__Http__Port to a free port, or "
                    + "0 for any",
                exception
            );
        }

        string address = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new HttpEndpoint(
            application,
            new Uri(address.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal).Replace("[::]", "[::1]", StringComparison.Ordinal))
        );
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _application.StopAsync(limit.Token).ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
    }
}
