using Streaming.Formats.Files;
using Streaming.Worker.Serve;

namespace Streaming.Lab.Feeds;

/// <summary>Events of files by time, each item's catalogue record before its first event.</summary>
internal sealed class FileFeed : EventFeed
{
    private readonly EventLog _log;
    private readonly ItemCatalogue _catalogue;
    private readonly HashSet<string> _announced = new(StringComparer.Ordinal);
    private int _next;

    /// <summary>Creates a feed.</summary>
    /// <param name="log">The events.</param>
    /// <param name="catalogue">Item metadata.</param>
    public FileFeed(EventLog log, ItemCatalogue catalogue)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(catalogue);
        _log = log;
        _catalogue = catalogue;
    }

    /// <inheritdoc/>
    public override long? Count => _log.Count;

    /// <inheritdoc/>
    public override string Description =>
        $"{_log.Count} events by {_log.Users} users on {_log.Items} items from files"
        + (
            _log.Dropped + _log.Bad > 0
                ? $" ({_log.Dropped} rows dropped by their format's rules or as deletions, {_log.Bad} unreadable)"
                : string.Empty
        );

    /// <inheritdoc/>
    public override bool TryNext(out FeedRecord record)
    {
        if (_next == _log.Count)
        {
            record = default;
            return false;
        }

        EventRow row = _log[_next];
        if (_announced.Add(row.Item) && IsKnown(row.Item))
        {
            record = new FeedRecord
            {
                Kind = FeedKind.Item,
                ItemId = row.Item,
                Text = TextOf(row.Item),
                Features = _catalogue.FeaturesOf(row.Item),
                Attributes = _catalogue.AttributesOf(row.Item),
            };
            return true;
        }

        _next++;
        record = new FeedRecord { Kind = FeedKind.Interaction, Event = row };
        return true;
    }

    /// <inheritdoc/>
    public override string? TitleOf(string item) => TextOf(item).GetValueOrDefault("title");

    private bool IsKnown(string item) =>
        TextOf(item).Count > 0 || _catalogue.FeaturesOf(item).Count > 0 || _catalogue.AttributesOf(item) is not null;

    private IReadOnlyDictionary<string, string> TextOf(string item) =>
        _catalogue.Find(item) ?? (_log.TitleOf(item) is { } title ? new Dictionary<string, string> { ["title"] = title } : NoText);
}
