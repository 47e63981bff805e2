using Streaming.Worker.Failures;
using Streaming.Worker.Metrics;
using Streaming.Worker.Run;
using Streaming.Worker.Shutdown;
using Streaming.Worker.Stages;
using Xunit;

namespace Streaming.Worker.Tests.Faults;

/// <summary>All of `streaming run` inside this process: lease, pipeline, shutdown.</summary>
internal sealed class RunningWorker : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private readonly RecordingLoggers _loggers = new();
    private readonly ShutdownSignals _signals;
    private readonly WorkerRun _run;
    private readonly Task<ExitCode> _running;

    /// <summary>Starts.</summary>
    /// <param name="settings">All settings.</param>
    /// <param name="request">As in <see cref="WorkerRun"/>.</param>
    /// <param name="time">The clock; null: the system's.</param>
    /// <param name="engines">As in <see cref="WorkerRun"/>.</param>
    /// <param name="ranks">As in <see cref="WorkerRun"/>.</param>
    public RunningWorker(
        WorkerOptions settings,
        RunRequest? request = null,
        TimeProvider? time = null,
        Func<Learning.Engine.TrainingEngine>? engines = null,
        Learning.Ranks.Collective? ranks = null
    )
    {
        _signals = new ShutdownSignals(settings.Pipeline.ShutdownTimeout, TimeProvider.System);
        _run = new WorkerRun(settings, time ?? TimeProvider.System, _loggers, request, engines, ranks);
        _running = Task.Run(RunAsync, CancellationToken.None);
    }

    public RecordingLoggers Log => _loggers;

    /// <summary>The error message it would have printed on exit.</summary>
    public string Message { get; private set; } = string.Empty;

    public PipelineStatus Status => _run.Status();

    public string Part(string name) => _run.Health.Parts().GetValueOrDefault(name, string.Empty);

    /// <summary>Waits for a condition; a worker that ends before fails the test.</summary>
    public async Task UntilAsync(Func<RunningWorker, bool> condition, string what)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!condition(this))
        {
            if (limit.IsCancellationRequested || _running.IsCompleted)
            {
                Assert.Fail(
                    $"Not so: {what}. The worker {(_running.IsCompleted ? $"ended: {await _running}" : "runs")}. Its log:\n{Log.Text}"
                );
            }

            await Task.Delay(10, CancellationToken.None);
        }
    }

    /// <summary>The number of steps in a status taken after this call.</summary>
    public async Task<long> ReadStepAsync()
    {
        Learning.Training.TrainerStatus before = Status.Trainer;
        await UntilAsync(w => !ReferenceEquals(w.Status.Trainer, before), "the trainer shows a new snapshot");
        return Status.Trainer.Counters.Steps;
    }

    /// <summary>Stops it like SIGTERM.</summary>
    public Task<ExitCode> TerminateAsync()
    {
        _signals.Stop();
        return _running;
    }

    /// <summary>Simulates a kill, as far as a process can do so itself: nothing is drained, published or saved.</summary>
    public Task<ExitCode> AbortAsync()
    {
        _signals.EndAtOnce();
        return _running;
    }

    /// <summary>Waits until it ends by itself, however long that takes.</summary>
    public Task<ExitCode> WaitAsync() => _running;

    /// <summary>Waits until it ends by itself.</summary>
    public Task<ExitCode> EndAsync() => _running.WaitAsync(Limit);

    public async ValueTask DisposeAsync()
    {
        _signals.Stop();
        _signals.Stop();
        await _running;
        _run.Dispose();
        _signals.Dispose();
    }

    private async Task<ExitCode> RunAsync()
    {
        try
        {
            return await _run.RunAsync(_signals.Stopping, _signals.Abort);
        }
        catch (Exception exception)
        {
            (ExitCode code, Message) = Failure.Explain(exception);
            return code;
        }
    }
}
