using Streaming.Core.Events;
using Streaming.Core.Items;
using Streaming.Core.Positions;
using Streaming.Core.Tracing;

namespace Streaming.Core.Ingestion;

/// <summary>
/// A micro-batch of examples in stream order, with the stream positions and catalogue changes it covers. Histories are
/// jagged: one value array plus offsets, never padded.
/// </summary>
/// <remarks>
/// Batches are pooled: the batcher fills one, the trainer returns it after the step; all arrays are allocated once. Arrays
/// may be longer than their contents: <see cref="Count"/> and the offsets give the length in use.
/// </remarks>
public sealed class Batch
{
    /// <summary>Creates an empty batch.</summary>
    /// <param name="capacity">Largest number of examples, 1 and up.</param>
    /// <param name="historyLength">Largest history of an example, L, 1 and up.</param>
    public Batch(int capacity, int historyLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(historyLength, 1);
        Capacity = capacity;
        HistoryLength = historyLength;
        UserKeys = new ulong[capacity];
        ItemKeys = new ulong[capacity];
        Weights = new float[capacity];
        EventTimes = new long[capacity];
        ProducedTimes = new long[capacity];
        IsRepeat = new bool[capacity];
        IsKnownUser = new bool[capacity];
        ItemIdOffsets = new int[capacity + 1];
        ItemIdBytes = new byte[capacity * 32];
        HistoryOffsets = new int[capacity + 1];
        HistoryItems = new ulong[capacity * historyLength];
    }

    /// <summary>Gets the largest number of examples.</summary>
    public int Capacity { get; }

    /// <summary>Gets the largest history of an example, L.</summary>
    public int HistoryLength { get; }

    /// <summary>Gets or sets the sequence number since the start of the stream, 0 and up, continued across restarts.</summary>
    public long Sequence { get; set; }

    /// <summary>Gets or sets when its first record was read, in timestamps of the batcher's clock; 0: it has none.</summary>
    public long Begun { get; set; }

    /// <summary>Gets or sets when it was sealed, in timestamps of the batcher's clock.</summary>
    public long Sealed { get; set; }

    /// <summary>Gets or sets the number of examples, 0 … <see cref="Capacity"/>. 0 when only positions or the catalogue advanced.</summary>
    public int Count { get; set; }

    /// <summary>Gets or sets the number of examples of a full batch while the trainer keeps up; a batch with more has grown. 0:
    /// unknown.</summary>
    public int FullSize { get; set; }

    /// <summary>Gets a value indicating whether it has grown: the trainer was behind. The same on all ranks.</summary>
    public bool HasGrown => FullSize > 0 && Count > FullSize;

    /// <summary>Gets the user of each example: hash of the id.</summary>
    public ulong[] UserKeys { get; }

    /// <summary>Gets the positive item of each example: hash of the id.</summary>
    public ulong[] ItemKeys { get; }

    /// <summary>Gets the weight of each example, above 0.</summary>
    public float[] Weights { get; }

    /// <summary>Gets when each event happened, Unix milliseconds.</summary>
    public long[] EventTimes { get; }

    /// <summary>Gets when each record was produced (the broker's message timestamp), Unix milliseconds.</summary>
    public long[] ProducedTimes { get; }

    /// <summary>Gets whether the user's history already contained the item.</summary>
    public bool[] IsRepeat { get; }

    /// <summary>Gets whether the user had a history before the event.</summary>
    public bool[] IsKnownUser { get; }

    /// <summary>Gets the UTF-8 ids of the positive items, concatenated.</summary>
    public byte[] ItemIdBytes { get; set; }

    /// <summary>Gets where each id starts in <see cref="ItemIdBytes"/>; entry <see cref="Count"/> is the end.</summary>
    public int[] ItemIdOffsets { get; }

    /// <summary>Gets the items of the histories before each event, oldest first, concatenated: at most L per example.</summary>
    public ulong[] HistoryItems { get; }

    /// <summary>Gets where each history starts in <see cref="HistoryItems"/>; entry <see cref="Count"/> is the end.</summary>
    public int[] HistoryOffsets { get; }

    /// <summary>Gets the catalogue changes to apply before the examples.</summary>
    public List<ItemChange> ItemChanges { get; } = [];

    /// <summary>Gets the counts of all records read since the previous batch.</summary>
    public EventCounts Counts { get; set; }

    /// <summary>Gets the position of every assigned partition after this batch.</summary>
    public List<StreamPosition> Positions { get; } = [];

    /// <summary>Gets the records that are traced, at most <see cref="StreamTracing.MostPerBatch"/>.</summary>
    public List<TracedRecord> Traces { get; } = [];

    /// <summary>Gets or sets the ingestion state as of the end of this batch, if a checkpoint is due at it.</summary>
    public IngestSnapshot? Snapshot { get; set; }

    /// <summary>The items of the user before an event, oldest first.</summary>
    /// <param name="example">Index of the example.</param>
    public ReadOnlySpan<ulong> History(int example) => HistoryItems.AsSpan(HistoryOffsets[example]..HistoryOffsets[example + 1]);

    /// <summary>Empties the batch for reuse.</summary>
    public void Clear()
    {
        Count = 0;
        Counts = default;
        (Begun, Sealed) = (0, 0);
        ItemIdOffsets[0] = 0;
        HistoryOffsets[0] = 0;
        ItemChanges.Clear();
        Positions.Clear();
        Traces.Clear();
        Snapshot = null;
    }
}
