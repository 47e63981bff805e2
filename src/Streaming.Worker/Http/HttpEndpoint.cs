using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
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

    private HttpEndpoint(WebApplication application, Uri address, Uri? grpcAddress)
    {
        _application = application;
        Address = address;
        GrpcAddress = grpcAddress;
    }

    /// <summary>Gets the address that it listens on.</summary>
    public Uri Address { get; }

    /// <summary>Gets the address that it listens on for gRPC, or null.</summary>
    public Uri? GrpcAddress { get; }

    /// <summary>The most bytes of a request: as many items as are allowed, and as many to leave out.</summary>
    internal static long MostBody(HttpOptions options) => Math.Max(LeastBody, 2 * LongestItem * options.MaxItems);

    /// <summary>Starts to listen.</summary>
    /// <exception cref="ServerUnavailableException">The port is taken or the address is not one of this machine.</exception>
    /// <param name="options">Where, and how much of a request is read.</param>
    /// <param name="loggers">For what goes wrong.</param>
    /// <param name="map">Adds the routes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="background">What runs as long as the server does.</param>
    /// <param name="services">Adds what the routes need; with it gRPC is listened to, where a port is set for it.</param>
    public static async Task<HttpEndpoint> StartAsync(
        HttpOptions options,
        ILoggerFactory loggers,
        Action<IEndpointRouteBuilder> map,
        CancellationToken cancellationToken,
        IHostedService? background = null,
        Action<IServiceCollection>? services = null
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
            compression.MimeTypes = [
                "application/json",
                "application/problem+json",
                "text/html",
                "text/css",
                "text/javascript",
                "text/plain",
            ]
        );
        services?.Invoke(builder.Services);
        if (background is not null)
        {
            builder.Services.AddSingleton(background);
        }

        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = MostBody(options);
                kestrel.Listen(IPAddress.Parse(options.Address), options.Port);
                if (services is not null && options.GrpcPort >= 0)
                {
                    // Without TLS a port speaks HTTP/1 or HTTP/2, not both.
                    kestrel.Listen(
                        IPAddress.Parse(options.Address),
                        options.GrpcPort,
                        static listen => listen.Protocols = HttpProtocols.Http2
                    );
                }
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
                    .WithExposedHeaders("ETag", "X-Index-Age", "X-Generation")
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
            bool isGrpc = options.GrpcPort > 0 && exception.Message.Contains($":{options.GrpcPort}", StringComparison.Ordinal);
            (int port, string setting) = isGrpc ? (options.GrpcPort, nameof(options.GrpcPort)) : (options.Port, nameof(options.Port));
            throw new ServerUnavailableException(
                $"cannot listen on {options.Address}:{port} ({exception.Message}); set STREAMING__Http__{setting} to a free port, or 0 for "
                    + "any",
                exception
            );
        }

        Uri[] addresses =
        [
            .. application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(Reachable),
        ];
        return new HttpEndpoint(application, addresses[0], addresses.ElementAtOrDefault(1));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _application.StopAsync(limit.Token).ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
    }

    // An address that listens everywhere, as one that can be opened.
    private static Uri Reachable(string address) =>
        new(address.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal).Replace("[::]", "[::1]", StringComparison.Ordinal));
}
