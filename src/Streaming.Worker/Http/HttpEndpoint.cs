using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Streaming.Worker;

/// <summary>The HTTP side of the program: one Kestrel server, routes given by whoever starts it.</summary>
internal sealed class HttpEndpoint : IAsyncDisposable
{
    private const long LargestRequest = 1 << 20;

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
    public static async Task<HttpEndpoint> StartAsync(HttpOptions options, ILoggerFactory loggers, Action<IEndpointRouteBuilder> map, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestRequest;
            kestrel.Listen(IPAddress.Parse(options.Address), options.Port);
        });
        WebApplication application = builder.Build();
        application.UseRouting();
        map(application);
        try
        {
            await application.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw new ServerUnavailableException($"cannot listen on {options.Address}:{options.Port} ({exception.Message}); set Http__Port to a free port, or 0 for any", exception);
        }

        string address = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new HttpEndpoint(application, new Uri(address.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _application.StopAsync(limit.Token).ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
    }
}
