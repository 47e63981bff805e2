using Streaming.Learning.Ranks;
using Streaming.Worker.Failures;
using Streaming.Worker.Run;
using Streaming.Worker.Tests.Faults;
using Xunit;

namespace Streaming.Worker.Tests.Ranks;

/// <summary>Workers that are the ranks of one job, inside this process. As a launcher does, it ends all when one fails.</summary>
internal sealed class RankedJob : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private readonly RunningWorker[] _workers;
    private readonly ExitCode[] _codes;
    private readonly Task _running;

    private RankedJob(int ranks, Func<int, WorkerOptions> settings)
    {
        _workers = new RunningWorker[ranks];
        _codes = new ExitCode[ranks];
        using var started = new CountdownEvent(ranks);
        _running = Task.Factory.StartNew(
            () =>
                InProcessRanks.Run(
                    ranks,
                    seat =>
                    {
                        var worker = new RunningWorker(settings(seat.Rank), ranks: seat);
                        _workers[seat.Rank] = worker;
                        started.Signal();
                        ExitCode code = _codes[seat.Rank] = worker.WaitAsync().GetAwaiter().GetResult();
                        if (code != ExitCode.Success)
                        {
                            throw new InvalidOperationException($"Rank {seat.Rank} ended with {code}: {worker.Message}");
                        }
                    }
                ),
            TaskCreationOptions.LongRunning
        );
        Assert.True(started.Wait(Limit));
    }

    /// <summary>Gets the ranks' workers, in rank order.</summary>
    public IReadOnlyList<RunningWorker> Workers => _workers;

    /// <summary>Gets the exit codes, once the job has ended.</summary>
    public IReadOnlyList<ExitCode> Codes => _codes;

    /// <summary>The number of records that all ranks have read and trained on.</summary>
    public long Read => _workers.Sum(static worker => worker.Status.Counts.Read);

    /// <summary>What all ranks logged.</summary>
    public string Log => string.Join('\n', _workers.Select((worker, rank) => $"--- rank {rank}: {worker.Message}\n{worker.Log.Text}"));

    /// <summary>Starts a job.</summary>
    public static RankedJob Start(FaultBench bench, int ranks) => new(ranks, _ => bench.Values);

    /// <summary>Starts a job whose ranks have settings of their own.</summary>
    public static RankedJob Start(int ranks, Func<int, WorkerOptions> settings) => new(ranks, settings);

    /// <summary>Waits for a condition; a job that ends before fails the test.</summary>
    public async Task UntilAsync(Func<RankedJob, bool> condition, string what)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!condition(this))
        {
            if (limit.IsCancellationRequested || _running.IsCompleted)
            {
                Assert.Fail($"Not so: {what}. {_running.Exception?.Message} The logs:\n{Log}");
            }

            await Task.Delay(10, CancellationToken.None);
        }
    }

    /// <summary>Stops one rank as SIGTERM does, and waits for all.</summary>
    public async Task TerminateAsync(int rank = 0)
    {
        _ = _workers[rank].TerminateAsync();
        await EndAsync();
    }

    /// <summary>Ends one rank as a kill does, and with it all others.</summary>
    public async Task KillAsync(int rank)
    {
        _ = _workers[rank].AbortAsync();
        await EndAsync();
    }

    /// <summary>Waits until the job has ended by itself.</summary>
    public async Task EndAsync() => await _running.WaitAsync(Limit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    public async ValueTask DisposeAsync()
    {
        foreach (RunningWorker worker in _workers)
        {
            _ = worker.AbortAsync();
        }

        await EndAsync();
        foreach (RunningWorker worker in _workers)
        {
            await worker.DisposeAsync();
        }
    }
}
