using System.CommandLine;
using Streaming.Worker.Failures;
using Streaming.Worker.Http;

namespace Streaming.Worker.Commands;

/// <summary>`streaming health`: asks a worker on this machine how it is; for container health checks, where no curl is.</summary>
internal static class HealthCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var ready = new Option<bool>("--ready") { Description = "Ask whether it is ready, in the place of alive." };
        Option<string?> file = SettingsOption.Create();
        var command = new Command("health", "Ask the worker at STREAMING__Http__Port of this machine how it is; exit code 0 when well, 69 when not.") { file, ready };
        command.SetAction(async (result, cancellationToken) =>
        {
            HttpOptions options = WorkerSettings.Options(SettingsOption.Read(result.GetValue(file))).Http;
            string host = options.Address is "0.0.0.0" or "::" ? "127.0.0.1" : options.Address;
            using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(4) };
            var address = new Uri($"http://{host}:{options.Port}/health/{(result.GetValue(ready) ? "ready" : "live")}");
            try
            {
                using HttpResponseMessage response = await client.GetAsync(address, cancellationToken).ConfigureAwait(false);
                Console.WriteLine(await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false));
                return (int)(response.IsSuccessStatusCode ? ExitCode.Success : ExitCode.Unavailable);
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
            {
                throw new ServerUnavailableException($"no answer from {address}: {exception.Message}", exception);
            }
        });
        return command;
    }
}
