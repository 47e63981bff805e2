namespace Streaming.Worker.Tests.Alerts;

/// <summary>A state of a running program: how it comes about, what says so, and how it ends.</summary>
/// <param name="Name">For messages.</param>
internal sealed record BrokenState(string Name)
{
    /// <summary>Between two scrapes, where nothing is to be counted.</summary>
    public static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    /// <summary>Gets the time between two scrapes, in which what is counted again and again is counted at least once.</summary>
    public TimeSpan Apart { get; init; } = Moment;

    /// <summary>Gets what brings it about.</summary>
    public required Func<Task> Break { get; init; }

    /// <summary>Gets what ends it; null: the program goes on with the next state from here.</summary>
    public Func<Task>? Mend { get; init; }

    /// <summary>Gets the parts of health that say so, and what their texts contain: level and words.</summary>
    public required IReadOnlyDictionary<string, string> Health { get; init; }

    /// <summary>Gets the series of /metrics that are above 0 as long as it lasts, and 0 or absent afterwards.</summary>
    public string[] Series { get; init; } = [];

    /// <summary>Gets what the log says when it begins.</summary>
    public required string Log { get; init; }

    /// <summary>Gets what the log says when it ends.</summary>
    public string LogAfter { get; init; } = string.Empty;

    /// <summary>Gets the alerts that fire.</summary>
    public required string[] Alerts { get; init; }
}
