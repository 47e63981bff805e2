using Streaming.Lab.Feeds;

namespace Streaming.Lab.Demo;

/// <summary>What a demo does besides learning.</summary>
/// <param name="Serve">Whether lookups are served when the events have ended, until a signal.</param>
/// <param name="ReportFile">Where the report goes as JSON, or null.</param>
/// <param name="Interval">Time between two lines of progress.</param>
/// <param name="Pace">How fast events are sent.</param>
internal sealed record DemoOptions(bool Serve, string? ReportFile, TimeSpan Interval, FeedPace Pace);
