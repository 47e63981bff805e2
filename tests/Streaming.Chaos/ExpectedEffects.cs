using Streaming.Core.Events;

namespace Streaming.Chaos;

/// <summary>What the events that were produced must have done, each once.</summary>
internal sealed class ExpectedEffects
{
    /// <summary>Gets the events by item that are to be trained on.</summary>
    public Dictionary<string, long> TrainedByItem { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets the totals.</summary>
    public EventCounts Totals { get; private set; }

    /// <summary>Gets how many records stand twice in the topic because the client has sent them again: the broker went away
    /// between taking them and saying so.</summary>
    public long Resent { get; private set; }

    /// <summary>Adds an event that is to be trained on.</summary>
    public void Train(string item)
    {
        TrainedByItem[item] = TrainedByItem.GetValueOrDefault(item) + 1;
        Totals = Totals with { Read = Totals.Read + 1, Decoded = Totals.Decoded + 1, Trained = Totals.Trained + 1 };
    }

    /// <summary>Adds an event of a type with weight 0.</summary>
    public void KeepInHistory() => Totals = Totals with { Read = Totals.Read + 1, Decoded = Totals.Decoded + 1, HistoryOnly = Totals.HistoryOnly + 1 };

    /// <summary>Adds a second delivery of an event.</summary>
    public void Drop() => Totals = Totals with { Read = Totals.Read + 1, Decoded = Totals.Decoded + 1, Duplicates = Totals.Duplicates + 1 };

    /// <summary>Adds records that were sent again. Which they are nobody knows: the second of a bad one is a second dead letter,
    /// that of any other a duplicate.</summary>
    public void Resend(long records)
    {
        Resent += records;
        Totals = Totals with { Read = Totals.Read + records };
    }

    /// <summary>Adds a record that does not decode.</summary>
    public void DeadLetter() => Totals = Totals with { Read = Totals.Read + 1, DeadLettered = Totals.DeadLettered + 1 };
}
