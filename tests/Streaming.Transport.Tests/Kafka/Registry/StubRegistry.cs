using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Streaming.Transport.Tests.Kafka.Registry;

/// <summary>Answers like a schema registry, over HTTP or TLS, perhaps for some only.</summary>
internal sealed class StubRegistry : IAsyncDisposable
{
    private readonly WebApplication _server;

    private StubRegistry(WebApplication server) => _server = server;

    /// <summary>Gets the answers by path.</summary>
    public ConcurrentDictionary<string, string> Answers { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets how often each path was asked for.</summary>
    public ConcurrentDictionary<string, int> Questions { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets or sets the header that every question must have; null: none.</summary>
    public string? Authorization { get; set; }

    /// <summary>Gets or sets the body and status for what is not there; null: the registry's own.</summary>
    public (int Status, string Body)? Otherwise { get; set; }

    public int Port { get; private set; }

    public string Url => $"{(IsSecure ? "https" : "http")}://127.0.0.1:{Port}/api";

    private bool IsSecure { get; set; }

    public static async Task<StubRegistry> StartAsync(
        int port = 0,
        X509Certificate2? certificate = null,
        X509Certificate2? clientAuthority = null
    )
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(
                IPAddress.Loopback,
                port,
                listen =>
                {
                    if (certificate is not null)
                    {
                        listen.UseHttps(https =>
                        {
                            https.ServerCertificate = certificate;
                            https.ClientCertificateMode = clientAuthority is null
                                ? ClientCertificateMode.NoCertificate
                                : ClientCertificateMode.RequireCertificate;
                            https.ClientCertificateValidation = (client, _, _) => client.Issuer == clientAuthority?.Subject;
                        });
                    }
                }
            )
        );
        WebApplication server = builder.Build();
        var registry = new StubRegistry(server) { IsSecure = certificate is not null };
        server.Run(registry.AnswerAsync);
        await server.StartAsync();
        registry.Port = new Uri(server.Urls.First()).Port;
        return registry;
    }

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path.Value!;
        Questions.AddOrUpdate(path, 1, static (_, count) => count + 1);
        if (Authorization is not null && context.Request.Headers.Authorization != Authorization)
        {
            context.Response.StatusCode = 401;
            return;
        }

        bool isThere = Answers.TryGetValue(path, out string? answer);
        (int status, string body) = isThere
            ? (200, answer!)
            : Otherwise ?? (404, "{\"error_code\":40403,\"message\":\"Schema not found\"}");
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/vnd.schemaregistry.v1+json";
        await context.Response.WriteAsync(body);
    }
}
