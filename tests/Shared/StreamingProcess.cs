using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Channels;

namespace Streaming.Tests;

/// <summary>The program as a separate process, with its output and signals.</summary>
internal sealed class StreamingProcess : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly Channel<string> _lines = Channel.CreateBounded<string>(
        new BoundedChannelOptions(100_000) { FullMode = BoundedChannelFullMode.DropOldest }
    );

    private StreamingProcess(Process process) => _process = process;

    /// <summary>Gets everything written so far, both streams.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    public int Id => _process.Id;

    /// <summary>Starts the program that has the command, with arguments and variables but none of this process's settings.</summary>
    public static StreamingProcess Start(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> variables)
    {
        string program = arguments is ["demo" or "replay" or "backtest" or "simulate", ..] ? "streaming-lab" : "streaming";
        // Signals that this process ignores, started by nohup or in the background, the program would ignore too.
        var information = new ProcessStartInfo("env", ["--default-signal=HUP,INT", Path.Combine(AppContext.BaseDirectory, program)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (string argument in arguments)
        {
            information.ArgumentList.Add(argument);
        }

        foreach (string name in information.Environment.Keys.Where(IsSetting).ToArray())
        {
            information.Environment.Remove(name);
        }

        foreach ((string name, string value) in variables)
        {
            information.Environment[name] = value;
        }

        var started = new StreamingProcess(new Process { StartInfo = information });
        started._process.OutputDataReceived += (_, line) => started.Add(line.Data);
        started._process.ErrorDataReceived += (_, line) => started.Add(line.Data);
        started._process.Start();
        started._process.BeginOutputReadLine();
        started._process.BeginErrorReadLine();
        return started;
    }

    /// <summary>Sends SIGTERM.</summary>
    public void Terminate() => _ = Kill(_process.Id, 15);

    /// <summary>Waits for the process to exit.</summary>
    public async Task<int> WaitForExitAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException("The process did not end. Its output:\n" + Output);
        }

        return _process.ExitCode;
    }

    /// <summary>Waits for a line of output.</summary>
    public async Task<string> WaitForLineAsync(Func<string, bool> wanted)
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await foreach (string line in _lines.Reader.ReadAllAsync(limit.Token))
            {
                if (wanted(line))
                {
                    return line;
                }
            }
        }
        catch (OperationCanceledException) { }

        throw new TimeoutException("The line did not come. The output:\n" + Output);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private static bool IsSetting(string name) =>
        name.Contains("__", StringComparison.Ordinal) || name.StartsWith("OTEL_", StringComparison.Ordinal);

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);

    private void Add(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_output)
        {
            _output.AppendLine(line);
        }

        _lines.Writer.TryWrite(line);
    }
}
