using System.Diagnostics;

namespace Streaming.Tests.Kafka;

/// <summary>One node of a cluster, broker and controller. It can be stopped in several ways and restarted with its data.</summary>
internal sealed class KafkaNode(KafkaDistribution kafka, int id, string folder, int port, int controllerPort, int mutualTlsPort)
    : IAsyncDisposable
{
    private readonly ProcessLog _log = new();
    private Process? _process;

    /// <summary>Gets its number, from 0.</summary>
    public int Id => id;

    /// <summary>Gets the port for clients: plain text, or SASL over TLS in a secure cluster.</summary>
    public int Port => port;

    /// <summary>Gets the port of its controller.</summary>
    public int ControllerPort => controllerPort;

    /// <summary>Gets the port for clients with certificates, in a secure cluster.</summary>
    public int MutualTlsPort => mutualTlsPort;

    /// <summary>Gets its data folder.</summary>
    public string Data => Path.Combine(folder, $"data{id}");

    /// <summary>Gets the file of its settings.</summary>
    public string SettingsFile => Path.Combine(folder, $"node{id}.properties");

    /// <summary>Gets the directory id in the controller quorum.</summary>
    public string DirectoryId { get; } = KafkaUuid.New();

    /// <summary>Gets a value indicating whether its process exists, even if frozen.</summary>
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Gets the newest lines of its log: warnings and errors.</summary>
    public string Log => _log.Text;

    /// <summary>Prepares its data folder.</summary>
    /// <param name="arguments">Arguments of Kafka's storage tool besides the settings.</param>
    /// <exception cref="InvalidOperationException">The tool failed; the message has its output.</exception>
    public async Task FormatAsync(IEnumerable<string> arguments)
    {
        var output = new ProcessLog();
        using Process tool = ChildProcesses.Start(
            kafka.Program(folder, "kafka.tools.StorageTool", ["format", "-c", SettingsFile, .. arguments])
        );
        output.Follow(tool);
        await tool.WaitForExitAsync();
        if (tool.ExitCode != 0)
        {
            throw new InvalidOperationException($"The data folder of Kafka node {id} could not be formatted:\n{output.Text}");
        }
    }

    /// <summary>Starts it; returns at once.</summary>
    public void Start()
    {
        if (!IsRunning)
        {
            _process?.Dispose();
            _process = ChildProcesses.Start(kafka.Program(folder, "kafka.Kafka", SettingsFile));
            _log.Follow(_process);
        }
    }

    /// <summary>Sends it a signal; returns at once.</summary>
    public void Signal(UnixSignal signal) => Running.Signal(signal);

    /// <summary>Kills it, simulating a crash, and waits for the end.</summary>
    public async Task KillAsync()
    {
        Signal(UnixSignal.Kill);
        await Running.WaitForExitAsync();
    }

    /// <summary>Stops it gracefully and waits for the end.</summary>
    public async Task TerminateAsync(CancellationToken cancellationToken)
    {
        Signal(UnixSignal.Terminate);
        await Running.WaitForExitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (IsRunning)
        {
            await KillAsync();
        }

        _process?.Dispose();
    }

    private Process Running => _process ?? throw new InvalidOperationException($"Kafka node {id} was never started.");
}
