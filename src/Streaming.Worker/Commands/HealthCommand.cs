using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Streaming.Worker.Failures;
using Streaming.Worker.Http;

namespace Streaming.Worker.Commands;

/// <summary>`streaming health`: queries the health of a worker on this machine, for health checks of containers without curl.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var ready = new Option<bool>("--ready") { Description = "Check readiness instead of liveness." };
        Option<string?> file = SettingsOption.Create();
        var command = new Command(
            "health",
            "Query the health of the worker at STREAMING__Http__Address and STREAMING__Http__Port of this machine. Exits with code 0 if "
                + "it is alive (with --ready: ready), otherwise, or without an answer within 4 s, with 69."
        )
        {
            file,
            ready,
        };
        command.SetAction(
            (result, cancellationToken) =>
                AskAsync(WorkerSettings.Options(SettingsOption.Read(result.GetValue(file))).Http, result.GetValue(ready), cancellationToken)
        );
        return command;
    }

    /// <summary>The address at which a worker with these options is reached from its own machine.</summary>
    /// <exception cref="SettingsException">The options name no port.</exception>
    internal static Uri AddressOf(HttpOptions options, bool ready)
    {
        if (options.Port <= 0)
        {
            throw new SettingsException([
                FormattableString.Invariant(
                    $"STREAMING__Http__Port is {options.Port}; allowed: the port that the worker listens on, 1 … 65535."
                ),
            ]);
        }

        // The "any" address cannot be connected to.
        var address = IPAddress.Parse(options.Address);
        address =
            address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
            : address;
        string host = address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();
        return new Uri($"http://{host}:{options.Port}/health/{(ready ? "ready" : "live")}");
    }

    private static async Task<int> AskAsync(HttpOptions options, bool ready, CancellationToken cancellationToken)
    {
        Uri address = AddressOf(options, ready);

        // The request stays on this machine: container engines put proxy variables into the environment.
        using var handler = new SocketsHttpHandler { UseProxy = false };
        using var client = new HttpClient(handler) { Timeout = Patience };
        try
        {
            using HttpResponseMessage response = await client.GetAsync(address, cancellationToken).ConfigureAwait(false);
            Console.WriteLine(await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false));
            return (int)(response.IsSuccessStatusCode ? ExitCode.Success : ExitCode.Unavailable);
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            string reason = exception is TaskCanceledException ? $"nothing within {Patience.TotalSeconds:0} s" : exception.Message;
            throw new ServerUnavailableException(
                $"no answer from the worker at {address} (STREAMING__Http__Address, STREAMING__Http__Port): {reason}",
                exception
            );
        }
    }
}
