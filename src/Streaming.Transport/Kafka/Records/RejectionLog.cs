using Microsoft.Extensions.Logging;
using Streaming.Core.Events;
using Streaming.Transport.Kafka.Clients;

namespace Streaming.Transport.Kafka.Records;

/// <summary>
/// Logs records that cannot be used: one warning for each reason and minute, with an example. A broken producer would otherwise fill the
/// log.
/// </summary>
internal sealed class RejectionLog(string topic, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private readonly Dictionary<DeadLetterReason, Entry> _entries = [];

    /// <summary>Takes note of a record; the first for its reason in a minute is logged at once.</summary>
    public void Add(int partition, long offset, DeadLetterReason reason, string explanation)
    {
        if (!_entries.TryGetValue(reason, out Entry? entry))
        {
            _entries.Add(reason, entry = new Entry());
        }

        entry.Unsaid++;
        (entry.Partition, entry.Offset, entry.Explanation) = (partition, offset, explanation);
        Report(reason, entry, isEnd: false);
    }

    /// <summary>Logs what has come since: of reasons last logged a minute ago, or at the end of all.</summary>
    public void Report(bool isEnd)
    {
        foreach ((DeadLetterReason reason, Entry entry) in _entries)
        {
            Report(reason, entry, isEnd);
        }
    }

    private void Report(DeadLetterReason reason, Entry entry, bool isEnd)
    {
        if (entry.Unsaid == 0 || (!isEnd && entry.Said is long said && time.GetElapsedTime(said) < Interval))
        {
            return;
        }

        KafkaSourceLog.Rejected(logger, topic, entry.Unsaid, reason.ToString(), entry.Partition, entry.Offset, entry.Explanation);
        entry.Unsaid = 0;
        entry.Said = time.GetTimestamp();
    }

    private sealed class Entry
    {
        public long? Said { get; set; }

        public long Unsaid { get; set; }

        public int Partition { get; set; }

        public long Offset { get; set; }

        public string Explanation { get; set; } = string.Empty;
    }
}
