using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Streaming.Transport.Redis;

namespace Streaming.Lab.Embedded;

/// <summary>A private redis-server: a child process on a free port with its own folder and no persistence.
/// For demos and tests.</summary>
public sealed class LocalRedisServer : IAsyncDisposable
{
    private const int PortTries = 5;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    private readonly string _binary;
    private readonly string[] _arguments;
    private Process? _process;

    private LocalRedisServer(string binary, string[] arguments)
    {
        _binary = binary;
        _arguments = arguments;
        try
        {
            Folder = Directory.CreateTempSubdirectory("streaming-redis-").FullName;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException(
                $"redis-server needs a folder, and none can be made in '{Path.GetTempPath()}' (TMPDIR): {exception.Message}",
                exception
            );
        }
    }

    /// <summary>Gets the loopback port; unchanged by <see cref="RestartAsync"/>.</summary>
    public int Port { get; private set; }

    /// <summary>Gets the server's working folder; deleted on dispose.</summary>
    public string Folder { get; }

    /// <summary>Gets the process id, 0 while the server is not running.</summary>
    public int ProcessId => _process?.Id ?? 0;

    /// <summary>Gets a connection string for <see cref="RedisOptions.Configuration"/>.</summary>
    public string Configuration => $"127.0.0.1:{Port}";

    /// <summary>Finds redis-server on the PATH.</summary>
    /// <returns>Its path, or null if it is not installed.</returns>
    public static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, "redis-server"))
            .FirstOrDefault(File.Exists);

    /// <summary>Starts a server and waits until it answers.</summary>
    /// <param name="arguments">Additional arguments of redis-server, such as "--maxmemory", "20mb". <c>{port}</c> and <c>{folder}</c> in
    /// them are replaced; an argument <c>--tls-port</c> moves the free port from plain to TLS.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="FileNotFoundException">redis-server is not installed.</exception>
    /// <exception cref="InvalidOperationException">It did not start; the message holds what it printed, or names the temporary folder that
    /// cannot be used.</exception>
    public static async Task<LocalRedisServer> StartAsync(
        IReadOnlyList<string>? arguments = null,
        CancellationToken cancellationToken = default
    )
    {
        string binary =
            Find()
            ?? throw new FileNotFoundException(
                "redis-server was not found on the PATH. On Debian, install it with: apt-get install redis-server"
            );
        LocalRedisServer server = new(binary, [.. arguments ?? []]);
        try
        {
            await server.StartOnFreePortAsync(cancellationToken).ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Kills the server, simulating a crash.</summary>
    public async Task KillAsync()
    {
        if (_process is Process process)
        {
            _process = null;
            process.Kill();
            await process.WaitForExitAsync().ConfigureAwait(false);
            process.Dispose();
        }
    }

    /// <summary>Restarts a killed server on the same port, empty.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        await KillAsync().ConfigureAwait(false);
        string? failure = await TryStartAsync(Port, cancellationToken).ConfigureAwait(false);
        if (failure is not null)
        {
            throw new InvalidOperationException($"redis-server did not start again on port {Port}: {failure}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync().ConfigureAwait(false);
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Another process can take the port between the check and the start, so several are tried.</summary>
    private async Task StartOnFreePortAsync(CancellationToken cancellationToken)
    {
        string? failure = null;
        for (int i = 0; i < PortTries; i++)
        {
            int port = FreePort();
            failure = await TryStartAsync(port, cancellationToken).ConfigureAwait(false);
            if (failure is null)
            {
                Port = port;
                return;
            }

            if (!failure.Contains("in use", StringComparison.OrdinalIgnoreCase))
            {
                break;
            }
        }

        throw new InvalidOperationException($"redis-server did not start: {failure}");
    }

    /// <returns>Null if it is running, otherwise its output.</returns>
    private async Task<string?> TryStartAsync(int port, CancellationToken cancellationToken)
    {
        Process process = new() { StartInfo = StartInfo(port), EnableRaisingEvents = true };
        StringBuilder printed = new();
        TaskCompletionSource<bool> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        process.OutputDataReceived += (_, line) => Observe(line.Data, printed, ready);
        process.ErrorDataReceived += (_, line) => Observe(line.Data, printed, ready);
        process.Exited += (_, _) => ready.TrySetResult(false);
        ChildProcess.Start(process);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _process = process;
        bool started = false;
        try
        {
            started = await ready.Task.WaitAsync(StartLimit, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Reported below with the server's output.
        }

        if (started)
        {
            return null;
        }

        await KillAsync().ConfigureAwait(false);
        lock (printed)
        {
            return printed.ToString().Trim();
        }
    }

    private static void Observe(string? line, StringBuilder printed, TaskCompletionSource<bool> ready)
    {
        const int enough = 8000;
        if (line is null)
        {
            return;
        }

        lock (printed)
        {
            if (printed.Length < enough)
            {
                printed.AppendLine(line);
            }
        }

        if (line.Contains("Ready to accept connections", StringComparison.Ordinal))
        {
            ready.TrySetResult(true);
        }
    }

    private ProcessStartInfo StartInfo(int port)
    {
        string[] launcher = ChildProcess.Launcher;
        bool tls = _arguments.Contains("--tls-port");
        ProcessStartInfo info = new(launcher is [var program, ..] ? program : _binary)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = Folder,
        };
        string[] own =
        [
            "--port",
            tls ? "0" : $"{port}",
            "--bind",
            "127.0.0.1",
            "--dir",
            Folder,
            "--save",
            "",
            "--appendonly",
            "no",
            "--daemonize",
            "no",
        ];
        foreach (string argument in launcher.Length > 0 ? launcher.Skip(1).Append(_binary) : [])
        {
            info.ArgumentList.Add(argument);
        }

        foreach (string argument in own.Concat(_arguments))
        {
            info.ArgumentList.Add(
                argument.Replace("{port}", $"{port}", StringComparison.Ordinal).Replace("{folder}", Folder, StringComparison.Ordinal)
            );
        }

        return info;
    }
}
