using Streaming.Core.Events;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Models.State;

namespace Streaming.Learning.Ranks;

/// <summary>Reads what <see cref="BatchWriter"/> wrote.</summary>
internal static class BatchReader
{
    /// <summary>Appends a batch to another.</summary>
    /// <param name="bytes">The batch.</param>
    /// <param name="all">The batch to append to.</param>
    /// <exception cref="InvalidDataException">It is not a batch, or does not fit.</exception>
    public static void Append(ReadOnlySpan<byte> bytes, Batch all)
    {
        var reader = new BytesReader(bytes);
        BatchHead head = reader.Read<BatchHead>();
        CheckFits(head, all);
        ReadExamples(ref reader, head, all);
        for (int i = 0; i < head.Changes; i++)
        {
            all.ItemChanges.Add(ReadChange(ref reader));
        }

        all.FullSize += head.FullSize;
        EventCounts counts = all.Counts;
        counts.Add(head.Counts);
        all.Counts = counts;
    }

    private static void CheckFits(in BatchHead head, Batch all)
    {
        if (head.HistoryLength != all.HistoryLength || head.Count < 0 || head.Count > all.Capacity - all.Count)
        {
            throw new InvalidDataException(
                $"The batch of another rank has {head.Count} examples with histories of up to {head.HistoryLength}; here there is room for "
                    + $"{all.Capacity - all.Count} with {all.HistoryLength}. All ranks must have the same settings and program."
            );
        }
    }

    private static void ReadExamples(ref BytesReader reader, in BatchHead head, Batch all)
    {
        int first = all.Count,
            count = head.Count,
            ids = all.ItemIdOffsets[first],
            items = all.HistoryOffsets[first];
        reader.Take<ulong>(count).CopyTo(all.UserKeys.AsSpan(first));
        reader.Take<ulong>(count).CopyTo(all.ItemKeys.AsSpan(first));
        reader.Take<float>(count).CopyTo(all.Weights.AsSpan(first));
        reader.Take<long>(count).CopyTo(all.EventTimes.AsSpan(first));
        reader.Take<long>(count).CopyTo(all.ProducedTimes.AsSpan(first));
        reader.Take<bool>(count).CopyTo(all.IsRepeat.AsSpan(first));
        reader.Take<bool>(count).CopyTo(all.IsKnownUser.AsSpan(first));
        CopyOffsets(reader.Take<int>(count), all.ItemIdOffsets.AsSpan(first + 1), ids);
        byte[] idBytes = all.ItemIdBytes;
        Buffers.Extend(ref idBytes, ids + head.IdBytes);
        all.ItemIdBytes = idBytes;
        reader.Take<byte>(head.IdBytes).CopyTo(idBytes.AsSpan(ids));
        CopyOffsets(reader.Take<int>(count), all.HistoryOffsets.AsSpan(first + 1), items);
        reader.Take<ulong>(head.HistoryItems).CopyTo(all.HistoryItems.AsSpan(items));
        all.Count += count;
    }

    private static ItemChange ReadChange(ref BytesReader reader)
    {
        ulong key = reader.Read<ulong>();
        long produced = reader.Read<long>();
        bool isRemoved = reader.Read<bool>(),
            hasAttributes = reader.Read<bool>();
        string id = reader.ReadText(),
            attributes = reader.ReadText();
        int groups = reader.Read<int>(),
            fields = reader.Read<int>();
        var features = new Dictionary<string, float[]>(StringComparer.Ordinal);
        for (; groups > 0; groups--)
        {
            string group = reader.ReadText();
            features[group] = reader.Take<float>(reader.Read<int>()).ToArray();
        }

        var text = new Dictionary<string, string>(StringComparer.Ordinal);
        for (; fields > 0; fields--)
        {
            string field = reader.ReadText();
            text[field] = reader.ReadText();
        }

        return new ItemChange
        {
            ItemKey = key,
            ItemId = id,
            IsRemoved = isRemoved,
            ProducedTime = produced,
            Attributes = hasAttributes ? attributes : null,
            Features = features,
            Text = text,
        };
    }

    private static void CopyOffsets(ReadOnlySpan<int> offsets, Span<int> copy, int origin)
    {
        for (int i = 0; i < offsets.Length; i++)
        {
            copy[i] = offsets[i] + origin;
        }
    }
}
