using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Streaming.Chaos;

/// <summary>A worker as operators run it: `streaming run`, configured by environment variables, monitored over HTTP.</summary>
internal sealed partial class WorkerProcess : IDisposable
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(2) };
    private readonly Process _process;
    private readonly StreamWriter _log;
    private readonly Uri _metrics;
    private readonly Uri[] _allMetrics;
    private readonly Lock _gate = new();

    private readonly int _port;

    private WorkerProcess(Process process, StreamWriter log, int port, IEnumerable<(string Address, int Port)> listeners)
    {
        _allMetrics = [.. listeners.Select(static one => new Uri($"http://{one.Address}:{one.Port}/metrics"))];
        _port = port;
        _process = process;
        _log = log;
        _metrics = _allMetrics[0];
    }

    /// <summary>Gets its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Gets where it answers.</summary>
    public Uri Address => new(_metrics, "/");

    /// <summary>Gets a value indicating whether it is a job of many ranks.</summary>
    public bool IsJob => _allMetrics.Length > 1;

    /// <summary>Gets whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Gets its exit code.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>Starts a worker.</summary>
    /// <param name="program">The executable.</param>
    /// <param name="settings">Its environment variables, except the HTTP port.</param>
    /// <param name="logPath">The file for its output.</param>
    /// <param name="command">What it does.</param>
    /// <param name="ranks">With more than one: starts a job of so many by deploy/ranks.sh, whose process this then is.</param>
    /// <param name="hosts">Where the ranks run; null: on this machine.</param>
    public static WorkerProcess Start(
        string program,
        IEnumerable<KeyValuePair<string, string>> settings,
        string logPath,
        string command = "run",
        int ranks = 1,
        RankHosts? hosts = null
    )
    {
        int port = FreePort(ranks);
        string[] file = hosts is null ? [] : ["--hostfile", hosts.File];
        ProcessStartInfo start =
            ranks == 1 ? new(program, [command]) : new("bash", [RankScript, "-n", $"{ranks}", .. file, "--", program, command]);
        start = new ProcessStartInfo(start.FileName, start.ArgumentList)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        foreach ((string name, string value) in settings)
        {
            start.Environment[name] = value;
        }

        start.Environment["STREAMING__Http__Port"] = port.ToString(CultureInfo.InvariantCulture);
        IEnumerable<(string, int)> listeners = Enumerable.Range(port, ranks).Select(static one => ("127.0.0.1", one));
        if (hosts is not null && ranks > 1)
        {
            start.Environment["STREAMING__Http__Address"] = "0.0.0.0";
            listeners = hosts.Listeners(port, ranks);
        }

        var log = new StreamWriter(logPath, append: true) { AutoFlush = true };
        Process process = Process.Start(start) ?? throw new InvalidOperationException($"'{program}' did not start.");
        var worker = new WorkerProcess(process, log, port, listeners);
        process.OutputDataReceived += worker.Write;
        process.ErrorDataReceived += worker.Write;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return worker;
    }

    /// <summary>Gets the processes of the job's ranks, and the launcher's; empty once they have ended.</summary>
    public (int Launcher, int[] Ranks) Job
    {
        get
        {
            int[] launcher = Launchers(_process.Id);
            return launcher.Length == 0 ? (0, []) : (launcher[0], Ranks());
        }
    }

    /// <summary>Waits until it has ended by itself.</summary>
    /// <exception cref="TimeoutException">It did not end in time.</exception>
    public async Task EndAsync(TimeSpan timeout)
    {
        using var limit = new CancellationTokenSource(timeout);
        try
        {
            await _process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The worker did not end within {timeout}.");
        }
    }

    /// <summary>Kills it with SIGKILL; of a job also the launcher and the ranks, which hold the output that is waited for.</summary>
    public void Kill()
    {
        _process.Kill(entireProcessTree: IsJob);
        _process.WaitForExit();
    }

    /// <summary>Sends a signal by name: STOP freezes it, CONT resumes it.</summary>
    public Task SignalAsync(string name) => SignalAsync(_process.Id, name);

    /// <summary>Sends a signal by name to any process.</summary>
    public static async Task SignalAsync(int process, string name)
    {
        using var kill = Process.Start("kill", ["-" + name, process.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync().ConfigureAwait(false);
    }

    /// <summary>Sends SIGTERM and waits for the end.</summary>
    /// <exception cref="TimeoutException">It did not exit in time.</exception>
    public async Task TerminateAsync(TimeSpan timeout)
    {
        await SignalAsync("TERM").ConfigureAwait(false);
        await EndAsync(timeout).ConfigureAwait(false);
    }

    /// <summary>Returns every series, without the label `model` that ends each, with its value; empty if the worker does not
    /// answer.</summary>
    public async Task<IReadOnlyDictionary<string, double>> ReadAllAsync(CancellationToken cancellationToken)
    {
        var values = new Dictionary<string, double>(StringComparer.Ordinal);
        try
        {
            foreach (string line in (await Http.GetStringAsync(_metrics, cancellationToken).ConfigureAwait(false)).Split('\n'))
            {
                int space = line.LastIndexOf(' ');
                if (space > 0 && line[0] != '#' && double.TryParse(line[(space + 1)..], CultureInfo.InvariantCulture, out double value))
                {
                    values[ModelLabel().Replace(line[..space], "}").Replace("{}", string.Empty, StringComparison.Ordinal)] = value;
                }
            }
        }
        catch (Exception exception)
            when (exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            values.Clear();
        }

        return values;
    }

    /// <summary>Returns the sum of a metric over all series, of all ranks; NaN if one does not answer or lacks the metric.</summary>
    public async Task<double> ReadAsync(string metric, CancellationToken cancellationToken)
    {
        double sum = 0;
        foreach (Uri metrics in _allMetrics)
        {
            sum += await ReadAsync(metrics, metric, cancellationToken).ConfigureAwait(false);
        }

        return sum;
    }

    private static async Task<double> ReadAsync(Uri metrics, string metric, CancellationToken cancellationToken)
    {
        string text;
        try
        {
            text = await Http.GetStringAsync(metrics, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
            when (exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return double.NaN;
        }

        double sum = double.NaN;
        foreach (string line in text.Split('\n'))
        {
            if (
                line.StartsWith(metric, StringComparison.Ordinal)
                && line.Length > metric.Length
                && line[metric.Length] is ' ' or '{'
                && double.TryParse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture, out double value)
            )
            {
                sum = double.IsNaN(sum) ? value : sum + value;
            }
        }

        return sum;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
        lock (_gate)
        {
            _log.Dispose();
        }
    }

    /// <summary>A port that nothing listens to now.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The first of so many consecutive ports that nothing listens to now.</summary>
    private static int FreePort(int count)
    {
        while (true)
        {
            int first = FreePort();
            if (Enumerable.Range(first, count).All(IsFree))
            {
                return first;
            }
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string RankScript
    {
        get
        {
            DirectoryInfo? folder = new(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Streaming.sln")))
            {
                folder = folder.Parent;
            }

            return Path.Combine(folder?.FullName ?? string.Empty, "deploy", "ranks.sh");
        }
    }

    /// <summary>The worker processes with the job's port, in the order of their ranks. Those of another host are no descendants of the
    /// launcher.</summary>
    private int[] Ranks()
    {
        string port = string.Create(CultureInfo.InvariantCulture, $"STREAMING__Http__Port={_port}");
        return
        [
            .. Directory
                .EnumerateDirectories("/proc")
                .Where(static folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out _))
                .Select(folder => (Process: folder, Rank: RankOf(folder, port)))
                .Where(static one => one.Rank >= 0)
                .OrderBy(static one => one.Rank)
                .Select(static one => int.Parse(Path.GetFileName(one.Process), CultureInfo.InvariantCulture)),
        ];
    }

    /// <returns>The rank of a process; -1: it is none of this job.</returns>
    private static int RankOf(string folder, string port)
    {
        const string rank = "OMPI_COMM_WORLD_RANK=";
        try
        {
            string[] variables =
                File.ReadAllText($"{folder}/comm").TrimEnd() == "streaming" ? File.ReadAllText($"{folder}/environ").Split('\0') : [];
            string? number = Array.Find(variables, static variable => variable.StartsWith(rank, StringComparison.Ordinal));
            return number is not null && variables.Contains(port)
                ? int.Parse(number.AsSpan(rank.Length), CultureInfo.InvariantCulture)
                : -1;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It has ended.
            return -1;
        }
    }

    private static int[] Launchers(int process)
    {
        try
        {
            return
            [
                .. File.ReadAllText($"/proc/{process}/task/{process}/children")
                    .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                    .Select(static id => int.Parse(id, CultureInfo.InvariantCulture))
                    .Where(static id => File.ReadAllText($"/proc/{id}/comm").TrimEnd() == "mpirun"),
            ];
        }
        catch (IOException)
        {
            return [];
        }
    }

    private void Write(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null)
        {
            return;
        }

        lock (_gate)
        {
            if (_log.BaseStream is { CanWrite: true })
            {
                _log.WriteLine(line.Data);
            }
        }
    }

    [GeneratedRegex(@",?model=""[^""]*""\}$")]
    private static partial Regex ModelLabel();
}
