using Streaming.Lab.Feeds;

namespace Streaming.Lab.Demo;

/// <summary>Options of a demo.</summary>
/// <param name="Serve">Whether to serve lookups after the last event, until a signal.</param>
/// <param name="ReportFile">Path of the JSON report, or null.</param>
/// <param name="Interval">Time between two progress reports.</param>
/// <param name="Pace">The rate at which events are sent.</param>
internal sealed record DemoOptions(bool Serve, string? ReportFile, TimeSpan Interval, FeedPace Pace);
