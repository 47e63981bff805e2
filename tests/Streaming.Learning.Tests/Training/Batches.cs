using System.Text;
using Streaming.Core.Hashing;
using Streaming.Core.Ingestion;

namespace Streaming.Learning.Tests.Training;

/// <summary>Creates batches by hand, and whole streams from a seed.</summary>
internal static class Batches
{
    public const int HistoryLength = 6;

    public static ulong Key(string id) => XxHash64.Hash(Encoding.UTF8.GetBytes(id));

    public static Batch Create(int capacity = 16, long sequence = 0) => new(capacity, HistoryLength) { Sequence = sequence };

    public static Batch Add(this Batch batch, string item, string[] history, float weight = 1, long time = 1_000, long produced = 2_000)
    {
        int i = batch.Count;
        byte[] id = Encoding.UTF8.GetBytes(item);
        batch.ItemKeys[i] = Key(item);
        batch.Weights[i] = weight;
        batch.EventTimes[i] = time;
        batch.ProducedTimes[i] = produced;
        batch.IsRepeat[i] = history.Contains(item);
        batch.IsKnownUser[i] = history.Length > 0;
        id.CopyTo(batch.ItemIdBytes, batch.ItemIdOffsets[i]);
        batch.ItemIdOffsets[i + 1] = batch.ItemIdOffsets[i] + id.Length;
        int end = batch.HistoryOffsets[i];
        foreach (string past in history)
        {
            batch.HistoryItems[end++] = Key(past);
        }

        batch.HistoryOffsets[i + 1] = end;
        batch.Count++;
        return batch;
    }

    /// <summary>A stream of batches over a catalogue in which popularity decreases with the number and old items are replaced.</summary>
    public static Batch Random(Random random, long sequence, int rows, int catalogue, int firstItem = 0)
    {
        Batch batch = Create(rows, sequence);
        for (int i = 0; i < rows; i++)
        {
            string[] history = [.. Enumerable.Range(0, random.Next(HistoryLength + 1)).Select(_ => Item(random, catalogue, firstItem))];
            batch.Add(
                Item(random, catalogue, firstItem),
                history,
                time: 1_000 + (sequence * 100) + i,
                produced: 1_500 + (sequence * 100) + i
            );
        }

        return batch;
    }

    private static string Item(Random random, int catalogue, int firstItem) =>
        $"item-{firstItem + (int)(catalogue * random.NextDouble() * random.NextDouble())}";
}
