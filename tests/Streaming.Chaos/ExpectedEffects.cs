using Streaming.Core.Events;

namespace Streaming.Chaos;

/// <summary>The expected effects of the produced events, each exactly once.</summary>
internal sealed class ExpectedEffects
{
    /// <summary>Gets the number of trainable events by item.</summary>
    public Dictionary<string, long> TrainedByItem { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets the totals.</summary>
    public EventCounts Totals { get; private set; }

    /// <summary>Gets how many records are in the topic twice because the client resent them: the broker went down
    /// between storing and acknowledging them.</summary>
    public long Resent { get; private set; }

    /// <summary>Adds a trainable event.</summary>
    public void Train(string item)
    {
        TrainedByItem[item] = TrainedByItem.GetValueOrDefault(item) + 1;
        Totals = Totals with { Read = Totals.Read + 1, Decoded = Totals.Decoded + 1, Trained = Totals.Trained + 1 };
    }

    /// <summary>Adds an event of a type with weight 0.</summary>
    public void KeepInHistory() =>
        Totals = Totals with { Read = Totals.Read + 1, Decoded = Totals.Decoded + 1, HistoryOnly = Totals.HistoryOnly + 1 };

    /// <summary>Adds a second delivery of an event.</summary>
    public void Drop() => Totals = Totals with { Read = Totals.Read + 1, Decoded = Totals.Decoded + 1, Duplicates = Totals.Duplicates + 1 };

    /// <summary>Adds resent records. Which ones is unknown: a resent malformed record is a second dead letter,
    /// any other a duplicate.</summary>
    public void Resend(long records)
    {
        Resent += records;
        Totals = Totals with { Read = Totals.Read + records };
    }

    /// <summary>Adds a record that does not decode.</summary>
    public void DeadLetter() => Totals = Totals with { Read = Totals.Read + 1, DeadLettered = Totals.DeadLettered + 1 };
}
