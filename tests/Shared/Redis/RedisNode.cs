using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Streaming.Tests;

/// <summary>One redis-server process that can be stopped, killed and restarted. It dies with the test process, however that ends:
/// a parent shell kills it when the pipe from here closes.</summary>
internal sealed class RedisNode : IAsyncDisposable
{
    private const string Holder = """
        "$@" </dev/null & echo $!; cat >/dev/null; kill -KILL $! 2>/dev/null; wait
        """;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Func<RedisNode, IEnumerable<string>> _arguments;
    private Process? _holder;
    private RedisWire? _wire;

    private RedisNode(string folder, Func<RedisNode, IEnumerable<string>> arguments)
    {
        Folder = folder;
        _arguments = arguments;
    }

    /// <summary>Gets the port on 127.0.0.1, the same after a restart.</summary>
    public int Port { get; private set; }

    /// <summary>Gets a second private port, for the cluster bus.</summary>
    public int BusPort { get; private set; }

    /// <summary>Gets the server's working folder.</summary>
    public string Folder { get; }

    /// <summary>Gets the process id of redis-server, 0 while it is not running.</summary>
    public int ProcessId { get; private set; }

    /// <summary>Gets host and port.</summary>
    public string EndPoint => $"127.0.0.1:{Port}";

    /// <summary>Starts a server on free ports and waits until it answers.</summary>
    /// <param name="folder">A private folder; created.</param>
    /// <param name="arguments">Creates the arguments of redis-server from the node, whose ports are then known.</param>
    public static async Task<RedisNode> StartAsync(string folder, Func<RedisNode, IEnumerable<string>> arguments)
    {
        Directory.CreateDirectory(folder);
        RedisNode node = new(folder, arguments);
        for (int left = 5; ; left--)
        {
            (node.Port, node.BusPort) = FreePorts();
            try
            {
                await node.RestartAsync();
                return node;
            }
            catch (InvalidOperationException) when (left > 1)
            {
                // Another process may have taken a port in the meantime.
            }
        }
    }

    /// <summary>Common arguments: no persistence, local, ready for a replica at once.</summary>
    public IEnumerable<string> Common() =>
        [
            "--port",
            $"{Port}",
            "--bind",
            "127.0.0.1",
            "--dir",
            Folder,
            "--logfile",
            Path.Combine(Folder, "log"),
            "--save",
            "",
            "--appendonly",
            "no",
            "--repl-diskless-sync-delay",
            "0",
            "--repl-ping-replica-period",
            "1",
            "--enable-debug-command",
            "yes",
        ];

    /// <summary>Starts or restarts it on its ports and in its folder, and waits until it answers.</summary>
    public async Task RestartAsync()
    {
        await KillAsync();
        ProcessStartInfo info = new("/bin/sh")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = Folder,
        };
        foreach (string argument in (string[])["-c", Holder, "sh", "redis-server", .. _arguments(this)])
        {
            info.ArgumentList.Add(argument);
        }

        _holder = Process.Start(info)!;
        ProcessId = int.Parse((await _holder.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
        long started = Stopwatch.GetTimestamp();
        while (!await AnswersAsync())
        {
            if (Stopwatch.GetElapsedTime(started) > StartLimit || !Directory.Exists($"/proc/{ProcessId}"))
            {
                string log = Path.Combine(Folder, "log");
                await KillAsync();
                throw new InvalidOperationException(
                    $"redis-server on port {Port} did not start: {(File.Exists(log) ? await File.ReadAllTextAsync(log) : "no log")}"
                );
            }

            await Task.Delay(20);
        }
    }

    /// <summary>Kills it, simulating a crash.</summary>
    public async Task KillAsync()
    {
        _wire?.Dispose();
        _wire = null;
        ProcessId = 0;
        if (_holder is Process holder)
        {
            _holder = null;
            holder.StandardInput.Close();
            await holder.WaitForExitAsync();
            holder.Dispose();
        }
    }

    /// <summary>Freezes it: connections stay open, but nothing is answered.</summary>
    public void Freeze() => Signal(Signals.Stop);

    /// <summary>Resumes a frozen server.</summary>
    public void Thaw() => Signal(Signals.Continue);

    /// <summary>Sends a command to this server alone; see <see cref="RedisWire.SendAsync"/>.</summary>
    public async Task<object?> SendAsync(params string[] command)
    {
        _wire ??= await RedisWire.ConnectAsync(Port);
        try
        {
            return await _wire.SendAsync(command);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or SocketException)
        {
            _wire?.Dispose();
            _wire = null;
            throw;
        }
    }

    /// <summary>Reads one line of INFO.</summary>
    /// <returns>Its value, empty if there is no such line.</returns>
    public async Task<string> InfoAsync(string section, string name) =>
        ((string)(await SendAsync("INFO", section))!)
            .Split("\r\n")
            .FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.Ordinal))
            ?[(name.Length + 1)..]
        ?? string.Empty;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    private static (int Port, int BusPort) FreePorts()
    {
        using TcpListener first = new(IPAddress.Loopback, 0),
            second = new(IPAddress.Loopback, 0);
        first.Start();
        second.Start();
        return (((IPEndPoint)first.LocalEndpoint).Port, ((IPEndPoint)second.LocalEndpoint).Port);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            return (string?)await SendAsync("PING") == "PONG";
        }
        catch (Exception error) when (error is SocketException or IOException or InvalidOperationException)
        {
            return false;
        }
    }

    private void Signal(Signals signal)
    {
        if (kill(ProcessId, (int)signal) != 0)
        {
            throw new InvalidOperationException($"signal {signal} to process {ProcessId}: error {Marshal.GetLastPInvokeError()}");
        }
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int kill(int processId, int signal);

    private enum Signals
    {
        Continue = 18,
        Stop = 19,
    }
}
