using Streaming.Core.Positions;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Health;
using Streaming.Transport.Kafka.Readers;
using Streaming.Transport.Kafka.Records;
using Streaming.Transport.Kafka.Topics;

namespace Streaming.Transport.Kafka;

/// <content>Topics, health, lag, commits, changed histories: work done once a second or on request, never per event.</content>
public sealed partial class KafkaSource
{
    private static readonly TimeSpan StatusInterval = TimeSpan.FromSeconds(1);
    private KafkaSourceStatus _status = KafkaSourceStatus.None;
    private IReadOnlyList<StreamPosition>? _toCommit;
    private long _lastReport;
    private long _lastStatus;

    private void DoChores()
    {
        if (Interlocked.Exchange(ref _toCommit, null) is { } positions)
        {
            _events.Reader.StoreForCommit(positions);
        }

        _batcher.OfferHistories();
        ObserveTopics();
        if (_time.GetElapsedTime(_lastStatus) < StatusInterval)
        {
            return;
        }

        _lastStatus = _time.GetTimestamp();
        CheckAssignment();
        ReportRejections(isEnd: false);
        _health.Set(KafkaProblem.Registry, _schemas?.Problem is { Length: > 0 } problem ? $"schema registry: {problem}" : string.Empty);
        _health.Set(KafkaProblem.RejectedEvents, _rejectedEvents.Problem);
        _health.Set(KafkaProblem.RejectedItems, _rejectedItems.Problem);
        _health.Set(KafkaProblem.DeadLetters, _deadLetters.Check(_watch!.Report.Of(_options.DeadLetterTopic)));
        PublishStatus();
    }

    private void ObserveTopics()
    {
        foreach (TopicTracker tracker in Trackers())
        {
            tracker.NoteUnreadable(_watch!);
        }

        TopicReport report = _watch!.Report;
        if (report.Number == _lastReport)
        {
            return;
        }

        _lastReport = report.Number;
        _errors.Observe(report);
        foreach (TopicTracker tracker in Trackers())
        {
            tracker.Update(report, _watch.Next, _batcher);
            tracker.Recover(report, _batcher);
        }
    }

    private IReadOnlyList<RejectedRecords> Rejected() =>
        _options.ItemsTopic.Length == 0
            ? [.. _rejectedEvents.Counts.All()]
            : [.. _rejectedEvents.Counts.All(), .. _rejectedItems.Counts.All()];

    private void ReportRejections(bool isEnd)
    {
        _rejectedEvents.Report(isEnd);
        _rejectedItems.Report(isEnd);
    }

    private IEnumerable<TopicTracker> Trackers() => _items is null ? [_events] : [_items, _events];

    private void CheckAssignment()
    {
        PartitionReader reader = _events.Reader;
        int assigned = reader.AssignedCount;
        if (assigned > 0)
        {
            _health.Set(KafkaProblem.Group, string.Empty);
        }

        // Any other problem is the cause.
        bool isExpected =
            reader is { IsStarted: true, IsInGroup: true }
            && !_health.Problems.Any(static problem =>
                problem.Kind is KafkaProblem.Unavailable or KafkaProblem.InteractionsTopic or KafkaProblem.Group
            );
        _health.Set(KafkaProblem.Assignment, isExpected ? _assignment.Update(assigned, reader.PartitionCount) : string.Empty);
    }

    private void PublishStatus()
    {
        if (!_isCatalogueRead && (_items is null || _items.Reader.IsAtEnd))
        {
            _isCatalogueRead = true;
            if (_items is not null)
            {
                KafkaSourceLog.CatalogueRead(_logger, _itemIntake.Changes, _rejectedItems.Counts.Total);
            }
        }

        List<PartitionLag> lags = [];
        _events.Reader.AddLags(lags);
        long watermark = _eventIntake.Watermark(lags.Select(static lag => lag.Partition));
        _batcher.ObserveLag(lags.Sum(static lag => Math.Max(0, lag.Records)));
        _items?.Reader.AddLags(lags);
        MissingRecords[] missing = [.. Trackers().Select(static tracker => new MissingRecords(tracker.Topic, tracker.Missing))];
        Volatile.Write(ref _status, new KafkaSourceStatus([], _isPaused, _isCatalogueRead, lags, watermark, [], missing));
    }
}
