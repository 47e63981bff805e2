using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;

namespace Streaming.Learning.Ranks;

/// <summary>Writes a batch as bytes for other ranks of the same program, which <see cref="BatchReader"/> reads.</summary>
internal sealed class BatchWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <summary>Writes a batch.</summary>
    /// <returns>Its bytes; valid until the next call.</returns>
    public ReadOnlySpan<byte> Write(Batch batch)
    {
        _bytes.ResetWrittenCount();
        int count = batch.Count,
            ids = batch.ItemIdOffsets[count],
            items = batch.HistoryOffsets[count];
        Write<BatchHead>([new BatchHead(count, batch.FullSize, ids, items, batch.ItemChanges.Count, batch.HistoryLength, batch.Counts)]);
        Write<ulong>(batch.UserKeys.AsSpan(0, count));
        Write<ulong>(batch.ItemKeys.AsSpan(0, count));
        Write<float>(batch.Weights.AsSpan(0, count));
        Write<long>(batch.EventTimes.AsSpan(0, count));
        Write<long>(batch.ProducedTimes.AsSpan(0, count));
        Write<bool>(batch.IsRepeat.AsSpan(0, count));
        Write<bool>(batch.IsKnownUser.AsSpan(0, count));
        Write<int>(batch.ItemIdOffsets.AsSpan(1, count));
        Write<byte>(batch.ItemIdBytes.AsSpan(0, ids));
        Write<int>(batch.HistoryOffsets.AsSpan(1, count));
        Write<ulong>(batch.HistoryItems.AsSpan(0, items));
        foreach (ItemChange change in batch.ItemChanges)
        {
            Write(change);
        }

        return _bytes.WrittenSpan;
    }

    private void Write(ItemChange change)
    {
        Write<ulong>([change.ItemKey]);
        Write<long>([change.ProducedTime]);
        Write<bool>([change.IsRemoved, change.Attributes is not null]);
        Write(change.ItemId);
        Write(change.Attributes ?? string.Empty);
        Write<int>([change.Features.Count, change.Text.Count]);
        foreach ((string group, float[] values) in change.Features)
        {
            Write(group);
            Write<int>([values.Length]);
            Write<float>(values);
        }

        foreach ((string field, string value) in change.Text)
        {
            Write(field);
            Write(value);
        }
    }

    private void Write(string text)
    {
        Write<int>([Encoding.UTF8.GetByteCount(text)]);
        Encoding.UTF8.GetBytes(text, _bytes);
    }

    private void Write<T>(ReadOnlySpan<T> values)
        where T : unmanaged => _bytes.Write(MemoryMarshal.AsBytes(values));
}
