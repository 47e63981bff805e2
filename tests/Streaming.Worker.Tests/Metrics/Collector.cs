using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Streaming.Worker.Tests.Metrics;

/// <summary>An OTLP collector (gRPC without TLS) that counts what it is sent.</summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _application;
    private long _exports;

    private Collector(WebApplication application) => _application = application;

    public Uri Address => new(_application.Urls.Single());

    public long Exports => Interlocked.Read(ref _exports);

    public static async Task<Collector> StartAsync(int port = 0)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, port, static listen => listen.Protocols = HttpProtocols.Http2)
        );
        var collector = new Collector(builder.Build());
        collector._application.MapPost("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", collector.ExportAsync);
        await collector._application.StartAsync();
        return collector;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task ExportAsync(HttpContext context)
    {
        await context.Request.Body.CopyToAsync(Stream.Null);
        context.Response.ContentType = "application/grpc";
        context.Response.DeclareTrailer("grpc-status");
        await context.Response.Body.WriteAsync(new byte[5]); // An empty message, not compressed.
        context.Response.AppendTrailer("grpc-status", "0");
        Interlocked.Increment(ref _exports);
    }
}
