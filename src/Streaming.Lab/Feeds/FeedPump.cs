using System.Text;
using Streaming.Contracts;
using Streaming.Formats.Files;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Lab.Feeds;

/// <summary>Sends a feed to Kafka at a given rate, never further ahead of the consumer than allowed.</summary>
internal sealed class FeedPump
{
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(5);
    private static readonly byte[] Garbage = [0xff, 0x00, 0x13, 0x37];

    private readonly EventFeed _feed;
    private readonly EventProducer _producer;
    private readonly KafkaOptions _topics;
    private readonly FeedPace _pace;
    private readonly TimeProvider _time;
    private long _produced;

    /// <summary>Creates a pump.</summary>
    /// <param name="feed">The feed.</param>
    /// <param name="producer">The producer.</param>
    /// <param name="topics">Topic names.</param>
    /// <param name="pace">The rate.</param>
    /// <param name="time">Clock.</param>
    public FeedPump(EventFeed feed, EventProducer producer, KafkaOptions topics, FeedPace pace, TimeProvider time)
    {
        _feed = feed;
        _producer = producer;
        _topics = topics;
        _pace = pace;
        _time = time;
    }

    /// <summary>Gets the number of records sent to the interactions topic, including garbage and duplicates.</summary>
    public long Produced => Volatile.Read(ref _produced);

    /// <summary>Sends until the feed or the time ends.</summary>
    /// <param name="stopping">Stops early; records already sent are still confirmed.</param>
    /// <param name="abort">Ends also the wait for that.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken abort = default)
    {
        long start = _time.GetTimestamp();
        while (!stopping.IsCancellationRequested && _time.GetElapsedTime(start) < _pace.Duration && _feed.TryNext(out FeedRecord record))
        {
            if (record.Kind != FeedKind.Item)
            {
                await WaitForTurnAsync(start, stopping).ConfigureAwait(false);
            }

            if (!TrySend(record))
            {
                break;
            }
        }

        await Task.Run(() => _producer.Flush(abort), CancellationToken.None).ConfigureAwait(false);
    }

    private async ValueTask WaitForTurnAsync(long start, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested && (IsTooEarly(start) || IsTooFarAhead()))
        {
            await Task.Delay(Breath, _time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private bool IsTooEarly(long start) => _pace.Rate > 0 && _produced >= _time.GetElapsedTime(start).TotalSeconds * _pace.Rate;

    private bool IsTooFarAhead() => _pace.MostAhead > 0 && _produced - _pace.Consumed() >= _pace.MostAhead;

    /// <returns>False: it was told to stop while it waited for room.</returns>
    private bool TrySend(in FeedRecord record)
    {
        try
        {
            Send(record);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void Send(in FeedRecord record)
    {
        switch (record.Kind)
        {
            case FeedKind.Item:
                SendItem(record);
                return;
            case FeedKind.Malformed:
                _producer.SendRaw(_topics.InteractionsTopic, Encoding.UTF8.GetBytes($"broken-{_produced}"), Garbage, null);
                break;
            default:
                _producer.Send(Message(record.Event));
                break;
        }

        Volatile.Write(ref _produced, _produced + 1);
    }

    private static Interaction Message(in EventRow row)
    {
        var message = new Interaction
        {
            UserId = row.User,
            ItemId = row.Item,
            Type = row.Type,
            EventTimeMs = row.Time,
            EventId = row.EventId ?? string.Empty,
        };
        if (row.Value is { } value)
        {
            message.Value = value;
        }

        if (row.Dwell is { } dwell)
        {
            message.DwellMs = dwell;
        }

        return message;
    }

    private void SendItem(in FeedRecord record)
    {
        if (_topics.ItemsTopic.Length == 0)
        {
            return;
        }

        _producer.Send(ItemMessages.Create(record.ItemId, record.Text, record.Features, record.Attributes));
    }
}
