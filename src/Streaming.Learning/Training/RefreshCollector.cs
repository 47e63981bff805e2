using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Streaming.Core.Refreshes;
using Streaming.Learning.Counts;
using Streaming.Learning.Engine;
using Streaming.Learning.Items;

namespace Streaming.Learning.Training;

/// <summary>
/// Decides which items' embeddings are posted now: removals; items of new events and new records; items that training
/// touched; a slice of all others, so that each is posted within the refresh interval; and, ahead of their turn, those
/// among the others that moved most.
/// </summary>
/// <remarks>
/// Movement is measured, not guessed: of each posted vector a sketch of eight random signed sums is kept (Johnson and
/// Lindenstrauss), and the squared distance of sketches estimates that of the vectors, within a factor of two mostly.
/// A hand passes over the rows once per refresh interval and posts all; a second hand looks three times as often and
/// posts what moved most.
/// </remarks>
internal sealed class RefreshCollector
{
    private const int SketchSize = 8;
    private const int ScoutSpeed = 3;
    private const int ChunkRows = 256;
    private readonly TrainingEngine _engine;
    private readonly ItemTable _items;
    private readonly RefreshOptions _options;
    private readonly RelatedLists? _related;
    private readonly int _dimension;
    private readonly RowQueue _urgent;
    private readonly RowQueue _touched;
    private readonly long[] _producedTimes;
    private readonly float[] _sketches;
    private readonly float[] _signs;
    private readonly float[] _sketch = new float[SketchSize];
    private readonly int[] _rows = new int[ChunkRows];
    private readonly float[] _vectors;
    private readonly List<Refresh> _refreshes = [];
    private int _count;
    private int _hand;
    private int _scout;
    private double _owed;
    private double _scoutLimit = 1e-3;
    private int _all;
    private long _lastTime;

    public RefreshCollector(TrainingEngine engine, ItemTable items, RefreshOptions options, RelatedLists? related = null)
    {
        _related = related;
        options.Validate();
        _engine = engine;
        _items = items;
        _options = options;
        _dimension = engine.Model.Dimension;
        _urgent = new RowQueue(items.Capacity);
        _touched = new RowQueue(items.Capacity);
        _producedTimes = new long[items.Capacity];
        _sketches = new float[items.Capacity * SketchSize];
        _vectors = new float[ChunkRows * _dimension];
        _signs = new float[SketchSize * _dimension];
        for (int i = 0; i < _signs.Length; i++)
        {
            _signs[i] = (KeyMix.Mix((ulong)i) & 1) == 0 ? 1f : -1f;
        }
    }

    /// <summary>Gets how many items wait because of events or training.</summary>
    public int Waiting => _urgent.Count + _touched.Count;

    /// <summary>An event or a record of the item was learned: to be posted at the next collection.</summary>
    public void MarkUrgent(int row, long producedTime)
    {
        if (producedTime > 0 && (_producedTimes[row] == 0 || producedTime < _producedTimes[row]))
        {
            _producedTimes[row] = producedTime;
        }

        _urgent.Enqueue(row);
    }

    /// <summary>Training moved the item's embedding, as a part of a history.</summary>
    public void MarkTouched(int row) => _touched.Enqueue(row);

    /// <summary>The row belongs to another item now, or to none.</summary>
    public void Reset(int row)
    {
        _producedTimes[row] = 0;
        _sketches.AsSpan(row * SketchSize, SketchSize).Clear();
    }

    /// <summary>Everything is to be posted again, as fast as the bounds allow.</summary>
    public void MarkAll() => _all = Math.Max(_items.HighWater - _items.FallbackRows, 0);

    /// <summary>Posts what is due.</summary>
    /// <returns>The number of refreshes posted.</returns>
    public int Collect(RefreshOutbox outbox, long nowMilliseconds, long step)
    {
        _refreshes.Clear();
        AddRemovals(step);
        AddWaiting(_urgent, _options.MaxTouched, step);
        AddWaiting(_touched, _options.MaxTouched - _refreshes.Count, step);
        int slice = Slice(nowMilliseconds);
        AddSlice(slice, step);
        Scout(slice, step);
        if (_refreshes.Count > 0)
        {
            outbox.Post(CollectionsMarshal.AsSpan(_refreshes));
        }

        return _refreshes.Count;
    }

    private void AddRemovals(long step)
    {
        foreach (RemovedItem item in _items.Removed)
        {
            // It may have come back since.
            if (_items.Find(item.Key) < 0)
            {
                _refreshes.Add(new Refresh(item.Key, item.Id, null, step, 0, 0));
            }
        }

        _items.Removed.Clear();
    }

    private void AddWaiting(RowQueue queue, int max, long step)
    {
        for (int taken = 0; taken < max && queue.TryDequeue(out int row); taken++)
        {
            Add(row, step);
        }

        Flush(step);
    }

    /// <summary>How many rows the hand passes over now.</summary>
    private int Slice(long now)
    {
        long elapsed = _lastTime == 0 ? 0 : Math.Max(now - _lastTime, 0);
        _lastTime = now;
        int span = Math.Max(_items.HighWater - _items.FallbackRows, 0);
        _owed = Math.Min(span, _owed + (span * (elapsed / _options.RefreshInterval.TotalMilliseconds)));
        int slice = (int)_owed;
        _owed -= slice;
        int extra = Math.Min(_all, _options.MaxTouched);
        _all -= extra;
        return Math.Min(span, slice + extra);
    }

    private void AddSlice(int slice, long step)
    {
        for (int i = 0; i < slice; i++)
        {
            _hand = Next(_hand);
            Add(_hand, step);
        }

        Flush(step);
    }

    private void Scout(int slice, long step)
    {
        int start = _refreshes.Count;
        int look = Math.Min(slice * ScoutSpeed, Math.Max(_items.HighWater - _items.FallbackRows, 0));
        for (int i = 0; i < look; i++)
        {
            _scout = Next(_scout);
            if (_items.IsLive(_scout))
            {
                _rows[_count++] = _scout;
            }

            if (_count == ChunkRows || i == look - 1)
            {
                _count = KeepMoved();
                Flush(step);
            }
        }

        // Steers toward as many posts ahead of their turn as in their turn; below a millionth nothing has moved.
        int posted = _refreshes.Count - start;
        _scoutLimit = slice == 0 ? _scoutLimit : Math.Max(_scoutLimit * (posted > slice ? 1.25 : 0.8), 1e-6);
    }

    /// <summary>Of the rows in the chunk, keeps those that moved more than the limit since they were posted.</summary>
    private int KeepMoved()
    {
        if (_count == 0)
        {
            return 0;
        }

        _engine.EncodeItems(_rows.AsSpan(0, _count), _vectors.AsSpan(0, _count * _dimension));
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            Sketch(_vectors.AsSpan(i * _dimension, _dimension), _sketch);
            float moved = TensorPrimitives.Distance<float>(_sketch, _sketches.AsSpan(_rows[i] * SketchSize, SketchSize));
            if (moved * moved > _scoutLimit * TensorPrimitives.SumOfSquares<float>(_sketch))
            {
                _rows[kept++] = _rows[i];
            }
        }

        return kept;
    }

    private int Next(int row) => row + 1 < _items.HighWater && row >= _items.FallbackRows ? row + 1 : _items.FallbackRows;

    private void Add(int row, long step)
    {
        if (!_items.IsLive(row))
        {
            return;
        }

        _rows[_count++] = row;
        if (_count == ChunkRows)
        {
            Flush(step);
        }
    }

    private void Flush(long step)
    {
        if (_count == 0)
        {
            return;
        }

        _engine.EncodeItems(_rows.AsSpan(0, _count), _vectors.AsSpan(0, _count * _dimension));
        for (int i = 0; i < _count; i++)
        {
            int row = _rows[i];
            ReadOnlySpan<float> vector = _vectors.AsSpan(i * _dimension, _dimension);
            _refreshes.Add(new Refresh(_items.KeyOf(row), _items.IdOf(row), vector.ToArray(), step, _items.NewestEvent(row), _producedTimes[row]) { Related = _related?.Of(row) });
            _producedTimes[row] = 0;
            Sketch(vector, _sketches.AsSpan(row * SketchSize, SketchSize));
        }

        _count = 0;
    }

    private void Sketch(ReadOnlySpan<float> vector, Span<float> sketch)
    {
        for (int i = 0; i < SketchSize; i++)
        {
            sketch[i] = TensorPrimitives.Dot(vector, _signs.AsSpan(i * _dimension, _dimension));
        }
    }
}
