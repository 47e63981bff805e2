using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Streaming.Tests.Kafka;

namespace Streaming.Kafka.Tests.Bench;

/// <summary>A real schema registry, Apicurio's, that ends with this process, however that ends.</summary>
internal sealed class RegistryServer : IAsyncDisposable
{
    /// <summary>
    /// The environment variable that names the folder of an unpacked Apicurio Registry 2.6, the one that keeps its schemas in memory.
    /// </summary>
    public const string Variable = "STREAMING_REGISTRY";

    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly int _port = FreePorts.Take(1)[0];
    private readonly ProcessLog _log = new();
    private Process? _process;

    /// <summary>Gets the address for Confluent's clients.</summary>
    public string Url => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}/apis/ccompat/v7");

    /// <summary>Starts it, and waits until it answers.</summary>
    /// <exception cref="InvalidOperationException">There is none where the environment says.</exception>
    public async Task StartAsync()
    {
        string folder = Environment.GetEnvironmentVariable(Variable) ?? string.Empty;
        string runner =
            folder.Length > 0 && Directory.Exists(folder)
                ? Directory.GetFiles(folder, "apicurio-registry-app-*-runner.jar").FirstOrDefault() ?? string.Empty
                : string.Empty;
        if (runner.Length == 0)
        {
            throw new InvalidOperationException(
                $"{Variable} is '{folder}', which is not an Apicurio Registry (a folder with apicurio-registry-app-*-runner.jar). Get "
                    + "the archive 'all' of io.apicurio:apicurio-registry-app from Maven Central and unpack it."
            );
        }

        _process = ChildProcesses.Start(
            new ProcessStartInfo(
                "java",
                [
                    "-Xmx256m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-Dquarkus.http.host=127.0.0.1",
                    string.Create(CultureInfo.InvariantCulture, $"-Dquarkus.http.port={_port}"),
                    "-jar",
                    runner,
                ]
            )
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        );
        _log.Follow(_process);
        await Until.TrueAsync(
            async () =>
            {
                try
                {
                    return (await Http.GetAsync(new Uri(Url + "/subjects"))).IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            () => $"the registry answers\n{_log.Text}"
        );
    }

    /// <summary>Registers a schema.</summary>
    /// <returns>Its id.</returns>
    public async Task<int> RegisterAsync(string subject, string type, string schema, params (string Name, string Subject)[] references)
    {
        var body = new
        {
            schema,
            schemaType = type,
            references = references.Select(static reference => new
            {
                name = reference.Name,
                subject = reference.Subject,
                version = 1,
            }),
        };
        using HttpResponseMessage response = await Http.PostAsJsonAsync(
            new Uri($"{Url}/subjects/{Uri.EscapeDataString(subject)}/versions"),
            body
        );
        JsonElement answer = await response.Content.ReadFromJsonAsync<JsonElement>();
        return response.IsSuccessStatusCode
            ? answer.GetProperty("id").GetInt32()
            : throw new InvalidOperationException($"{subject}: {answer}");
    }

    /// <summary>Sends it a signal: what it holds is in its memory, so that one that is to come back is frozen.</summary>
    public void Signal(UnixSignal signal) => _process!.Signal(signal);

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            process.Signal(UnixSignal.Kill);
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }
}
