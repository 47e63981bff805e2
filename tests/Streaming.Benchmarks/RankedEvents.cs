using System.Globalization;
using System.Text;
using Streaming.Core.Hashing;
using Streaming.Core.Ingestion;

namespace Streaming.Benchmarks;

/// <summary>Batches of events as ingestion hands them over: items by a Zipf law, full histories.</summary>
internal static class RankedEvents
{
    private const int Items = RanksWorkload.Items;

    /// <summary>Makes a batch.</summary>
    public static Batch Make(int number, int count)
    {
        int length = RanksWorkload.Model.HistoryLength;
        var random = new Random(number);
        var batch = new Batch(count, length) { Sequence = number, FullSize = count };
        for (int i = 0; i < count; i++)
        {
            byte[] id = Id(random);
            batch.ItemKeys[i] = XxHash64.Hash(id);
            batch.UserKeys[i] = (ulong)random.NextInt64();
            batch.Weights[i] = 1;
            batch.EventTimes[i] = batch.ProducedTimes[i] = 1_700_000_000_000 + number;
            batch.IsKnownUser[i] = true;
            id.CopyTo(batch.ItemIdBytes, batch.ItemIdOffsets[i]);
            batch.ItemIdOffsets[i + 1] = batch.ItemIdOffsets[i] + id.Length;
            for (int t = 0; t < length; t++)
            {
                batch.HistoryItems[(i * length) + t] = XxHash64.Hash(Id(random));
            }

            batch.HistoryOffsets[i + 1] = (i + 1) * length;
            batch.Count++;
        }

        return batch;
    }

    private static byte[] Id(Random random) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"item-{(int)(Items * Math.Pow(random.NextDouble(), 3))}"));
}
