using Streaming.Core.Options;

namespace Streaming.Worker.Stages;

/// <summary>How the stages work together.</summary>
public sealed record PipelineOptions
{
    /// <summary>Gets how many batches may wait for the trainer before the consumer pauses. Default 4; 1 … 1,000.</summary>
    public int BatchQueue { get; init; } = 4;

    /// <summary>Gets what to do when events arrive faster than they can be trained on. Default Wait.</summary>
    public OverloadMode Overload { get; init; } = OverloadMode.Wait;

    /// <summary>Gets the lag, in events, above which the trainer is too far behind. Default 100,000; 1 … 1,000,000,000.</summary>
    public long OverloadLag { get; init; } = 100_000;

    /// <summary>Gets how long the lag must exceed it. Default 30s; 0s … 1d.</summary>
    public TimeSpan OverloadAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets the share of events to skip in training then, until the lag has halved. Default 0.5; 0.01 … 1.</summary>
    public double OverloadShare { get; init; } = 0.5;

    /// <summary>Gets the share of the last 1,000 events that may go unused (duplicates, late events, types with weight 0, dead letters)
    /// before health is degraded. Default 0.5; 0 … 1, 1: never.</summary>
    public double MaxUnusedShare { get; init; } = 0.5;

    /// <summary>Gets how long training may finish no batch while events wait until the worker is not ready. Default 1m; 1s … 1d.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Gets how often what events changed is handed to the publisher. Less often, up to once a second, when that would take more
    /// than a tenth of the trainer's time, or while earlier changes wait for Redis: items that change again meanwhile are then written
    /// once. Default 100ms; 10ms … 1h.</summary>
    public TimeSpan PublishInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Gets how often changed histories are handed to the publisher. Default 1s; 10ms … 1h.</summary>
    public TimeSpan HistoryInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets how long draining after SIGTERM may take, the last publish and checkpoint included. Default 30s; 1s … 1h.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets the name under which this worker holds the lease of its model. With a stable name (a pod's
    /// name), a restarted worker need not wait for its own old lease to expire. Two workers must not share one. Default empty: machine name
    /// and process id.</summary>
    public string Owner { get; init; } = string.Empty;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(BatchQueue), BatchQueue, 1, 1_000);
        errors.Defined(nameof(Overload), Overload);
        errors.Range(nameof(OverloadLag), OverloadLag, 1, 1_000_000_000);
        errors.Range(nameof(OverloadAfter), OverloadAfter, TimeSpan.Zero, TimeSpan.FromDays(1));
        errors.Range(nameof(OverloadShare), OverloadShare, 0.01, 1);
        errors.Check(MaxUnusedShare is >= 0 and <= 1, nameof(MaxUnusedShare), MaxUnusedShare, "0 … 1");
        errors.Check(
            StallTimeout >= TimeSpan.FromSeconds(1) && StallTimeout <= TimeSpan.FromDays(1),
            nameof(StallTimeout),
            StallTimeout,
            "1s … 1d"
        );
        errors.Range(nameof(PublishInterval), PublishInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1));
        errors.Range(nameof(HistoryInterval), HistoryInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1));
        errors.Range(nameof(ShutdownTimeout), ShutdownTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        errors.Check(Owner.Length <= 200, nameof(Owner), Owner, "at most 200 characters");
        errors.Throw();
    }
}
