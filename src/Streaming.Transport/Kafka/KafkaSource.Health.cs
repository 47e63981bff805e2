using Confluent.Kafka;
using Streaming.Core;

namespace Streaming.Transport;

/// <content>Health, lag, new partitions, commits, changed histories: what is done once a second or when asked, never per event.</content>
public sealed partial class KafkaSource
{
    private void DoChores()
    {
        if (Interlocked.Exchange(ref _toCommit, null) is { } positions)
        {
            _events.StoreForCommit(positions);
            _items?.StoreForCommit(positions);
        }

        _batcher.OfferHistories();
        if (_time.GetElapsedTime(_lastStatus) < StatusInterval)
        {
            return;
        }

        _lastStatus = _time.GetTimestamp();
        if (Volatile.Read(ref _isDegraded) != 0 && _topics.TryGetPartitionCount(_options.InteractionsTopic, PollTime) is not null)
        {
            SetDegraded(null);
        }

        RefreshPartitions();
        PublishStatus();
    }

    private void RefreshPartitions()
    {
        if (_time.GetElapsedTime(_lastRefresh) < _options.MetadataRefresh || Volatile.Read(ref _isDegraded) != 0)
        {
            return;
        }

        _lastRefresh = _time.GetTimestamp();
        RefreshPartitions(_events, _options.InteractionsTopic, Interactions);
        if (_items is not null)
        {
            RefreshPartitions(_items, _options.ItemsTopic, Items);
        }
    }

    private void RefreshPartitions(PartitionReader reader, string topic, int number)
    {
        if (reader.IsStarted && !reader.IsInGroup && _topics.TryGetPartitionCount(topic, TimeSpan.FromSeconds(1)) is int partitions)
        {
            if (partitions > reader.PartitionCount)
            {
                CheckPartitionCount(topic, number, partitions);
            }

            reader.Extend(partitions);
        }
    }

    private void PublishStatus()
    {
        List<PartitionLag> lags = [];
        _events.AddLags(lags);
        long watermark = 0;
        foreach (PartitionLag lag in lags)
        {
            long newest = lag.Partition < _newestTimes.Count ? _newestTimes[lag.Partition] : 0;
            watermark = newest > 0 && (watermark == 0 || newest < watermark) ? newest : watermark;
        }

        _batcher.ObserveLag(lags.Sum(static lag => Math.Max(0, lag.Records)));
        _items?.AddLags(lags);
        Volatile.Write(ref _status, new KafkaSourceStatus(false, _isPaused, _isCatalogueRead, lags, watermark, _rejectedItems));
    }

    private void OnError(Error error)
    {
        if (error.Code == ErrorCode.Local_AllBrokersDown)
        {
            SetDegraded(error.Reason);
        }
        else if (Volatile.Read(ref _isDegraded) == 0)
        {
            KafkaSourceLog.ClientError(_logger, error.Reason, error.Code.ToString());
        }
    }

    private void SetDegraded(string? reason)
    {
        int degraded = reason is null ? 0 : 1;
        if (Volatile.Read(ref _isDegraded) == degraded)
        {
            return;
        }

        Volatile.Write(ref _isDegraded, degraded);
        if (reason is null)
        {
            KafkaSourceLog.Recovered(_logger);
        }
        else
        {
            KafkaSourceLog.Degraded(_logger, reason);
        }
    }
}
