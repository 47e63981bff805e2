using System.Globalization;
using Streaming.Formats.Files;
using Streaming.Lab.Simulation;

namespace Streaming.Lab.Feeds;

/// <summary>
/// Events of a simulated shop, preceded by its catalogue, with the faults of real producers: duplicates, late events, garbage.
/// </summary>
internal sealed class SimulatedFeed : EventFeed
{
    private const int Memory = 1000;
    private static readonly TimeSpan Late = TimeSpan.FromDays(1);

    private readonly SimulatorOptions _options;
    private readonly SimulatedShop _shop;
    private readonly TimeProvider _time;
    private readonly Random _faults;

    /// <summary>
    /// What no other run has: ids that repeat those of another seed, or of an earlier run, would be dropped as duplicates.
    /// </summary>
    private readonly string _run;

    private readonly EventRow[] _recent = new EventRow[Memory];
    private readonly Dictionary<string, string> _titles = new(StringComparer.Ordinal);
    private int _announced;
    private long _events;
    private long _sent;
    private EventRow? _waiting;

    /// <summary>Creates a feed.</summary>
    /// <param name="options">Options of the shop.</param>
    /// <param name="count">Number of interaction records, or null for no limit.</param>
    /// <param name="time">Clock for event times.</param>
    public SimulatedFeed(SimulatorOptions options, long? count, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        _options = options;
        _shop = new SimulatedShop(options);
        _time = time;
        _run = string.Create(CultureInfo.InvariantCulture, $"event-{options.Seed}-{time.GetUtcNow().ToUnixTimeMilliseconds():x}");
        _faults = new Random(unchecked((int)options.Seed * 31) ^ 0x5eed);
        Count = count;
    }

    /// <inheritdoc/>
    public override long? Count { get; }

    /// <inheritdoc/>
    public override string Description =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"a simulated shop: {_options.Items} items in {_options.Clusters} clusters, {_options.Users} users, seed {_options.Seed}"
        );

    /// <inheritdoc/>
    public override bool TryNext(out FeedRecord record)
    {
        record = default;
        if (_announced == _shop.Items.Count)
        {
            if (_sent == Count)
            {
                return false;
            }

            // The visit may create a new item, whose catalogue record goes first.
            _waiting ??= Visit();
        }

        record = _announced < _shop.Items.Count ? Announce(_shop.Items[_announced++]) : Send(_waiting!.Value);
        return true;
    }

    /// <inheritdoc/>
    public override string? TitleOf(string item) => _titles.GetValueOrDefault(item);

    private FeedRecord Announce(SimulatedItem item)
    {
        _titles[item.Id] = item.Title;
        return new FeedRecord
        {
            Kind = FeedKind.Item,
            ItemId = item.Id,
            Text = new Dictionary<string, string> { ["title"] = item.Title },
            Features = item.Features.Length == 0 ? NoFeatures : new Dictionary<string, float[]> { ["text"] = item.Features },
        };
    }

    private EventRow Visit()
    {
        (int user, SimulatedItem item, string type) = _shop.Next();
        return new EventRow($"user-{user:D6}", item.Id, 0, type, null);
    }

    private FeedRecord Send(EventRow visit)
    {
        _sent++;
        double fault = _faults.NextDouble();
        if (fault < _options.MalformedShare)
        {
            return new FeedRecord { Kind = FeedKind.Malformed };
        }

        fault -= _options.MalformedShare;
        if (fault >= 0 && fault < _options.DuplicateShare && _events > 0)
        {
            return new FeedRecord { Kind = FeedKind.Interaction, Event = _recent[_faults.Next((int)Math.Min(_events, Memory))] };
        }

        bool late = fault - _options.DuplicateShare is >= 0 and var rest && rest < _options.LateShare;
        long time = _time.GetUtcNow().ToUnixTimeMilliseconds() - (late ? (long)Late.TotalMilliseconds : 0);
        EventRow row = visit with { Time = time, EventId = $"{_run}-{_events:D9}" };
        _recent[_events++ % Memory] = row;
        _waiting = null;
        return new FeedRecord { Kind = FeedKind.Interaction, Event = row };
    }
}
