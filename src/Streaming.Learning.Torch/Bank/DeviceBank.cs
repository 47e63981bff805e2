using Streaming.Learning.Torch.Devices;
using Streaming.Learning.Torch.Softmax;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Bank;

/// <summary>
/// Memory bank on the device: a ring of the last M positives, or of the last M distinct ones, as (item row, embedding, ln p), with
/// the steps on the host. Its newest entries are one segment of the ring, or two where it wraps; the loss uses both without a copy.
/// </summary>
internal sealed class DeviceBank : IDisposable
{
    private readonly Tensor _vectors;
    private readonly Tensor _rows;
    private readonly Tensor _logQ;
    private readonly long[] _steps;
    private readonly HostBuffer<long> _places = new(ScalarType.Int64);
    private readonly DistinctEntries? _distinct;
    private int _next;

    public DeviceBank(int capacity, int columns, Device device, bool distinct = false)
    {
        Capacity = capacity;
        _distinct = distinct ? new DistinctEntries(capacity) : null;
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        _vectors = zeros(capacity, columns, dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
        _rows = full(capacity, -1L, dtype: ScalarType.Int64, device: device).DetachFromDisposeScope();
        _logQ = zeros(capacity, dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
        _steps = new long[capacity];
    }

    /// <summary>Gets the capacity, M.</summary>
    public int Capacity { get; }

    /// <summary>Gets the number of entries.</summary>
    public int Count { get; private set; }

    /// <summary>The newest entries as at most two segments of the ring, in the caller's dispose scope.</summary>
    public List<CandidateBlock> Newest(int entries)
    {
        var all = new CandidateBlock(_vectors, _rows, _logQ);
        var blocks = new List<CandidateBlock>(2);
        foreach ((int start, int length) in Stretches(_next - entries, entries))
        {
            blocks.Add(all.Slice(start, length));
        }

        return blocks;
    }

    /// <summary>Draws in which the newest distinct entries were the last of their items. 0 for entries that may repeat.</summary>
    public long Window(int entries) => _distinct is null || entries == 0 ? 0 : _distinct.Ages[entries - 1];

    /// <summary>Enqueues the last M of these entries; the last one becomes the newest. Call under <c>no_grad</c>.</summary>
    /// <param name="entries">Vectors, rows and ln p of a batch's positives.</param>
    /// <param name="rows">The same rows on the host.</param>
    /// <param name="step">Step at which they are enqueued.</param>
    public void Enqueue(CandidateBlock entries, ReadOnlySpan<int> rows, long step)
    {
        if (_distinct is null)
        {
            EnqueueDraws(entries, step);
        }
        else
        {
            EnqueueDistinct(entries, _distinct.Enqueue(rows), step);
        }
    }

    private void EnqueueDraws(CandidateBlock entries, long step)
    {
        int count = (int)Math.Min(Capacity, entries.Count);
        long from = entries.Count - count;
        foreach ((int start, int length) in Stretches(_next, count))
        {
            using TorchSharp.DisposeScope scope = NewDisposeScope();
            CandidateBlock part = entries.Slice(from, length);
            _vectors.narrow(0, start, length).copy_(part.Vectors);
            _rows.narrow(0, start, length).copy_(part.Rows);
            _logQ.narrow(0, start, length).copy_(part.LogQ);
            _steps.AsSpan(start, length).Fill(step);
            from += length;
        }

        _next = Capacity == 0 ? 0 : (_next + count) % Capacity;
        Count = Math.Min(Capacity, Count + count);
    }

    /// <summary>Clears the row of an item's entries; they remain as negatives for every row.</summary>
    public void Forget(int row)
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        _rows.masked_fill_(_rows.eq(row), -1L);
        _distinct?.Forget(row);
    }

    /// <summary>Entries by age, newest first, in the caller's dispose scope: vectors, rows and ln q on the device.</summary>
    /// <param name="ages">0 … <see cref="Count"/> − 1 each.</param>
    public CandidateBlock Select(ReadOnlySpan<int> ages)
    {
        _places.Reserve(ages.Length);
        for (int i = 0; i < ages.Length; i++)
        {
            _places.Values[i] = Place(ages[i]);
        }

        Tensor index = _places.Upload(_rows.device);
        return new CandidateBlock(_vectors.index_select(0, index), _rows.index_select(0, index), _logQ.index_select(0, index));
    }

    /// <summary>Copies all vectors to a device, newest first.</summary>
    public Tensor CopyVectors(Device device) => Copy(block => block.Vectors, device);

    /// <summary>Copies all item rows to a device, newest first, int32.</summary>
    public Tensor CopyRows(Device device) => Copy(block => block.Rows.to_type(ScalarType.Int32), device);

    /// <summary>Copies all ln q to a device, newest first.</summary>
    public Tensor CopyLogQ(Device device) => Copy(block => block.LogQ, device);

    /// <summary>Step at which an entry was enqueued.</summary>
    /// <param name="age">0 … <see cref="Count"/> − 1, 0 the newest.</param>
    public long StepOf(int age) => _steps[Place(age)];

    /// <summary>Steps of all entries, newest first.</summary>
    public long[] Steps() => [.. Enumerable.Range(0, Count).Select(StepOf)];

    /// <summary>Ages in draws of all distinct entries, newest first.</summary>
    public long[] Ages() => _distinct is null ? [] : _distinct.Ages.ToArray();

    /// <summary>Replaces the contents.</summary>
    /// <param name="entries">On any device, newest first, at most M.</param>
    /// <param name="rows">Their rows on the host.</param>
    /// <param name="steps">Their steps.</param>
    /// <param name="ages">Their ages in draws; empty for entries that may repeat.</param>
    public void Reset(CandidateBlock entries, ReadOnlySpan<int> rows, ReadOnlySpan<long> steps, ReadOnlySpan<long> ages)
    {
        _distinct?.Reset(rows, ages);
        Replace(entries, steps);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _vectors.Dispose();
        _rows.Dispose();
        _logQ.Dispose();
        _places.Dispose();
    }

    private void EnqueueDistinct(CandidateBlock entries, IReadOnlyList<int> kept, long step)
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        int fresh = (int)entries.Count;
        _places.Reserve(kept.Count);
        for (int i = 0; i < kept.Count; i++)
        {
            _places.Values[i] = kept[i] < fresh ? Capacity + fresh - 1 - kept[i] : Place(kept[i] - fresh);
        }

        long[] steps = [.. kept.Select(entry => entry < fresh ? step : StepOf(entry - fresh))];
        var all = CandidateBlock.Join([new CandidateBlock(_vectors, _rows, _logQ), entries]);
        Tensor index = _places.Upload(_rows.device);
        Replace(
            new CandidateBlock(all.Vectors.index_select(0, index), all.Rows.index_select(0, index), all.LogQ.index_select(0, index)),
            steps
        );
    }

    private void Replace(CandidateBlock entries, ReadOnlySpan<long> steps)
    {
        int count = steps.Length;
        Count = count;
        _next = Capacity == 0 ? 0 : count % Capacity;
        if (count > 0)
        {
            using TorchSharp.DisposeScope scope = NewDisposeScope();
            _vectors.narrow(0, 0, count).copy_(entries.Vectors.flip(0));
            _rows.narrow(0, 0, count).copy_(entries.Rows.flip(0));
            _logQ.narrow(0, 0, count).copy_(entries.LogQ.flip(0));
        }

        for (int i = 0; i < count; i++)
        {
            _steps[count - 1 - i] = steps[i];
        }
    }

    // Flipping copies.
    private Tensor Copy(Func<CandidateBlock, Tensor> part, Device device)
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        var parts = Newest(Count).Select(block => part(block).to(device)).ToList();
        Tensor whole = parts.Count switch
        {
            0 => part(new CandidateBlock(_vectors, _rows, _logQ).Slice(0, 0)).to(device),
            1 => parts[0],
            _ => cat(parts, 0),
        };
        return whole.flip(0).MoveToOuterDisposeScope();
    }

    private int Place(int age)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(age);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(age, Count);
        int place = _next - 1 - age;
        return place < 0 ? place + Capacity : place;
    }

    private List<(int Start, int Length)> Stretches(int start, int length)
    {
        start = start < 0 ? start + Capacity : start;
        int first = Math.Min(length, Capacity - start);
        var stretches = new List<(int, int)>(2);
        if (first > 0)
        {
            stretches.Add((start, first));
        }

        if (length > first)
        {
            stretches.Add((0, length - first));
        }

        return stretches;
    }
}
